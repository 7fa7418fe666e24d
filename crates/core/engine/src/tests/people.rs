//! What a person asks of people and of the own account, seen from the server.

use std::time::Duration;

use sotto_api::view::{Availability, ContactView, PasswordChange};
use sotto_api::{AccountId, ErrorKind, Event, Reply, Request, Secret, SubscriptionAnswer};
use sotto_xmpp::Element;

use super::harness::{PASSWORD, Who, World};

fn alice() -> (World, Who, AccountId) {
    let (mut world, who) = World::of(&["alice"]);
    let account = world.accounts(who[0])[0].id;
    world.servers[0].seen.clear();
    (world, who[0], account)
}

/// Stanzas of one kind that the server got.
fn seen(world: &World, name: &str) -> Vec<Element> {
    world.servers[0]
        .seen
        .iter()
        .map(|(_, stanza)| stanza.clone())
        .filter(|stanza| stanza.name() == name)
        .collect()
}

fn contacts(world: &mut World, who: Who) -> Vec<ContactView> {
    let request = Request::ContactList {
        filter: String::new(),
        offline: Some(true),
    };
    match world.ask(who, request) {
        Reply::Contacts(groups) => groups.into_iter().flat_map(|g| g.contacts).collect(),
        other => panic!("{other:?}"),
    }
}

fn add(account: AccountId, address: &str, name: &str) -> Request {
    Request::ContactAdd {
        account,
        address: address.into(),
        name: name.into(),
        groups: vec!["Friends".into()],
    }
}

#[test]
fn a_person_is_added_on_the_server_and_asked() {
    let (mut world, who, account) = alice();
    let reply = world.ask(who, add(account, " Leila@Example.org ", "Leila"));
    let Reply::Contact(view) = reply else {
        panic!("{reply:?}")
    };
    assert_eq!(
        (view.name.as_str(), view.groups.as_slice()),
        ("Leila", &["Friends".to_owned()][..])
    );
    assert_eq!(view.addresses[0].address, "leila@example.org");
    assert!(view.addresses[0].asking);
    world.settle();
    let item = &seen(&world, "iq")[0];
    let text = String::from(item);
    assert!(
        text.contains("jabber:iq:roster") && text.contains("Friends"),
        "{text}"
    );
    let presence = &seen(&world, "presence")[0];
    assert_eq!(presence.attr("type"), Some("subscribe"));
    assert_eq!(presence.attr("to"), Some("leila@example.org"));
    // Once more is refused, with the field to blame.
    let again = world.try_ask(who, add(account, "leila@example.org", ""));
    assert_eq!(again.map_err(|e| e.kind), Err(ErrorKind::Exists));
}

#[test]
fn a_person_is_renamed_moved_and_removed_on_the_server() {
    let (mut world, who, account) = alice();
    let Reply::Contact(view) = world.ask(who, add(account, "leila@example.org", "Leila")) else {
        panic!("no contact")
    };
    let contact = view.id.expect("in the list");
    let name = "Leila Haddad".to_owned();
    world.ask(who, Request::ContactRename { contact, name });
    let groups = vec!["Work".into(), "Family".into()];
    world.ask(who, Request::ContactMove { contact, groups });
    let view = &contacts(&mut world, who)[0];
    assert_eq!(view.name, "Leila Haddad");
    assert_eq!(view.groups, ["Family", "Work"]);
    world.servers[0].seen.clear();
    world.ask(who, Request::ContactRemove { contact });
    let removal = String::from(&seen(&world, "iq")[0]);
    assert!(removal.contains("remove"), "{removal}");
    assert!(contacts(&mut world, who).is_empty());
    let gone = world.try_ask(who, Request::ContactView { contact });
    assert_eq!(gone.map_err(|e| e.kind), Err(ErrorKind::NotFound));
}

#[test]
fn a_refusal_of_the_server_is_told_and_nothing_is_changed() {
    let (mut world, who, account) = alice();
    world.servers[0].refused.insert("jabber:iq:roster".into());
    let refused = world
        .try_ask(who, add(account, "leila@example.org", ""))
        .expect_err("it is refused");
    assert_eq!(refused.kind, ErrorKind::Refused);
    assert!(
        refused.message.contains("example.org"),
        "{}",
        refused.message
    );
    assert!(contacts(&mut world, who).is_empty());
}

