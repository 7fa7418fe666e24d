use minidom::Element;
use rxml::error::EndOrError;
use rxml::xml_map::AttrMap;
use rxml::{Namespace, NcName, Options, Parse, RawEvent, RawParser, WithOptions};

use super::error::XmlError;
use super::utf8::Utf8;
use crate::stream::NS_STREAM;

/// Deepest nesting, counted from a stanza.
pub(crate) const MAX_DEPTH: usize = 64;
/// Most attributes of one element.
pub(crate) const MAX_ATTRIBUTES: usize = 256;
/// Most namespace declarations that are in force at one place.
pub(crate) const MAX_DECLARATIONS: usize = 128;
/// Longest name of an element or attribute, in bytes.
pub(crate) const MAX_NAME: usize = 1024;
/// Most elements of one stanza. A megabyte of empty elements would be 50 MiB in memory.
pub(crate) const MAX_ELEMENTS: usize = 32 * 1024;
/// Longest attribute value, in bytes; longer text comes in pieces of this size. It is what servers
/// allow for a whole stanza, so that no peer of theirs can end our stream by it.
const MAX_TOKEN: usize = 256 * 1024;

/// What a stanza may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Longest stanza, in bytes on the wire. A longer one ends the stream.
    pub stanza: usize,
    /// What a stanza of too many levels, elements, attributes, declarations or bytes in a name means:
    /// the end of the stream, or, once others can send us stanzas, that only this one is lost. It
    /// then comes out as [`inert`]: counted, and without any effect. Were it the end, a stranger's
    /// message would end every stream that it is delivered on.
    pub spare_stream: bool,
}

/// The first tag of a stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Header {
    pub name: String,
    pub namespace: String,
    /// The content namespace (RFC 6120 §4.8.2).
    pub default_namespace: String,
    pub attributes: AttrMap,
}

/// One piece of a stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    /// `<stream:stream>`.
    Open(Header),
    /// A whole child of it.
    Child(Element),
    /// `</stream:stream>`.
    Close,
}

/// Reads one stream from bytes that come in pieces of any size.
pub(crate) struct Reader {
    parser: RawParser,
    utf8: Utf8,
    limits: Limits,
    /// Bytes since the end of the last stanza.
    stanza_bytes: usize,
    elements: usize,
    begun: bool,
    opened: bool,
    /// Open elements of the stanza.
    depth: usize,
    /// The stanza is beyond the limits and read to its end only.
    skipping: bool,
    closed: bool,
    failed: bool,
    tag: Option<Tag>,
    /// Declarations in force, innermost last, and how many each open element brought.
    declared: Vec<(Option<NcName>, Namespace<'static>)>,
    counts: Vec<usize>,
    stack: Vec<Element>,
}

/// A start tag that is being read.
struct Tag {
    prefix: Option<NcName>,
    name: NcName,
    attributes: Vec<(Option<NcName>, NcName, String)>,
    declarations: usize,
}

impl Reader {
    pub fn new(limits: Limits) -> Self {
        let options = Options {
            max_token_length: MAX_TOKEN,
            ..Options::default()
        };
        Self {
            parser: RawParser::with_options(options),
            utf8: Utf8::default(),
            limits,
            stanza_bytes: 0,
            elements: 0,
            begun: false,
            opened: false,
            depth: 0,
            skipping: false,
            closed: false,
            failed: false,
            tag: None,
            declared: Vec::new(),
            counts: Vec::new(),
            stack: Vec::new(),
        }
    }

    /// Other limits from here on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Takes bytes in; then call [`Reader::next`] until it gives nothing more.
    pub fn feed(&mut self, bytes: &[u8]) {
        if !self.failed && !self.closed {
            self.utf8.feed(bytes);
        }
    }

    /// Whether there are bytes that no item was made of.
    pub fn has_rest(&self) -> bool {
        !self.utf8.is_empty()
    }

    /// Whether the last stanza is whole and nothing of the next has come.
    pub fn is_between_stanzas(&self) -> bool {
        self.opened && self.depth == 0 && self.tag.is_none() && self.utf8.is_empty()
    }

    /// Takes out what was not read, for the reader of the next stream.
    pub fn take_rest(&mut self) -> Vec<u8> {
        self.utf8.take()
    }

    /// The next whole piece, or nothing when more bytes are needed.
    pub fn next(&mut self) -> Result<Option<Item>, XmlError> {
        if self.failed || self.closed {
            return Ok(None);
        }
        let item = self.advance();
        self.failed = item.is_err();
        item
    }

