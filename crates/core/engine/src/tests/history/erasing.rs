//! What was erased is gone from the disk, and nothing brings it back.

use super::*;

#[test]
fn s_store_07_an_erased_conversation_is_gone_from_the_file_and_does_not_come_back() {
    let mut two = two();
    for number in 0..700 {
        two.world
            .say(two.bob, ALICE, &format!("canary-{number} words"));
    }
    two.world.settle();
    two.say("canary-own");
    two.hear("canary-last");
    two.say("canary-after the mark");
    let conversation = two.conversation();
    let what = EraseScope::Conversation { conversation };
    let Reply::Erased(count) = two
        .world
        .ask(two.alice, Request::HistoryCount { what: what.clone() })
    else {
        panic!("no count")
    };
    assert_eq!(
        count.text,
        "703 messages will be gone from this computer. What bob@example.org keeps, and what the servers keep, is not touched."
    );
    assert_eq!(two.bodies().len(), 703, "nothing was changed");
    two.world.take_events(two.alice);
    let erased = two.erase(what);
    assert_eq!((erased.messages, erased.calls), (703, 0));
    assert!(erased.text.starts_with("703 messages are gone"));
    assert!(
        two.world
            .take_events(two.alice)
            .contains(&Event::HistoryErased)
    );
    assert_eq!(two.on_disk("canary"), 0);
    assert_eq!(two.on_disk("anary"), 0);
    assert!(two.bodies().is_empty());
    two.begin_anew();
    for _ in 0..5 {
        assert!(
            two.bodies().is_empty(),
            "also when somebody looks for older"
        );
        two.world.settle();
    }
    two.hear("new");
    assert_eq!(two.bodies(), ["new"]);
    assert_eq!(two.conversation(), conversation);
}

#[test]
fn messages_go_on_while_much_is_erased() {
    let mut two = two();
    let conversation = two.conversation();
    for number in 0..1_200 {
        two.world.say(two.bob, ALICE, &format!("old {number}"));
    }
    two.world.settle();
    two.erase_in_background(EraseScope::Conversation { conversation });
    two.hear("new");
    assert_eq!(two.bodies().last().map(String::as_str), Some("new"));
    assert_eq!(two.world.open(two.alice, BOB).unread, 1);
    two.world.pass(Duration::from_secs(10));
    assert_eq!(two.bodies(), ["new"]);
}

#[test]
fn an_erasure_that_the_end_of_the_program_cuts_short_goes_on_at_the_next_start() {
    let mut two = two();
    for number in 0..1_200 {
        two.world.say(two.bob, ALICE, &format!("canary {number}"));
    }
    two.world.settle();
    two.erase_in_background(EraseScope::All);
    two.begin_anew();
    assert!(two.bodies().is_empty());
    assert_eq!(two.on_disk("canary"), 0);
    assert_eq!(two.on_disk("anary"), 0);
}

impl Two {
    /// Does the first piece only; the answer comes later, to nobody.
    fn erase_in_background(&mut self, what: EraseScope) {
        self.world.tell(self.alice, Request::HistoryErase { what });
        self.world.pass(Duration::from_millis(10));
        assert!(!self.bodies().is_empty(), "there is more to do");
    }
}

#[test]
fn an_erased_message_and_an_erased_day_do_not_come_back() {
    let mut two = two();
    two.hear("monday");
    two.say("monday, mine");
    two.world.pass(DAY);
    two.hear("tuesday");
    two.say("canary");
    let Reply::Days(days) = two.world.ask(two.alice, days(None, 9)) else {
        panic!("no days")
    };
    assert_eq!(days.days.len(), 2);
    let message = two.world.history(two.alice, BOB)[3].id;
    let erased = two.erase(EraseScope::Message { message });
    assert_eq!(
        erased.text,
        "1 message is gone from this computer. What bob@example.org keeps, and what the servers keep, is not touched."
    );
    let erased = two.erase(EraseScope::Day {
        conversation: None,
        day: days.days[1].day.clone(),
        zone: "UTC".into(),
    });
    assert_eq!(erased.messages, 2);
    assert!(erased.text.contains("What others keep"), "{}", erased.text);
    assert_eq!(two.on_disk("canary"), 0);
    assert_eq!(two.on_disk("monday"), 0);
    two.begin_anew();
    for _ in 0..3 {
        assert_eq!(two.bodies(), ["tuesday"]);
        two.world.settle();
    }
}

