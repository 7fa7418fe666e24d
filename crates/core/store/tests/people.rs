//! Accounts, contacts, presence, trust in servers, what is remembered of streams and archives.

mod common;

use common::{account, add, add_account, incoming};
use sotto_api::view::{Availability, Subscription};
use sotto_api::{AccountId, AccountSettings, ContactId, Secret, Timestamp};
use sotto_store::row::{
    ArchiveState, AvatarRow, CertSeenRow, NewAccount, PresenceRow, RosterItem, SubscriptionRow,
};
use sotto_store::{CAPS_LIMIT, Store, StoreError};

fn fresh() -> (Store, AccountId) {
    let store = Store::in_memory().expect("a store");
    let account = account(&store);
    (store, account)
}

fn item(jid: &str, name: &str, groups: &[&str]) -> RosterItem {
    RosterItem {
        jid: jid.into(),
        name: name.into(),
        subscription: Subscription::Both,
        ask: false,
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
    }
}

fn presence(jid: &str, resource: &str, availability: Availability, priority: i8) -> PresenceRow {
    PresenceRow {
        jid: jid.into(),
        resource: resource.into(),
        availability,
        status: String::new(),
        priority,
        caps: None,
        at: Timestamp(1),
    }
}

#[test]
fn an_account_keeps_its_settings_and_its_password_apart() {
    let (store, account) = fresh();
    let settings = AccountSettings {
        resource: Some("desk".into()),
        priority: -3,
        ..AccountSettings::default()
    };
    store
        .account_set_settings(account, &settings)
        .expect("it sets");
    store
        .account_set_status(account, Availability::Busy, "writing")
        .expect("it sets");
    store.account_set_enabled(account, false).expect("it sets");
    store
        .credential_set(account, &Secret::new("one".into()), Timestamp(1))
        .expect("it sets");
    store
        .credential_set(account, &Secret::new("second-one".into()), Timestamp(2))
        .expect("it sets");
    let row = store.account(account).expect("a row").expect("it is");
    assert_eq!(row.settings, settings);
    assert_eq!(
        (row.availability, row.status_text.as_str()),
        (Availability::Busy, "writing")
    );
    assert!(!row.enabled && row.remembered);
    assert_eq!(
        store.credential(account).expect("a row"),
        Some(Secret::new("second-one".into()))
    );
    assert_eq!(
        store.credentials().expect("rows")[0].stored_at,
        Timestamp(2)
    );
    assert!(!format!("{row:?} {:?}", store.credential(account)).contains("second-one"));
    store.credential_remove(account).expect("it removes");
    assert!(
        !store
            .account(account)
            .expect("a row")
            .expect("it is")
            .remembered
    );
    let missing = store.account_set_enabled(AccountId(99), true);
    assert!(matches!(
        missing,
        Err(StoreError::NotFound { what: "account" })
    ));
}

#[test]
fn an_account_that_comes_back_finds_its_history() {
    let (store, account) = fresh();
    let again = store.account_add(&NewAccount {
        network: "xmpp",
        address: "sara@example.org",
        enabled: true,
        settings: &AccountSettings::default(),
        agent_id: "x",
    });
    assert!(
        matches!(again, Err(StoreError::Exists { what: "account" })),
        "{again:?}"
    );
    let conversation = store
        .conversation_open(account, "leila@example.org")
        .expect("it opens");
    add(&store, &incoming(conversation, "kept"));
    store
        .roster_replace(account, &[item("leila@example.org", "", &[])], None)
        .expect("ok");
    store.account_remove(account, false).expect("it removes");
    assert_eq!(store.accounts().expect("rows"), []);
    assert!(store.account(account).expect("a row").is_none());
    assert!(store.contact_list().expect("rows").is_empty());
    assert_eq!(store.conversations(9).expect("rows").len(), 1);
    assert_eq!(add_account(&store, "sara@example.org"), account);

    // Without any history nothing of it stays, and its id is not given again.
    let other = add_account(&store, "sara@example.net");
    store.account_remove(other, false).expect("it removes");
    assert!(add_account(&store, "sara@example.net") > other);
}