    fn advance(&mut self) -> Result<Option<Item>, XmlError> {
        loop {
            let mut rest = self.utf8.valid();
            // The parser would wait for the end of this text.
            if !self.begun && rest.first().is_some_and(|byte| !b"< \t\r\n".contains(byte)) {
                return Err(not_well_formed("this is no XML"));
            }
            self.begun |= !rest.is_empty();
            let before = rest.len();
            let event = self.parser.parse(&mut rest, false);
            let used = before - rest.len();
            self.utf8.consume(used);
            self.stanza_bytes += used;
            if self.stanza_bytes > self.limits.stanza {
                return Err(XmlError::TooMuch {
                    limit: self.limits.stanza,
                    of: "bytes in a stanza",
                });
            }
            match event {
                Ok(Some(event)) => {
                    if let Some(item) = self.handle(event)? {
                        return Ok(Some(item));
                    }
                }
                Ok(None) => return Ok(None),
                Err(EndOrError::NeedMoreData) => {
                    return if self.utf8.is_broken() {
                        Err(XmlError::NotUtf8)
                    } else {
                        Ok(None)
                    };
                }
                Err(EndOrError::Error(error)) => return Err(error.into()),
            }
        }
    }

    fn handle(&mut self, event: RawEvent) -> Result<Option<Item>, XmlError> {
        match event {
            RawEvent::XmlDeclaration(..) => Ok(None),
            RawEvent::ElementHeadOpen(_, (prefix, name)) => {
                let opened = self.open_tag(prefix, name);
                self.depth += usize::from(self.opened);
                self.spare(opened)
            }
            RawEvent::Attribute(_, (prefix, name), value) => {
                let added = self.add_attribute(prefix, name, value);
                self.spare(added)
            }
            RawEvent::ElementHeadClose(_) => self.close_tag(),
            RawEvent::ElementFoot(_) => Ok(self.close_element()),
            RawEvent::Text(_, text) => {
                self.add_text(text)?;
                Ok(None)
            }
        }
    }

    /// Goes on without this stanza, where only this one is to be lost.
    fn spare(&mut self, outcome: Result<(), XmlError>) -> Result<Option<Item>, XmlError> {
        let Err(error) = outcome else {
            return Ok(None);
        };
        let root = self.stack.first().map(Element::name);
        let root = root.or_else(|| self.tag.as_ref().map(|tag| tag.name.as_str()));
        let is_stanza = root.is_some_and(|name| ["message", "presence", "iq"].contains(&name));
        if self.limits.spare_stream && is_stanza {
            self.skipping = true;
            self.tag = None;
            self.stack.clear();
            Ok(None)
        } else {
            Err(error)
        }
    }

    fn open_tag(&mut self, prefix: Option<NcName>, name: NcName) -> Result<(), XmlError> {
        if self.skipping {
            return Ok(());
        }
        check_name(prefix.as_ref(), &name)?;
        if self.opened {
            if self.stack.len() >= MAX_DEPTH {
                return Err(XmlError::TooMuch {
                    limit: MAX_DEPTH,
                    of: "levels",
                });
            }
            self.elements += 1;
            if self.elements > MAX_ELEMENTS {
                return Err(XmlError::TooMuch {
                    limit: MAX_ELEMENTS,
                    of: "elements in a stanza",
                });
            }
        }
        if prefix
            .as_ref()
            .is_some_and(|prefix| prefix.as_str() == "xml")
        {
            return Err(not_well_formed("an element of XML's own namespace"));
        }
        self.tag = Some(Tag {
            prefix,
            name,
            attributes: Vec::new(),
            declarations: 0,
        });
        Ok(())
    }

    fn add_attribute(
        &mut self,
        prefix: Option<NcName>,
        name: NcName,
        value: String,
    ) -> Result<(), XmlError> {
        let Some(tag) = &mut self.tag else {
            return Ok(());
        };
        check_name(prefix.as_ref(), &name)?;
        let declared = match prefix.as_ref().map(NcName::as_str) {
            Some("xmlns") => Some(Some(name.clone())),
            None if name.as_str() == "xmlns" => Some(None),
            _ => None,
        };
        let Some(declared) = declared else {
            if tag.attributes.len() >= MAX_ATTRIBUTES {
                return Err(XmlError::TooMuch {
                    limit: MAX_ATTRIBUTES,
                    of: "attributes",
                });
            }
            tag.attributes.push((prefix, name, value));
            return Ok(());
        };
        if self.declared.len() >= MAX_DECLARATIONS {
            return Err(XmlError::TooMuch {
                limit: MAX_DECLARATIONS,
                of: "namespace declarations",
            });
        }
        // Namespaces in XML 1.0 §3: neither the prefix nor the name of `xmlns` can be declared, and
        // `xml` stays what it is (the parser sees to that one).
        if declared
            .as_ref()
            .is_some_and(|prefix| prefix.as_str() == "xmlns")
            || value == rxml::XMLNS_XMLNS
        {
            return Err(not_well_formed(
                "a reserved prefix or namespace is declared",
            ));
        }
        let own = self.declared.len() - tag.declarations;
        let twice = self
            .declared
            .get(own..)
            .is_some_and(|own| own.iter().any(|(prefix, _)| *prefix == declared));
        if twice {
            return Err(not_well_formed("a prefix is declared twice"));
        }
        tag.declarations += 1;
        self.declared.push((declared, Namespace::from(value)));
        Ok(())
    }

