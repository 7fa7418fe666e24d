//! Software version (XEP-0092). Answered to contacts only (S-XMPP-17), and without the system's
//! name: nobody needs it.

use minidom::Element;

use crate::dom::{Build, el};
use crate::ns;

/// Whether a payload asks for the version.
pub fn is_request(payload: &Element) -> bool {
    payload.is("query", ns::VERSION)
}

/// The payload of the answer.
pub fn answer(name: &str, version: &str) -> Element {
    el("query", ns::VERSION)
        .child(el("name", ns::VERSION).text_of(name))
        .child(el("version", ns::VERSION).text_of(version))
}
