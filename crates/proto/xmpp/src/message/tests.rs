use super::*;
use crate::stanza_error::Condition;

fn own() -> BareJid {
    BareJid::new("juliet@capulet.com").unwrap()
}

fn read_in(lang: &str, stanza: &Element) -> Message {
    let own = own();
    let context = Context {
        own: &own,
        lang,
        stable_ids: true,
        now: 1_800_000_000_000,
    };
    parse(stanza, &context).unwrap()
}

fn read(inner: &str) -> Message {
    read_in("en", &stanza("chat", inner))
}

fn stanza(kind: &str, inner: &str) -> Element {
    format!(
        "<message xmlns='jabber:client' type='{kind}' id='m1' from='romeo@montague.net/orchard' \
         to='juliet@capulet.com/balcony'>{inner}</message>"
    )
    .parse()
    .unwrap()
}

fn words(message: &Message) -> Option<&str> {
    message.body.as_deref()
}

/// RFC 6121 §5.2.3, example with two languages.
const TWO_LANGUAGES: &str = "<body>Wherefore art thou, Romeo?</body>\
    <body xml:lang='cs'>Pročež jsi ty, Romeo?</body>";

#[test]
fn the_body_in_the_language_of_the_person_is_chosen() {
    let stanza = stanza("chat", TWO_LANGUAGES);
    for (lang, expected) in [
        ("cs", "Pročež jsi ty, Romeo?"),
        ("cs-CZ", "Pročež jsi ty, Romeo?"),
        ("CS", "Pročež jsi ty, Romeo?"),
        ("en", "Wherefore art thou, Romeo?"),
        ("", "Wherefore art thou, Romeo?"),
    ] {
        assert_eq!(words(&read_in(lang, &stanza)), Some(expected), "{lang}");
    }
}

#[test]
fn s_xml_09_a_body_of_another_namespace_or_depth_is_no_body() {
    for inner in [
        "<body xmlns='urn:x'>no</body>",
        "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>no</body></html>",
        "<x xmlns='urn:x'><body xmlns='jabber:client'>no</body></x>",
        "<Body>no</Body>",
        "<body><b>no</b></body>",
        "<body/>",
    ] {
        assert_eq!(words(&read(inner)), None, "{inner}");
    }
    assert_eq!(
        words(&read("<body xmlns='urn:x'>no</body><body>yes</body>")),
        Some("yes")
    );
    assert_eq!(
        words(&read("<body>first</body><body>second</body>")),
        Some("first")
    );
}

#[test]
fn s_xmpp_13_an_error_has_no_words_and_only_an_error() {
    let message = read_in(
        "",
        &stanza(
            "error",
            "<body>what we wrote</body><nick xmlns='http://jabber.org/protocol/nick'>x</nick>\
             <received xmlns='urn:xmpp:receipts' id='1'/>\
             <error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
        ),
    );
    assert_eq!(message.kind, Kind::Error);
    assert_eq!(message.error.as_ref().unwrap().condition, Condition::Gone);
    assert!(!message.is_content());
    assert_eq!((message.receipt, message.nick), (None, None));
}

#[test]
fn a_wrapper_has_no_words_of_its_own() {
    for wrapper in [
        "<received xmlns='urn:xmpp:carbons:2'/>",
        "<result xmlns='urn:xmpp:mam:2'/>",
        "<forwarded xmlns='urn:xmpp:forward:0'/>",
        "<event xmlns='http://jabber.org/protocol/pubsub#event'/>",
    ] {
        let message = read(&format!("<body>hidden</body>{wrapper}"));
        assert!(!message.is_content(), "{wrapper}");
    }
}

#[test]
fn the_clear_text_of_an_encrypted_message_is_a_placeholder() {
    for (inner, expected) in [
        (
            "<encrypted xmlns='eu.siacs.conversations.axolotl'/>",
            Encryption::OmemoLegacy,
        ),
        ("<encrypted xmlns='urn:xmpp:omemo:2'/>", Encryption::Omemo),
        ("<openpgp xmlns='urn:xmpp:openpgp:0'/>", Encryption::OpenPgp),
        ("<x xmlns='jabber:x:encrypted'/>", Encryption::OpenPgpLegacy),
        (
            "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:omemo:2' name='A'/>",
            Encryption::Omemo,
        ),
        (
            "<encryption xmlns='urn:xmpp:eme:0' namespace='im.example:e' name='A\nB'/>",
            Encryption::Other {
                namespace: "im.example:e".to_owned(),
                name: "A B".to_owned(),
            },
        ),
    ] {
        let message = read(&format!(
            "{inner}<body>I sent you an encrypted message</body>"
        ));
        assert_eq!(message.encryption, Some(expected), "{inner}");
        assert!(message.body.is_none() && message.placeholder.is_some());
    }
}

