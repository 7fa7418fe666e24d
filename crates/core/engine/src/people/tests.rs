//! What comes from the server, on an account that is not connected: what has to go out is tested with
//! the whole engine.

use std::time::Instant;

use sotto_api::view::{Availability, ContactView, Settings, Subscription};
use sotto_api::{AccountSettings, Event, Reply};
use sotto_store::Store;
use sotto_store::row::{NewAccount, RosterItem};
use sotto_xmpp::caps::Caps;

use super::*;
use crate::changes::Changes;
use crate::context::Effects;
use crate::io::{Now, Output};
use crate::networks::Networks;
use crate::work::WorkResult;

struct Fixture {
    store: Store,
    settings: Settings,
    networks: Networks,
    changes: Changes,
    effects: Effects,
    account: Account,
    now: Now,
}

impl Fixture {
    fn new() -> Self {
        let store = Store::in_memory().expect("memory is there");
        let id = store
            .account_add(&NewAccount {
                network: "xmpp",
                address: "sara@riverside.example",
                enabled: true,
                settings: &AccountSettings::default(),
                agent_id: "agent",
            })
            .expect("it is the first");
        let row = store.account(id).expect("it reads").expect("it is there");
        let address = BareJid::new("sara@riverside.example").expect("it is well formed");
        let mut next = 0_u8;
        Self {
            account: Account::new(row, address),
            store,
            settings: Settings::default(),
            networks: Networks::bundled(),
            changes: Changes::default(),
            effects: Effects::new(Box::new(move |bytes| {
                for byte in bytes {
                    next = next.wrapping_add(1);
                    *byte = next;
                }
            })),
            now: Now {
                instant: Instant::now(),
                unix_ms: 1_000,
            },
        }
    }

    fn with<T>(&mut self, work: impl FnOnce(&mut Context, &mut Account) -> T) -> T {
        let mut cx = Context {
            now: self.now,
            store: &self.store,
            settings: &self.settings,
            networks: &self.networks,
            software: "Sotto 0.1.0",
            changes: &mut self.changes,
            effects: &mut self.effects,
        };
        work(&mut cx, &mut self.account)
    }

    fn contact(&mut self, jid: &str, subscription: Subscription) {
        let item = RosterItem {
            jid: jid.into(),
            name: String::new(),
            subscription,
            ask: false,
            groups: Vec::new(),
        };
        self.store
            .roster_set(self.account.id, &item, None)
            .expect("it is stored");
    }

    fn presence(&mut self, xml: &str) {
        let stanza = element(xml);
        self.with(|cx, account| handle_presence(cx, account, &stanza))
            .expect("the store works");
    }

    fn push(&mut self, xml: &str) -> bool {
        let stanza = element(xml);
        self.with(|cx, account| handle_push(cx, account, &stanza))
            .expect("the store works")
    }

    fn roster(&self) -> Vec<String> {
        let items = self.store.roster(self.account.id).expect("it reads");
        items.into_iter().map(|item| item.jid).collect()
    }

    fn list(&mut self) -> Vec<ContactView> {
        let reply = self.with(|cx, _| list::contact_list(cx, "", Some(true)));
        match reply {
            Ok(Some(Reply::Contacts(groups))) => groups
                .into_iter()
                .flat_map(|group| group.contacts)
                .collect(),
            other => panic!("no list: {other:?}"),
        }
    }

    fn requests(&mut self) -> Vec<String> {
        match self.with(|cx, _| requests::list(cx)) {
            Ok(Some(Reply::SubscriptionRequests(list))) => {
                list.into_iter().map(|request| request.address).collect()
            }
            other => panic!("no list: {other:?}"),
        }
    }
}

fn element(xml: &str) -> Element {
    let xml = xml.replacen(' ', " xmlns='jabber:client' ", 1);
    xml.parse().unwrap_or_else(|error| panic!("{xml}: {error}"))
}

fn reply(xml: &str) -> IqReply {
    Ok(Some(
        xml.parse().unwrap_or_else(|error| panic!("{xml}: {error}")),
    ))
}

