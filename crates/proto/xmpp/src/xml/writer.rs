use minidom::{Element, Node};
use rxml::strings::validate_ncname;

use crate::ns;
use crate::text::is_xml_char;

/// An element as a document of its own.
///
/// Characters that no XML document can carry are left out, and so is an element or attribute whose
/// name is no name; whatever is in the tree, the result can be read back (S-XML-08).
pub fn to_string(element: &Element) -> String {
    let mut out = String::new();
    write(&mut out, element, "");
    out
}

/// An element as a child of a stream whose content namespace is `jabber:client`.
pub(crate) fn write_in_stream(out: &mut String, element: &Element) {
    write(out, element, ns::CLIENT);
}

/// A value for an attribute in quotes of either kind.
pub(crate) fn escape_attribute(out: &mut String, value: &str) {
    escape(out, value, true);
}

fn write(out: &mut String, element: &Element, default_namespace: &str) {
    let name = element.name();
    let namespace = element.ns();
    let reserved = [rxml::XMLNS_XML, rxml::XMLNS_XMLNS].contains(&namespace.as_str());
    if reserved || validate_ncname(name).is_err() {
        return;
    }
    out.push('<');
    out.push_str(name);
    if namespace != default_namespace {
        attribute(out, "xmlns", &namespace);
    }
    write_attributes(out, element);
    if element.nodes().next().is_none() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    for node in element.nodes() {
        match node {
            Node::Element(child) => write(out, child, &namespace),
            Node::Text(text) => escape(out, text, false),
        }
    }
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

fn write_attributes(out: &mut String, element: &Element) {
    let mut prefixes = 0;
    for ((namespace, name), value) in element.attrs() {
        let name: &str = name.as_str();
        if namespace.is_none() {
            // A declaration under another name would change what the element is.
            if name != "xmlns" {
                attribute(out, name, value);
            }
        } else if namespace.as_str() == rxml::XMLNS_XML {
            attribute(out, &format!("xml:{name}"), value);
        } else if namespace.as_str() != rxml::XMLNS_XMLNS {
            attribute(out, &format!("xmlns:a{prefixes}"), namespace.as_str());
            attribute(out, &format!("a{prefixes}:{name}"), value);
            prefixes += 1;
        }
    }
}

fn attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("='");
    escape(out, value, true);
    out.push('\'');
}

fn escape(out: &mut String, text: &str, in_attribute: bool) {
    let mut plain = 0;
    for (at, c) in text.char_indices() {
        let escaped = match c {
            '<' => "&lt;",
            '>' => "&gt;",
            '&' => "&amp;",
            '\'' if in_attribute => "&apos;",
            '"' if in_attribute => "&quot;",
            '\t' if in_attribute => "&#9;",
            '\n' if in_attribute => "&#10;",
            '\r' => "&#13;",
            c if is_xml_char(c) => continue,
            _ => "",
        };
        out.push_str(text.get(plain..at).unwrap_or_default());
        out.push_str(escaped);
        plain = at + c.len_utf8();
    }
    out.push_str(text.get(plain..).unwrap_or_default());
}

#[cfg(test)]
mod tests;