#[test]
fn corrections_of_erased_messages_do_not_come_back_either() {
    let mut two = two();
    two.hear("theirs");
    two.say("mine");
    for (who, peer, body) in [
        (two.alice, BOB, "mine, corrected"),
        (two.bob, ALICE, "theirs, too"),
    ] {
        let message = two.world.open(who, peer).correctable.expect("one");
        let request = Request::MessageCorrect {
            message,
            body: body.into(),
        };
        two.world.ask(who, request);
        two.world.settle();
    }
    two.say("another");
    let message = two.world.open(two.alice, BOB).correctable.expect("one");
    two.world.ask(
        two.alice,
        Request::MessageCorrect {
            message,
            body: "another, corrected".into(),
        },
    );
    two.world.settle();
    assert_eq!(
        two.bodies(),
        ["theirs, too", "mine, corrected", "another, corrected"]
    );
    let conversation = two.conversation();
    two.erase(EraseScope::Conversation { conversation });
    two.begin_anew();
    assert!(two.bodies().is_empty());
}

#[test]
fn s_store_07_an_archive_that_cannot_be_read_brings_nothing_erased_back() {
    let mut two = two();
    two.hear("canary");
    two.say("canary, mine");
    two.world.pass(HOUR);
    two.hear("stays");
    for _ in 0..2 {
        let message = two.world.history(two.alice, BOB)[0].id;
        two.erase(EraseScope::Message { message });
    }
    for error in [
        "resource-constraint",
        "internal-server-error",
        "bad-request",
    ] {
        two.world.servers[0].archive_error = Some(error);
        two.begin_anew();
        assert_eq!(two.bodies(), ["stays"], "{error}");
    }
    // It is read again from where it was.
    two.world.cut_off(two.alice, true);
    two.world.servers[0].expire_sessions();
    two.hear("missed");
    two.world.servers[0].archive_error = None;
    two.world.cut_off(two.alice, false);
    two.world.network_up(two.alice);
    two.world.pass(Duration::from_secs(30));
    assert_eq!(two.bodies(), ["stays", "missed"]);
    assert_eq!(two.on_disk("canary"), 0);
}

#[test]
fn s_store_07_an_archive_that_lost_its_place_brings_back_only_what_was_missed() {
    let mut two = two();
    two.settings(|settings| settings.expiry = Expiry::Month);
    two.hear("expired");
    two.world.pass(31 * DAY);
    two.hear("canary");
    two.say("canary, mine");
    two.world.pass(HOUR);
    two.hear("canary, last");
    let message = |two: &mut Two, place: usize| two.world.history(two.alice, BOB)[place].id;
    for _ in 0..2 {
        let message = message(&mut two, 0);
        two.erase(EraseScope::Message { message });
    }
    two.world.pass(HOUR);
    two.hear("stays");
    let message = message(&mut two, 0);
    two.erase(EraseScope::Message { message });
    two.world.kill(two.alice);
    two.world.servers[0].expire_sessions();
    two.world.servers[0].number_archive_anew("alice");
    two.world.pass(HOUR);
    two.hear("missed");
    two.world.restart(two.alice);
    // The connection breaks when the place is known to be lost.
    for _ in 0..40 {
        two.world.deliver_some();
    }
    two.world.cut(two.alice);
    two.world.pass(Duration::from_secs(60));
    assert_eq!(two.bodies(), ["stays", "missed"]);
    let view = two.world.open(two.alice, BOB);
    assert_eq!(view.unread, 2);
    assert_eq!(two.on_disk("canary"), 0);
    assert_eq!(two.on_disk("expired"), 0);
    two.begin_anew();
    for _ in 0..3 {
        assert_eq!(two.bodies(), ["stays", "missed"]);
        two.world.settle();
    }
}

#[test]
fn what_was_not_kept_does_not_come_with_a_lost_place_either() {
    let mut two = two();
    two.choose(Some(false), None);
    two.hear("canary");
    two.choose(None, None);
    two.world.kill(two.alice);
    two.world.servers[0].expire_sessions();
    two.world.servers[0].number_archive_anew("alice");
    two.world.pass(HOUR);
    two.hear("missed");
    two.world.restart(two.alice);
    two.world.pass(Duration::from_secs(30));
    assert_eq!(two.bodies(), ["missed"]);
    assert_eq!(two.on_disk("canary"), 0);
}

