//! What we write can be read back as it was meant (S-XML-08).

use sotto_xmpp::message::{self, Context, Outgoing};
use sotto_xmpp::{BareJid, Element, Jid, roster, text};

/// Strings that break writers: controls, line ends, markup, ends of sections, surrogates' neighbours,
/// directions, emoji of several parts, white space at the ends.
const NASTY: &[&str] = &[
    "]]>",
    "<![CDATA[x]]>",
    "&amp;",
    "&#0;",
    "&#x1F600;",
    "<script>alert(1)</script>",
    "'\"><x/>",
    "a\r\nb",
    "a\rb",
    "a\tb",
    " lead and trail ",
    "\n",
    "\u{0}",
    "\u{8}x",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{feff}x",
    "\u{fffd}",
    "\u{fffe}x",
    "\u{ffff}x",
    "\u{d7ff}\u{e000}",
    "\u{10ffff}",
    "\u{202e}evil",
    "👩‍👩‍👧‍👦",
    "Z̡̛a͠lg̕o",
    "<?xml version='1.0'?>",
    "<!DOCTYPE x>",
    "</message>",
    "%s%n",
    "{{7*7}}",
    "\u{1F1E9}\u{1F1EA}",
    "\\u0000",
    "﷽",
];

/// The big list of naughty strings (`data/blns.LICENSE`) and ours.
fn nasty() -> impl Iterator<Item = &'static str> {
    include_str!("data/blns.txt")
        .lines()
        .chain(NASTY.iter().copied())
}

fn wire(element: &Element) -> Element {
    String::from(element)
        .parse()
        .expect("what we write can be read")
}

#[test]
fn s_xml_08_every_body_reads_back_without_what_xml_forbids() {
    let own = BareJid::new("romeo@victim.example").unwrap();
    let to = Jid::new("juliet@friend.example").unwrap();
    for nasty in nasty() {
        let context = Context {
            own: &own,
            lang: "",
            stable_ids: false,
            now: 0,
        };
        let sent = wire(&Outgoing::new(&to, "id", nasty).to_element());
        let read = message::parse(&sent, &context).unwrap();
        let meant = text::without_forbidden(nasty);
        let found = read.body.map(String::from).unwrap_or_default();
        assert_eq!(found, meant, "{nasty:?}");
    }
}

#[test]
fn s_xml_08_every_attribute_reads_back_too() {
    let jid = BareJid::new("juliet@friend.example").unwrap();
    for nasty in nasty() {
        let sent = roster::set(&jid, nasty, &[nasty.to_owned()]);
        let read = wire(&sent);
        assert_eq!(read, sent, "{nasty:?}");
    }
}
