use minidom::Element;

use super::Message;
use crate::dom;
use crate::ns;
use crate::text::{self, Text};

/// Longest body that is kept, in bytes. The stream bounds a whole stanza at 1 MiB.
pub const MAX_BODY: usize = 256 * 1024;

/// Longest subject that is kept, in bytes.
const MAX_SUBJECT: usize = 1024;

/// How a message is encrypted (XEP-0380).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Encryption {
    /// XEP-0364; the data are in [`Message::placeholder`].
    Otr,
    /// XEP-0384, namespace `urn:xmpp:omemo:2`.
    Omemo,
    /// XEP-0384 before version 0.4.
    OmemoLegacy,
    /// XEP-0373.
    OpenPgp,
    /// XEP-0027.
    OpenPgpLegacy,
    /// Another; untrusted.
    Other {
        /// As XEP-0380 names it.
        namespace: String,
        /// The sender's name for it, one line; may be empty.
        name: String,
    },
}

/// Decides the words of a message: subject, body or placeholder.
pub(super) fn read(stanza: &Element, lang: &str, message: &mut Message) {
    message.subject = choose(stanza, "subject", lang)
        .map(|subject| text::one_line(&dom::text_of(subject, MAX_SUBJECT * 4), MAX_SUBJECT))
        .filter(|subject| !subject.is_empty())
        .map(Text::new);
    let body = choose(stanza, "body", lang).map(|body| {
        message.cut = body.texts().map(str::len).sum::<usize>() > MAX_BODY;
        dom::text_of(body, MAX_BODY)
    });
    let body = body.filter(|body| !body.is_empty());
    message.encryption = encryption(stanza, body.as_deref());
    match message.encryption {
        None => message.body = body.map(Text::new),
        Some(_) => message.placeholder = body.map(Text::new),
    }
}

/// The one element of several languages (RFC 6121 §5.2.3): the person's language, then the same
/// language elsewhere, then the one without a language, then the first. Only `jabber:client` and
/// only direct children count (S-XML-09).
fn choose<'a>(stanza: &'a Element, name: &str, lang: &str) -> Option<&'a Element> {
    let stanza_lang = dom::lang(stanza);
    let mut best: Option<(u8, &Element)> = None;
    for child in stanza.children().filter(|child| child.is(name, ns::CLIENT)) {
        let own = dom::lang(child);
        let rank = match own.or(stanza_lang) {
            Some(tag) if !lang.is_empty() && tag.eq_ignore_ascii_case(lang) => 3,
            Some(tag) if !lang.is_empty() && primary(tag).eq_ignore_ascii_case(primary(lang)) => 2,
            _ if own.is_none() => 1,
            _ => 0,
        };
        if best.is_none_or(|(before, _)| rank > before) {
            best = Some((rank, child));
        }
    }
    best.map(|(_, child)| child)
}

fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or(tag)
}

/// An encrypted payload counts, whatever XEP-0380 says; then its word; then OTR's prefix.
fn encryption(stanza: &Element, body: Option<&str>) -> Option<Encryption> {
    for child in stanza.children() {
        let known = match child.name() {
            "encrypted" if child.has_ns(ns::OMEMO) => Encryption::Omemo,
            "encrypted" if child.has_ns(ns::OMEMO_LEGACY) => Encryption::OmemoLegacy,
            "openpgp" if child.has_ns(ns::OPENPGP) => Encryption::OpenPgp,
            "x" if child.has_ns(ns::OPENPGP_LEGACY) => Encryption::OpenPgpLegacy,
            _ => continue,
        };
        return Some(known);
    }
    if body.is_some_and(|body| body.trim_start().starts_with("?OTR")) {
        return Some(Encryption::Otr);
    }
    let word = stanza.get_child("encryption", ns::EME)?;
    let namespace = word.attr("namespace").unwrap_or_default();
    Some(match namespace {
        // With OTR the data are the body; words that do not look like it are just words.
        ns::OTR => return None,
        ns::OMEMO => Encryption::Omemo,
        ns::OMEMO_LEGACY => Encryption::OmemoLegacy,
        ns::OPENPGP => Encryption::OpenPgp,
        ns::OPENPGP_LEGACY => Encryption::OpenPgpLegacy,
        _ => Encryption::Other {
            namespace: text::one_line(namespace, 256),
            name: text::one_line(word.attr("name").unwrap_or_default(), 64),
        },
    })
}
