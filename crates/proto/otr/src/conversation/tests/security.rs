//! The rows S-OTR-02 to S-OTR-13 of the security notes that concern this crate.

use std::collections::HashSet;

use super::*;
use crate::encoding::Reader;
use crate::wire::{DATA, DH_COMMIT, DH_KEY, REVEAL_SIGNATURE, SIGNATURE};

const ROMEO: &str = "romeo@a.example/x";
const JULIA: &str = "julia@b.example/y";

/// The one body that waits.
fn body(side: &mut Side) -> String {
    let mut out = std::mem::take(&mut side.out);
    assert_eq!(out.len(), 1);
    out.remove(0).1
}

/// The header of an encoded body, and where it ends.
fn header(text: &str) -> (Header, usize, Vec<u8>) {
    let bytes = wire::decode(text).expect("an encoded message");
    let mut reader = Reader::new(&bytes);
    let header = Header::read(&mut reader).unwrap().expect("a known version");
    let at = bytes.len() - reader.rest().len();
    (header, at, bytes.to_vec())
}

fn quiet(side: &Side) -> bool {
    side.out.is_empty() && side.seen.is_empty()
}

#[test]
fn s_otr_02_version_2_is_off_unless_chosen_and_never_undoes_version_3() {
    let mut weak = pair(&v2());
    let mut strong = Side::new(0, ROMEO, &Config::default());
    weak[1].receive(ROMEO, "?OTRv2?");
    let commit = body(&mut weak[1]);
    strong.receive(JULIA, &commit);
    strong.receive(JULIA, "?OTRv2?");
    assert!(strong.out.is_empty(), "nothing is answered");
    assert_eq!(strong.seen, [Event::OldVersion, Event::OldVersion]);

    let both = Config {
        v2: true,
        ..Config::default()
    };
    let mut sides = private(&both);
    assert_eq!(sides[0].view().version, 3);
    sides[0].now += MINUTE;
    sides[0].receive(JULIA, "?OTRv2?");
    sides[0].receive(JULIA, &commit);
    assert!(quiet(&sides[0]));
}

#[test]
fn s_otr_03_a_thousand_tags_start_one_exchange_a_minute() {
    let config = Config {
        offer: true,
        ..Config::default()
    };
    let [mut side, other] = pair(&config);
    let text = query::tagged("hi", versions(&other.config));
    for _ in 0..1_000 {
        side.receive(JULIA, &text);
        side.receive(JULIA, "?OTRv3?");
        side.receive(JULIA, "?OTR Error: again");
    }
    assert_eq!(side.out.len(), 1);
    side.now += MINUTE;
    side.receive(JULIA, &text);
    assert_eq!(side.out.len(), 2);
}

#[test]
fn s_otr_03_each_program_of_a_peer_counts_for_itself_and_all_of_them_together() {
    let config = Config {
        offer: true,
        ..Config::default()
    };
    let [mut side, other] = pair(&config);
    let text = query::tagged("hi", versions(&other.config));
    for round in 0..3 {
        for number in 0..1_000 {
            let from = format!("julia@b.example/{number}");
            side.receive(&from, &text);
            side.receive(&from, "?OTRv3?");
            side.receive(&from, "?OTR Error: again");
        }
        let (to, kinds): (Vec<_>, Vec<_>) = std::mem::take(&mut side.out)
            .into_iter()
            .map(|(to, _, kind)| (to.expect("a full address"), kind))
            .unzip();
        let eight: Vec<_> = (0..8).map(|n| format!("julia@b.example/{n}")).collect();
        assert_eq!(to, eight, "round {round}");
        assert!(kinds.iter().all(|kind| *kind == TransmitKind::Ake));
        side.now += MINUTE;
        side.act(|conversation, env| conversation.handle_timeout(env));
    }
}

