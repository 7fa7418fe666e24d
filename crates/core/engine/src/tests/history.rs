//! History under the person's control: not kept, expired, erased, by day, read out.

mod erasing;

use std::time::Duration;

use sotto_api::view::{
    DayPage, Delivery, EraseScope, ErasedView, Expiry, ExportPart, HistoryView, Settings,
};
use sotto_api::{ConversationId, ErrorKind, Event, MessageId, Reply, Request};
use sotto_xmpp::BareJid;
use tempfile::TempDir;

use super::harness::{Who, World};

const BOB: &str = "bob@example.org";
const ALICE: &str = "alice@example.org";
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Alice, whose file can be searched, and Bob.
struct Two {
    world: World,
    alice: Who,
    bob: Who,
    folder: TempDir,
}

fn two() -> Two {
    let folder = tempfile::tempdir().expect("a folder");
    let mut world = World::new();
    for (name, other) in [("alice", BOB), ("bob", ALICE)] {
        world.servers[0].add_user(name, "right");
        world.servers[0].add_contact(name, other, "both");
    }
    let alice = world.add_in_clear(&folder.path().join("store.db"));
    let bob = world.add_player();
    world.sign_in(alice, "alice");
    world.sign_in(bob, "bob");
    world.pass(Duration::from_secs(5));
    Two {
        world,
        alice,
        bob,
        folder,
    }
}

impl Two {
    /// How often a text stands in Alice's file and its log.
    fn on_disk(&self, text: &str) -> usize {
        let mut count = 0;
        for entry in std::fs::read_dir(self.folder.path()).expect("a folder") {
            let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
            count += bytes
                .windows(text.len())
                .filter(|window| *window == text.as_bytes())
                .count();
        }
        count
    }

    fn say(&mut self, body: &str) {
        self.world.say(self.alice, BOB, body);
        self.world.settle();
    }

    fn hear(&mut self, body: &str) {
        self.world.say(self.bob, ALICE, body);
        self.world.settle();
    }

    fn bodies(&mut self) -> Vec<String> {
        self.world.bodies(self.alice, BOB)
    }

    fn conversation(&mut self) -> ConversationId {
        self.world.open(self.alice, BOB).id
    }

    fn settings(&mut self, change: impl FnOnce(&mut Settings)) {
        set(&mut self.world, self.alice, change);
    }

    fn history(&mut self) -> HistoryView {
        self.world.open(self.alice, BOB).history
    }

    fn choose(&mut self, keep: Option<bool>, expiry: Option<Expiry>) {
        let conversation = self.conversation();
        self.world.ask(
            self.alice,
            Request::HistorySet {
                conversation,
                keep,
                expiry,
            },
        );
    }

    fn erase(&mut self, what: EraseScope) -> ErasedView {
        match self
            .world
            .ask_for_long(self.alice, Request::HistoryErase { what })
        {
            Reply::Erased(view) => view,
            other => panic!("{other:?}"),
        }
    }

    /// A new run of Alice's program, for which the server has no session any more: it reads the archive.
    fn begin_anew(&mut self) {
        self.world.kill(self.alice);
        self.world.servers[0].expire_sessions();
        self.world.restart(self.alice);
        self.world.pass(Duration::from_secs(30));
    }
}

fn set(world: &mut World, who: Who, change: impl FnOnce(&mut Settings)) {
    let Reply::Settings(mut settings) = world.ask(who, Request::SettingsGet {}) else {
        panic!("no settings")
    };
    change(&mut settings);
    world.ask(who, Request::SettingsSet { settings });
}

// ---- not kept ----------------------------------------------------------------------------------

