//! A stream as somebody sees it who looks for a fault: whole pieces, both ways, with every credential blanked.
//!
//! It reads the same bytes as [`crate::stream::ClientStream`], beside it, and can do the stream no harm: what does not read
//! ends the tap, not the stream.

use std::borrow::Cow;

use minidom::{Element, Node};

use crate::ns;
use crate::stream::NS_STREAM;
use crate::xml::{Header, Item, Limits, Reader, write_in_stream};

/// Stands in the place of what was blanked.
pub const BLANKED: &str = "[blanked]";

/// The longest stanza that is followed, in bytes.
const LIMITS: Limits = Limits {
    stanza: 1024 * 1024,
    spare_stream: true,
};
/// What stands for the first tag when the tap begins in the middle of a stream.
const HEADER: &[u8] =
    b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
/// SASL2 and what goes with it (XEP-0388, 0484, 0480): names begin so.
const SASL2: [&str; 3] = [
    "urn:xmpp:sasl:",
    "urn:xmpp:fast:",
    "urn:xmpp:scram-upgrade:",
];
/// What in these namespaces is no credential.
const HARMLESS: [&str; 6] = [
    "mechanism",
    "software",
    "device",
    "text",
    "authorization-identifier",
    "hash",
];
/// Whatever the namespace is.
const SECRET_ELEMENTS: [&str; 4] = ["password", "digest", "credentials", "secret"];
const SECRET_ATTRIBUTES: [&str; 4] = ["password", "token", "secret", "credential"];

/// Follows one connection.
pub struct Tap {
    incoming: Option<Reader>,
    outgoing: Option<Reader>,
}

impl Tap {
    /// From the first byte of a connection.
    pub fn new() -> Self {
        Self {
            incoming: Some(Reader::new(LIMITS)),
            outgoing: Some(Reader::new(LIMITS)),
        }
    }

    /// From a place between two stanzas of a stream that is signed in, both ways.
    pub fn within_stream() -> Self {
        let mut tap = Self::new();
        for reader in [&mut tap.incoming, &mut tap.outgoing] {
            pieces(reader, HEADER);
        }
        tap
    }

    /// Bytes came; the pieces that they made whole.
    pub fn incoming(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        let mut rest = Cow::Borrowed(bytes);
        // After these two a stream begins anew, both ways (RFC 6120 §5.4.3.3, §6.4.6).
        while let Some(begins) = follow(&mut self.incoming, &rest, &mut found) {
            self.outgoing = Some(Reader::new(LIMITS));
            rest = Cow::Owned(begins);
        }
        found
    }

    /// Bytes leave.
    pub fn outgoing(&mut self, bytes: &[u8]) -> Vec<String> {
        pieces(&mut self.outgoing, bytes)
    }
}

impl Default for Tap {
    fn default() -> Self {
        Self::new()
    }
}

/// Reads on. What was left when the stream began anew comes back.
fn follow(side: &mut Option<Reader>, bytes: &[u8], found: &mut Vec<String>) -> Option<Vec<u8>> {
    let reader = side.as_mut()?;
    reader.feed(bytes);
    loop {
        match reader.next() {
            Ok(Some(Item::Child(child))) => {
                let anew = child.is("success", SASL) || child.is("proceed", TLS);
                found.push(as_on_the_wire(&blanked(&child)));
                if anew {
                    let rest = reader.take_rest();
                    *side = Some(Reader::new(LIMITS));
                    return Some(rest);
                }
            }
            Ok(Some(Item::Open(header))) => found.push(opening(&header)),
            Ok(Some(Item::Close)) => found.push("</stream:stream>".to_owned()),
            Ok(None) => return None,
            Err(_) => {
                *side = None;
                return None;
            }
        }
    }
}

fn pieces(side: &mut Option<Reader>, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    follow(side, bytes, &mut found);
    found
}

/// As it stands in a stream, with the prefix that everybody gives to the stream's own elements.
fn as_on_the_wire(element: &Element) -> String {
    let mut text = String::new();
    write_in_stream(&mut text, element);
    if element.ns() != NS_STREAM {
        return text;
    }
    let name = element.name();
    let end = format!("</{name}>");
    let start = format!("<{name} xmlns='{}'", NS_STREAM);
    match text.strip_prefix(&start) {
        Some(rest) => {
            let (rest, end) = match rest.strip_suffix(&end) {
                Some(rest) => (rest, format!("</stream:{name}>")),
                None => (rest, String::new()),
            };
            format!("<stream:{name}{rest}{end}")
        }
        None => text,
    }
}

fn opening(header: &Header) -> String {
    let mut text = format!(
        "<stream:stream xmlns='{}' xmlns:stream='{}'",
        attribute(&header.default_namespace),
        attribute(&header.namespace)
    );
    for ((namespace, name), value) in header.attributes.iter() {
        let prefix = if namespace.is_none() { "" } else { "xml:" };
        text.push_str(&format!(" {prefix}{name}='{}'", attribute(value)));
    }
    text.push('>');
    text
}

fn attribute(value: &str) -> String {
    let mut escaped = String::new();
    crate::xml::escape_attribute(&mut escaped, value);
    escaped
}

/// The element without its credentials.
fn blanked(element: &Element) -> Element {
    let mut copy = element.clone();
    blank(&mut copy, false);
    copy
}

fn blank(element: &mut Element, within: bool) {
    let namespace = element.ns();
    let of_login = namespace == SASL || SASL2.iter().any(|start| namespace.starts_with(start));
    let name = element.name();
    let secret = SECRET_ELEMENTS.contains(&name)
        || (of_login && !HARMLESS.contains(&name))
        || (namespace == ns::REGISTER && name == "key")
        || (element.is("field", ns::DATA_FORM) && is_secret_field(element));
    let within = within || secret;
    for ((_, name), value) in element.attrs_mut().iter_mut() {
        if SECRET_ATTRIBUTES.contains(&name.as_str()) {
            BLANKED.clone_into(value);
        }
    }
    let children = element.take_nodes();
    let mut told = false;
    for child in children {
        match child {
            Node::Text(text) if within && !text.trim().is_empty() => {
                if !std::mem::replace(&mut told, true) {
                    element.append_text_node(BLANKED);
                }
            }
            Node::Text(text) => element.append_text_node(text),
            Node::Element(mut child) => {
                // What is harmless stands in a login as itself.
                let inherits = within && !(of_login && HARMLESS.contains(&child.name()));
                blank(&mut child, inherits);
                element.append_child(child);
            }
        }
    }
}

/// A field of a form that is not shown while it is typed, or is named as a secret (XEP-0004 §3.3).
fn is_secret_field(field: &Element) -> bool {
    field.attr("type") == Some("text-private")
        || field.attr("var").is_some_and(|name| {
            let name = name.to_ascii_lowercase();
            name.contains("password") || name.contains("secret")
        })
}

#[cfg(test)]
mod tests;
