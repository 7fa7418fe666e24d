//! G-01 in small: random cuts, kills and refusals on both sides; nothing lost, doubled or out of order.

use std::time::Duration;

use proptest::prelude::*;
use sotto_api::view::Delivery;

use super::harness::World;

const BOB: &str = "bob@example.org";
const ALICE: &str = "alice@example.org";

#[derive(Clone, Copy, Debug)]
enum Step {
    Say(usize),
    Deliver(u8),
    Cut(usize),
    CutOff(usize, bool),
    Kill(usize),
    Expire,
    RefuseResume(bool),
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
        3 => (1..8000_u16).prop_map(Step::Pass),
    ]
}

fn run(steps: &[Step]) {
    let (mut world, who) = World::of(&["alice", "bob"]);
    let peers = [BOB, ALICE];
    let mut said = [Vec::new(), Vec::new()];
    for step in steps {
        match *step {
            Step::Say(index) => {
                let body = format!("{index}:{}", said[index].len());
                world.say(who[index], peers[index], &body);
                said[index].push(body);
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
            Step::Pass(millis) => world.pass(Duration::from_millis(u64::from(millis))),
        }
    }
    world.servers[0].refuse_resume = false;
    for player in &who {
        world.cut_off(*player, false);
        world.network_up(*player);
    }
    world.pass(Duration::from_secs(180));
    for (index, player) in who.iter().enumerate() {
        let history = world.history(*player, peers[index]);
        for (writer, said) in said.iter().enumerate() {
            let prefix = format!("{writer}:");
            let shown: Vec<&str> = history
                .iter()
                .map(|message| message.body.as_str())
                .filter(|body| body.starts_with(&prefix))
                .collect();
            assert_eq!(shown, *said, "written by {writer}, shown to {index}");
        }
        for message in history {
            assert!(message.delivery != Some(Delivery::Waiting), "{message:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 400, ..ProptestConfig::with_cases(std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(48)) })]

    #[test]
    fn g_01_random_cuts_and_kills_lose_and_double_nothing(steps in prop::collection::vec(step(), 1..80)) {
        run(&steps);
    }
}

#[test]
fn an_answer_that_overtakes_the_confirmation_of_my_message_does_not_hide_it() {
    use Step::*;
    run(&[
        Say(0),
        Say(1),
        Deliver(2),
        RefuseResume(true),
        Cut(0),
        Kill(0),
        Deliver(7),
    ]);
}

#[test]
fn a_session_that_ends_before_the_archive_is_known_settles_no_doubt() {
    use Step::*;
    run(&[
        RefuseResume(true),
        Say(1),
        Kill(1),
        Deliver(9),
        Cut(1),
        Expire,
    ]);
    run(&[Say(0), Kill(0), Expire, Deliver(19), Cut(0)]);
}
