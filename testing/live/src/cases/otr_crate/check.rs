//! The check of a shared secret, and the extra symmetric key.

use sotto_otr::{Event, InstanceId, SmpEvent};
use sotto_testkit::rpc::{Failure, Step};

use super::lab::{Lab, SARA};
use crate::cases::{Case, PROSODY, case, ensure};
use crate::libotr::hex;
use crate::world::World;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "libotr answers our check, right and wrong, with and without a question",
            PROSODY,
            we_check,
        ),
        case(
            "we answer libotr's check, right and wrong, with and without a question",
            PROSODY,
            they_check,
        ),
        case(
            "a check with libotr is stopped from either side and can be begun again",
            PROSODY,
            aborted,
        ),
        case(
            "the extra key is the same for libotr and for us, both ways",
            PROSODY,
            extra_key,
        ),
    ]
}

const ASK_FOR_ANSWER: &str = "4";
const ASK_FOR_SECRET: &str = "5";
const ABORT: &str = "2";
const SUCCESS: &str = "7";
const FAILURE: &str = "8";
const QUESTION: &str = "Where did we meet?";

fn they_say(lab: &Lab, event: &str) -> Step {
    ensure(
        lab.heard
            .iter()
            .any(|heard| heard.kind == "smp" && heard.word(1) == event),
        || format!("libotr did not report {event}: {:?}", lab.heard),
    )
}

fn we_say(lab: &Lab, fits: impl Fn(&SmpEvent) -> bool) -> Step {
    let events = lab.events();
    ensure(
        events
            .iter()
            .any(|e| matches!(e, Event::Smp { event, .. } if fits(event))),
        || format!("we did not report it: {events:?}"),
    )
}

/// Both sides say whether the secrets were the same.
fn both_say(lab: &Lab, right: bool) -> Step {
    let (theirs, ours) = if right {
        (SUCCESS, SmpEvent::Succeeded)
    } else {
        (FAILURE, SmpEvent::Failed)
    };
    they_say(lab, theirs)?;
    we_say(lab, |event| *event == ours)
}

fn forget(lab: &mut Lab) {
    lab.heard.clear();
    lab.read(0);
}

fn start(lab: &mut Lab, instance: &InstanceId, question: Option<&str>, secret: &[u8]) -> Step {
    lab.with(0, |talk, env| {
        talk.smp_start(env, instance, question, secret)
    })?
    .map_err(|e| Failure::new(format!("a check was refused: {e}")))?;
    lab.settle()
}

fn each(world: &World<'_>, run: impl Fn(&mut Lab, &InstanceId) -> Step) -> Step {
    for version in [3, 2] {
        let mut lab = Lab::new(world, version)?;
        let instance = lab.private()?;
        run(&mut lab, &instance)?;
        lab.works("after checks")?;
    }
    Ok(())
}

fn we_check(world: &World<'_>) -> Step {
    each(world, |lab, instance| {
        for (question, secret, right) in [
            (None, "the harbour", true),
            (Some(QUESTION), "the harbour", true),
            (None, "the station", false),
            (Some(QUESTION), "the station", false),
            (None, "the harbour", true),
        ] {
            forget(lab);
            start(lab, instance, question, b"the harbour")?;
            they_say(
                lab,
                if question.is_some() {
                    ASK_FOR_ANSWER
                } else {
                    ASK_FOR_SECRET
                },
            )?;
            if question.is_some() {
                ensure(
                    lab.heard.iter().any(|heard| heard.text(3) == QUESTION),
                    || "libotr did not read the question".to_owned(),
                )?;
            }
            lab.tell(&format!("smp-answer phone {} {}", hex(SARA), hex(secret)))?;
            lab.settle()?;
            both_say(lab, right)?;
        }
        Ok(())
    })
}

fn they_check(world: &World<'_>) -> Step {
    each(world, |lab, instance| {
        for (question, secret, right) in [
            (false, "the harbour", true),
            (true, "the harbour", true),
            (false, "the station", false),
            (true, "the station", false),
            (false, "the harbour", true),
        ] {
            forget(lab);
            let (sara, harbour) = (hex(SARA), hex("the harbour"));
            if question {
                lab.tell(&format!("smp-ask phone {sara} {} {harbour}", hex(QUESTION)))?;
            } else {
                lab.tell(&format!("smp-start phone {sara} {harbour}"))?;
            }
            lab.settle()?;
            let wanted = SmpEvent::Asked {
                question: question.then(|| QUESTION.to_owned()),
            };
            we_say(lab, |event| *event == wanted)?;
            lab.with(0, |talk, env| {
                talk.smp_answer(env, instance, secret.as_bytes())
            })?
            .map_err(|e| Failure::new(format!("an answer was refused: {e}")))?;
            lab.settle()?;
            both_say(lab, right)?;
        }
        Ok(())
    })
}

fn aborted(world: &World<'_>) -> Step {
    each(world, |lab, instance| {
        let sara = hex(SARA);
        // We began, libotr stops.
        forget(lab);
        start(lab, instance, None, b"the harbour")?;
        lab.tell(&format!("smp-abort phone {sara}"))?;
        lab.settle()?;
        we_say(lab, |event| *event == SmpEvent::Aborted)?;
        // We began, we stop.
        forget(lab);
        start(lab, instance, Some(QUESTION), b"the harbour")?;
        lab.with(0, |talk, env| talk.smp_abort(env, instance))?
            .map_err(|e| Failure::new(format!("stopping was refused: {e}")))?;
        lab.settle()?;
        they_say(lab, ABORT)?;
        // libotr began, we stop.
        forget(lab);
        lab.tell(&format!("smp-start phone {sara} {}", hex("the harbour")))?;
        lab.settle()?;
        lab.with(0, |talk, env| talk.smp_abort(env, instance))?
            .map_err(|e| Failure::new(format!("stopping was refused: {e}")))?;
        lab.settle()?;
        they_say(lab, ABORT)?;
        // And once more, to the end.
        forget(lab);
        start(lab, instance, None, b"the harbour")?;
        lab.tell(&format!("smp-answer phone {sara} {}", hex("the harbour")))?;
        lab.settle()?;
        both_say(lab, true)
    })
}

fn extra_key(world: &World<'_>) -> Step {
    let mut lab = Lab::new(world, 3)?;
    let instance = lab.private()?;
    let ours = lab
        .with(0, |talk, env| talk.extra_key(env, &instance, 7, b"a file"))?
        .map_err(|e| Failure::new(format!("the key was refused: {e}")))?;
    lab.settle()?;
    let got = lab
        .heard
        .iter()
        .find(|heard| heard.kind == "extra")
        .cloned();
    ensure(
        got.as_ref().is_some_and(|heard| {
            heard.word(1) == "7" && heard.text(2) == "a file" && heard.word(3) == hex(*ours)
        }),
        || "libotr has another key".to_owned(),
    )?;
    lab.tell(&format!("extra phone {} 9 {}", hex(SARA), hex("a call")))?;
    lab.settle()?;
    let made = lab
        .heard
        .iter()
        .find(|heard| heard.kind == "made")
        .map(|heard| heard.word(1).to_owned());
    let events = lab.events();
    let same = events.iter().any(|event| {
        matches!(event, Event::ExtraKey { use_: 9, data, key, .. }
            if data == b"a call" && made.as_deref() == Some(hex(**key).as_str()))
    });
    ensure(same, || "we have another key than libotr".to_owned())?;
    lab.works("after extra keys")
}
