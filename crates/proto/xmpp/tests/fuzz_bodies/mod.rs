//! What each fuzz target runs; shared by `testing/fuzz` and by the plain tests beside this folder.
//!
//! Each takes any bytes, must not panic, and asserts what must hold for every input.
#![allow(dead_code, reason = "each user takes its own part")]

use std::time::Instant;

use sotto_xmpp::caps::{self, Caps, Hash};
use sotto_xmpp::disco::{self, Info};
use sotto_xmpp::inbound::{self, Inbound};
use sotto_xmpp::iq::{self, Method, Tracker};
use sotto_xmpp::mam::{Fin, Query, Walk};
use sotto_xmpp::message::{Context, Kind};
use sotto_xmpp::register::{Answer, FieldKind, Form, Refusal};
use sotto_xmpp::rsm::Page;
use sotto_xmpp::stanza_error::StanzaError;
use sotto_xmpp::{
    BareJid, Element, FullJid, avatar, blocking, bob, carbons, data_form, delay, message, pep,
    ping, presence, receipts, roster, text, vcard,
};

/// Our own address in all targets.
pub const OWN: &str = "romeo@victim.example";

fn own() -> BareJid {
    BareJid::new(OWN).expect("a literal address")
}

/// Reads bytes as one element, within the bounds that the stream keeps (S-XML-02).
pub fn element(data: &[u8]) -> Option<Element> {
    let xml = std::str::from_utf8(data).ok()?;
    let mut depth = 0_i32;
    for (at, _) in xml.match_indices('<').take(65_536) {
        depth += if xml[at..].starts_with("</") { -1 } else { 1 };
        if xml[at..]
            .find('>')
            .is_some_and(|end| xml[at..at + end].ends_with('/'))
        {
            depth -= 1;
        }
        if depth > 64 {
            return None;
        }
    }
    (xml.len() <= 65_536).then(|| xml.parse().ok()).flatten()
}

/// Target `message`.
pub fn message(data: &[u8]) {
    let Some(stanza) = element(data) else { return };
    message_element(&stanza);
}

pub fn message_element(stanza: &Element) {
    let own = own();
    for (lang, stable_ids) in [("", true), ("en", false), ("cs-CZ", true)] {
        let context = Context {
            own: &own,
            lang,
            stable_ids,
            now: 1_800_000_000_000,
        };
        let Ok(message) = message::parse(stanza, &context) else {
            return;
        };
        assert!(message.body.is_none() || message.placeholder.is_none());
        assert!(message.kind != Kind::Error || !message.is_content());
        assert!(
            message
                .body
                .as_ref()
                .is_none_or(|body| body.len() <= message::MAX_BODY)
        );
        assert!(
            message
                .stamp
                .is_none_or(|stamp| (0..=context.now).contains(&stamp))
        );
        assert!(stable_ids || message.archive_id.is_none());
        let _ = (message.sender(&own), message.peer(&own));
        assert!(!receipts::is_due(&message, false));
    }
}

/// Target `carbons_mam`.
pub fn carbons_mam(data: &[u8]) {
    let Some(stanza) = element(data) else { return };
    carbons_mam_element(&stanza);
}

pub fn carbons_mam_element(stanza: &Element) {
    let own = own();
    let query = Query::new("q1", Page::After(None));
    if let Ok(Some(carbon)) = carbons::unwrap(stanza, &own) {
        assert_eq!(stanza.attr("from"), Some(OWN));
        assert!(
            carbons::unwrap(&carbon.message, &own) == Ok(None),
            "one layer"
        );
        message_element(&carbon.message);
    }
    if let Ok(Some(item)) = query.accept(stanza, &own) {
        assert!(stanza.attr("from").is_none_or(|from| from == OWN));
        assert!(query.accept(&item.message, &own) == Ok(None), "one layer");
        message_element(&item.message);
    }
    if let Ok(Inbound::Carbon(_)) = inbound::sort(stanza, &own) {
        assert_eq!(stanza.attr("from"), Some(OWN));
    }
    for child in std::iter::once(stanza).chain(stanza.children()) {
        if let Ok(fin) = Fin::parse(child) {
            let mut walk = Walk::forward(None);
            walk.handle_fin(&fin);
            walk.handle_fin(&fin);
            assert_eq!(walk.query("q"), None, "the same page twice ends a walk");
        }
    }
}

/// Target `roster_presence`.
pub fn roster_presence(data: &[u8]) {
    let Some(stanza) = element(data) else { return };
    roster_presence_element(&stanza);
}

