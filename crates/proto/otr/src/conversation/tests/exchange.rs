//! What polite programs do.

use super::*;

#[test]
fn either_side_starts_and_both_talk() {
    for config in [Config::default(), v2()] {
        for starter in [0, 1] {
            let mut sides = pair(&config);
            sides[starter].start();
            run(&mut sides);
            for (side, other) in [(0, 1), (1, 0)] {
                let view = sides[side].view();
                assert_eq!(view.state, State::Private);
                assert_eq!(view.fingerprint, Some(keys()[other].fingerprint()));
                assert_eq!(view.session_id, sides[other].view().session_id);
                assert_ne!(
                    view.session_id_first_half,
                    sides[other].view().session_id_first_half
                );
                assert!(matches!(
                    sides[side].seen.as_slice(),
                    [Event::Established {
                        refreshed: false,
                        ..
                    }]
                ));
            }
            for turn in 0..20 {
                let text = format!("message {turn}: ůž");
                sides[turn % 2].send(&text);
                run(&mut sides);
                assert!(sides[1 - turn % 2].texts().ends_with(&[text]));
            }
        }
    }
}

#[test]
fn both_start_at_once() {
    for config in [Config::default(), v2()] {
        let mut sides = pair(&config);
        sides[0].start();
        sides[1].start();
        run(&mut sides);
        assert_eq!(sides[0].view().state, State::Private);
        sides[0].send("one");
        sides[1].send("two");
        run(&mut sides);
        assert_eq!(sides[1].texts(), ["one"]);
        assert_eq!(sides[0].texts(), ["two"]);
    }
}

#[test]
fn any_number_of_messages_may_cross() {
    let mut sides = private(&Config::default());
    for round in 0..3 {
        for index in 0..100 {
            sides[0].send(&format!("a{round}.{index}"));
            sides[1].send(&format!("b{round}.{index}"));
        }
        run(&mut sides);
        assert_eq!(sides[0].texts().len(), 100);
        assert_eq!(sides[1].texts().len(), 100);
    }
}

#[test]
fn long_messages_go_in_fragments() {
    for base in [Config::default(), v2()] {
        for longest in [140, 300, 1000] {
            let config = Config {
                fragment: Some(longest),
                ..base.clone()
            };
            let mut sides = private(&config);
            let text = "long ".repeat(1_000);
            sides[0].send(&text);
            assert!(
                sides[0]
                    .out
                    .iter()
                    .all(|(_, body, _)| body.len() <= longest)
            );
            run(&mut sides);
            assert_eq!(sides[1].texts(), [text]);
        }
    }
}

#[test]
fn a_whitespace_tag_starts_a_session() {
    let config = Config {
        offer: true,
        ..Config::default()
    };
    let mut sides = pair(&config);
    let text = sides[0].act(|conversation, env| conversation.tagged(env.config, "hi"));
    sides[1].receive("romeo@a.example/x", &text);
    run(&mut sides);
    assert!(
        matches!(sides[1].seen.first(), Some(Event::Plain { text, private: false, .. }) if text == "hi")
    );
    assert_eq!(sides[0].view().state, State::Private);
}

#[test]
fn a_peer_without_otr_gets_no_more_tags() {
    let config = Config {
        offer: true,
        ..Config::default()
    };
    let [mut side, _] = pair(&config);
    assert_ne!(
        side.act(|conversation, env| conversation.tagged(env.config, "hi")),
        "hi"
    );
    side.receive("julia@b.example/y", "hello");
    assert_eq!(
        side.act(|conversation, env| conversation.tagged(env.config, "hi")),
        "hi"
    );
}

#[test]
fn a_session_is_refreshed_by_the_one_or_the_other() {
    for config in [Config::default(), v2()] {
        let mut sides = private(&config);
        let id = sides[1].id();
        sides[1]
            .act(|conversation, env| conversation.refresh(env, &id))
            .unwrap();
        run(&mut sides);
        for side in &sides {
            assert!(matches!(
                side.seen.as_slice(),
                [Event::Established {
                    refreshed: true,
                    ..
                }]
            ));
        }
        sides[0].send("still here");
        run(&mut sides);
        assert_eq!(sides[1].texts(), ["still here"]);
    }
}