    fn close_tag(&mut self) -> Result<Option<Item>, XmlError> {
        let Some(tag) = self.tag.take() else {
            return Ok(None);
        };
        self.counts.push(tag.declarations);
        let mut attributes = AttrMap::new();
        for (prefix, name, value) in tag.attributes {
            let namespace = match prefix {
                None => Namespace::NONE,
                Some(prefix) => self.namespace(Some(&prefix))?.clone(),
            };
            if attributes.insert(namespace, name, value).is_some() {
                return Err(not_well_formed("an attribute is there twice"));
            }
        }
        let namespace = self.namespace(tag.prefix.as_ref())?;
        if !self.opened {
            let header = Header {
                name: tag.name.into(),
                namespace: namespace.as_str().to_owned(),
                default_namespace: self.namespace(None)?.as_str().to_owned(),
                attributes,
            };
            self.opened = true;
            self.stanza_bytes = 0;
            return Ok(Some(Item::Open(header)));
        }
        let is_stream = namespace.as_str() == NS_STREAM && tag.name.as_str() == "stream";
        if is_stream && self.stack.is_empty() {
            return Err(XmlError::NestedStream);
        }
        let mut element = Element::bare(tag.name, namespace.as_str());
        *element.attrs_mut() = attributes;
        self.stack.push(element);
        Ok(None)
    }

    fn close_element(&mut self) -> Option<Item> {
        if self.depth == 0 {
            self.closed = true;
            return Some(Item::Close);
        }
        self.depth -= 1;
        if self.skipping {
            return (self.depth == 0).then(|| self.finish(inert()));
        }
        let own = self.counts.pop().unwrap_or_default();
        self.declared
            .truncate(self.declared.len().saturating_sub(own));
        let element = self.stack.pop()?;
        if let Some(parent) = self.stack.last_mut() {
            parent.append_child(element);
            return None;
        }
        Some(self.finish(element))
    }

    /// The end of a stanza: only the stream's own declarations stay in force.
    fn finish(&mut self, stanza: Element) -> Item {
        self.skipping = false;
        self.stanza_bytes = 0;
        self.elements = 0;
        self.counts.truncate(1);
        let own = self.counts.first().copied().unwrap_or_default();
        self.declared.truncate(own);
        Item::Child(stanza)
    }

    fn add_text(&mut self, text: String) -> Result<(), XmlError> {
        if self.skipping {
            return Ok(());
        }
        if let Some(element) = self.stack.last_mut() {
            element.append_text(text);
            return Ok(());
        }
        // White space between stanzas keeps a connection alive (RFC 6120 §4.6.1).
        self.stanza_bytes = 0;
        if text
            .bytes()
            .all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
        {
            Ok(())
        } else {
            Err(XmlError::StrayText)
        }
    }

    fn namespace(&self, prefix: Option<&NcName>) -> Result<&Namespace<'static>, XmlError> {
        match prefix.map(NcName::as_str) {
            Some("xml") => return Ok(Namespace::xml()),
            Some("xmlns") => return Err(XmlError::UndeclaredPrefix),
            _ => {}
        }
        let found = self
            .declared
            .iter()
            .rev()
            .find(|(declared, _)| declared.as_ref() == prefix)
            .map(|(_, namespace)| namespace);
        match (found, prefix) {
            (Some(namespace), _) => Ok(namespace),
            (None, None) => Ok(Namespace::none()),
            (None, Some(_)) => Err(XmlError::UndeclaredPrefix),
        }
    }
}

/// What stands for a stanza that is beyond the limits: an error of nobody's, which is answered by
/// nobody and shown to nobody (S-XMPP-13).
pub(crate) fn inert() -> Element {
    let mut element = Element::bare("message", crate::ns::CLIENT);
    let name = NcName::try_from("type".to_owned()).expect("a literal name");
    element.set_attr(Namespace::NONE, name, "error");
    element
}

fn check_name(prefix: Option<&NcName>, name: &NcName) -> Result<(), XmlError> {
    let prefix = prefix.map_or(0, |prefix| prefix.len() + 1);
    if prefix + name.len() > MAX_NAME {
        return Err(XmlError::TooMuch {
            limit: MAX_NAME,
            of: "bytes in a name",
        });
    }
    Ok(())
}

fn not_well_formed(what: &str) -> XmlError {
    XmlError::NotWellFormed {
        what: what.to_owned(),
    }
}

#[cfg(test)]
mod tests;