#[test]
fn a_query_does_not_restart_an_exchange_that_runs_and_may_come_again_after_it() {
    let mut sides = pair(&Config::default());
    sides[0].receive(JULIA, "?OTRv3?");
    let commit = body(&mut sides[0]);
    for _ in 0..10 {
        sides[0].receive(JULIA, "?OTRv3?");
    }
    assert!(quiet(&sides[0]));
    sides[1].receive(ROMEO, &commit);
    let key = body(&mut sides[1]);
    sides[0].receive(JULIA, &key);
    let reveal = body(&mut sides[0]);
    sides[0].receive(JULIA, "?OTRv3?");
    assert!(quiet(&sides[0]));
    sides[1].receive(ROMEO, &reveal);
    run(&mut sides);
    assert!(sides.iter().all(|side| side.view().state == State::Private));
    // A program that was started again and asks within the minute is answered, a few times.
    let mut answered = 0;
    for _ in 0..10 {
        sides[1].conversation = Conversation::new(sides[1].conversation.own_tag);
        sides[1].start();
        run(&mut sides);
        answered += usize::from(sides[1].conversation.instances().len() == 1);
    }
    assert_eq!(answered, 2);
}

#[test]
fn an_exchange_that_got_stuck_is_begun_anew_when_asked() {
    let mut sides = pair(&Config::default());
    sides[0].receive(JULIA, "?OTRv3?");
    sides[0].out.clear();
    sides.iter_mut().for_each(|side| side.now += PATIENCE);
    sides[1].start();
    run(&mut sides);
    assert!(sides.iter().all(|side| side.view().state == State::Private));
}

#[test]
fn s_otr_04_lengths_that_lie_are_read_to_no_harm() {
    let mut sides = private(&Config::default());
    sides[0].send("text");
    let (_, at, bytes) = header(&body(&mut sides[0]));
    for place in at..bytes.len().saturating_sub(4) {
        for lie in [u32::MAX, 0x7fff_ffff, 0, 1] {
            let mut lying = bytes.clone();
            lying[place..place + 4].copy_from_slice(&lie.to_be_bytes());
            if lying != bytes {
                sides[1].receive(ROMEO, &wire::encode(&lying));
            }
        }
    }
    for text in [
        "?OTR:",
        "?OTR:.",
        "?OTR:A.",
        "?OTR:====.",
        "?OTR:AAM",
        "?OTR:AAMC.",
    ] {
        sides[1].receive(ROMEO, text);
    }
    assert!(sides[1].texts().iter().all(|text| text.is_empty()));
    sides[0].send("whole");
    run(&mut sides);
    assert_eq!(sides[1].texts(), ["whole"]);
}

#[test]
fn s_otr_05_instances_are_bounded() {
    let mut sides = private(&Config::default());
    sides[1].now += MINUTE;
    sides[1].receive(ROMEO, "?OTRv3?");
    let (_, _, bytes) = header(&body(&mut sides[1]));
    for tag in 0x200_u32..0x300 {
        let mut bytes = bytes.clone();
        bytes[3..7].copy_from_slice(&tag.to_be_bytes());
        sides[0].receive(JULIA, &wire::encode(&bytes));
    }
    assert_eq!(sides[0].conversation.instances().len(), INSTANCES);
    sides[0].out.clear();
    sides[0].send("the session is still there");
    run(&mut sides);
    assert_eq!(sides[1].texts(), ["the session is still there"]);
}

#[test]
fn s_otr_06_messages_for_other_instances_are_ignored() {
    let mut sides = private(&Config::default());
    sides[0].send("text");
    let (_, _, bytes) = header(&body(&mut sides[0]));
    for (at, tag) in [(3, 0_u32), (3, 0xff), (7, 0), (7, 0xff), (7, 0x1234_5678)] {
        let mut bytes = bytes.clone();
        bytes[at..at + 4].copy_from_slice(&tag.to_be_bytes());
        sides[1].receive(ROMEO, &wire::encode(&bytes));
        let fragment = format!(
            "?OTR|{:08x}|{:08x},1,1,?OTR:AAM.,",
            0x1234_5678, 0x1234_5678
        );
        sides[1].receive(ROMEO, &fragment);
    }
    assert!(quiet(&sides[1]));
}

