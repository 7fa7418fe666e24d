//! Small helpers over `minidom::Element`, for this crate only.

use jid::{BareJid, Jid};
use minidom::{Element, rxml};
use rxml::{Namespace, NcName};

use crate::text;

/// Builds elements in the order in which they are read.
pub(crate) trait Build: Sized {
    /// Sets an attribute; `name` is a literal of ours.
    fn with(self, name: &'static str, value: impl AsRef<str>) -> Self;
    /// Sets an attribute when there is a value.
    fn with_opt(self, name: &'static str, value: Option<impl AsRef<str>>) -> Self;
    /// Appends a child element.
    fn child(self, child: Element) -> Self;
    /// Appends a child element when there is one.
    fn child_opt(self, child: Option<Element>) -> Self;
    /// Appends text, without the characters that XML forbids.
    fn text_of(self, text: impl AsRef<str>) -> Self;
}

impl Build for Element {
    fn with(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        let name = NcName::try_from(name.to_owned()).expect("attribute names here are literals");
        let value = text::without_forbidden(value.as_ref()).into_owned();
        self.set_attr(Namespace::NONE, name, value);
        self
    }

    fn with_opt(self, name: &'static str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn child(mut self, child: Element) -> Self {
        self.append_child(child);
        self
    }

    fn child_opt(self, child: Option<Element>) -> Self {
        match child {
            Some(child) => self.child(child),
            None => self,
        }
    }

    fn text_of(mut self, text: impl AsRef<str>) -> Self {
        let text = text::without_forbidden(text.as_ref());
        if !text.is_empty() {
            self.append_text_node(text.into_owned());
        }
        self
    }
}

/// A new element.
pub(crate) fn el(name: &'static str, namespace: &str) -> Element {
    Element::bare(name, namespace)
}

/// The text directly below an element, at most `max` bytes.
pub(crate) fn text_of(element: &Element, max: usize) -> String {
    let mut all = String::new();
    for part in element.texts() {
        let room = max.saturating_sub(all.len());
        let part = text::bounded(part, room);
        all.push_str(part);
        if all.len() >= max {
            break;
        }
    }
    all
}

/// The text of a direct child, at most `max` bytes.
pub(crate) fn child_text(
    element: &Element,
    name: &str,
    namespace: &str,
    max: usize,
) -> Option<String> {
    element
        .get_child(name, namespace)
        .map(|child| text_of(child, max))
}

/// An attribute of at most `max` bytes that is not empty; longer ones count as absent.
pub(crate) fn attr(element: &Element, name: &str, max: usize) -> Option<String> {
    element
        .attr(name)
        .filter(|value| !value.is_empty() && value.len() <= max)
        .map(str::to_owned)
}

/// `xml:lang` of an element.
pub(crate) fn lang(element: &Element) -> Option<&str> {
    element
        .attr_ns(&Namespace::XML, "lang")
        .filter(|lang| !lang.is_empty())
}

/// An address in an attribute: absent, well formed, or not.
pub(crate) fn jid(element: &Element, name: &str) -> Result<Option<Jid>, jid::Error> {
    element.attr(name).map(Jid::new).transpose()
}

/// An address without resource in an attribute; anything else counts as absent.
pub(crate) fn bare(element: &Element, name: &str) -> Option<BareJid> {
    element
        .attr(name)
        .and_then(|value| BareJid::new(value).ok())
}

/// The only child element with this name, or none when there are several.
pub(crate) fn only_child<'a>(
    element: &'a Element,
    name: &str,
    namespace: &str,
) -> Option<&'a Element> {
    let mut found = element.children().filter(|child| child.is(name, namespace));
    match (found.next(), found.next()) {
        (Some(child), None) => Some(child),
        _ => None,
    }
}
