//! Key exchanges and messages.

use sotto_otr::Event;
use sotto_testkit::rpc::Step;

use super::lab::{Lab, our_key};
use crate::cases::{Case, PROSODY, case, ensure, same};
use crate::libotr::hex;
use crate::world::World;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "libotr answers our query, versions 2 and 3",
            PROSODY,
            we_ask,
        ),
        case(
            "we answer libotr's query, versions 2 and 3",
            PROSODY,
            they_ask,
        ),
        case(
            "libotr answers our whitespace tag, versions 2 and 3",
            PROSODY,
            we_tag,
        ),
        case(
            "we answer libotr's whitespace tag, versions 2 and 3",
            PROSODY,
            they_tag,
        ),
        case(
            "both ask at once and libotr and we agree on one session",
            PROSODY,
            at_once,
        ),
        case(
            "100 messages each way cross with libotr's, versions 2 and 3",
            PROSODY,
            crossing,
        ),
        case(
            "fragments of 140, 300 and 1000 bytes go both ways with libotr",
            PROSODY,
            fragments,
        ),
        case(
            "two of libotr's programs and two of ours have sessions of their own",
            PROSODY,
            devices,
        ),
        case(
            "libotr and we tell clear text during a session",
            PROSODY,
            clear,
        ),
    ]
}

fn each(world: &World<'_>, run: impl Fn(&mut Lab) -> Step) -> Step {
    for version in [3, 2] {
        let mut lab = Lab::new(world, version)?;
        run(&mut lab)?;
        let instance = lab.session(0, 0)?;
        same("the version", &instance.version(), &version)?;
        both_know_the_keys(&mut lab)?;
        lab.works(&format!("version {version}"))?;
    }
    Ok(())
}

/// The fingerprints and the session id are the same on both sides.
fn both_know_the_keys(lab: &mut Lab) -> Step {
    let ours = hex(our_key().fingerprint().as_bytes());
    let views = lab.instances();
    let heard = lab
        .heard
        .iter()
        .rfind(|heard| heard.kind == "secure" || heard.kind == "still-secure");
    let heard = heard.cloned();
    ensure(
        heard.as_ref().is_some_and(|heard| heard.word(1) == ours),
        || format!("libotr knows us as {heard:?}, not {ours}"),
    )?;
    let session = heard
        .map(|heard| heard.word(3).to_owned())
        .unwrap_or_default();
    ensure(
        views
            .iter()
            .any(|view| view.session_id.is_some_and(|id| hex(id) == session)),
        || format!("the session is {session} for libotr, for us {views:?}"),
    )?;
    lab.tell("list phone")?;
    let own = lab
        .heard
        .iter()
        .find(|heard| heard.kind == "own")
        .map(|heard| heard.text(0));
    let known = views
        .iter()
        .find_map(|view| view.fingerprint)
        .map(|code| code.to_string());
    same("libotr's code", &known, &own)
}

fn we_ask(world: &World<'_>) -> Step {
    each(world, |lab| lab.private().map(drop))
}

fn they_ask(world: &World<'_>) -> Step {
    each(world, |lab| lab.they_start())
}

fn we_tag(world: &World<'_>) -> Step {
    each(world, |lab| {
        lab.config.offer = true;
        lab.say_plainly(0, "hello")?;
        lab.settle()?;
        ensure(
            lab.heard
                .iter()
                .any(|heard| heard.kind == "plain" && heard.text(1) == "hello"),
            || format!("libotr did not read the text: {:?}", lab.heard),
        )
    })
}

fn they_tag(world: &World<'_>) -> Step {
    each(world, |lab| {
        lab.hear("phone", "hello")?;
        lab.settle()?;
        let events = lab.events();
        ensure(
            events.iter().any(|event| matches!(event, Event::Plain { text, private: false, .. } if text == "hello")),
            || format!("we did not read the text: {events:?}"),
        )
    })
}