#[test]
fn a_new_roster_keeps_who_stays_and_forgets_who_left() {
    let (store, account) = fresh();
    let first = [
        item("leila@example.org", "Leila", &["Friends", "Work"]),
        item("omid@example.org", "Omid", &[]),
    ];
    store
        .roster_replace(account, &first, Some("v1"))
        .expect("it replaces");
    let leila = store
        .contact_find(account, "leila@example.org")
        .expect("a row");
    let second = [
        item("leila@example.org", "Leila N.", &["Work"]),
        item("sam@example.org", "", &[]),
    ];
    store
        .roster_replace(account, &second, Some("v2"))
        .expect("it replaces");
    assert_eq!(
        store
            .contact_find(account, "leila@example.org")
            .expect("a row"),
        leila
    );
    assert_eq!(
        store
            .contact_find(account, "omid@example.org")
            .expect("a row"),
        None
    );
    assert_eq!(store.roster(account).expect("rows"), second);
    assert_eq!(
        store.roster_version(account).expect("a row").as_deref(),
        Some("v2")
    );
    assert_eq!(store.group_names().expect("rows"), ["Work"]);

    let pushed = item("sam@example.org", "Sam", &["Friends"]);
    store
        .roster_set(account, &pushed, Some("v3"))
        .expect("it sets");
    assert_eq!(
        store
            .roster_item(account, "sam@example.org")
            .expect("a row"),
        Some(pushed)
    );
    store
        .roster_remove(account, "leila@example.org", Some("v4"))
        .expect("it removes");
    assert_eq!(store.roster(account).expect("rows").len(), 1);
    assert_eq!(
        store.roster_version(account).expect("a row").as_deref(),
        Some("v4")
    );
}

#[test]
fn one_accounts_roster_does_not_touch_anothers() {
    let (store, account) = fresh();
    let other = add_account(&store, "sara@example.net");
    store
        .roster_replace(account, &[item("leila@example.org", "L", &[])], None)
        .expect("ok");
    store
        .roster_replace(other, &[item("leila@example.org", "M", &[])], None)
        .expect("ok");
    store.roster_replace(account, &[], None).expect("ok");
    assert_eq!(store.roster(other).expect("rows").len(), 1);
    assert_eq!(store.contact_list().expect("rows").len(), 1);
}

#[test]
fn the_contact_list_comes_with_all_that_it_shows() {
    let (store, account) = fresh();
    let jid = "leila@example.org";
    let items = [
        item(jid, "Leila", &["Work", "Friends"]),
        item("omid@example.org", "", &[]),
    ];
    store
        .roster_replace(account, &items, None)
        .expect("it replaces");
    for row in [
        presence(jid, "low", Availability::Available, -1),
        presence(jid, "away", Availability::Away, 5),
        presence(jid, "phone", Availability::Available, 5),
        presence("stranger@example.org", "x", Availability::Available, 0),
    ] {
        store.presence_set(account, &row).expect("it sets");
    }
    store
        .avatar_of_set(account, jid, Some("abc"))
        .expect("it sets");
    store.blocked_set(account, jid, true).expect("it sets");
    let conversation = store.conversation_open(account, jid).expect("it opens");
    add(&store, &incoming(conversation, "hello"));
    store.draft_set(conversation, "dear").expect("it sets");

    let rows = store.contact_list().expect("rows");
    assert_eq!(rows.len(), 2);
    let leila = &rows[0];
    assert_eq!((leila.name.as_str(), leila.jid.as_str()), ("Leila", jid));
    assert_eq!(leila.groups, ["Friends", "Work"]);
    assert_eq!(leila.presence.as_ref().expect("online").resource, "phone");
    assert_eq!(leila.avatar.as_deref(), Some("abc"));
    assert!(leila.blocked);
    assert_eq!(
        (leila.conversation, leila.unread, leila.draft.as_str()),
        (Some(conversation), 1, "dear")
    );
    assert_eq!(leila.last.as_ref().expect("a message").preview, "hello");
    let omid = &rows[1];
    assert!(omid.presence.is_none() && omid.last.is_none() && !omid.blocked);
    assert_eq!(store.contact(leila.contact).expect("rows"), rows[..1]);
    assert!(store.contact(ContactId(99)).expect("rows").is_empty());

    let order: Vec<String> = store
        .presences(account, jid)
        .expect("rows")
        .into_iter()
        .map(|row| row.resource)
        .collect();
    assert_eq!(order, ["phone", "away", "low"]);
    assert!(
        store
            .presence_remove(account, jid, "phone")
            .expect("it removes")
    );
    assert!(
        !store
            .presence_remove(account, jid, "phone")
            .expect("it removes")
    );
    store.presence_clear(account).expect("it clears");
    assert!(
        store
            .contact_list()
            .expect("rows")
            .iter()
            .all(|row| row.presence.is_none())
    );
}