#[test]
fn s_otr_07_errors_are_reported_as_short_plain_text() {
    let config = Config {
        restart_on_error: false,
        ..Config::default()
    };
    let [mut side, _] = pair(&config);
    side.receive(
        JULIA,
        &format!("?OTR Error: <b>%n\u{7}{}", "x".repeat(10_000)),
    );
    assert!(matches!(side.seen.as_slice(), [Event::PeerError { text }]
        if text.chars().count() == 256 && text.starts_with("<b>%nxx")));
    assert!(side.out.is_empty());
}

#[test]
fn s_otr_08_two_programs_survive_checks_and_ends_in_any_order() {
    let mut random = Seeded(8);
    let mut sides = private(&Config::default());
    for _ in 0..300 {
        let at = random.below(2);
        let views = sides[at].conversation.instances();
        let Some(id) = views.first().map(|view| view.id.clone()) else {
            continue;
        };
        let choice = random.below(12);
        sides[at].act(|conversation, env| match choice {
            0 | 1 => drop(conversation.smp_start(env, &id, Some("q"), b"secret")),
            2 | 3 => drop(conversation.smp_answer(env, &id, b"secret")),
            4 => drop(conversation.smp_abort(env, &id)),
            5 => conversation.end(env, &id),
            6 => conversation.forget_finished(&id),
            7 => drop(conversation.refresh(env, &id)),
            8 => conversation.start(env, None),
            _ => drop(conversation.send(env, &id, "text")),
        });
        match random.below(8) {
            0 => sides[at].restart(),
            1 => drop(sides[at].out.pop()),
            2 => sides.iter_mut().for_each(|side| {
                side.now += Duration::from_secs(30);
                side.act(|conversation, env| conversation.handle_timeout(env));
            }),
            3..6 => run(&mut sides),
            _ => {}
        }
        for side in &mut sides {
            side.seen.clear();
            for view in side.conversation.instances() {
                let idle = view.smp == SmpState::Idle;
                assert!(idle || view.state == State::Private, "{view:?}");
            }
        }
    }
}