#[test]
fn s_store_05_where_history_is_off_no_way_brings_a_byte_of_a_text_to_the_disk() {
    for own in [false, true] {
        let mut two = two();
        if own {
            two.choose(Some(false), None);
        } else {
            two.settings(|settings| settings.keep_history = false);
        }
        let view = two.history();
        assert_eq!((view.keep, view.text.as_str()), (false, "Not kept"));

        two.hear("canary-incoming");
        two.say("canary-outgoing");
        let id = two.world.history(two.alice, BOB)[1].id;
        two.world.ask(
            two.alice,
            Request::MessageCorrect {
                message: id,
                body: "canary-corrected".into(),
            },
        );
        two.world.settle();
        let theirs = two.world.history(two.bob, ALICE)[0].id;
        two.world.ask(
            two.bob,
            Request::MessageCorrect {
                message: theirs,
                body: "canary-theirs".into(),
            },
        );
        two.world.settle();
        let copy = format!(
            "<message from='{ALICE}' to='{ALICE}/x'><sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
             <message xmlns='jabber:client' type='chat' id='c1' from='{ALICE}/other' to='{BOB}'>\
             <body>canary-copied</body></message></forwarded></sent></message>"
        );
        two.world.servers[0].inject("alice", &copy);
        two.world.settle();
        // What was missed, and what waits without a connection.
        two.world.cut_off(two.alice, true);
        two.world.servers[0].expire_sessions();
        two.hear("canary-missed");
        two.say("canary-waits");
        let conversation = two.conversation();
        two.world.ask(
            two.alice,
            Request::DraftSet {
                conversation,
                body: "canary-draft".into(),
            },
        );
        assert_eq!(two.on_disk("canary"), 0, "while it waits");
        let notice = two.world.open(two.alice, BOB).notice;
        assert!(notice.contains("not kept"), "{notice}");
        two.world.cut_off(two.alice, false);
        two.world.network_up(two.alice);
        two.world.pass(Duration::from_secs(30));

        let all = [
            "canary-theirs",
            "canary-corrected",
            "canary-copied",
            "canary-waits",
            "canary-missed",
        ];
        let mut bodies = two.bodies();
        bodies.sort();
        let mut expected = all.to_vec();
        expected.sort_unstable();
        assert_eq!(bodies, expected, "all of it is shown");
        assert_eq!(
            two.world.bodies(two.bob, ALICE).last().map(String::as_str),
            Some("canary-waits"),
            "and sent"
        );
        assert_eq!(two.world.open(two.alice, BOB).draft, "canary-draft");
        let found = two.world.ask(
            two.alice,
            Request::Search {
                query: "missed".into(),
                conversation: None,
                before: None,
                limit: 9,
            },
        );
        assert!(matches!(found, Reply::Found(page) if page.hits.len() == 1));
        assert_eq!(two.on_disk("anary"), 0, "nor in the index");

        two.world.kill(two.alice);
        assert_eq!(two.on_disk("anary"), 0);
        assert!(two.on_disk(BOB) > 0, "the search finds what is there");
    }
}

#[test]
fn after_a_restart_nothing_is_shown_and_what_the_archive_has_is_not_kept_either() {
    let mut two = two();
    two.hear("canary-kept");
    two.settings(|settings| settings.keep_history = false);
    two.hear("canary-one");
    two.say("canary-two");
    two.begin_anew();
    assert!(!two.bodies().contains(&"canary-one".to_owned()));
    assert!(
        two.bodies().contains(&"canary-kept".to_owned()),
        "as before"
    );
    two.world.cut_off(two.alice, true);
    two.world.servers[0].expire_sessions();
    two.hear("canary-three");
    two.world.cut_off(two.alice, false);
    two.world.network_up(two.alice);
    two.world.pass(Duration::from_secs(30));
    assert!(two.bodies().contains(&"canary-three".to_owned()));
    for text in ["canary-one", "canary-two", "canary-three"] {
        assert_eq!(two.on_disk(text), 0, "{text}");
    }
    // It acts at once, both ways.
    two.settings(|settings| settings.keep_history = true);
    two.hear("canary-four");
    assert!(two.on_disk("canary-four") > 0);
}

