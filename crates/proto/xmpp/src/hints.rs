//! Message processing hints (XEP-0334).

use minidom::Element;

use crate::dom::el;
use crate::ns;

/// What servers and other programs are asked to do with a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// No archive keeps it for good.
    pub no_permanent_store: bool,
    /// No archive and no offline storage keeps it.
    pub no_store: bool,
    /// It goes to no other resource.
    pub no_copy: bool,
    /// An archive keeps it though it has no body.
    pub store: bool,
}

impl Hints {
    /// Keeps a message that has no body, such as a receipt.
    pub const STORE: Self = Self {
        no_permanent_store: false,
        no_store: false,
        no_copy: false,
        store: true,
    };
    /// Keeps nothing, such as a typing notice.
    pub const NO_STORE: Self = Self {
        no_permanent_store: false,
        no_store: true,
        no_copy: false,
        store: false,
    };

    /// For words that only the program they go to can read (XEP-0364 §3): not copied, not archived for good.
    pub const PRIVATE: Self = Self {
        no_permanent_store: true,
        no_store: false,
        no_copy: true,
        store: false,
    };
    /// For what only keeps such a conversation going: as [`Hints::PRIVATE`], and of no use later.
    pub const PRIVATE_FLEETING: Self = Self {
        no_permanent_store: true,
        no_store: true,
        no_copy: true,
        store: false,
    };

    /// Reads the hints of a message.
    pub fn of(message: &Element) -> Self {
        Self {
            no_permanent_store: message.has_child("no-permanent-store", ns::HINTS),
            no_store: message.has_child("no-store", ns::HINTS),
            no_copy: message.has_child("no-copy", ns::HINTS),
            store: message.has_child("store", ns::HINTS),
        }
    }

    pub(crate) fn append_to(self, message: &mut Element) {
        for (set, name) in [
            (self.no_permanent_store, "no-permanent-store"),
            (self.no_store, "no-store"),
            (self.no_copy, "no-copy"),
            (self.store, "store"),
        ] {
            if set {
                message.append_child(el(name, ns::HINTS));
            }
        }
    }
}
