//! Ping (XEP-0199).

use minidom::Element;

use crate::dom::el;
use crate::ns;

/// The payload of a ping: for an iq `get`. Any answer, also an error, shows that the link lives.
pub fn request() -> Element {
    el("ping", ns::PING)
}

/// Whether a payload is a ping. Answered with an empty [`crate::iq::result`].
pub fn is_request(payload: &Element) -> bool {
    payload.is("ping", ns::PING)
}