#[test]
fn a_message_that_waited_and_was_not_kept_is_lost_with_the_program_and_hurts_nothing_else() {
    let mut two = two();
    let conversation = two.conversation();
    two.say("first");
    two.world.cut_off(two.alice, true);
    two.choose(Some(false), None);
    two.say("not kept");
    two.choose(None, None);
    two.say("kept");
    two.world.kill(two.alice);
    two.world.cut_off(two.alice, false);
    two.world.restart(two.alice);
    two.world.pass(Duration::from_secs(30));
    assert_eq!(two.bodies(), ["first", "kept"]);
    assert_eq!(two.world.bodies(two.bob, ALICE), ["first", "kept"]);
    let sent = two.world.history(two.alice, BOB);
    assert_eq!(sent[1].delivery, Some(Delivery::Delivered));
    assert_eq!(two.conversation(), conversation);
}

#[test]
fn what_the_end_of_the_program_would_lose_is_told_before() {
    let mut two = two();
    let lost = |two: &mut Two| match two.world.ask(two.alice, Request::QuitCount {}) {
        Reply::Erased(view) => (view.messages, view.text.is_empty()),
        other => panic!("{other:?}"),
    };
    two.settings(|settings| settings.keep_history = false);
    two.say("sent");
    assert_eq!(lost(&mut two), (0, true), "the server has it");
    two.world.cut_off(two.alice, true);
    two.say("not sent, not kept");
    assert_eq!(lost(&mut two), (1, false));
    two.settings(|settings| settings.keep_history = true);
    two.say("not sent, kept");
    assert_eq!(lost(&mut two), (1, false), "this one is written down");
    two.world.cut_off(two.alice, false);
    two.world.network_up(two.alice);
    two.world.pass(Duration::from_secs(30));
    assert_eq!(lost(&mut two), (0, true));
}

#[test]
fn the_choice_for_a_conversation_goes_before_that_for_everyone() {
    let mut two = two();
    assert_eq!(two.history().text, "Kept");
    two.settings(|settings| {
        settings.keep_history = false;
        settings.expiry = Expiry::Month;
    });
    two.choose(Some(true), Some(Expiry::Week));
    let view = two.history();
    assert_eq!(view.text, "Kept for a week");
    assert_eq!(
        (view.own_keep, view.own_expiry),
        (Some(true), Some(Expiry::Week))
    );
    two.choose(None, None);
    let view = two.history();
    assert_eq!((view.keep, view.expiry), (false, Expiry::Month));
    assert_eq!((view.own_keep, view.own_expiry), (None, None));
    for expiry in [
        Expiry::Never,
        Expiry::Year,
        Expiry::Month,
        Expiry::Week,
        Expiry::Day,
    ] {
        two.choose(None, Some(expiry));
        assert_eq!(two.history().own_expiry, Some(expiry));
    }
}

// ---- expiry ------------------------------------------------------------------------------------

#[test]
fn messages_expire_while_the_program_runs_and_leave_the_file() {
    let mut two = two();
    two.settings(|settings| settings.expiry = Expiry::Day);
    two.hear("canary-old");
    two.world.pass(20 * HOUR);
    two.hear("canary-new");
    assert_eq!(two.world.open(two.alice, BOB).unread, 2);
    two.world.take_events(two.alice);
    two.world.pass(3 * HOUR);
    assert_eq!(two.bodies().len(), 2, "not yet");
    two.world.pass(2 * HOUR);
    assert_eq!(two.bodies(), ["canary-new"]);
    assert_eq!(two.world.open(two.alice, BOB).unread, 1);
    assert!(
        two.world
            .take_events(two.alice)
            .contains(&Event::HistoryErased)
    );
    assert_eq!(two.on_disk("canary-old"), 0);
    assert!(two.on_disk("canary-new") > 0);
    two.world.pass(DAY);
    assert!(two.bodies().is_empty());
    assert_eq!(two.on_disk("canary"), 0);
    // The archive has them still.
    two.begin_anew();
    assert!(two.bodies().is_empty());
}