#[test]
fn the_roster_is_what_the_server_says_and_an_empty_answer_means_unchanged() {
    let mut fixture = Fixture::new();
    let roster = reply(
        "<query xmlns='jabber:iq:roster' ver='7'>
           <item jid='leila@a.example' name='Leila' subscription='both'><group>Friends</group></item>
           <item jid='omar@a.example' subscription='none' ask='subscribe'/>
         </query>",
    );
    fixture
        .with(|cx, account| handle_reply(cx, account, Pending::Roster, roster))
        .expect("the store works");
    assert_eq!(fixture.roster(), ["leila@a.example", "omar@a.example"]);
    let version = fixture.store.roster_version(fixture.account.id);
    assert_eq!(version.expect("it reads").as_deref(), Some("7"));

    fixture
        .with(|cx, account| handle_reply(cx, account, Pending::Roster, Ok(None)))
        .expect("the store works");
    assert_eq!(fixture.roster().len(), 2);
}

#[test]
fn s_xmpp_04_a_roster_push_counts_only_from_my_own_account() {
    let item = "<query xmlns='jabber:iq:roster' ver='8'><item jid='evil@e.example' subscription='both'/></query>";
    for from in [
        "evil@e.example",
        "riverside.example",
        "sara@riverside.example/phone",
        "Sara@riverside.example",
        "sara@riverside.example.evil.example",
    ] {
        let mut fixture = Fixture::new();
        let taken = fixture.push(&format!("<iq type='set' id='1' from='{from}'>{item}</iq>"));
        assert!(!taken, "{from}");
        assert!(fixture.roster().is_empty(), "{from}");
    }
    for from in ["", "from='sara@riverside.example'"] {
        let mut fixture = Fixture::new();
        assert!(fixture.push(&format!("<iq type='set' id='1' {from}>{item}</iq>")));
        assert_eq!(fixture.roster(), ["evil@e.example"]);
    }
}

#[test]
fn a_roster_push_changes_and_removes_contacts_and_their_presence() {
    let mut fixture = Fixture::new();
    fixture.contact("leila@a.example", Subscription::Both);
    fixture.presence("<presence from='leila@a.example/x'><show>away</show></presence>");
    assert_eq!(fixture.list()[0].availability, Availability::Away);
    assert!(fixture.push(
        "<iq type='set' id='1'><query xmlns='jabber:iq:roster'>
         <item jid='leila@a.example' name='Leila' subscription='from'/></query></iq>"
    ));
    let list = fixture.list();
    assert_eq!(list[0].name, "Leila");
    assert_eq!(list[0].availability, Availability::Unknown);
    assert!(fixture.push(
        "<iq type='set' id='2'><query xmlns='jabber:iq:roster'>
         <item jid='leila@a.example' subscription='remove'/></query></iq>"
    ));
    assert!(fixture.roster().is_empty());
}

#[test]
fn the_best_program_of_a_person_speaks_for_them() {
    let mut fixture = Fixture::new();
    fixture.contact("leila@a.example", Subscription::Both);
    assert_eq!(fixture.list()[0].availability, Availability::Offline);
    fixture.presence(
        "<presence from='leila@a.example/desk'><show>away</show><priority>5</priority></presence>",
    );
    fixture.presence(
        "<presence from='leila@a.example/phone'><show>chat</show><priority>1</priority></presence>",
    );
    assert_eq!(fixture.list()[0].availability, Availability::Away);
    fixture.presence("<presence from='leila@a.example/desk' type='unavailable'/>");
    assert_eq!(fixture.list()[0].availability, Availability::Chat);
    fixture.presence("<presence from='leila@a.example' type='unavailable'/>");
    assert_eq!(fixture.list()[0].availability, Availability::Offline);
}

#[test]
fn presence_of_strangers_and_rooms_is_not_kept() {
    let mut fixture = Fixture::new();
    fixture.contact("leila@a.example", Subscription::Both);
    fixture.presence("<presence from='stranger@e.example/x'/>");
    fixture.presence(
        "<presence from='leila@a.example/nick'><x xmlns='http://jabber.org/protocol/muc#user'/></presence>",
    );
    let id = fixture.account.id;
    assert!(
        fixture
            .store
            .presences(id, "stranger@e.example")
            .expect("it reads")
            .is_empty()
    );
    assert!(
        fixture
            .store
            .presences(id, "leila@a.example")
            .expect("it reads")
            .is_empty()
    );
}

