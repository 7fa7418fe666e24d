//! One side lost its session: who is told, and which texts may not have been read.

use super::*;

const ROMEO: &str = "romeo@a.example/x";
const JULIA: &str = "julia@b.example/y";

/// Sends a text under a name and leaves it in `out`.
fn say(side: &mut Side, id: u64) {
    let instance = side.id();
    let name = TextRef { id, at: 1_000 + id };
    side.act(|conversation, env| {
        conversation.send_named(env, &instance, &format!("text {id}"), name)
    })
    .unwrap();
}

/// The names of the texts that each new session may not have brought across, and whose key they were for.
fn unread(side: &mut Side) -> Vec<Vec<u64>> {
    std::mem::take(&mut side.seen)
        .into_iter()
        .filter_map(|event| match event {
            Event::Established { unread, .. } => Some(unread),
            _ => None,
        })
        .map(|texts| {
            let mut texts = texts;
            texts.retain(|unread| !unread.overtaken);
            texts.iter().map(|unread| unread.text.id).collect()
        })
        .collect()
}

/// The program forgets its sessions; the tag and the key stay.
fn forget(side: &mut Side) {
    side.conversation = Conversation::new(side.conversation.own_tag);
}

#[test]
fn a_peer_that_lost_its_session_says_so_and_a_new_one_tells_what_it_may_not_have_read() {
    for config in [Config::default(), v2()] {
        let mut sides = private(&config);
        say(&mut sides[0], 1);
        run(&mut sides);
        sides[1].send("an answer");
        run(&mut sides);
        say(&mut sides[0], 2);
        run(&mut sides);
        sides[1].send("this shows that text 2 was read");
        run(&mut sides);
        forget(&mut sides[1]);
        sides.iter_mut().for_each(|side| side.seen.clear());
        for id in 3..=5 {
            say(&mut sides[0], id);
        }
        run(&mut sides);
        assert!(sides[0].seen.contains(&Event::PeerError {
            text: "You sent an encrypted message that could not be read.".to_owned()
        }));
        assert_eq!(unread(&mut sides[0]), [[3, 4, 5]]);
        let told = |event: &&Event| matches!(event, Event::Unreadable { told: true, .. });
        assert_eq!(sides[1].seen.iter().filter(told).count(), 1);
        // They are told once.
        let id = sides[0].id();
        sides[0]
            .act(|conversation, env| conversation.refresh(env, &id))
            .unwrap();
        run(&mut sides);
        assert_eq!(unread(&mut sides[0]), [[0; 0]]);
    }
}

#[test]
fn a_session_begins_again_although_the_error_message_is_lost() {
    for config in [Config::default(), v2()] {
        let mut sides = private(&config);
        forget(&mut sides[1]);
        say(&mut sides[0], 1);
        let sent = std::mem::take(&mut sides[0].out);
        sides[1].receive(ROMEO, &sent[0].1);
        sides[1]
            .out
            .retain(|(_, _, kind)| *kind != TransmitKind::Error);
        run(&mut sides);
        assert_eq!(unread(&mut sides[0]), [[1]]);
    }
}

#[test]
fn an_error_message_alone_begins_a_session_again_whatever_is_allowed_to_begin_by_itself() {
    let mut sides = private(&Config::default());
    sides.iter_mut().for_each(|side| {
        side.config.restart_on_error = false;
    });
    forget(&mut sides[1]);
    say(&mut sides[0], 1);
    run(&mut sides);
    assert_eq!(unread(&mut sides[0]), [[1]]);
    // Without a session, a stray error message begins nothing then.
    let [mut side, _] = pair(&Config {
        restart_on_error: false,
        ..Config::default()
    });
    side.receive(JULIA, "?OTR Error: what?");
    assert!(side.out.is_empty());
}

#[test]
fn each_program_is_told_once_a_minute_that_it_could_not_be_read() {
    let config = Config {
        restart_on_error: false,
        ..Config::default()
    };
    let mut sides = private(&config);
    forget(&mut sides[1]);
    for _ in 0..5 {
        sides[0].send("text");
    }
    let texts: Vec<String> = std::mem::take(&mut sides[0].out)
        .into_iter()
        .map(|(_, text, _)| text)
        .collect();
    for text in &texts {
        for from in [ROMEO, "romeo@a.example/z"] {
            sides[1].receive(from, text);
        }
    }
    let to: Vec<_> = std::mem::take(&mut sides[1].out)
        .into_iter()
        .map(|(to, _, kind)| (to.unwrap(), kind))
        .collect();
    let error = |to: &str| (to.to_owned(), TransmitKind::Error);
    assert_eq!(to, [error(ROMEO), error("romeo@a.example/z")]);
    for number in 0..1_000 {
        sides[1].receive(&format!("romeo@a.example/{number}"), &texts[0]);
    }
    assert_eq!(sides[1].out.len(), INSTANCES - 2);
    sides[1].out.clear();
    sides[1].now += MINUTE;
    sides[1].receive(ROMEO, &texts[0]);
    assert_eq!(sides[1].out.len(), 1);
}

#[test]
fn texts_that_cross_the_end_of_a_session_do_not_begin_it_again() {
    let mut sides = private(&Config::default());
    let id = sides[1].id();
    sides[1].act(|conversation, env| conversation.end(env, &id));
    say(&mut sides[0], 1);
    run(&mut sides);
    assert_eq!(sides[0].view().state, State::Finished);
    assert_eq!(sides[1].view().state, State::Plaintext);
    // The person begins it again: the text was not read.
    sides[0].start();
    run(&mut sides);
    assert_eq!(unread(&mut sides[0]), [[1]]);
}