fn at_once(world: &World<'_>) -> Step {
    for _ in 0..8 {
        let mut lab = Lab::new(world, 3)?;
        lab.with(0, |talk, env| talk.start(env, None))?;
        lab.they_start()?;
        lab.works("after both asked")?;
    }
    Ok(())
}

fn crossing(world: &World<'_>) -> Step {
    each(world, |lab| {
        let instance = lab.private()?;
        let wanted: Vec<String> = (0..100).map(|number| format!("message {number}")).collect();
        for text in &wanted {
            lab.say(0, &instance, text)?;
            lab.hear("phone", text)?;
        }
        let kept = lab.heard.clone();
        lab.settle()?;
        let after = lab.heard.clone();
        same("what we read", &lab.read(0), &wanted)?;
        same("what libotr read", &lab.they_read("phone"), &wanted)?;
        lab.heard = kept;
        lab.heard.extend(after);
        Ok(())
    })
}

fn fragments(world: &World<'_>) -> Step {
    let long: String = ('a'..='z').cycle().take(3_000).collect();
    for size in [140_usize, 300, 1_000] {
        each(world, |lab| {
            lab.config.fragment = Some(size);
            lab.tell(&format!("size phone {size}"))?;
            let instance = lab.private()?;
            lab.say(0, &instance, &long)?;
            lab.hear("phone", &long)?;
            let kept = lab.heard.clone();
            lab.settle()?;
            ensure(lab.longest <= size, || {
                format!("{} bytes with a limit of {size}", lab.longest)
            })?;
            let after = lab.heard.clone();
            ensure(lab.read(0) == [long.clone()], || {
                format!("we did not read {size}")
            })?;
            ensure(lab.they_read("phone") == [long.clone()], || {
                format!("libotr did not read {size}")
            })?;
            lab.heard = kept;
            lab.heard.extend(after);
            Ok(())
        })?;
    }
    Ok(())
}

fn devices(world: &World<'_>) -> Step {
    let mut lab = Lab::new(world, 3)?;
    let tablet = lab.add_theirs("tablet")?;
    let laptop = lab.add_ours("laptop");
    for index in [0, laptop] {
        lab.with(index, |talk, env| talk.start(env, None))?;
        lab.settle()?;
    }
    for ours in [0, laptop] {
        for (theirs, name) in [(0, "phone"), (tablet, "tablet")] {
            let instance = lab.session(ours, theirs)?;
            let text = format!("from {ours} to {name}");
            lab.heard.clear();
            lab.say(ours, &instance, &text)?;
            lab.settle()?;
            let others = if theirs == 0 { "tablet" } else { "phone" };
            ensure(!lab.they_heard(others, "private"), || {
                format!("{others} read {text}")
            })?;
            ensure(lab.they_read(name) == [text.clone()], || {
                format!("{name} did not read {text}")
            })?;
            // The answer goes to the program that spoke last.
            lab.read(0);
            lab.read(laptop);
            lab.hear(name, "an answer")?;
            lab.settle()?;
            let (first, second) = (lab.read(0), lab.read(laptop));
            same("answers", &(first.len() + second.len()), &1)?;
        }
    }
    Ok(())
}

fn clear(world: &World<'_>) -> Step {
    let mut lab = Lab::new(world, 3)?;
    lab.private()?;
    lab.say_plainly(0, "in clear")?;
    lab.settle()?;
    // OTRL_MSGEVENT_RCVDMSG_UNENCRYPTED
    ensure(
        lab.heard
            .iter()
            .any(|heard| heard.kind == "message" && heard.word(1) == "13"),
        || format!("libotr did not tell: {:?}", lab.heard),
    )?;
    lab.with(0, |talk, env| {
        talk.receive(env, "leila@private.example/phone", "in clear")
    })?;
    let events = lab.events();
    ensure(
        events
            .iter()
            .any(|event| matches!(event, Event::Plain { private: true, .. })),
        || format!("we did not tell: {events:?}"),
    )?;
    lab.works("after clear text")
}