#[test]
fn otr_data_are_told_by_their_prefix_and_not_by_a_word_beside() {
    let data = read("<body>?OTR:AAMD...</body>");
    assert_eq!(data.encryption, Some(Encryption::Otr));
    assert!(data.body.is_none());
    let claimed =
        read("<encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:otr:0'/><body>hi</body>");
    assert_eq!(words(&claimed), Some("hi"));
    assert_eq!(
        words(&read("<body>what is ?OTR for</body>")),
        Some("what is ?OTR for")
    );
}

/// XEP-0184 example 3, XEP-0085 example 1, XEP-0333 example 1, XEP-0308 example 2, XEP-0334 example 1.
#[test]
fn the_marks_of_the_xeps_are_read() {
    let message = read(
        "<body>But soft</body><request xmlns='urn:xmpp:receipts'/>\
         <active xmlns='http://jabber.org/protocol/chatstates'/>\
         <markable xmlns='urn:xmpp:chat-markers:0'/>\
         <replace id='bad1' xmlns='urn:xmpp:message-correct:0'/>\
         <no-copy xmlns='urn:xmpp:hints'/><no-store xmlns='urn:xmpp:hints'/>\
         <thread>e0ffe42b28561960c6b12b944a092794b9683a38</thread>\
         <origin-id xmlns='urn:xmpp:sid:0' id='de305d54'/>\
         <stanza-id xmlns='urn:xmpp:sid:0' id='5f3dbc5e' by='juliet@capulet.com'/>",
    );
    assert!(message.receipt_request && message.markable);
    assert_eq!(message.chat_state, Some(ChatState::Active));
    assert_eq!(message.replaces.as_deref(), Some("bad1"));
    assert!(message.hints.no_copy && message.hints.no_store && !message.hints.store);
    assert_eq!(message.origin_id.as_deref(), Some("de305d54"));
    assert_eq!(message.archive_id.as_deref(), Some("5f3dbc5e"));
    assert_eq!(message.peer(&own()).as_str(), "romeo@montague.net");
    assert!(!message.room);
}

#[test]
fn s_xmpp_10_without_support_of_the_own_account_no_id_counts() {
    let stanza = stanza(
        "chat",
        "<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='juliet@capulet.com'/>",
    );
    let own = own();
    let context = Context {
        own: &own,
        lang: "",
        stable_ids: false,
        now: 0,
    };
    assert_eq!(parse(&stanza, &context).unwrap().archive_id, None);
}

#[test]
fn s_xmpp_09_a_receipt_counts_from_the_addressee_only() {
    let addressee = BareJid::new("romeo@montague.net").unwrap();
    let from = |jid: &str| receipts::is_from_addressee(Some(&Jid::new(jid).unwrap()), &addressee);
    assert!(from("romeo@montague.net/orchard"));
    assert!(from("romeo@montague.net"));
    for other in ["eve@evil.example/x", "montague.net", "juliet@capulet.com/x"] {
        assert!(!from(other), "{other}");
    }
    assert!(!receipts::is_from_addressee(None, &addressee));
}

#[test]
fn s_xmpp_17_a_stranger_gets_no_receipt_and_no_marker() {
    let asking = "<body>x</body><request xmlns='urn:xmpp:receipts'/>\
                  <markable xmlns='urn:xmpp:chat-markers:0'/>";
    let message = read(asking);
    assert!(receipts::is_due(&message, true) && markers::is_due(&message, true));
    assert!(!receipts::is_due(&message, false) && !markers::is_due(&message, false));
    let room = read_in("", &stanza("groupchat", asking));
    assert!(!receipts::is_due(&room, true) && !markers::is_due(&room, true));
    let receipt =
        read("<request xmlns='urn:xmpp:receipts'/><received xmlns='urn:xmpp:receipts' id='1'/>");
    assert!(
        !receipts::is_due(&receipt, true),
        "receipts get no receipts"
    );
}