#[test]
fn an_end_that_never_arrived_is_made_up_for() {
    let mut sides = private(&Config::default());
    let id = sides[1].id();
    sides[1].act(|conversation, env| conversation.end(env, &id));
    sides[1].out.clear();
    say(&mut sides[0], 1);
    run(&mut sides);
    assert_eq!(unread(&mut sides[0]), [[1]]);
}

#[test]
fn a_heartbeat_shows_what_was_read_only_up_to_the_first_text_under_its_key() {
    let mut sides = private(&Config::default());
    sides.iter_mut().for_each(|side| side.now += MINUTE);
    for id in 1..=3 {
        say(&mut sides[0], id);
    }
    run(&mut sides);
    forget(&mut sides[1]);
    sides[1].start();
    run(&mut sides);
    // Julia's heartbeat answered the first; whether she read the others is not known.
    assert_eq!(unread(&mut sides[0]), [[2, 3]]);
}

#[test]
fn a_text_that_the_network_lost_is_reported_although_later_ones_were_read() {
    let mut sides = private(&Config::default());
    say(&mut sides[0], 1);
    sides[0].out.clear();
    for _ in 0..3 {
        sides[1].send("an answer");
        run(&mut sides);
        sides[0].send("a later text");
        run(&mut sides);
    }
    sides[0].restart();
    let id = sides[0].id();
    let all = sides[0].conversation.take_unread(&id);
    let texts: Vec<_> = all
        .iter()
        .map(|unread| (unread.text.id, unread.overtaken))
        .collect();
    assert_eq!(texts, [(1, true)]);
}

#[test]
fn what_was_not_read_is_known_after_a_restart_and_for_which_key_it_was() {
    let mut sides = private(&Config::default());
    say(&mut sides[0], 1);
    sides[0].out.clear();
    sides[0].restart();
    say(&mut sides[0], 2);
    sides[0].out.clear();
    sides[0].restart();
    // Another key at the same program.
    let mut other = Side::new(0, JULIA, &Config::default());
    other.conversation = Conversation::new(sides[1].conversation.own_tag);
    sides[0].now += MINUTE;
    other.start();
    let text = std::mem::take(&mut other.out).remove(0).1;
    sides[0].receive(JULIA, &text);
    for _ in 0..4 {
        for (_, text, _) in std::mem::take(&mut sides[0].out) {
            other.receive(ROMEO, &text);
        }
        for (_, text, _) in std::mem::take(&mut other.out) {
            sides[0].receive(JULIA, &text);
        }
    }
    let established = sides[0].seen.pop();
    let Some(Event::Established {
        fingerprint,
        unread,
        ..
    }) = established
    else {
        panic!("{established:?}");
    };
    assert_eq!(fingerprint, keys()[0].fingerprint());
    let written: Vec<_> = unread
        .iter()
        .map(|unread| (unread.text, unread.fingerprint))
        .collect();
    let julia = keys()[1].fingerprint();
    let name = |id| TextRef { id, at: 1_000 + id };
    assert_eq!(written, [(name(1), julia), (name(2), julia)]);
}

#[test]
fn a_hundred_texts_and_a_quarter_of_a_mebibyte_are_remembered() {
    let mut sides = private(&Config::default());
    for id in 0..150 {
        say(&mut sides[0], id);
    }
    sides[0].restart();
    let id = sides[0].id();
    let all = sides[0].conversation.take_unread(&id);
    let ids: Vec<_> = all.iter().map(|unread| unread.text.id).collect();
    assert_eq!(ids, (50..150).collect::<Vec<_>>());
    for name in 0..4 {
        let name = TextRef { id: name, at: 0 };
        let long = "x".repeat(100_000);
        sides[0]
            .act(|conversation, env| conversation.send_named(env, &id, &long, name))
            .unwrap();
    }
    assert_eq!(sides[0].conversation.take_unread(&id).len(), 2);
}

#[test]
fn the_two_devices_of_a_peer_ask_within_a_minute_and_each_is_answered() {
    let config = Config::default();
    let mut sides = [
        Side::new(0, ROMEO, &config),
        Side::new(1, JULIA, &config),
        Side::new(1, "julia@b.example/z", &config),
    ];
    // Both queries are there before either exchange has gone on.
    for side in [1, 2] {
        sides[side].start();
        let (_, text, _) = sides[side].out.remove(0);
        let from = sides[side].address.clone();
        sides[0].receive(&from, &text);
    }
    run(&mut sides);
    let views = sides[0].conversation.instances();
    assert_eq!(views.len(), 2);
    assert!(views.iter().all(|view| view.state == State::Private));
}

#[test]
fn state_of_the_version_before_is_read() {
    let sides = private(&Config::default());
    let bytes = sides[0].conversation.to_bytes();
    // The last key id of the one instance, and no texts.
    let mut before = bytes[..bytes.len() - 8].to_vec();
    before[0] = 1;
    let read = Conversation::from_bytes(&before).unwrap();
    assert_eq!(read.to_bytes()[1..], bytes[1..]);
}

#[test]
fn a_query_that_came_back_needs_no_waiting() {
    let [mut side, _] = pair(&Config::default());
    side.start();
    side.conversation.give_up();
    assert_eq!(side.conversation.poll_timeout(), None);
}