#[test]
fn a_shorter_time_acts_at_once_and_only_where_it_was_set() {
    let mut two = two();
    two.hear("from bob");
    let other = two.world.open(two.alice, "carol@example.org").id;
    two.world.say_in(two.alice, other, "to carol");
    two.world.settle();
    two.world.pass(8 * DAY);
    two.choose(None, Some(Expiry::Month));
    two.world.pass(Duration::from_secs(1));
    assert_eq!(two.bodies(), ["from bob"]);
    two.choose(None, Some(Expiry::Week));
    two.world.pass(Duration::from_secs(1));
    assert!(two.bodies().is_empty());
    assert_eq!(
        two.world.bodies(two.alice, "carol@example.org"),
        ["to carol"]
    );
}

#[test]
fn at_the_start_what_has_expired_meanwhile_goes() {
    let mut two = two();
    two.settings(|settings| settings.expiry = Expiry::Week);
    two.hear("canary");
    two.world.kill(two.alice);
    two.world.pass(9 * DAY);
    two.world.restart(two.alice);
    two.world.pass(Duration::from_secs(1));
    assert!(two.bodies().is_empty());
    assert_eq!(two.on_disk("canary"), 0);
}

#[test]
fn what_still_waits_to_be_sent_does_not_expire() {
    let mut two = two();
    two.settings(|settings| settings.expiry = Expiry::Day);
    two.world.cut_off(two.alice, true);
    two.say("waits");
    two.world.pass(3 * DAY);
    assert_eq!(two.bodies(), ["waits"]);
    two.world.cut_off(two.alice, false);
    two.world.network_up(two.alice);
    two.world.pass(Duration::from_secs(30));
    assert_eq!(two.world.bodies(two.bob, ALICE), ["waits"]);
    two.world.pass(2 * HOUR);
    assert!(two.bodies().is_empty(), "it has waited long enough");
}

#[test]
fn what_was_missed_for_longer_than_it_would_be_kept_is_shown_for_a_while() {
    let mut two = two();
    two.settings(|settings| settings.expiry = Expiry::Day);
    two.world.cut_off(two.alice, true);
    two.world.servers[0].expire_sessions();
    two.hear("missed");
    two.world.pass(5 * DAY);
    two.world.cut_off(two.alice, false);
    two.world.network_up(two.alice);
    two.world.pass(HOUR);
    assert_eq!(two.bodies(), ["missed"]);
    two.world.pass(DAY);
    assert!(two.bodies().is_empty());
}

#[test]
fn s_store_07_a_clock_that_leaps_ahead_erases_nothing_before_a_day_has_gone_by() {
    for restarts in [false, true] {
        let mut two = two();
        two.settings(|settings| settings.expiry = Expiry::Week);
        two.hear("words");
        two.world.pass(2 * HOUR);
        if restarts {
            two.world.kill(two.alice);
        }
        let right = two.world.now.unix_ms;
        two.world.now.unix_ms += 365 * 86_400_000;
        if restarts {
            two.world.restart(two.alice);
        }
        two.world.pass(20 * HOUR);
        assert_eq!(two.bodies(), ["words"]);
        // Erasing by hand goes as ever.
        two.hear("canary");
        let message = two.world.history(two.alice, BOB)[1].id;
        two.erase(EraseScope::Message { message });
        assert_eq!(two.on_disk("canary"), 0);
        two.world.now.unix_ms = right + 20 * 3_600_000;
        two.world.pass(2 * DAY);
        assert_eq!(two.bodies(), ["words"], "it was set right");
        two.world.now.unix_ms += 365 * 86_400_000;
        two.world.pass(26 * HOUR);
        assert!(two.bodies().is_empty(), "it goes on from there");
    }
}

// ---- days and reading out ----------------------------------------------------------------------

