//! The fuzz targets as plain tests: over the seeds in `testing/fuzz/seeds`, over thousands of simple
//! mutations of each, and over random trees of the words that the parsers look for.

#![allow(
    clippy::disallowed_methods,
    reason = "a virtual clock begins at some instant"
)]

mod fuzz_bodies;
#[path = "../../../../testing/fuzz/seeds.rs"]
mod seeds;

use proptest::prelude::*;
use sotto_xmpp::Element;
use sotto_xmpp::minidom::rxml::{Namespace, NcName};

/// Mutations of each seed.
const MUTATIONS: u32 = 2_000;

fn over_seeds(target: &str, body: fn(&[u8])) {
    for seed in seeds::seeds(target) {
        body(&seed);
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        for _ in 0..MUTATIONS {
            body(&random.mutate(&seed));
        }
    }
}

/// A small generator (xorshift64), so that every run is the same.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 1).expect("64-bit tests") % below.max(1)
    }

    /// Flips, drops, doubles and moves pieces.
    fn mutate(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.next(3) {
            let (a, b) = (self.next(bytes.len()), self.next(bytes.len()));
            let (a, b) = (a.min(b), a.max(b));
            match self.next(5) {
                0 if !bytes.is_empty() => bytes[a] ^= 1 << self.next(8),
                1 => drop(bytes.drain(a..b)),
                2 => {
                    let piece = bytes[a..b].to_vec();
                    let at = self.next(bytes.len());
                    bytes.splice(at..at, piece);
                }
                3 if !bytes.is_empty() => {
                    const WORDS: [&[u8]; 8] = [
                        b"'",
                        b"<",
                        b"/>",
                        b"&amp;",
                        b"id='q1'",
                        b"xmlns='jabber:client'",
                        b"romeo@victim.example",
                        b"\xF0\x9F\x98\x80",
                    ];
                    let word = WORDS[self.next(WORDS.len())];
                    bytes.splice(a..a, word.iter().copied());
                }
                _ => bytes.truncate(b.max(1)),
            }
        }
        bytes
    }
}

#[test]
fn fuzz_message_over_seeds() {
    over_seeds("message", fuzz_bodies::message);
}

#[test]
fn fuzz_carbons_mam_over_seeds() {
    over_seeds("carbons_mam", fuzz_bodies::carbons_mam);
}

#[test]
fn fuzz_roster_presence_over_seeds() {
    over_seeds("roster_presence", fuzz_bodies::roster_presence);
}

#[test]
fn fuzz_register_form_over_seeds() {
    over_seeds("register_form", fuzz_bodies::register_form);
}

#[test]
fn fuzz_delay_over_seeds() {
    over_seeds("delay", fuzz_bodies::delay);
}

#[test]
fn fuzz_caps_over_seeds() {
    over_seeds("caps", fuzz_bodies::caps);
}

/// Element names that some parser looks for.
const NAMES: &[&str] = &[
    "message",
    "presence",
    "iq",
    "body",
    "subject",
    "query",
    "item",
    "group",
    "received",
    "sent",
    "forwarded",
    "result",
    "fin",
    "set",
    "first",
    "last",
    "delay",
    "stanza-id",
    "origin-id",
    "x",
    "c",
    "photo",
    "PHOTO",
    "BINVAL",
    "vCard",
    "show",
    "status",
    "priority",
    "nick",
    "error",
    "text",
    "conflict",
    "event",
    "items",
    "pubsub",
    "metadata",
    "info",
    "data",
    "field",
    "value",
    "option",
    "media",
    "uri",
    "username",
    "password",
    "identity",
    "feature",
    "encrypted",
    "encryption",
    "replace",
    "request",
    "displayed",
    "composing",
    "block",
    "blocklist",
    "no-store",
    "registered",
    "url",
    "instructions",
];

const VALUES: &[&str] = &[
    "",
    "1",
    "q1",
    "romeo@victim.example",
    "romeo@victim.example/desk",
    "victim.example",
    "eve@evil.example/x",
    "@",
    "get",
    "set",
    "result",
    "error",
    "chat",
    "groupchat",
    "form",
    "submit",
    "hidden",
    "subscribe",
    "both",
    "remove",
    "9999-12-31T23:59:59Z",
    "-1",
    "sha-1",
    "FORM_TYPE",
    "username",
    "07070707070707070707070707070707",
    "image/png",
    "\u{1F600}",
];

const ATTRIBUTES: &[&str] = &[
    "from",
    "to",
    "id",
    "type",
    "jid",
    "name",
    "subscription",
    "ask",
    "ver",
    "queryid",
    "stamp",
    "by",
    "node",
    "hash",
    "var",
    "label",
    "category",
    "bytes",
    "cid",
    "complete",
    "code",
    "url",
];

fn namespaces() -> impl Strategy<Value = &'static str> {
    use sotto_xmpp::ns::*;
    prop::sample::select(vec![
        CLIENT,
        CLIENT,
        CLIENT,
        ROSTER,
        DATA_FORM,
        DISCO_INFO,
        DISCO_ITEMS,
        MUC_USER,
        VCARD,
        RSM,
        PUBSUB,
        PUBSUB_EVENT,
        OOB,
        REGISTER,
        AVATAR_DATA,
        AVATAR_METADATA,
        CHAT_STATES,
        CAPS,
        VCARD_UPDATE,
        NICK,
        RECEIPTS,
        BLOCKING,
        DELAY,
        MEDIA_ELEMENT,
        BOB,
        CARBONS,
        FORWARD,
        CORRECT,
        MAM,
        MARKERS,
        HINTS,
        STANZA_ID,
        EME,
        OMEMO,
        STANZA_ERRORS,
        "urn:x",
    ])
}

fn leaf() -> impl Strategy<Value = Element> {
    let attribute = (
        prop::sample::select(ATTRIBUTES),
        prop::sample::select(VALUES),
    );
    (
        prop::sample::select(NAMES),
        namespaces(),
        prop::collection::vec(attribute, 0..4),
        prop::sample::select(VALUES),
    )
        .prop_map(|(name, namespace, attributes, text)| {
            let mut element = Element::bare(name, namespace);
            for (name, value) in attributes {
                let name = NcName::try_from(name.to_owned()).expect("a literal name");
                element.set_attr(Namespace::NONE, name, value);
            }
            element.append_text_node(text);
            element
        })
}

fn tree() -> impl Strategy<Value = Element> {
    leaf().prop_recursive(6, 40, 5, |inner| {
        (leaf(), prop::collection::vec(inner, 0..5)).prop_map(|(mut element, children)| {
            for child in children {
                element.append_child(child);
            }
            element
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_trees_never_panic_in_any_parser(element in tree()) {
        fuzz_bodies::everything(&element);
    }
}
