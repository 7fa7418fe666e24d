//! Client state indication (XEP-0352): nonzas, sent outside of stream management's count.

use minidom::Element;

use crate::dom::el;
use crate::ns;

/// The person looks at the program.
pub fn active() -> Element {
    el("active", ns::CSI)
}

/// Nobody looks; the server may hold back what can wait.
pub fn inactive() -> Element {
    el("inactive", ns::CSI)
}