#[test]
fn requests_are_listed_and_answered() {
    let (mut world, who, account) = alice();
    for name in ["omar", "dana", "evil"] {
        world.servers[0].inject(
            "alice",
            &format!(
                "<presence type='subscribe' from='{name}@example.org' to='alice@example.org'/>"
            ),
        );
    }
    world.settle();
    assert!(
        world
            .take_events(who)
            .contains(&Event::SubscriptionsChanged)
    );
    let Reply::SubscriptionRequests(list) = world.ask(who, Request::SubscriptionList {}) else {
        panic!("no list")
    };
    assert_eq!(list.len(), 3);
    for (name, answer) in [
        ("omar", SubscriptionAnswer::Accept),
        ("dana", SubscriptionAnswer::Refuse),
        ("evil", SubscriptionAnswer::Block),
    ] {
        let request = Request::SubscriptionAnswer {
            account,
            address: format!("{name}@example.org"),
            answer,
        };
        assert_eq!(world.ask(who, request), Reply::Done);
    }
    world.settle();
    let kinds: Vec<_> = seen(&world, "presence")
        .iter()
        .map(|p| {
            (
                p.attr("to").unwrap_or_default().to_owned(),
                p.attr("type").unwrap_or_default().to_owned(),
            )
        })
        .collect();
    assert_eq!(
        kinds,
        [
            ("omar@example.org".to_owned(), "subscribed".to_owned()),
            ("dana@example.org".to_owned(), "unsubscribed".to_owned()),
            ("evil@example.org".to_owned(), "unsubscribed".to_owned()),
        ]
    );
    let Reply::Blocked(blocked) = world.ask(who, Request::BlockList { account }) else {
        panic!("no list")
    };
    assert_eq!(blocked.len(), 1);
    assert_eq!(blocked[0].address, "evil@example.org");
    let Reply::SubscriptionRequests(list) = world.ask(who, Request::SubscriptionList {}) else {
        panic!("no list")
    };
    assert!(list.is_empty());
}

#[test]
fn blocking_and_unblocking_goes_through_the_server() {
    let (mut world, who, account) = alice();
    let block = |blocked| Request::Block {
        account,
        address: "evil@example.org".into(),
        blocked,
    };
    world.ask(who, block(true));
    world.ask(who, block(false));
    let Reply::Blocked(blocked) = world.ask(who, Request::BlockList { account }) else {
        panic!("no list")
    };
    assert!(blocked.is_empty());
    world.servers[0].refused.insert("urn:xmpp:blocking".into());
    let refused = world.try_ask(who, block(true));
    assert_eq!(refused.map_err(|e| e.kind), Err(ErrorKind::Refused));
}

#[test]
fn my_status_is_sent_and_survives_a_restart() {
    let (mut world, who, account) = alice();
    world.ask(
        who,
        Request::StatusSet {
            account: None,
            availability: Availability::Busy,
            text: "in a meeting".into(),
        },
    );
    world.settle();
    let presence = String::from(seen(&world, "presence").last().expect("one was sent"));
    assert!(
        presence.contains("dnd") && presence.contains("in a meeting"),
        "{presence}"
    );
    world.kill(who);
    world.servers[0].refuse_resume = true;
    world.servers[0].seen.clear();
    world.restart(who);
    world.pass(Duration::from_secs(5));
    let view = world.account(who, account);
    assert_eq!(
        (view.availability, view.status_text.as_str()),
        (Availability::Busy, "in a meeting")
    );
    let presence = String::from(seen(&world, "presence").last().expect("one was sent"));
    assert!(
        presence.contains("dnd") && presence.contains("in a meeting"),
        "{presence}"
    );
}

