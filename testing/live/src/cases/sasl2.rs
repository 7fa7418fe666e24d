//! SASL2 and Bind 2 with inline resumption, as far as Debian's Prosody modules have them.

use sotto_api::view::{Delivery, Direction};
use sotto_testkit::relay::{Cut, Relay};
use sotto_testkit::rpc::Step;

use super::links::signed_in_through;
use super::{Case, PROSODY, case, ensure, same};
use crate::server::Options;
use crate::sotto::befriend;
use crate::world::World;

pub(super) fn cases() -> Vec<Case> {
    vec![case(
        "over SASL2 and Bind 2 two people talk, through a cut and a kill",
        PROSODY,
        sasl2,
    )]
}

fn sasl2(world: &World<'_>) -> Step {
    let options = Options {
        sasl2: true,
        ..Options::default()
    };
    let server = world
        .tools
        .server(world.kind, options, &world.tools.authority)?;
    let relay = Relay::start(server.starttls())?;
    let mut sara = signed_in_through(world, &server, &relay, "sara")?;
    let mut leila = signed_in_through(world, &server, &relay, "leila")?;
    let account = sara.account()?;
    let how = sara.view(account)?.connection;
    ensure(how.contains("SCRAM-SHA-256"), || {
        format!("the connection is {how:?}")
    })?;
    befriend(&mut sara, &mut leila)?;
    let to_leila = sara.talk_to(&leila.address())?;
    let to_sara = leila.talk_to(&sara.address())?;
    sara.say(to_leila, "one")?;
    leila.hears(to_sara, "one")?;
    relay.cut(Cut::Close);
    sara.say(to_leila, "two")?;
    leila.hears(to_sara, "two")?;
    sara.say(to_leila, "three")?;
    sara.kill();
    sara.again()?;
    let last = sara.say(to_leila, "four")?;
    sara.reaches(last, Delivery::Delivered)?;
    leila.hears(to_sara, "four")?;
    let wanted: Vec<String> = ["one", "two", "three", "four"].map(str::to_owned).into();
    let heard = leila.texts(to_sara, Direction::Incoming)?;
    same("what Leila heard", &heard, &wanted)
}