#[test]
fn addresses_of_one_person_stand_together() {
    let (store, account) = fresh();
    let items: Vec<RosterItem> = ["a@x", "b@x", "c@x"]
        .map(|jid| item(jid, jid, &["G"]))
        .into();
    store
        .roster_replace(account, &items, None)
        .expect("it replaces");
    let id = |jid| {
        store
            .contact_find(account, jid)
            .expect("a row")
            .expect("it is")
    };
    let (first, last) = (id("a@x"), id("c@x"));
    store.contact_merge(first, last).expect("it merges");
    let rows = store.contact_list().expect("rows");
    let jids: Vec<&str> = rows.iter().map(|row| row.jid.as_str()).collect();
    assert_eq!(jids, ["a@x", "c@x", "b@x"]);
    assert!(rows.iter().all(|row| row.groups == ["G"]));
    assert!(matches!(
        store.contact_merge(first, last),
        Err(StoreError::NotFound { .. })
    ));
}

#[test]
fn s_xmpp_18_a_repeated_request_stays_one() {
    let (store, account) = fresh();
    let mut request = SubscriptionRow {
        account,
        jid: "stranger@example.org".into(),
        nickname: "S".into(),
        text: "hello".into(),
        at: Timestamp(5),
    };
    assert!(store.subscription_request_set(&request).expect("it sets"));
    request.text = "hello again".into();
    request.at = Timestamp(9);
    assert!(!store.subscription_request_set(&request).expect("it sets"));
    let rows = store.subscription_requests(10).expect("rows");
    assert_eq!(
        (rows.len(), rows[0].text.as_str(), rows[0].at),
        (1, "hello again", Timestamp(5))
    );
    assert_eq!(
        store.subscription_request_count(account).expect("a count"),
        1
    );
    assert!(
        store
            .subscription_request_remove(account, &request.jid)
            .expect("it removes")
    );
}

#[test]
fn blocked_addresses_are_replaced_or_changed_one_by_one() {
    let (store, account) = fresh();
    store
        .blocked_replace(account, &["a@x".into(), "a@x".into(), "b@x".into()])
        .expect("ok");
    store.blocked_set(account, "b@x", false).expect("it sets");
    store.blocked_set(account, "c@x", true).expect("it sets");
    let jids: Vec<String> = store
        .blocked(account)
        .expect("rows")
        .into_iter()
        .map(|row| row.jid)
        .collect();
    assert_eq!(jids, ["a@x", "c@x"]);
    assert!(store.is_blocked(account, "a@x").expect("a row"));
    assert!(!store.is_blocked(account, "b@x").expect("a row"));
}

#[test]
fn a_picture_goes_when_it_is_nobodys_any_more() {
    let (store, account) = fresh();
    let picture = AvatarRow {
        hash: "h".into(),
        mime: "image/png".into(),
        bytes: vec![1, 2],
    };
    store
        .avatar_of_set(account, "a@x", Some("h"))
        .expect("it sets");
    store
        .avatar_of_set(account, "b@x", Some("h"))
        .expect("it sets");
    store.avatar_put(&picture).expect("it puts");
    store.avatar_of_set(account, "a@x", None).expect("it sets");
    assert_eq!(store.avatar("h").expect("a row"), Some(picture));
    store
        .avatar_of_set(account, "b@x", Some("other"))
        .expect("it sets");
    assert_eq!(store.avatar("h").expect("a row"), None);
    assert_eq!(
        store.avatar_of(account, "b@x").expect("a row").as_deref(),
        Some("other")
    );
}

