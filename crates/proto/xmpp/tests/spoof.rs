//! Forged stanzas and what they may do: nothing, or no more than their true sender may.
//!
//! `spoof/templates.tsv` has one stanza a line: its row in the list of requirements, the effect that
//! it may have, and the stanza. The effect is found by the smallest client that uses the crate as it
//! is meant: romeo@victim.example/desk, with the contact juliet@friend.example, a message of
//! each side (`out-1`, `in-1`), one open archive query (`q1`) and three open requests.

#![allow(
    clippy::disallowed_methods,
    reason = "a virtual clock begins at some instant"
)]

use std::time::Instant;

use sotto_xmpp::automatic::{Automatic, Relation, may_answer};
use sotto_xmpp::correction::{Protection, Side, Verdict, decide};
use sotto_xmpp::inbound::{self, Inbound};
use sotto_xmpp::iq::{Answer, Method, Tracker};
use sotto_xmpp::mam::Query;
use sotto_xmpp::message::{Context, Kind, Message};
use sotto_xmpp::presence::Meaning;
use sotto_xmpp::rsm::Page;
use sotto_xmpp::{
    BareJid, Element, FullJid, Jid, blocking, iq, message, ping, presence, receipts, roster,
    version,
};

const TEMPLATES: &str = include_str!("spoof/templates.tsv");
const NOW: i64 = 1_800_000_000_000;

struct Client {
    own: BareJid,
    contact: BareJid,
    query: Query,
    requests: Tracker<&'static str>,
    ids: Vec<(&'static str, String)>,
}

impl Client {
    fn new() -> Self {
        let full = FullJid::new("romeo@victim.example/desk").unwrap();
        let mut requests = Tracker::new(&full);
        let mut next = 0_u8;
        let mut random = |bytes: &mut [u8]| {
            next += 1;
            bytes.fill(next);
        };
        let mut ids = Vec::new();
        for (tag, to) in [
            ("to-own", None),
            ("to-server", Some("victim.example")),
            ("to-contact", Some("juliet@friend.example/phone")),
        ] {
            let to = to.map(|to| Jid::new(to).unwrap());
            let payload = ping::request();
            let iq = requests.send(Method::Get, to, payload, tag, Instant::now(), &mut random);
            ids.push((tag, iq.attr("id").unwrap().to_owned()));
        }
        Self {
            own: full.to_bare(),
            contact: BareJid::new("juliet@friend.example").unwrap(),
            query: Query::new("q1", Page::Before(None)),
            requests,
            ids,
        }
    }

    fn effect_of(&mut self, template: &str) -> String {
        let xml = self.ids.iter().fold(template.to_owned(), |xml, (tag, id)| {
            xml.replace(&format!("{{{tag}}}"), id)
        });
        let stanza: Element = xml.parse().unwrap_or_else(|error| panic!("{xml}: {error}"));
        match stanza.name() {
            "message" => self.message(&stanza),
            "presence" => Self::presence(&stanza),
            "iq" => self.iq(&stanza),
            other => panic!("{other}"),
        }
    }

    fn message(&self, stanza: &Element) -> String {
        match inbound::sort(stanza, &self.own) {
            Err(_) => "refused".to_owned(),
            Ok(Inbound::Carbon(carbon)) => format!("copy: {}", self.content(&carbon.message)),
            Ok(Inbound::ArchiveResult { .. }) => match self.query.accept(stanza, &self.own) {
                Err(_) => "refused".to_owned(),
                Ok(None) => "nothing".to_owned(),
                Ok(Some(item)) => format!(
                    "archive {}: {}",
                    item.archive_id,
                    self.content(&item.message)
                ),
            },
            Ok(Inbound::Event(event)) if event.is_own(&self.own) => {
                format!("own data {}", event.node)
            }
            Ok(Inbound::Event(event)) => format!("data of {}: {}", event.owner, event.node),
            Ok(Inbound::Message) => self.content(stanza),
        }
    }

    fn content(&self, stanza: &Element) -> String {
        let context = Context {
            own: &self.own,
            lang: "en",
            stable_ids: true,
            now: NOW,
        };
        match message::parse(stanza, &context) {
            Err(_) => "refused".to_owned(),
            Ok(message) => self.meaning(&message),
        }
    }