#[test]
fn secrets_are_compared() {
    for (answer, outcome) in [
        (&b"balcony"[..], SmpEvent::Succeeded),
        (b"tomb", SmpEvent::Failed),
    ] {
        for question in [None, Some("where?")] {
            let mut sides = private(&Config::default());
            let id = sides[0].id();
            sides[0]
                .act(|conversation, env| conversation.smp_start(env, &id, question, b"balcony"))
                .unwrap();
            assert_eq!(
                sides[0].act(|conversation, env| conversation.smp_start(env, &id, None, b"x")),
                Err(SmpRefused::Busy)
            );
            run(&mut sides);
            let question = question.map(str::to_owned);
            assert_eq!(sides[1].view().smp, SmpState::Asked { question });
            sides.iter_mut().for_each(Side::restart);
            let id = sides[1].id();
            sides[1]
                .act(|conversation, env| conversation.smp_answer(env, &id, answer))
                .unwrap();
            run(&mut sides);
            for side in &sides {
                let last = Event::Smp {
                    instance: side.id(),
                    event: outcome.clone(),
                };
                assert_eq!(side.seen.last(), Some(&last));
                assert_eq!(side.view().smp, SmpState::Idle);
            }
        }
    }
}

#[test]
fn the_extra_key_is_the_same_on_both_sides() {
    let mut sides = private(&Config::default());
    let id = sides[0].id();
    let key = sides[0]
        .act(|conversation, env| conversation.extra_key(env, &id, 7, b"file"))
        .unwrap();
    run(&mut sides);
    let instance = sides[1].id();
    let event = Event::ExtraKey {
        instance,
        use_: 7,
        data: b"file".to_vec(),
        key,
    };
    assert_eq!(sides[1].seen, [event]);
}

#[test]
fn a_session_goes_on_after_a_restart() {
    let mut sides = private(&Config::default());
    for turn in 0..10 {
        sides[turn % 2].send("text");
        run(&mut sides);
        assert_eq!(sides[1 - turn % 2].texts(), ["text"]);
        sides.iter_mut().for_each(Side::restart);
    }
}

#[test]
fn two_devices_have_a_session_each() {
    let config = Config::default();
    let mut sides = [
        Side::new(0, "romeo@a.example/x", &config),
        Side::new(1, "julia@b.example/y", &config),
        Side::new(1, "julia@b.example/z", &config),
    ];
    sides[0].start();
    run(&mut sides);
    // The second query answer comes within a minute of nothing: both devices committed.
    let views = sides[0].conversation.instances();
    assert_eq!(views.len(), 2);
    assert!(views.iter().all(|view| view.state == State::Private));
    for view in views {
        sides[0]
            .act(|conversation, env| conversation.send(env, &view.id, &view.address))
            .unwrap();
    }
    run(&mut sides);
    for side in &mut sides[1..] {
        let address = side.address.clone();
        assert_eq!(side.texts(), [address]);
    }
}

#[test]
fn one_commit_is_answered_by_two_devices() {
    let config = Config::default();
    let mut sides = [
        Side::new(0, "romeo@a.example/x", &config),
        Side::new(1, "julia@b.example/y", &config),
        Side::new(1, "julia@b.example/z", &config),
    ];
    sides[0].receive("julia@b.example/y", "?OTRv3?");
    let commit = std::mem::take(&mut sides[0].out);
    for side in &mut sides[1..] {
        side.receive("romeo@a.example/x", &commit[0].1);
    }
    run(&mut sides);
    assert!(
        sides[0]
            .conversation
            .instances()
            .iter()
            .all(|view| view.state == State::Private)
    );
    assert_eq!(sides[0].conversation.instances().len(), 2);
}

#[test]
fn keys_move_on_by_heartbeats() {
    let mut sides = private(&Config::default());
    for _ in 0..3 {
        sides
            .iter_mut()
            .for_each(|side| side.now += Duration::from_secs(61));
        sides[0].send("only I talk");
        run(&mut sides);
        assert_eq!(sides[1].texts(), ["only I talk"]);
    }
    assert!(sides[0].seen.is_empty());
}

#[test]
fn nobody_answers() {
    let [mut side, _] = pair(&Config::default());
    side.start();
    let until = side.conversation.poll_timeout().unwrap();
    assert_eq!(until, side.now + Duration::from_secs(20));
    side.now = until;
    side.act(|conversation, env| conversation.handle_timeout(env));
    assert_eq!(side.seen, [Event::NoAnswer]);
    assert_eq!(side.conversation.poll_timeout(), None);
}