#[test]
fn s_otr_10_every_state_meets_every_message() {
    // Romeo commits, Julia answers: one message of each kind, and from another run with other keys.
    let messages = |seed: u64| {
        let mut sides = pair(&Config::default());
        sides
            .iter_mut()
            .for_each(|side| side.random = Seeded(seed + 9 * side.key as u64));
        let mut texts = Vec::new();
        sides[0].receive(JULIA, "?OTRv3?");
        for turn in 0..4 {
            let text = body(&mut sides[turn % 2]);
            let from = if turn % 2 == 0 { ROMEO } else { JULIA };
            sides[1 - turn % 2].receive(from, &text);
            texts.push(text);
        }
        texts
    };
    let kinds = [DH_COMMIT, DH_KEY, REVEAL_SIGNATURE, SIGNATURE];
    let (own, alien) = (messages(1), messages(2));
    assert!(
        own.iter()
            .zip(kinds)
            .all(|(text, kind)| header(text).0.kind == kind)
    );
    // States: 0 none, 1 awaiting DH-Key, 2 awaiting Reveal Signature, 3 awaiting Signature.
    let state = |state: usize| {
        let mut sides = pair(&Config::default());
        sides
            .iter_mut()
            .for_each(|side| side.random = Seeded(1 + 9 * side.key as u64));
        sides[0].receive(JULIA, "?OTRv3?");
        match state {
            0 => sides.into_iter().nth(1).unwrap(),
            2 => {
                sides[1].receive(ROMEO, &own[0]);
                sides.into_iter().nth(1).unwrap()
            }
            1 => sides.into_iter().next().unwrap(),
            _ => {
                sides[0].receive(JULIA, &own[1]);
                sides.into_iter().next().unwrap()
            }
        }
    };
    let established = |side: &Side| {
        side.seen
            .iter()
            .any(|event| matches!(event, Event::Established { .. }))
    };
    for at in 0..4 {
        for (kind, texts) in kinds
            .iter()
            .flat_map(|kind| [(*kind, &own), (*kind, &alien)])
        {
            let mut side = state(at);
            side.out.clear();
            let which = kinds.iter().position(|other| *other == kind).unwrap();
            // What Romeo wrote is turned into what Julia could have written, and back, by the tags.
            let (_, _, mut bytes) = header(&texts[which]);
            let romeo = Side::new(0, ROMEO, &Config::default())
                .conversation
                .own_tag
                .get();
            let julia = Side::new(1, JULIA, &Config::default())
                .conversation
                .own_tag
                .get();
            let (sender, from) = if side.key == 0 {
                (julia, JULIA)
            } else {
                (romeo, ROMEO)
            };
            bytes[3..7].copy_from_slice(&sender.to_be_bytes());
            bytes[7..11].copy_from_slice(&side.conversation.own_tag.get().to_be_bytes());
            side.receive(from, &wire::encode(&bytes));
            let answered = side.out.first().map(|(_, text, _)| header(text).0.kind);
            let same = std::ptr::eq(texts, &own);
            let expected = match (at, kind) {
                // Our own commit come back: neither wins.
                (1, DH_COMMIT) if same => None,
                // The tie-break: the larger hash stays.
                (1, DH_COMMIT) => {
                    assert!(matches!(answered, Some(DH_COMMIT | DH_KEY)));
                    answered
                }
                (_, DH_COMMIT) => Some(DH_KEY),
                (1, DH_KEY) => Some(REVEAL_SIGNATURE),
                (3, DH_KEY) if same => Some(REVEAL_SIGNATURE),
                (2, REVEAL_SIGNATURE) if same => Some(SIGNATURE),
                _ => None,
            };
            assert_eq!(
                answered, expected,
                "state {at}, message {kind:#x}, same {same}"
            );
            let done = same && matches!((at, kind), (2, REVEAL_SIGNATURE) | (3, SIGNATURE));
            assert_eq!(
                established(&side),
                done,
                "state {at}, message {kind:#x}, same {same}"
            );
        }
    }
    // One changed bit anywhere in a signed part, and nobody is believed.
    for (at, which) in [(2, 2), (3, 3)] {
        let (_, start, bytes) = header(&own[which]);
        for place in (start..bytes.len()).step_by(7) {
            let mut side = state(at);
            let mut bytes = bytes.clone();
            bytes[place] ^= 1;
            side.receive(if at == 2 { ROMEO } else { JULIA }, &wire::encode(&bytes));
            assert!(!established(&side), "byte {place}");
        }
    }
    // Keys outside 2 … p − 2.
    for number in [
        vec![],
        vec![0],
        vec![1],
        vec![0xff; 192],
        vec![0xff; 193],
        vec![2; 4_000],
    ] {
        let mut side = state(1);
        side.out.clear();
        let (_, start, bytes) = header(&own[1]);
        let mut writer = Writer::new();
        writer.bytes(&bytes[..start]).data(&number);
        side.receive(JULIA, &wire::encode(writer.as_slice()));
        assert!(side.out.is_empty());
    }
}