#[test]
fn s_xmpp_18_programs_of_one_person_are_bounded() {
    let mut fixture = Fixture::new();
    fixture.contact("leila@a.example", Subscription::Both);
    for n in 0..1_000 {
        fixture.presence(&format!("<presence from='leila@a.example/{n}'/>"));
    }
    let known = fixture
        .store
        .presences(fixture.account.id, "leila@a.example");
    assert_eq!(known.expect("it reads").len(), 32);
}

#[test]
fn s_xmpp_18_ten_thousand_requests_are_one_bounded_list() {
    let mut fixture = Fixture::new();
    for n in 0..10_000 {
        fixture.presence(&format!(
            "<presence type='subscribe' from='u{n}@e.example'/>"
        ));
    }
    assert_eq!(fixture.requests().len(), 500);
    let events = fixture.changes.take(fixture.now.instant);
    let told = events
        .iter()
        .filter(|event| **event == Event::SubscriptionsChanged)
        .count();
    assert_eq!(told, 1);
}

#[test]
fn a_request_repeats_as_one_and_goes_when_it_is_withdrawn_or_settled() {
    let mut fixture = Fixture::new();
    fixture.presence(
        "<presence type='subscribe' from='omar@a.example'><status>It's Om\u{202e}ar</status>
         <nick xmlns='http://jabber.org/protocol/nick'>Omar\n K.</nick></presence>",
    );
    fixture.presence("<presence type='subscribe' from='omar@a.example'/>");
    assert_eq!(fixture.requests(), ["omar@a.example"]);
    fixture.presence("<presence type='unsubscribe' from='omar@a.example'/>");
    assert!(fixture.requests().is_empty());

    fixture.presence("<presence type='subscribe' from='omar@a.example'/>");
    assert!(fixture.push(
        "<iq type='set' id='1'><query xmlns='jabber:iq:roster'>
         <item jid='omar@a.example' subscription='from'/></query></iq>"
    ));
    assert!(fixture.requests().is_empty());
}

#[test]
fn a_blocked_address_asks_in_vain() {
    let mut fixture = Fixture::new();
    assert!(fixture.push(
        "<iq type='set' id='1'><block xmlns='urn:xmpp:blocking'><item jid='evil@e.example'/>
         <item jid='spam.example'/></block></iq>"
    ));
    fixture.presence("<presence type='subscribe' from='evil@e.example'/>");
    fixture.presence("<presence type='subscribe' from='anybody@spam.example'/>");
    assert!(fixture.requests().is_empty());
    assert!(fixture.push("<iq type='set' id='2'><unblock xmlns='urn:xmpp:blocking'/></iq>"));
    fixture.presence("<presence type='subscribe' from='evil@e.example'/>");
    assert_eq!(fixture.requests(), ["evil@e.example"]);
}

#[test]
fn s_xmpp_04_a_push_of_the_block_list_counts_only_from_my_own_account() {
    let mut fixture = Fixture::new();
    assert!(!fixture.push(
        "<iq type='set' id='1' from='evil@e.example'><block xmlns='urn:xmpp:blocking'>
         <item jid='leila@a.example'/></block></iq>"
    ));
    let blocked = fixture.store.blocked(fixture.account.id).expect("it reads");
    assert!(blocked.is_empty());
}

#[test]
fn s_xmpp_17_only_contacts_who_may_see_me_get_automatic_answers() {
    let mut fixture = Fixture::new();
    fixture.contact("both@a.example", Subscription::Both);
    fixture.contact("from@a.example", Subscription::From);
    fixture.contact("to@a.example", Subscription::To);
    fixture.contact("none@a.example", Subscription::None);
    fixture.contact("blocked@a.example", Subscription::Both);
    let id = fixture.account.id;
    fixture
        .store
        .blocked_set(id, "blocked@a.example", true)
        .expect("it is stored");
    for (jid, sees) in [
        ("both@a.example", true),
        ("from@a.example", true),
        ("to@a.example", false),
        ("none@a.example", false),
        ("blocked@a.example", false),
        ("stranger@e.example", false),
    ] {
        let jid = BareJid::new(jid).expect("it is well formed");
        let seen = fixture
            .with(|cx, _| sees_me(cx, id, &jid))
            .expect("the store works");
        assert_eq!(seen, sees, "{jid}");
    }
}

