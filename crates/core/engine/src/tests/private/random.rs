//! Random cuts, kills, ends and policies: a monitor over everything that the server saw finds no word in clear
//! that was written while privacy was required, and each text arrives once.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use sotto_api::Request;
use sotto_api::view::{
    AlertAct, AlertKind, Delivery, Direction, Policy, PolicyScope, PrivateState, Settings,
};

use super::super::harness::{Who, World};
use super::{ALICE, BOB, assert_never_left, words, world};

const PEERS: [&str; 2] = [BOB, ALICE];

#[derive(Clone, Copy, Debug)]
enum Step {
    Say(usize),
    Deliver(u8),
    Cut(usize),
    CutOff(usize, bool),
    Kill(usize),
    Expire,
    RefuseResume(bool),
    End(usize),
    Start(usize),
    GoOn(usize),
    Correct(usize),
    /// What one side requires from now on, in the running program.
    Policy(usize, Policy),
    Pass(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..2_usize).prop_map(Step::Say),
        6 => (1..30_u8).prop_map(Step::Deliver),
        2 => (0..2_usize).prop_map(Step::Cut),
        1 => (0..2_usize, any::<bool>()).prop_map(|(who, on)| Step::CutOff(who, on)),
        1 => (0..2_usize).prop_map(Step::Kill),
        1 => Just(Step::Expire),
        1 => any::<bool>().prop_map(Step::RefuseResume),
        1 => (0..2_usize).prop_map(Step::End),
        1 => (0..2_usize).prop_map(Step::Start),
        1 => (0..2_usize).prop_map(Step::GoOn),
        1 => (0..2_usize).prop_map(Step::Correct),
        2 => (0..2_usize, policy()).prop_map(|(who, policy)| Step::Policy(who, policy)),
        2 => (1..30_000_u16).prop_map(Step::Pass),
    ]
}

fn policy() -> impl Strategy<Value = Policy> {
    prop_oneof![
        1 => Just(Policy::Off),
        1 => Just(Policy::Preferred),
        3 => Just(Policy::Required),
    ]
}

fn conversation(world: &mut World, who: Who, index: usize) -> sotto_api::ConversationId {
    world.open(who, PEERS[index]).id
}

fn run(steps: &[Step]) {
    let (mut world, who) = world(Policy::Required, Policy::Required);
    for player in &who {
        let settings = Settings {
            keep_private: true,
            ..Settings::default()
        };
        world.ask(*player, Request::SettingsSet { settings });
    }
    // Both know that the other side confirms what it reads.
    world.say(who[0], BOB, "canary-a;");
    world.settle();
    world.say(who[1], ALICE, "canary-b;");
    world.settle();
    let mut required = [true, true];
    let mut count = 0;
    for step in steps {
        match *step {
            Step::Say(index) => {
                count += 1;
                let conversation = conversation(&mut world, who[index], index);
                let kind = if required[index] { "canary" } else { "open" };
                let body = format!("{kind}-{count};");
                // It may be refused: then it has not left either.
                let request = Request::MessageSend { conversation, body };
                world.try_ask(who[index], request).ok();
            }
            Step::Deliver(count) => {
                for _ in 0..count {
                    world.deliver_some();
                }
            }
            Step::Cut(index) => world.cut(who[index]),
            Step::CutOff(index, on) => world.cut_off(who[index], on),
            Step::Kill(index) => {
                world.kill(who[index]);
                world.restart(who[index]);
            }
            Step::Expire => world.servers[0].expire_sessions(),
            Step::RefuseResume(on) => world.servers[0].refuse_resume = on,
            Step::End(index) => {
                let conversation = conversation(&mut world, who[index], index);
                let request = Request::PrivateEnd { conversation };
                world.try_ask(who[index], request).ok();
            }
            Step::Start(index) => {
                let conversation = conversation(&mut world, who[index], index);
                let request = Request::PrivateStart { conversation };
                world.try_ask(who[index], request).ok();
            }
            Step::GoOn(index) => {
                let conversation = conversation(&mut world, who[index], index);
                let request = Request::PrivateContinue {
                    conversation,
                    act: AlertAct::ContinueUnencrypted,
                };
                let done = world.try_ask(who[index], request);
                assert!(done.is_err() || !required[index]);
            }
            Step::Correct(index) => {
                let last = world.history(who[index], PEERS[index]).pop();
                if let Some(last) = last {
                    // What was private is never corrected in clear, nor is anything where that is required.
                    let secret = last.body.starts_with("canary");
                    let request = Request::MessageCorrect {
                        message: last.id,
                        body: if secret {
                            "canary-corrected"
                        } else {
                            "open-corrected"
                        }
                        .into(),
                    };
                    let done = world.try_ask(who[index], request);
                    assert!(done.is_err() || !(required[index] || secret));
                }
            }
            Step::Policy(index, policy) => {
                let request = Request::PolicySet {
                    scope: PolicyScope::Global {},
                    policy: Some(policy),
                    follow: true,
                };
                world.ask(who[index], request);
                required[index] = policy == Policy::Required;
            }
            Step::Pass(millis) => world.pass(Duration::from_millis(u64::from(millis))),
        }
    }
    world.servers[0].refuse_resume = false;
    for player in &who {
        world.cut_off(*player, false);
        world.network_up(*player);
    }
    world.pass(Duration::from_secs(180));
    assert_never_left(&world, "canary");
    // And it comes to rest: nothing waits for ever.
    for (index, player) in who.iter().enumerate() {
        let state = world.open(*player, PEERS[index]).private.state;
        assert_ne!(state, PrivateState::Starting);
    }
    arrived(&mut world, &who);
    assert_never_left(&world, "canary");
}