#[test]
fn s_xmpp_12_what_comes_through_a_room_says_so() {
    let private = read("<body>x</body><x xmlns='http://jabber.org/protocol/muc#user'/>");
    assert!(private.room);
}

#[test]
fn what_is_no_message_or_has_no_readable_sender_is_refused() {
    let own = own();
    let context = Context {
        own: &own,
        lang: "",
        stable_ids: true,
        now: 0,
    };
    for xml in [
        "<message xmlns='urn:x'/>",
        "<presence xmlns='jabber:client'/>",
        "<message xmlns='jabber:client' from='@'/>",
        "<message xmlns='jabber:client' from='a@b@c'/>",
        "<message xmlns='jabber:client' to=''/>",
    ] {
        let stanza: Element = xml.parse().unwrap();
        assert_eq!(parse(&stanza, &context), Err(Refused::Malformed), "{xml}");
    }
}

#[test]
fn words_do_not_show_in_debug() {
    let message = read("<subject>canary-1</subject><body>canary-2</body>");
    assert!(!format!("{message:?}").contains("canary"));
}

#[test]
fn our_own_message_reads_back_as_it_was_meant() {
    let to = Jid::new("romeo@montague.net/orchard").unwrap();
    let mut outgoing = Outgoing::new(&to, "id-1", "a < b & c ]]> d\u{0}\u{fffe}");
    outgoing.replaces = Some("id-0");
    outgoing.chat_state = true;
    let element = outgoing.to_element();
    let parsed: Element = String::from(&element).parse().unwrap();
    let message = read_in("", &parsed);
    assert_eq!(words(&message), Some("a < b & c ]]> d"));
    assert_eq!(message.id.as_deref(), Some("id-1"));
    assert_eq!(message.origin_id.as_deref(), Some("id-1"));
    assert_eq!(message.replaces.as_deref(), Some("id-0"));
    assert!(message.receipt_request && message.markable);
    assert_eq!(message.chat_state, Some(ChatState::Active));
    assert_eq!(message.kind, Kind::Chat);
    assert!(message.encryption.is_none());
}

#[test]
fn s_otr_15_an_otr_text_is_marked_and_goes_to_one_program_only() {
    let to = Jid::new("romeo@montague.net/orchard").unwrap();
    for (purpose, receipt, no_store) in [
        (OtrText::Message, true, false),
        (OtrText::Query, false, false),
        (OtrText::Fleeting, false, true),
    ] {
        let outgoing = Outgoing::otr(&to, "id-1", "?OTR:AAMD...", purpose);
        let element: Element = String::from(&outgoing.to_element()).parse().unwrap();
        let word = element.get_child("encryption", ns::EME).unwrap();
        assert_eq!(word.attr("namespace"), Some("urn:xmpp:otr:0"));
        assert!(crate::carbons::is_private(&element));
        let message = read_in("", &element);
        assert_eq!(message.encryption, Some(Encryption::Otr));
        assert_eq!(message.placeholder.as_deref(), Some("?OTR:AAMD..."));
        assert!(message.hints.no_copy && message.hints.no_permanent_store && !message.hints.store);
        assert_eq!(message.hints.no_store, no_store, "{purpose:?}");
        assert_eq!(message.receipt_request, receipt, "{purpose:?}");
    }
}

#[test]
fn s_otr_14_an_otr_text_says_nothing_else_in_clear() {
    let to = Jid::new("romeo@montague.net/orchard").unwrap();
    let outgoing = Outgoing::otr(&to, "id-1", "?OTR:AAMD...", OtrText::Message);
    let message = read_in("", &outgoing.to_element());
    assert!(!message.markable && message.chat_state.is_none() && message.replaces.is_none());
    assert!(message.subject.is_none() && message.nick.is_none());
}

#[test]
fn words_in_clear_are_not_marked_as_encrypted() {
    let to = Jid::new("romeo@montague.net/orchard").unwrap();
    let element = Outgoing::new(&to, "id-1", "hello").to_element();
    assert!(!element.has_child("encryption", ns::EME));
    assert!(!crate::carbons::is_private(&element));
    assert_eq!(read_in("", &element).hints, Hints::default());
}