    fn meaning(&self, message: &Message) -> String {
        if message.kind == Kind::Error {
            return if receipts::is_from_addressee(message.from.as_ref(), &self.contact)
                && message.id.as_deref() == Some("out-1")
            {
                "failed out-1".to_owned()
            } else {
                "nothing".to_owned()
            };
        }
        let sender = message.sender(&self.own);
        let known = |id: &Option<String>| {
            id.as_deref() == Some("out-1")
                && receipts::is_from_addressee(message.from.as_ref(), &self.contact)
        };
        let mut effects = Vec::new();
        if known(&message.receipt) {
            effects.push("delivered out-1".to_owned());
        }
        if known(&message.displayed) {
            effects.push("seen out-1".to_owned());
        }
        if message.room && message.is_content() {
            effects.push("room".to_owned());
        } else if let Some(body) = &message.body {
            effects.push(match &message.replaces {
                Some(id) if self.replaces(message, id) => format!("replaced {id} of {sender}"),
                _ => format!("shown from {sender}: {}", body.as_str()),
            });
        } else if message.encryption.is_some() {
            effects.push(format!("encrypted from {sender}"));
        }
        if let Some(stamp) = message.stamp {
            effects.push(format!("sent at {stamp}"));
        }
        if let Some(id) = &message.archive_id {
            effects.push(format!("known as {id}"));
        }
        let relation = if sender == self.contact {
            Relation::SeesOurs
        } else {
            Relation::Stranger
        };
        if receipts::is_due(message, may_answer(Automatic::Receipt, relation)) {
            effects.push("answered with a receipt".to_owned());
        }
        if effects.is_empty() {
            "nothing".to_owned()
        } else {
            effects.join(", ")
        }
    }

    fn replaces(&self, message: &Message, id: &str) -> bool {
        let peer = message.peer(&self.own);
        let sender = message.sender(&self.own);
        let side = |sender, id| Side {
            sender,
            peer: &self.contact,
            id,
            protection: Protection::Server,
        };
        let original = match id {
            "in-1" => Some(side(&self.contact, "in-1")),
            "out-1" => Some(side(&self.own, "out-1")),
            _ => None,
        };
        let correction = Side {
            sender: &sender,
            peer: &peer,
            id: message.id.as_deref().unwrap_or_default(),
            protection: Protection::Server,
        };
        decide(correction, id, original) == Verdict::Replace
    }

    fn presence(stanza: &Element) -> String {
        let Ok(presence) = presence::parse(stanza) else {
            return "refused".to_owned();
        };
        let from = presence
            .from
            .map(|from| from.to_string())
            .unwrap_or_default();
        match presence.meaning {
            _ if presence.room => "room".to_owned(),
            Meaning::Available(_) => format!("{from} is there"),
            Meaning::Unavailable => format!("{from} is gone"),
            Meaning::Subscription(kind) => format!("{from} says {}", kind.name()),
            Meaning::Error(_) | Meaning::Ignored => "nothing".to_owned(),
        }
    }

    fn iq(&mut self, stanza: &Element) -> String {
        if let Answer::Ended { tag, outcome } = self.requests.handle(stanza) {
            return format!(
                "{tag} ended {}",
                if outcome.is_ok() { "well" } else { "badly" }
            );
        }
        match roster::parse_push(stanza, &self.own) {
            Err(_) => return "refused".to_owned(),
            Ok(Some(_)) => return "roster changed".to_owned(),
            Ok(None) => {}
        }
        match blocking::parse_push(stanza, &self.own) {
            Err(_) => return "refused".to_owned(),
            Ok(Some(_)) => return "block list changed".to_owned(),
            Ok(None) => {}
        }
        let Some(request) = iq::parse_request(stanza) else {
            return match iq::default_reply(stanza) {
                Some(_) => "not served".to_owned(),
                None => "nothing".to_owned(),
            };
        };
        let relation = match &request.from {
            Some(from) if from.to_bare() == self.contact => Relation::SeesOurs,
            _ => Relation::Stranger,
        };
        let served = version::is_request(request.payload)
            && may_answer(Automatic::Version, relation)
            || ping::is_request(request.payload) && may_answer(Automatic::Ping, relation);
        if served { "served" } else { "not served" }.to_owned()
    }
}

fn rows() -> impl Iterator<Item = [&'static str; 4]> {
    TEMPLATES
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let columns: Vec<&str> = line.splitn(4, '\t').collect();
            columns
                .try_into()
                .unwrap_or_else(|_| panic!("four columns expected: {line}"))
        })
}

#[test]
fn each_template_has_exactly_the_effect_it_may_have() {
    let mut wrong = Vec::new();
    for [name, row, expected, stanza] in rows() {
        let found = Client::new().effect_of(stanza);
        if found != expected {
            wrong.push(format!(
                "{name} ({row}): expected `{expected}`, found `{found}`"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn there_are_at_least_48_forged_templates_and_each_kind_has_a_genuine_one() {
    let genuine = rows().filter(|[name, ..]| name.starts_with("ok-")).count();
    assert!(rows().count() - genuine >= 48);
    assert!(genuine >= 12);
    let mut names: Vec<_> = rows().map(|[name, ..]| name).collect();
    names.sort_unstable();
    assert!(
        names.windows(2).all(|pair| pair[0] != pair[1]),
        "names are unique"
    );
}

#[test]
fn nothing_of_a_stranger_ever_reaches_our_own_data() {
    for [name, _, expected, _] in rows().filter(|[name, ..]| !name.starts_with("ok-")) {
        for own in [
            "own data",
            "roster changed",
            "block list changed",
            "archive ",
            "copy: shown",
            "ended",
        ] {
            assert!(!expected.contains(own), "{name}");
        }
        assert!(
            !expected.contains("shown from juliet") && !expected.contains("shown from romeo"),
            "{name}"
        );
    }
}