#[test]
fn s_tls_05_a_key_is_accepted_for_one_account_and_domain_only() {
    let (store, account) = fresh();
    let other = add_account(&store, "sara@example.net");
    store
        .cert_pin_add(account, "example.org", &[1; 32], Timestamp(1))
        .expect("it adds");
    store
        .cert_pin_add(account, "example.org", &[1; 32], Timestamp(2))
        .expect("it adds");
    store
        .cert_pin_add(account, "example.org", &[2; 32], Timestamp(3))
        .expect("it adds");
    let pins = |account, domain| store.cert_pins(account, domain).expect("rows");
    assert_eq!(pins(account, "example.org"), [[1; 32], [2; 32]]);
    assert!(pins(account, "example.net").is_empty() && pins(other, "example.org").is_empty());
    store
        .cert_pin_remove(account, "example.org", &[1; 32])
        .expect("it removes");
    assert_eq!(store.cert_pins_all().expect("rows").len(), 1);

    let seen = CertSeenRow {
        spki: [7; 32],
        json: "{}".into(),
        at: Timestamp(4),
    };
    store
        .cert_seen_set(account, "example.org", &seen)
        .expect("it sets");
    assert_eq!(
        store.cert_seen(account, "example.org").expect("a row"),
        Some(seen)
    );
    assert_eq!(store.cert_seen(other, "example.org").expect("a row"), None);
}

#[test]
fn stream_and_archive_positions_are_kept_by_account() {
    let (store, account) = fresh();
    assert_eq!(store.sm_state(account).expect("a row"), None);
    store
        .sm_state_set(account, Some("{\"h\":1}"))
        .expect("it sets");
    store
        .sm_state_set(account, Some("{\"h\":2}"))
        .expect("it sets");
    assert_eq!(
        store.sm_state(account).expect("a row").as_deref(),
        Some("{\"h\":2}")
    );
    store.sm_state_set(account, None).expect("it forgets");
    assert_eq!(store.sm_state(account).expect("a row"), None);
    store
        .mechanism_memory_set(account, Some("{}"))
        .expect("it sets");
    assert_eq!(
        store.mechanism_memory(account).expect("a row").as_deref(),
        Some("{}")
    );

    let whole = ArchiveState {
        newest: Some("n".into()),
        ..ArchiveState::default()
    };
    let peer = ArchiveState {
        oldest: Some("o".into()),
        complete: true,
        ..ArchiveState::default()
    };
    store
        .archive_state_set(account, None, &whole)
        .expect("it sets");
    store
        .archive_state_set(account, Some("leila@example.org"), &peer)
        .expect("it sets");
    assert_eq!(store.archive_state(account, None).expect("a row"), whole);
    assert_eq!(
        store
            .archive_state(account, Some("leila@example.org"))
            .expect("a row"),
        peer
    );
    store.archive_state_clear(account).expect("it clears");
    assert_eq!(
        store.archive_state(account, None).expect("a row"),
        ArchiveState::default()
    );
    assert_eq!(
        store
            .archive_state(account, Some("leila@example.org"))
            .expect("a row"),
        peer,
        "where what was erased begins"
    );
}

#[test]
fn s_xmpp_15_the_capabilities_cache_is_bounded() {
    let (store, _) = fresh();
    store.begin().expect("it begins");
    for n in 0..CAPS_LIMIT {
        store
            .caps_set(&format!("sha-1 {n}"), "{}")
            .expect("it sets");
    }
    store
        .caps_set("sha-1 0", "{\"again\":true}")
        .expect("it sets");
    store.caps_set("sha-1 new", "{}").expect("it sets");
    store.commit().expect("it commits");
    let known = |key: &str| store.caps(key).expect("a row").is_some();
    assert!(known("sha-1 0") && known("sha-1 new") && known("sha-1 2"));
    assert!(!known("sha-1 1"), "the oldest went");
}

#[test]
fn a_setting_that_does_not_read_is_told_by_its_name() {
    let (store, _) = fresh();
    store.setting_set("theme", &"dark").expect("it sets");
    assert_eq!(
        store
            .setting::<String>("theme")
            .expect("a value")
            .as_deref(),
        Some("dark")
    );
    let wrong = store.setting::<u32>("theme");
    assert!(
        matches!(&wrong, Err(StoreError::Value { key }) if key == "theme"),
        "{wrong:?}"
    );
    store.setting_remove("theme").expect("it removes");
    assert_eq!(store.setting::<String>("theme").expect("a value"), None);
}
