//! S-OTR-08 at length: what a check of a secret leaves behind, in any order of events.

use super::*;
use crate::ake::Done;
use crate::encoding::Tlv;
use crate::group::DhKeypair;
use crate::smp::{Smp, SmpStep};

/// One honest run: how each side stood between the messages, and the messages.
struct Recorded {
    states: Vec<Smp>,
    records: Vec<Tlv>,
}

impl Recorded {
    fn new(random: &mut Seeded) -> Self {
        let mut fill = |bytes: &mut [u8]| random.fill(bytes);
        let (mut alice, mut bob) = (Smp::default(), Smp::default());
        let mut states = vec![alice.clone()];
        let first = alice.start(&[7; 32], Some("where?"), &mut fill).unwrap();
        states.push(alice.clone());
        assert!(matches!(
            bob.handle(&first, &mut fill),
            Ok(SmpStep::Asked { .. })
        ));
        states.push(bob.clone());
        let second = bob.answer(&[7; 32], &mut fill).unwrap();
        states.push(bob.clone());
        let Ok(SmpStep::Reply(third)) = alice.handle(&second, &mut fill) else {
            panic!("no third message");
        };
        states.push(alice.clone());
        let Ok(SmpStep::Done {
            reply: Some(fourth),
            same: true,
        }) = bob.handle(&third, &mut fill)
        else {
            panic!("no fourth message");
        };
        Self {
            states,
            records: vec![first, second, third, fourth],
        }
    }
}

/// A session begins, as at the end of a key exchange.
fn establish(side: &mut Side, exchange: &(DhKeypair, DhKeypair)) {
    let done = Done {
        key: keys()[1].public().clone(),
        keypair: exchange.0.clone(),
        theirs: exchange.1.public,
        their_keyid: 1,
        ssid: [3; 8],
        first_half: true,
    };
    side.act(|conversation, env| conversation.establish(env, 0, done));
}

#[test]
fn s_otr_08_checks_survive_a_hundred_thousand_orders_of_events() {
    let mut random = Seeded(8);
    let recorded = Recorded::new(&mut random);
    let mut fill = |bytes: &mut [u8]| random.fill(bytes);
    let exchange = (
        DhKeypair::generate(&mut fill),
        DhKeypair::generate(&mut fill),
    );
    let mut side = Side::new(0, "romeo@a.example/x", &Config::default());
    let id: InstanceId = "v3:5a73b2c1".parse().unwrap();
    side.conversation
        .peers
        .push(Peer::new(id.clone(), "julia@b.example/y"));
    let (mut opened, mut ended, mut begun) = (0, 0, 0);
    for sequence in 0..100_000 {
        for _ in 0..1 + random.below(4) {
            let (choice, value) = (random.below(64), random.below(4));
            let private = side.conversation.peers[0].private();
            match choice {
                // The dialog is opened, closed, answered; the arithmetic of most is done beforehand.
                0..16 if private => {
                    let state = recorded.states[1 + value].clone();
                    side.conversation.peers[0].check.smp = state;
                    opened += 1;
                }
                16 if value == 0 && sequence % 64 == 0 => drop(side.act(|conversation, env| {
                    conversation.smp_start(env, &id, Some("who?"), b"secret")
                })),
                17 if value == 0 && sequence % 64 == 0 => {
                    side.act(|conversation, env| conversation.smp_answer(env, &id, b"secret"))
                        .ok();
                }
                16..20 => {
                    side.act(|conversation, env| conversation.smp_start(env, &id, None, b""))
                        .ok();
                }
                20..27 => drop(side.act(|conversation, env| conversation.smp_abort(env, &id))),
                27 => {
                    side.act(|conversation, env| conversation.end(env, &id));
                    ended += 1;
                }
                28..32 => side.act(|conversation, _| conversation.forget_finished(&id)),
                32..35 if !private || value == 0 => {
                    establish(&mut side, &exchange);
                    begun += 1;
                }
                35 => side.act(|conversation, env| {
                    let gone = Tlv::new(1, Vec::new());
                    conversation.record(env, 0, &id, gone, &[0; 32]);
                }),
                37 if sequence % 64 == 0 => {
                    let record = &recorded.records[value];
                    let record = Tlv::new(record.kind, record.value.clone());
                    side.act(|conversation, env| conversation.check(env, 0, record));
                }
                36..52 => {
                    let kind = 2 + u16::try_from(random.below(6)).unwrap();
                    let garbage = [&[][..], &[0; 4], &[0, 0, 0, 1, 0, 0, 0, 1, 1], b"what?\0"];
                    let record = Tlv::new(kind, garbage[value].to_vec());
                    side.act(|conversation, env| conversation.check(env, 0, record));
                }
                52 if sequence % 64 == 0 => side.restart(),
                _ => drop(side.act(|conversation, env| conversation.send(env, &id, "text"))),
            }
            let view = side.view();
            let private = view.state == State::Private;
            assert!(
                private || view.smp == SmpState::Idle,
                "{sequence}: {view:?}"
            );
            assert_eq!(view.session_id.is_some(), private, "{sequence}: {view:?}");
            // No order of events makes two secrets the same that were never compared.
            let wrong = Event::Smp {
                instance: id.clone(),
                event: SmpEvent::Succeeded,
            };
            let in_order = choice == 37 && sequence % 64 == 0;
            assert!(in_order || !side.seen.contains(&wrong), "{sequence}");
            let sent = side.act(|conversation, env| conversation.send(env, &id, "text"));
            let expected = match view.state {
                State::Private => Ok(()),
                State::Finished => Err(SendError::Finished),
                State::Plaintext | State::Starting => Err(SendError::NotPrivate),
            };
            assert_eq!(sent, expected, "{sequence}");
            side.seen.clear();
            side.out.clear();
        }
    }
    assert!(opened > 10_000 && ended > 1_000 && begun > 1_000);
}