#[test]
fn s_otr_11_mac_keys_are_revealed_when_their_receiving_is_over() {
    let mut sides = private(&Config::default());
    let mut revealed = HashSet::new();
    for turn in 0..24 {
        sides[turn % 2].send("text");
        let text = body(&mut sides[turn % 2]);
        let (_, at, bytes) = header(&text);
        let mut reader = Reader::new(&bytes[at..]);
        reader.bytes(9).unwrap();
        reader.mpi().unwrap();
        reader.bytes(8).unwrap();
        reader.data().unwrap();
        reader.bytes(20).unwrap();
        for key in reader.data().unwrap().chunks(20) {
            assert_eq!(key.len(), 20);
            assert!(revealed.insert(key.to_vec()), "revealed twice");
        }
        let from = if turn % 2 == 0 { ROMEO } else { JULIA };
        sides[1 - turn % 2].receive(from, &text);
        for side in &sides {
            for peer in &side.conversation.peers {
                let Message::Private(session) = &peer.message else {
                    panic!("no session")
                };
                assert!(
                    session
                        .receiving_macs()
                        .iter()
                        .all(|key| !revealed.contains(&key[..]))
                );
            }
        }
    }
    assert!(revealed.len() > 10);
}

#[test]
fn s_otr_12_a_replay_is_dropped_and_no_counter_is_used_twice() {
    let mut sides = private(&Config::default());
    let (mut all, mut counters) = (Vec::new(), HashSet::new());
    for turn in 0..30 {
        let at = [0, 0, 1][turn % 3];
        sides[at].restart();
        sides[at].send("text");
        let text = body(&mut sides[at]);
        let (head, start, bytes) = header(&text);
        assert_eq!(head.kind, DATA);
        let mut reader = Reader::new(&bytes[start + 1..]);
        let ids = (reader.u32().unwrap(), reader.u32().unwrap());
        reader.mpi().unwrap();
        let counter: [u8; 8] = reader.fixed().unwrap();
        assert!(
            counters.insert((at, ids, counter)),
            "a counter was used twice"
        );
        let (from, to) = if at == 0 { (ROMEO, 1) } else { (JULIA, 0) };
        sides[to].receive(from, &text);
        assert_eq!(sides[to].texts(), ["text"]);
        // The heartbeat of a program that has just started.
        sides[to].out.clear();
        sides[to].restart();
        all.push((from, to, text));
        for (from, to, text) in &all {
            sides[*to].receive(from, text);
            assert!(quiet(&sides[*to]));
        }
    }
}

#[test]
fn s_otr_13_after_the_end_nothing_is_sent_and_clear_text_is_marked() {
    let mut sides = private(&Config::default());
    sides[1].receive(ROMEO, "in clear");
    assert!(matches!(
        sides[1].seen.pop(),
        Some(Event::Plain { private: true, .. })
    ));
    let id = sides[0].id();
    sides[0].act(|conversation, env| conversation.end(env, &id));
    assert_eq!(sides[0].view().state, State::Plaintext);
    let id = sides[1].id();
    run(&mut sides);
    assert_eq!(
        sides[1].seen,
        [Event::Ended {
            instance: id.clone()
        }]
    );
    sides[1].restart();
    let refused = sides[1].act(|conversation, env| conversation.send(env, &id, "text"));
    assert_eq!(refused, Err(SendError::Finished));
    assert!(sides[1].out.is_empty());
    sides[1].receive(ROMEO, "in clear");
    assert!(matches!(
        sides[1].seen.pop(),
        Some(Event::Plain { private: true, .. })
    ));
    sides[1].act(|conversation, _| conversation.forget_finished(&id));
    let refused = sides[1].act(|conversation, env| conversation.send(env, &id, "text"));
    assert_eq!(refused, Err(SendError::NotPrivate));
    sides[1].start();
    run(&mut sides);
    assert_eq!(sides[0].view().state, State::Private);
}

#[test]
fn damaged_state_is_refused() {
    let sides = private(&Config::default());
    let bytes = sides[0].conversation.to_bytes();
    for end in 0..bytes.len() {
        assert!(Conversation::from_bytes(&bytes[..end]).is_err());
    }
    let mut later = bytes.to_vec();
    later[0] = 9;
    assert_eq!(
        Conversation::from_bytes(&later).err(),
        Some(crate::StateError::Version(9))
    );
}