#[test]
fn what_was_said_while_history_was_off_is_not_kept_when_the_archive_tells_of_it_later() {
    for own in [false, true] {
        let mut two = two();
        let switch = |two: &mut Two, keep| {
            if own {
                two.choose(Some(keep), None);
            } else {
                two.settings(|settings| settings.keep_history = keep);
            }
            two.world.pass(HOUR);
        };
        switch(&mut two, false);
        two.hear("canary-theirs");
        two.say("canary-mine");
        two.world.pass(HOUR);
        switch(&mut two, true);
        two.hear("kept after");
        two.begin_anew();
        for _ in 0..3 {
            two.bodies();
            two.world.settle();
        }
        assert_eq!(
            two.bodies(),
            ["canary-theirs", "canary-mine", "kept after"],
            "all of it is shown"
        );
        assert_eq!(two.on_disk("canary"), 0, "{own}");
        assert_eq!(two.on_disk("anary"), 0, "nor in the index");
    }
}

#[test]
fn s_store_07_what_goes_with_an_account_leaves_the_log_beside_the_file_too() {
    let mut two = two();
    for number in 0..300 {
        two.world.say(two.bob, ALICE, &format!("canary-{number}"));
    }
    two.world.settle();
    let account = two.world.accounts(two.alice)[0].id;
    two.world.ask_for_long(
        two.alice,
        Request::AccountRemove {
            account,
            erase_history: true,
        },
    );
    two.world.pass(Duration::from_secs(10));
    assert_eq!(two.on_disk("canary"), 0);
    assert_eq!(two.on_disk("anary"), 0);
}

#[test]
fn s_store_07_an_index_that_is_tidied_after_a_restart_leaves_the_log_too() {
    let mut two = two();
    for number in 0..300 {
        two.world.say(two.bob, ALICE, &format!("canary-{number}"));
    }
    two.world.settle();
    let conversation = two.conversation();
    two.world.with_store(two.alice, |store| {
        store.conversation_erase(conversation).expect("it erases");
        assert!(store.is_untidy().expect("it says"));
    });
    two.world.pass(Duration::from_secs(10));
    assert_eq!(two.on_disk("canary"), 0);
    assert_eq!(two.on_disk("anary"), 0);
}

#[test]
fn s_store_07_a_withdrawn_message_and_a_forgotten_password_leave_the_log_too() {
    let mut two = two();
    two.world.servers[0].add_user("work", "canary-password");
    two.world
        .add_account(two.alice, "work@example.org", "canary-password", true);
    two.world.pass(Duration::from_secs(5));
    assert!(two.on_disk("canary-password") > 0);
    two.world
        .ask(two.alice, Request::SavedPasswordRemove { account: None });
    two.world.pass(Duration::from_secs(1));
    assert_eq!(two.on_disk("canary"), 0);
    two.world.cut_off(two.alice, true);
    let message = two.world.say(two.alice, BOB, "canary-withdrawn").id;
    assert!(two.on_disk("canary") > 0);
    two.world
        .ask(two.alice, Request::MessageWithdraw { message });
    two.world.pass(Duration::from_secs(1));
    assert_eq!(two.on_disk("canary"), 0);
}

#[test]
fn an_account_that_comes_back_brings_nothing_erased_along() {
    let mut two = two();
    two.hear("canary");
    two.world.pass(HOUR);
    two.hear("stays");
    let message = two.world.history(two.alice, BOB)[0].id;
    two.erase(EraseScope::Message { message });
    let closed = two.world.open(two.alice, "carol@example.org").id;
    two.world.say_in(two.alice, closed, "canary, to carol");
    two.world.settle();
    two.world.pass(HOUR);
    two.erase(EraseScope::Conversation {
        conversation: closed,
    });
    let account = two.world.accounts(two.alice)[0].id;
    two.world.ask(
        two.alice,
        Request::AccountRemove {
            account,
            erase_history: false,
        },
    );
    two.world.settle();
    two.hear("meanwhile");
    two.world.sign_in(two.alice, "alice");
    two.world.pass(Duration::from_secs(30));
    for _ in 0..3 {
        assert_eq!(two.bodies(), ["stays", "meanwhile"]);
        assert!(two.world.bodies(two.alice, "carol@example.org").is_empty());
        two.world.settle();
    }
    assert_eq!(two.on_disk("canary"), 0);
}

