//! Ends, restarts of programs, and the passing of time.

use sotto_otr::{Conversation, Event, State, import};
use sotto_testkit::rpc::{Failure, Step};

use super::lab::{LEILA, Lab, SARA, our_key};
use crate::cases::{Case, PROSODY, case, ensure, same};
use crate::libotr::{ALLOW_V3, hex};
use crate::world::World;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "a session with libotr is ended from either side and begun again",
            PROSODY,
            ended,
        ),
        case(
            "a session with libotr outlives our restart",
            PROSODY,
            our_restart,
        ),
        case(
            "libotr restarts without its session and a new one is found",
            PROSODY,
            their_restart,
        ),
        case(
            "a session with libotr is refreshed from either side",
            PROSODY,
            refreshed,
        ),
        case("the files that libotr writes are read here", PROSODY, files),
        case(
            "heartbeats of libotr and ours are read and not shown",
            PROSODY,
            heartbeats,
        ),
    ]
}

fn ended(world: &World<'_>) -> Step {
    for version in [3, 2] {
        let mut lab = Lab::new(world, version)?;
        let instance = lab.private()?;
        lab.heard.clear();
        lab.with(0, |talk, env| talk.end(env, &instance))?;
        lab.settle()?;
        ensure(lab.they_heard("phone", "insecure"), || {
            format!("libotr: {:?}", lab.heard)
        })?;
        lab.private()?;
        lab.works("after our end")?;
        lab.tell(&format!("end phone {}", hex(SARA)))?;
        lab.settle()?;
        let views = lab.instances();
        ensure(
            views.iter().any(|view| view.state == State::Finished),
            || format!("{views:?}"),
        )?;
        let refused = lab.with(0, |talk, env| talk.send(env, &instance, "late"))?;
        same(
            "a message after the end",
            &refused,
            &Err(sotto_otr::SendError::Finished),
        )?;
        lab.wait(61)?;
        lab.they_start()?;
        lab.works("after their end")?;
    }
    Ok(())
}

fn our_restart(world: &World<'_>) -> Step {
    for version in [3, 2] {
        let mut lab = Lab::new(world, version)?;
        lab.private()?;
        for round in 0..4 {
            lab.works(&format!("before restart {round}"))?;
            // A message is on its way while we are away.
            lab.hear("phone", "meanwhile")?;
            if let Some(ours) = lab.ours.first_mut() {
                ours.talk = Conversation::from_bytes(&ours.talk.to_bytes())
                    .map_err(|e| Failure::new(format!("the state: {e}")))?;
            }
            lab.settle()?;
            same(
                "what came meanwhile",
                &lab.read(0),
                &vec!["meanwhile".to_owned()],
            )?;
        }
        lab.works("after restarts")?;
    }
    Ok(())
}

fn is_refreshed(lab: &Lab) -> Step {
    let events = lab.events();
    let refreshed = |event: &Event| {
        matches!(
            event,
            Event::Established {
                refreshed: true,
                ..
            }
        )
    };
    ensure(events.iter().any(refreshed), || {
        format!("no new session with the same key: {events:?}")
    })
}

fn their_restart(world: &World<'_>) -> Step {
    let folder = tempfile::tempdir()?;
    let path = hex(folder.path().to_string_lossy().as_bytes());
    let mut lab = Lab::new(world, 3)?;
    lab.tell(&format!("save phone {path}"))?;
    let instance = lab.private()?;
    lab.works("before")?;
    lab.tell(&format!("save phone {path}"))?;
    lab.tell("drop phone")?;
    lab.tell(&format!("user phone {}", hex(LEILA)))?;
    lab.tell(&format!("load phone {path}"))?;
    lab.tell(&format!("policy phone {ALLOW_V3}"))?;
    lab.wait(61)?;
    // Its query begins anew over the session that only we still have.
    lab.read(0);
    lab.they_start()?;
    same("the instance", &lab.session(0, 0)?, &instance)?;
    is_refreshed(&lab)?;
    lab.works("after")
}

fn refreshed(world: &World<'_>) -> Step {
    for version in [3, 2] {
        let mut lab = Lab::new(world, version)?;
        let instance = lab.private()?;
        lab.wait(61)?;
        lab.read(0);
        lab.with(0, |talk, env| talk.refresh(env, &instance))?
            .map_err(|e| Failure::new(format!("refreshing was refused: {e}")))?;
        lab.settle()?;
        is_refreshed(&lab)?;
        lab.works("after our refresh")?;
        lab.wait(61)?;
        lab.they_start()?;
        lab.works("after their refresh")?;
    }
    Ok(())
}

fn heartbeats(world: &World<'_>) -> Step {
    let mut lab = Lab::new(world, 3)?;
    let instance = lab.private()?;
    lab.works("before")?;
    // Our message after a minute of silence makes libotr send one, and libotr's makes us.
    lab.wait(120)?;
    lab.heard.clear();
    lab.say(0, &instance, "still here")?;
    lab.settle()?;
    let beats = |lab: &Lab, event: &str| {
        lab.heard
            .iter()
            .any(|heard| heard.kind == "message" && heard.word(1) == event)
    };
    // OTRL_MSGEVENT_LOG_HEARTBEAT_SENT
    ensure(beats(&lab, "11"), || {
        format!("libotr sent none: {:?}", lab.heard)
    })?;
    ensure(lab.read(0).is_empty(), || {
        "a heartbeat was shown".to_owned()
    })?;
    lab.wait(120)?;
    lab.heard.clear();
    lab.hear("phone", "so am I")?;
    lab.settle()?;
    lab.wait(1)?;
    // OTRL_MSGEVENT_LOG_HEARTBEAT_RCVD
    ensure(beats(&lab, "10"), || {
        format!("we sent none: {:?}", lab.heard)
    })?;
    same("what we read", &lab.read(0), &vec!["so am I".to_owned()])?;
    lab.works("after")
}

fn files(world: &World<'_>) -> Step {
    let folder = tempfile::tempdir()?;
    let path = hex(folder.path().to_string_lossy().as_bytes());
    let mut lab = Lab::new(world, 3)?;
    lab.tell(&format!("save phone {path}"))?;
    let instance = lab.private()?;
    lab.tell(&format!("trust phone {} {}", hex(SARA), hex("verified")))?;
    lab.tell(&format!("save phone {path}"))?;
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name));
    let wrong = |e: import::ImportError| Failure::new(format!("a file was not read: {e}"));
    let keys = import::private_keys(&read("otr.private_key")?).map_err(wrong)?;
    let known = lab.instances();
    let known = known.iter().find_map(|view| view.fingerprint);
    ensure(
        keys.iter()
            .any(|key| key.account == LEILA && Some(key.keypair.fingerprint()) == known),
        || "the key is another".to_owned(),
    )?;
    let trust = import::fingerprints(&read("otr.fingerprints")?).map_err(wrong)?;
    ensure(
        trust.iter().any(|row| {
            row.peer == SARA
                && row.account == LEILA
                && row.fingerprint == our_key().fingerprint()
                && row.trust == "verified"
        }),
        || "our key is not among the known ones".to_owned(),
    )?;
    let tags = import::instance_tags(&read("otr.instance_tags")?).map_err(wrong)?;
    let wanted = instance.tag().map(sotto_otr::InstanceTag::get);
    ensure(
        tags.iter()
            .any(|row| row.account == LEILA && Some(row.tag) == wanted),
        || format!("the tag is not {wanted:?}"),
    )
}