pub fn roster_presence_element(stanza: &Element) {
    let own = own();
    for push in [
        roster::parse_push(stanza, &own).map(|push| push.is_some()),
        blocking::parse_push(stanza, &own).map(|push| push.is_some()),
    ] {
        if push == Ok(true) {
            assert!(stanza.attr("from").is_none_or(|from| from == OWN));
        }
    }
    if let Ok(presence) = presence::parse(stanza) {
        assert!(presence.status.len() <= presence::MAX_STATUS);
        assert!(!presence.status.contains('\n'));
    }
    if let Ok(Some(event)) = pep::parse_event(stanza, &own)
        && event.is_own(&own)
    {
        assert!(stanza.attr("from").is_none_or(|from| from == OWN));
    }
    for child in std::iter::once(stanza).chain(stanza.children()) {
        let _ = roster::parse_result(Some(child));
        let _ = blocking::parse_list(child);
        let _ = vcard::picture(child, None);
        let _ = vcard::name(child);
        let _ = avatar::parse_metadata(child);
        let _ = avatar::parse_data(child, "00");
        let _ = disco::parse_items(child);
    }
    iq_element(stanza);
}

/// Answers: never to an answer, never with a part of the question.
pub fn iq_element(stanza: &Element) {
    let own = FullJid::new("romeo@victim.example/desk").expect("a literal address");
    let mut requests = Tracker::new(&own);
    let mut random = |bytes: &mut [u8]| bytes.fill(7);
    requests.send(
        Method::Get,
        None,
        ping::request(),
        (),
        Instant::now(),
        &mut random,
    );
    let _ = requests.handle(stanza);
    let _ = iq::parse_request(stanza);
    if let Some(reply) = iq::default_reply(stanza) {
        assert!(matches!(stanza.attr("type"), Some("get" | "set")));
        assert_eq!(reply.children().count(), 1);
        assert_eq!(reply.attr("id"), stanza.attr("id"));
        assert_eq!(iq::default_reply(&reply), None);
    }
    let error = StanzaError::of(stanza);
    let _ = (Refusal::of(&error, true), Refusal::of(&error, false));
}

/// Target `register_form`.
pub fn register_form(data: &[u8]) {
    let Some(query) = element(data) else { return };
    register_form_element(&query);
}

pub fn register_form_element(query: &Element) {
    for child in std::iter::once(query).chain(query.children()) {
        let _ = bob::Bob::parse(child);
        if let Some(form) = data_form::DataForm::parse(child) {
            assert!(form.fields.len() <= data_form::MAX_FIELDS);
        }
    }
    let Ok(form) = Form::parse(query) else { return };
    assert!(form.page.as_ref().is_none_or(|page| {
        let page = page.to_ascii_lowercase();
        page.starts_with("https://") || page.starts_with("http://")
    }));
    let names: Vec<String> = form.fields.iter().map(|field| field.name.clone()).collect();
    let answers: Vec<Answer<'_>> = names
        .iter()
        .map(|name| Answer {
            name,
            values: &["canary", "a\nb"],
        })
        .collect();
    let submitted = form.submit(&answers);
    let hidden_only = form
        .fields
        .iter()
        .all(|field| field.kind == FieldKind::Hidden);
    if let Ok(submitted) = submitted {
        let wire = String::from(&submitted);
        let again: Element = wire.parse().expect("what we write can be read");
        assert_eq!(again, submitted);
        assert!(!hidden_only || !wire.contains("canary") || String::from(query).contains("canary"));
    }
    let _ = form.submit(&[]);
}

/// Target `delay`.
pub fn delay(data: &[u8]) {
    let Ok(stamp) = std::str::from_utf8(data) else {
        return;
    };
    if let Some(millis) = delay::parse(stamp) {
        let again = delay::parse(&delay::format(millis)).expect("what we write can be read");
        // A zone offset can push year 1 over its edge; there the nearest stamp is written.
        assert!(again == millis || !(0..=250_000_000_000_000).contains(&millis));
    }
    let _ = text::one_line(stamp, 16);
    let _ = text::displayable(stamp);
}

/// Target `caps`.
pub fn caps(data: &[u8]) {
    let Some(query) = element(data) else { return };
    caps_element(&query);
}

pub fn caps_element(query: &Element) {
    let _ = Caps::of(query);
    let Some(info) = Info::parse(query) else {
        return;
    };
    for hash in [Hash::Sha1, Hash::Sha256] {
        let claimed = |ver: String| Caps {
            node: "urn:x".to_owned(),
            ver,
            hash,
        };
        assert!(caps::verify(&claimed("AAAA".to_owned()), info.clone()).is_err());
        if let Ok(ver) = caps::generate(&info, hash) {
            assert!(caps::verify(&claimed(ver), info.clone()).is_ok());
        }
    }
    let _ = info.to_element(None);
}

/// All of them over one element.
pub fn everything(element: &Element) {
    message_element(element);
    carbons_mam_element(element);
    roster_presence_element(element);
    register_form_element(element);
    caps_element(element);
}