/// Everything that left has arrived once, when one more private conversation has had its turn.
fn arrived(world: &mut World, who: &[Who]) {
    let conversation = conversation(world, who[0], 0);
    world.ask(who[0], Request::PrivateStart { conversation });
    world.pass(Duration::from_secs(60));
    for (from, to) in [(0, 1), (1, 0)] {
        let mut heard = BTreeMap::new();
        for message in words(world, who[to], PEERS[to]) {
            // A correction is a matter of its own, and may come as the message that it has replaced.
            if message.direction == Direction::Incoming && !message.body.ends_with("-corrected") {
                *heard.entry(message.body).or_insert(0) += 1;
            }
        }
        let said = words(world, who[from], PEERS[from]);
        let alert = world.open(who[from], PEERS[from]).private.alert;
        for message in said {
            if message.direction == Direction::Incoming || !message.previous.is_empty() {
                continue;
            }
            let times = heard.remove(&message.body).unwrap_or(0);
            let shown = format!("{} ({:?})", message.body, message.delivery);
            match message.delivery {
                Some(Delivery::Failed) => assert!(times <= 1, "{shown} came {times} times"),
                _ => assert_eq!(times, 1, "{shown}; {:?}", alert.as_ref().map(|a| a.kind)),
            }
        }
        assert!(
            heard.values().all(|times| *times == 1),
            "came, and is in nobody's list: {heard:?}"
        );
        assert!(
            heard.is_empty(),
            "came although it was taken back: {heard:?}"
        );
        assert_ne!(alert.map(|alert| alert.kind), Some(AlertKind::KeyChanged));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 200, ..ProptestConfig::with_cases(std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(24)) })]

    #[test]
    fn s_otr_14_no_word_leaves_in_clear_whatever_breaks(steps in prop::collection::vec(step(), 1..40)) {
        run(&steps);
    }
}

#[test]
fn a_text_that_was_lost_with_a_connection_comes_again_although_later_ones_were_read() {
    run(&[
        Step::Say(1),
        Step::RefuseResume(true),
        Step::Kill(0),
        Step::Say(0),
        Step::Cut(0),
        Step::Kill(1),
        Step::Pass(620),
        Step::Say(0),
    ]);
}