fn days(before: Option<&str>, limit: u32) -> Request {
    Request::HistoryDays {
        conversation: None,
        zone: "UTC".into(),
        before: before.map(str::to_owned),
        limit,
    }
}

fn days_of(world: &mut World, who: Who, request: Request) -> DayPage {
    match world.ask(who, request) {
        Reply::Days(page) => page,
        other => panic!("{other:?}"),
    }
}

#[test]
fn days_come_by_pages_with_their_first_message_in_the_zone_that_was_asked_for() {
    let mut two = two();
    // 24 October 2026, 21:30 UTC: half past eleven in Berlin, on the eve of the day with 25 hours.
    two.world.now.unix_ms = 1_792_877_400_000;
    for hour in 0..26 {
        two.hear(&format!("hour {hour}"));
        two.world.pass(HOUR);
    }
    let shown = |page: DayPage| -> Vec<(String, u32)> {
        page.days
            .into_iter()
            .map(|day| (day.day, day.messages))
            .collect()
    };
    let conversation = two.conversation();
    let berlin = Request::HistoryDays {
        conversation: Some(conversation),
        zone: "Europe/Berlin".into(),
        before: None,
        limit: 9,
    };
    let page = days_of(&mut two.world, two.alice, berlin);
    let all = two.world.history(two.alice, BOB);
    assert_eq!(page.days[0].first, all[1].id);
    assert_eq!(page.days[1].first, all[0].id);
    assert_eq!(
        shown(page),
        [("2026-10-25".to_owned(), 25), ("2026-10-24".to_owned(), 1),]
    );
    let page = days_of(&mut two.world, two.alice, days(None, 1));
    assert!(page.more);
    assert_eq!(shown(page), [("2026-10-25".to_owned(), 23)]);
    let page = days_of(&mut two.world, two.alice, days(Some("2026-10-25"), 1));
    assert!(!page.more);
    assert_eq!(shown(page), [("2026-10-24".to_owned(), 3)]);
    for wrong in [
        days(None, 0),
        days(None, 401),
        days(Some("2026-13-01"), 9),
        days(Some("20261025"), 9),
        Request::HistoryDays {
            conversation: Some(ConversationId(99)),
            zone: String::new(),
            before: None,
            limit: 9,
        },
        Request::HistoryDays {
            conversation: None,
            zone: "../etc/passwd".into(),
            before: None,
            limit: 9,
        },
    ] {
        two.world.try_ask(two.alice, wrong).expect_err("refused");
    }
}

#[test]
fn a_day_of_all_conversations_is_read_in_the_order_of_time() {
    let mut two = two();
    two.world.now.unix_ms = 1_792_877_400_000;
    two.hear("on the eve");
    two.world.pass(3 * HOUR);
    two.hear("at night");
    two.world.pass(HOUR);
    two.say("in the morning");
    let day = |day: &str, after, limit| Request::HistoryDay {
        day: day.into(),
        zone: "UTC".into(),
        after,
        limit,
    };
    let said = |two: &mut Two, request| match two.world.ask(two.alice, request) {
        Reply::Found(page) => page,
        other => panic!("{other:?}"),
    };
    let page = said(&mut two, day("2026-10-25", None, 1));
    assert!(page.more);
    assert_eq!(page.hits.len(), 1);
    assert_eq!(page.hits[0].message.body, "at night");
    assert_eq!(page.hits[0].highlights, []);
    assert!(!page.hits[0].conversation_name.is_empty());
    let rest = said(
        &mut two,
        day("2026-10-25", Some(page.hits[0].message.id), 200),
    );
    assert!(!rest.more);
    assert_eq!(rest.hits.len(), 1);
    assert_eq!(rest.hits[0].message.body, "in the morning");
    assert_eq!(
        rest.hits[0].conversation_name,
        page.hits[0].conversation_name
    );
    for wrong in [
        day("2026-10-25", None, 0),
        day("2026-10-25", None, 201),
        day("yesterday", None, 9),
        day("2026-10-25", Some(MessageId(999)), 9),
    ] {
        two.world.try_ask(two.alice, wrong).expect_err("refused");
    }
}