const INFO: &str = "<query xmlns='http://jabber.org/protocol/disco#info'>
    <identity category='client' type='pc' name='Exodus 0.9.1'/>
    <feature var='http://jabber.org/protocol/caps'/>
    <feature var='http://jabber.org/protocol/disco#info'/>
    <feature var='http://jabber.org/protocol/disco#items'/>
    <feature var='http://jabber.org/protocol/muc'/></query>";

fn exodus(ver: &str) -> Caps {
    let presence = element(&format!(
        "<presence from='leila@a.example/x'><c xmlns='http://jabber.org/protocol/caps' hash='sha-1'
         node='http://code.google.com/p/exodus' ver='{ver}'/></presence>"
    ));
    Caps::of(&presence).expect("it is well formed")
}

#[test]
fn s_xmpp_15_only_proved_capabilities_go_into_the_cache() {
    for (ver, proved) in [
        // XEP-0115 §5.2.
        ("QgayPKawpkPSDYmwT/WM94uAlu0=", true),
        ("AAAAAAAAAAAAAAAAAAAAAAAAAAA=", false),
    ] {
        let mut fixture = Fixture::new();
        let caps = exodus(ver);
        let from = Jid::new("leila@a.example/x").expect("it is well formed");
        let key = fixture
            .with(|cx, account| capabilities::handle_caps(cx, account, &from, &caps, true))
            .expect("the store works");
        let asked = capabilities::Asked::for_test(caps, key.clone());
        fixture
            .with(|cx, account| {
                handle_reply(cx, account, Pending::Capabilities(asked), reply(INFO))
            })
            .expect("the store works");
        let cached = fixture.store.caps(&key).expect("it reads").is_some();
        assert_eq!(cached, proved, "{ver}");
    }
}

const PNG_1X1: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// Carries out the work that waits.
fn work(fixture: &mut Fixture) {
    while let Some(output) = fixture.effects.outputs.pop_front() {
        let Output::Picture { work, job } = output else {
            continue;
        };
        let WorkResult(done) = job.run(crate::picture::decode);
        let mut done = Some(done);
        let taken = fixture
            .with(|cx, account| handle_work(cx, account, work, &mut done))
            .expect("the store works");
        assert!(taken);
    }
}

#[test]
fn s_media_03_a_picture_is_kept_only_when_it_is_the_announced_one() {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(PNG_1X1)
        .expect("it is base64");
    let hash = accepted(bytes).expect("it is a picture").hash().to_owned();
    for (announced, kept) in [
        (hash.as_str(), true),
        ("0123456789012345678901234567890123456789", false),
    ] {
        let mut fixture = Fixture::new();
        fixture.contact("leila@a.example", Subscription::Both);
        let owner = BareJid::new("leila@a.example").expect("it is well formed");
        let asked = pictures::Asked::for_test(&mut fixture.account, owner, announced);
        let data = reply(&format!(
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:data'>
             <item id='{announced}'><data xmlns='urn:xmpp:avatar:data'>{PNG_1X1}</data></item></items></pubsub>"
        ));
        fixture
            .with(|cx, account| handle_reply(cx, account, Pending::Picture(asked), data))
            .expect("the store works");
        work(&mut fixture);
        assert_eq!(
            fixture.list()[0].avatar.as_deref(),
            kept.then_some(announced)
        );
        if kept {
            let picture = fixture.store.avatar(announced).expect("it reads");
            let picture = picture.expect("it is kept");
            assert_eq!(picture.mime, "image/png");
            // Written anew, not the bytes that came.
            assert!(picture.bytes.starts_with(b"\x89PNG"));
        }
    }
}