#[test]
fn an_account_and_everything_are_erased_with_what_the_archive_would_bring_back() {
    for everything in [false, true] {
        let mut two = two();
        two.hear("canary");
        two.say("canary");
        let account = two.world.accounts(two.alice)[0].id;
        let what = if everything {
            EraseScope::All
        } else {
            EraseScope::Account { account }
        };
        let Reply::Erased(count) = two
            .world
            .ask(two.alice, Request::HistoryCount { what: what.clone() })
        else {
            panic!("no count")
        };
        assert!(count.text.contains("whom you verified"), "{}", count.text);
        let erased = two.erase(what);
        assert_eq!(erased.messages, 2);
        // A conversation that is open in a window stays one.
        assert!(two.bodies().is_empty());
        two.begin_anew();
        assert_eq!(two.world.conversations(two.alice), []);
        assert!(two.bodies().is_empty());
        assert_eq!(two.on_disk("canary"), 0);
    }
}

#[test]
fn s_store_07_an_account_with_a_long_history_is_removed_while_everything_else_goes_on() {
    let mut two = two();
    for number in 0..700 {
        let body = format!("canary-{number}");
        two.world.say(two.bob, ALICE, &body);
    }
    two.world.settle();
    let account = two.world.accounts(two.alice)[0].id;
    let removal = Request::AccountRemove {
        account,
        erase_history: true,
    };
    let asked = two.world.ask_later(two.alice, removal.clone());
    assert!(two.world.accounts(two.alice).is_empty(), "it is gone");
    two.world.pass(Duration::from_millis(10));
    assert!(two.world.answer(two.alice, asked).is_none());
    assert!(two.on_disk("canary") > 0, "a slice at a time");
    // What the end of the program interrupts goes on.
    two.world.kill(two.alice);
    two.world.restart(two.alice);
    two.world.pass(Duration::from_secs(5));
    for text in ["canary", ALICE, BOB] {
        assert_eq!(two.on_disk(text), 0, "{text}");
    }
    assert_eq!(two.world.conversations(two.alice), []);

    // Added again before the end: it is not taken away a second time.
    two.world.sign_in(two.alice, "alice");
    two.hear("canary-new");
    let account = two.world.accounts(two.alice)[0].id;
    let removal = Request::AccountRemove {
        account,
        erase_history: true,
    };
    let asked = two.world.ask_later(two.alice, removal);
    two.world.sign_in(two.alice, "alice");
    two.world.pass(Duration::from_secs(5));
    let answer = two.world.answer(two.alice, asked).expect("it is answered");
    answer.expect("what was said before is gone");
    assert_eq!(two.on_disk("canary-new"), 0);
    two.hear("after");
    assert_eq!(two.bodies(), ["after"]);
    two.begin_anew();
    assert_eq!(two.bodies(), ["after"]);
}

#[test]
fn what_cannot_be_erased_is_told() {
    let mut two = two();
    let nowhere = EraseScope::Conversation {
        conversation: ConversationId(99),
    };
    for (what, kind) in [
        (nowhere, ErrorKind::NotFound),
        (
            EraseScope::Message {
                message: MessageId(99),
            },
            ErrorKind::NotFound,
        ),
        (
            EraseScope::Account {
                account: sotto_api::AccountId(99),
            },
            ErrorKind::NotFound,
        ),
        (
            EraseScope::Day {
                conversation: None,
                day: "2026-02-30".into(),
                zone: String::new(),
            },
            ErrorKind::Invalid,
        ),
        (
            EraseScope::Day {
                conversation: None,
                day: "2026-02-03".into(),
                zone: "Nowhere/Land".into(),
            },
            ErrorKind::Invalid,
        ),
    ] {
        for request in [
            Request::HistoryCount { what: what.clone() },
            Request::HistoryErase { what: what.clone() },
        ] {
            let refused = two.world.try_ask(two.alice, request).expect_err("refused");
            assert_eq!(refused.kind, kind, "{refused}");
        }
    }
    let erased = two.erase(EraseScope::All);
    assert_eq!(erased.text, "There was nothing to erase.");
}