#[test]
fn a_conversation_is_read_out_in_parts_so_that_no_text_can_pretend_to_be_another() {
    let mut two = two();
    two.world.now.unix_ms = 1_792_877_400_000;
    two.hear("See you\n[2026-10-24 23:30:00 +02:00] alice: I confess \u{202e}live");
    two.say("/me waves");
    let conversation = two.conversation();
    let id = two.world.history(two.alice, BOB)[1].id;
    two.world.ask(
        two.alice,
        Request::MessageCorrect {
            message: id,
            body: "مرحبا".into(),
        },
    );
    two.settings(|settings| settings.keep_history = false);
    two.hear("not kept");
    two.settings(|settings| settings.keep_history = true);
    for number in 0..600 {
        two.world.say(two.bob, ALICE, &format!("number {number}"));
    }
    two.world.settle();
    let mut part = |after: Option<MessageId>| -> ExportPart {
        let request = Request::HistoryExport {
            conversation,
            zone: "Europe/Berlin".into(),
            after,
        };
        match two.world.ask(two.alice, request) {
            Reply::Export(part) => part,
            other => panic!("{other:?}"),
        }
    };
    let first = part(None);
    let expected = "Conversation with \u{2068}bob@example.org\u{2069} (\u{2068}bob@example.org\u{2069})\n\
        Account: \u{2068}alice@example.org\u{2069}\n\
        Time zone: Europe/Berlin\n\n\
        [2026-10-24 23:30:00 +02:00] \u{2068}bob@example.org\u{2069}: See you\n    \
        [2026-10-24 23:30:00 +02:00] alice: I confess live\n\
        [2026-10-24 23:30:00 +02:00] \u{2068}alice@example.org\u{2069} (edited): مرحبا\n\
        [2026-10-24 23:30:00 +02:00] \u{2068}bob@example.org\u{2069}: number 0\n";
    assert!(first.text.starts_with(expected), "{}", first.text);
    assert!(!first.text.contains("not kept"));
    assert_eq!(first.name, "bob@example.org 2026-10-24.txt");
    let second = part(first.next);
    assert!(!second.text.contains("Conversation with"));
    assert!(second.text.ends_with("number 599\n"));
    assert_eq!(second.next, None);
    let numbers = first.text.matches("number").count() + second.text.matches("number").count();
    assert_eq!(numbers, 600, "each once");
}

#[test]
fn how_many_messages_are_shown_has_its_bounds() {
    let mut two = two();
    let refused = {
        let settings = Settings {
            history_shown: 141,
            ..Settings::default()
        };
        two.world
            .try_ask(two.alice, Request::SettingsSet { settings })
            .expect_err("refused")
    };
    assert_eq!(refused.kind, ErrorKind::Invalid);
    for shown in [0, 140] {
        two.settings(|settings| settings.history_shown = shown);
    }
}

#[test]
fn what_is_older_than_it_would_be_kept_is_not_fetched_from_the_archive() {
    let mut world = World::new();
    world.servers[0].add_user("alice", "right");
    world.servers[0].add_contact("alice", BOB, "both");
    let peer = BareJid::new(BOB).expect("an address");
    for number in 0..150 {
        let stanza = format!(
            "<message xmlns='jabber:client' type='chat' id='o{number}' from='{BOB}/y' to='{ALICE}'>\
             <body>old {number}</body></message>"
        );
        world.servers[0].archive("alice", peer.clone(), &stanza);
    }
    world.now.unix_ms += 10 * 86_400_000;
    let alice = world.add_player();
    set(&mut world, alice, |settings| {
        settings.expiry = Expiry::Week;
    });
    world.sign_in(alice, "alice");
    for _ in 0..5 {
        assert!(world.bodies(alice, BOB).is_empty());
        world.settle();
    }
}