#[test]
fn presence_shows_and_goes_when_the_stream_is_lost() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    world.servers[0].inject(
        "alice",
        "<presence from='bob@example.org/x'><show>away</show><status>at lunch</status></presence>",
    );
    world.settle();
    let view = &contacts(&mut world, who[0])[0];
    assert_eq!(
        (view.availability, view.status_text.as_str()),
        (Availability::Away, "at lunch")
    );
    // A cut that is resumed changes nothing.
    world.cut(who[0]);
    world.pass(Duration::from_secs(5));
    assert_eq!(
        contacts(&mut world, who[0])[0].availability,
        Availability::Away
    );
    // Nor does a restart.
    world.kill(who[0]);
    world.restart(who[0]);
    world.pass(Duration::from_secs(5));
    assert_eq!(
        contacts(&mut world, who[0])[0].availability,
        Availability::Away
    );
    // A fresh stream knows nothing until it is told.
    world.servers[0].refuse_resume = true;
    world.cut(who[0]);
    world.pass(Duration::from_secs(5));
    assert_eq!(
        contacts(&mut world, who[0])[0].availability,
        Availability::Offline
    );
}

#[test]
fn a_password_is_replaced_only_after_the_server_agreed() {
    let (mut world, who, account) = alice();
    assert_eq!(
        world.account(who, account).password_change,
        PasswordChange::Possible
    );
    let change = |password: &str| Request::AccountChangePassword {
        account,
        password: Secret::new(password.into()),
    };
    world.servers[0].refused.insert("jabber:iq:register".into());
    let refused = world.try_ask(who, change("other"));
    assert_eq!(refused.map_err(|e| e.kind), Err(ErrorKind::Refused));
    world.servers[0].refused.clear();
    world.kill(who);
    world.servers[0].refuse_resume = true;
    world.restart(who);
    world.pass(Duration::from_secs(5));
    // The old one still signs in.
    assert_eq!(
        world.account(who, account).state,
        sotto_api::view::AccountState::Online
    );
    assert_eq!(world.ask(who, change("fresh")), Reply::Done);
    for _ in 0..2 {
        // With the new one, from memory and from the store.
        world.kill(who);
        world.restart(who);
        world.pass(Duration::from_secs(5));
        assert_eq!(
            world.account(who, account).state,
            sotto_api::view::AccountState::Online
        );
    }
    assert_ne!(PASSWORD, "fresh");
    let empty = world.try_ask(who, change(""));
    assert_eq!(empty.map_err(|e| e.kind), Err(ErrorKind::Invalid));
}

#[test]
fn without_a_connection_nothing_is_changed_and_the_reason_is_told() {
    let (mut world, who, account) = alice();
    world.cut_off(who, true);
    let view = world.account(who, account);
    assert!(matches!(
        view.password_change,
        PasswordChange::Impossible(_)
    ));
    for request in [
        add(account, "leila@example.org", ""),
        Request::Block {
            account,
            address: "evil@example.org".into(),
            blocked: true,
        },
        Request::AccountChangePassword {
            account,
            password: Secret::new("fresh".into()),
        },
        Request::AvatarSet { account, png: None },
    ] {
        let shown = format!("{request:?}");
        let refused = world.try_ask(who, request);
        assert_eq!(
            refused.map_err(|e| e.kind),
            Err(ErrorKind::Offline),
            "{shown}"
        );
    }
}

#[test]
fn s_xmpp_17_a_stranger_is_told_nothing_that_a_server_would_not_say() {
    let (mut world, _, _) = alice();
    for payload in [
        "<query xmlns='jabber:iq:version'/>",
        "<ping xmlns='urn:xmpp:ping'/>",
        "<query xmlns='http://jabber.org/protocol/disco#info'/>",
        "<query xmlns='jabber:iq:last'/>",
    ] {
        world.servers[0].seen.clear();
        world.servers[0].inject(
            "alice",
            &format!("<iq type='get' id='q' from='stranger@example.org/x'>{payload}</iq>"),
        );
        world.settle();
        let answers = seen(&world, "iq");
        assert_eq!(answers.len(), 1, "{payload}");
        let text = String::from(&answers[0]);
        assert!(
            text.contains("service-unavailable") && !text.contains("Sotto"),
            "{text}"
        );
    }
}
