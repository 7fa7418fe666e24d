//! Result set management (XEP-0059).

use minidom::Element;

use crate::dom::{self, Build, el};
use crate::ns;
use crate::stanza_id::MAX_ID;

/// Which page is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// The first, or what follows an item.
    After(Option<String>),
    /// The last, or what precedes an item.
    Before(Option<String>),
}

impl Page {
    pub(crate) fn to_element(&self, max: u32) -> Element {
        let set = el("set", ns::RSM).child(el("max", ns::RSM).text_of(max.to_string()));
        match self {
            Self::After(None) => set,
            Self::After(Some(id)) => set.child(el("after", ns::RSM).text_of(id)),
            Self::Before(None) => set.child(el("before", ns::RSM)),
            Self::Before(Some(id)) => set.child(el("before", ns::RSM).text_of(id)),
        }
    }
}

/// Where a page lies in the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The id of its first item; absent when it is empty.
    pub first: Option<String>,
    /// The id of its last item; absent when it is empty.
    pub last: Option<String>,
    /// How many items there are in all, if the server counts.
    pub count: Option<u64>,
}

impl Bounds {
    pub(crate) fn of(parent: &Element) -> Self {
        let Some(set) = parent.get_child("set", ns::RSM) else {
            return Self::default();
        };
        let id = |name| {
            dom::child_text(set, name, ns::RSM, MAX_ID + 1)
                .filter(|id| !id.is_empty() && id.len() <= MAX_ID)
        };
        Self {
            first: id("first"),
            last: id("last"),
            count: dom::child_text(set, "count", ns::RSM, 20)
                .and_then(|count| count.trim().parse().ok()),
        }
    }
}
