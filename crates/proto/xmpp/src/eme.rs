//! Explicit message encryption (XEP-0380): a word beside encrypted data that says what they are.
//!
//! Read by [`crate::message::parse`]: a payload that is there counts more than the word.

use minidom::Element;

use crate::dom::{Build, el};
use crate::ns;

/// Says that the body is OTR's data (XEP-0364).
pub fn otr_element() -> Element {
    el("encryption", ns::EME).with("namespace", ns::OTR)
}