#[test]
fn a_body_beyond_the_bound_is_cut_and_says_so() {
    let message = read(&format!("<body>{}</body>", "é".repeat(MAX_BODY)));
    assert!(message.cut);
    assert_eq!(message.body.unwrap().len(), MAX_BODY);
}

/// A small generator (xorshift64): 100,000 messages in seconds, the same in every run.
struct Random(u64);

impl Random {
    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        from[usize::try_from(self.0 >> 33).unwrap() % from.len()]
    }

    fn body(&mut self) -> Element {
        const FOREIGN: &str = "http://www.w3.org/1999/xhtml";
        let namespace = self.pick(&[ns::CLIENT, ns::CLIENT, ns::CLIENT, "urn:x", FOREIGN]);
        let mut body = Element::bare("body", namespace);
        for _ in 0..self.pick(&["", "1", "12"]).len() {
            body.append_text_node(
                self.pick(&["", "a", "b<c", "]]>", "\u{1F600}", "?OTR"])
                    .to_owned(),
            );
        }
        let lang = self.pick(&["", "", "en", "cs", "cs-CZ", "x"]);
        if !lang.is_empty() {
            let name = minidom::rxml::NcName::try_from("lang".to_owned()).unwrap();
            body.set_attr(minidom::rxml::Namespace::XML, name, lang);
        }
        body
    }

    fn child(&mut self) -> Element {
        match self.pick(&["body", "body", "body", "nested", "eme", "request"]) {
            "nested" => {
                let mut outer = Element::bare("x", "urn:x");
                outer.append_child(self.body());
                outer
            }
            "eme" => Element::bare("encryption", ns::EME),
            "request" => Element::bare("request", ns::RECEIPTS),
            _ => self.body(),
        }
    }
}

/// The rule of RFC 6121 §5.2.3 once more, written the slow and plain way.
fn expected_words(bodies: &[&Element], lang: &str) -> Option<String> {
    let tag = |body: &Element| dom::lang(body).unwrap_or_default().to_owned();
    let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_owned();
    let by_language = |same: &dyn Fn(&str) -> bool| {
        let found = bodies
            .iter()
            .find(|body| !tag(body).is_empty() && same(&tag(body)));
        found.copied()
    };
    let spoken = !lang.is_empty();
    let exact = by_language(&|tag| spoken && tag == lang);
    let close = by_language(&|tag| spoken && primary(tag) == primary(lang));
    let without = bodies.iter().find(|body| tag(body).is_empty()).copied();
    let chosen = exact.or(close).or(without).or(bodies.first().copied());
    chosen.map(Element::text).filter(|text| !text.is_empty())
}

#[test]
fn s_xml_09_one_function_decides_the_words_of_100_000_messages() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (empty, own) = (stanza("chat", ""), own());
    let mut with_words = 0_u32;
    for round in 0..100_000_u32 {
        let lang = random.pick(&["", "en", "cs"]);
        let children: Vec<Element> = (0..random.pick(&["", "1", "12", "123", "1234"]).len())
            .map(|_| random.child())
            .collect();
        let mut built = empty.clone();
        for child in &children {
            built.append_child(child.clone());
        }
        let message = read_in(lang, &built);
        // Only whole direct children of our namespace count, by the rule.
        let bodies: Vec<&Element> = children
            .iter()
            .filter(|c| c.is("body", ns::CLIENT))
            .collect();
        let expected = expected_words(&bodies, lang);
        let shown = message.body.as_ref().or(message.placeholder.as_ref());
        assert_eq!(
            shown.map(Text::as_str),
            expected.as_deref(),
            "{}",
            String::from(&built)
        );
        // One decision: words or placeholder, never both.
        assert!(message.body.is_none() || message.placeholder.is_none());
        assert_eq!(
            message.placeholder.is_some(),
            shown.is_some() && message.encryption.is_some()
        );
        with_words += u32::from(message.body.is_some());
        // The same after a trip over the wire (one in ten, since it is the slow part).
        if round % 10 == 0 {
            let again: Element = String::from(&built).parse().unwrap();
            assert_eq!(read_in(lang, &again), message);
        }
        assert_eq!(message.peer(&own).as_str(), "romeo@montague.net");
    }
    assert!(with_words > 10_000, "{with_words}");
}