#[test]
fn s_xmpp_06_a_picture_event_is_about_its_sender_only_and_strangers_have_none() {
    let mut fixture = Fixture::new();
    fixture.contact("leila@a.example", Subscription::Both);
    let id = fixture.account.id;
    fixture
        .store
        .avatar_of_set(id, "leila@a.example", Some("aa"))
        .expect("it is stored");
    fixture
        .store
        .avatar_of_set(id, "sara@riverside.example", Some("bb"))
        .expect("it is stored");
    // A contact's full address, and a stranger: without effect on anybody.
    for from in ["leila@a.example/x", "evil@e.example"] {
        let event = element(&format!(
            "<message from='{from}'><event xmlns='http://jabber.org/protocol/pubsub#event'>
             <items node='urn:xmpp:avatar:metadata'><item id='current'>
             <metadata xmlns='urn:xmpp:avatar:metadata'/></item></items></event></message>"
        ));
        fixture
            .with(|cx, account| handle_pep(cx, account, &event))
            .expect("the store works");
    }
    let of = |fixture: &Fixture, jid: &str| fixture.store.avatar_of(id, jid).expect("it reads");
    assert_eq!(of(&fixture, "leila@a.example").as_deref(), Some("aa"));
    assert_eq!(
        of(&fixture, "sara@riverside.example").as_deref(),
        Some("bb")
    );
    // Leila herself removes hers, and only hers.
    let event = element(
        "<message from='leila@a.example'><event xmlns='http://jabber.org/protocol/pubsub#event'>
         <items node='urn:xmpp:avatar:metadata'><item id='current'>
         <metadata xmlns='urn:xmpp:avatar:metadata'/></item></items></event></message>",
    );
    fixture
        .with(|cx, account| handle_pep(cx, account, &event))
        .expect("the store works");
    assert_eq!(of(&fixture, "leila@a.example"), None);
    assert_eq!(
        of(&fixture, "sara@riverside.example").as_deref(),
        Some("bb")
    );
}

#[test]
fn a_stranger_is_shown_by_address_and_not_by_what_they_call_themselves() {
    let mut fixture = Fixture::new();
    let id = fixture.account.id;
    let jid = BareJid::new("stranger@e.example").expect("it is well formed");
    let view = fixture
        .with(|cx, _| contact_of(cx, id, &jid))
        .expect("the store works");
    assert_eq!(view.id, None);
    assert_eq!(view.name, "stranger@e.example");
    assert_eq!(view.availability, Availability::Unknown);
}

#[test]
fn s_ui_05_a_stranger_who_imitates_a_contact_shows_the_ascii_form() {
    let mut fixture = Fixture::new();
    fixture.contact("capa@a.example", Subscription::Both);
    let id = fixture.account.id;
    let twin = BareJid::new("сара@a.example").expect("it is well formed");
    let view = fixture
        .with(|cx, _| contact_of(cx, id, &twin))
        .expect("the store works");
    assert!(
        view.addresses[0]
            .ascii
            .as_deref()
            .is_some_and(|a| a.starts_with("xn--"))
    );
}

#[test]
fn losing_the_stream_makes_everybody_offline() {
    let mut fixture = Fixture::new();
    fixture.contact("leila@a.example", Subscription::Both);
    fixture.presence("<presence from='leila@a.example/x'/>");
    assert_eq!(fixture.list()[0].availability, Availability::Available);
    fixture.with(stream_lost).expect("the store works");
    assert_eq!(fixture.list()[0].availability, Availability::Offline);
}

#[test]
fn presence_from_before_a_restart_shows_only_when_the_stream_goes_on() {
    let mut fixture = Fixture::new();
    fixture.contact("leila@a.example", Subscription::Both);
    fixture.presence("<presence from='leila@a.example/x'/>");
    // The program starts again.
    opened(&fixture.store, &mut fixture.account).expect("the store works");
    assert_eq!(fixture.list()[0].availability, Availability::Offline);
    fixture.with(stream_resumed).expect("the store works");
    assert_eq!(fixture.list()[0].availability, Availability::Available);
}

#[test]
fn what_a_person_asks_offline_is_refused_with_a_reason() {
    let mut fixture = Fixture::new();
    let to = ReplyTo {
        client: crate::io::ClientId(1),
        id: 1,
    };
    let answer =
        fixture.with(|cx, account| roster::add(cx, account, to, "leila@a.example", "", &[]));
    assert_eq!(
        answer.map_err(|e| e.kind),
        Err(sotto_api::ErrorKind::Offline)
    );
    let answer =
        fixture.with(|cx, account| roster::add(cx, account, to, "not an address@", "", &[]));
    assert_eq!(
        answer.map_err(|e| e.kind),
        Err(sotto_api::ErrorKind::Invalid)
    );
    let answer =
        fixture.with(|cx, account| roster::add(cx, account, to, "sara@riverside.example", "", &[]));
    assert_eq!(
        answer.map_err(|e| e.kind),
        Err(sotto_api::ErrorKind::Invalid)
    );
}
