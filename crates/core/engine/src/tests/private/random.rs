//! Random cuts, kills and policies: a monitor over everything that the server saw finds no word in clear.

use std::time::Duration;

use proptest::prelude::*;
use sotto_api::Request;
use sotto_api::view::{AlertAct, Policy, PrivateState};

use super::{ALICE, BOB, assert_never_left, world};

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
        2 => (1..30_000_u16).prop_map(Step::Pass),
    ]
}

fn run(steps: &[Step]) {
    let (mut world, who) = world(Policy::Required, Policy::Required);
    let peers = [BOB, ALICE];
    let mut count = 0;
    for step in steps {
        match *step {
            Step::Say(index) => {
                count += 1;
                let conversation = world.open(who[index], peers[index]).id;
                // It may be refused: then it has not left either.
                world
                    .try_ask(
                        who[index],
                        Request::MessageSend {
                            conversation,
                            body: format!("canary-{count}"),
                        },
                    )
                    .ok();
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
                let conversation = world.open(who[index], peers[index]).id;
                world
                    .try_ask(who[index], Request::PrivateEnd { conversation })
                    .ok();
            }
            Step::Start(index) => {
                let conversation = world.open(who[index], peers[index]).id;
                world
                    .try_ask(who[index], Request::PrivateStart { conversation })
                    .ok();
            }
            Step::GoOn(index) => {
                let conversation = world.open(who[index], peers[index]).id;
                let request = Request::PrivateContinue {
                    conversation,
                    act: AlertAct::ContinueUnencrypted,
                };
                assert!(world.try_ask(who[index], request).is_err());
            }
            Step::Correct(index) => {
                let last = world.history(who[index], peers[index]).pop();
                if let Some(last) = last {
                    let request = Request::MessageCorrect {
                        message: last.id,
                        body: "canary-corrected".into(),
                    };
                    assert!(world.try_ask(who[index], request).is_err());
                }
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
        let state = world.open(*player, peers[index]).private.state;
        assert_ne!(state, PrivateState::Starting);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 200, ..ProptestConfig::with_cases(std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(24)) })]

    #[test]
    fn s_otr_14_no_word_leaves_in_clear_whatever_breaks(steps in prop::collection::vec(step(), 1..40)) {
        run(&steps);
    }
}
