//! Verification: by comparing codes, by question and answer, by a shared secret.

use std::collections::BTreeMap;

use sotto_api::view::{LineNotice, VerificationState, VerificationView};
use sotto_api::{ApiError, ConversationId, Field, PeerKeyId, Secret};
use sotto_otr::{Fingerprint, InstanceId, InstanceView, SmpEvent, SmpRefused, State as Session};
use sotto_store::row::ConversationRow;
use sotto_xmpp::BareJid;

use super::session::{self, Cause};
use super::standing::standing;
use super::trust::{self, Proof};
use super::{alert, events};
use crate::account::Account;
use crate::context::Context;
use crate::error::Fault;
use crate::text;
use crate::words::private as say;

/// Longest question, in characters.
const MAX_QUESTION: usize = 500;
/// Longest answer or secret, in bytes; what OTR carries.
const MAX_SECRET: usize = 4096;

/// Verifications under way and their last results, by conversation. Gone when the program ends.
#[derive(Default)]
pub(crate) struct State {
    checks: BTreeMap<ConversationId, Check>,
}

/// How a check of a secret was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begun {
    /// With a question, by us or by them.
    Question { ours: bool },
    /// With nothing but the wish to compare a secret that both know.
    Secret,
}

struct Check {
    device: InstanceId,
    /// The key that it is about.
    fingerprint: Fingerprint,
    begun: Begun,
    state: VerificationState,
    /// Their question, cleaned.
    question: String,
    step: u8,
    /// We stopped it ourselves.
    by_us: bool,
    /// We have answered.
    answered: bool,
}

/// What is shown of a verification.
pub(crate) fn view(
    _cx: &Context,
    account: &Account,
    conversation: ConversationId,
    name: &str,
) -> VerificationView {
    let Some(check) = account.private.verify.checks.get(&conversation) else {
        return VerificationView::default();
    };
    let text = match check.state {
        VerificationState::None => String::new(),
        VerificationState::Asked => say::verification_asked(name, &check.question),
        VerificationState::Waiting if check.answered => say::verification_comparing().to_owned(),
        VerificationState::Waiting => say::verification_waiting(name),
        VerificationState::Succeeded if check.begun == (Begun::Question { ours: false }) => {
            say::verification_answered(name)
        }
        VerificationState::Succeeded => say::verification_succeeded(name),
        VerificationState::Failed => say::verification_failed(name),
        VerificationState::Stopped => say::verification_stopped(name, check.by_us),
    };
    VerificationView {
        state: check.state,
        question: check.question.clone(),
        text,
        step: check.step,
    }
}

/// The device that is written to, with its key, where a private conversation stands.
fn device(
    cx: &Context,
    account: &Account,
    row: &ConversationRow,
    peer: &BareJid,
) -> Result<(InstanceView, Fingerprint), ApiError> {
    let chosen = standing(cx, account, row, peer)?.chosen;
    let private = chosen.filter(|device| device.state == Session::Private);
    match private.and_then(|device| device.fingerprint.map(|code| (device, code))) {
        Some(found) => Ok(found),
        None => Err(say::verify_needs_private(&events::name(cx, account, peer)?)),
    }
}

/// `VerifyCode`.
pub(super) fn code(
    cx: &mut Context,
    account: &mut Account,
    row: &ConversationRow,
    peer: &BareJid,
    shown: PeerKeyId,
    matches: bool,
) -> Result<(), ApiError> {
    let (_, fingerprint) = device(cx, account, row, peer)?;
    let stands = trust::key_of(cx, account, peer, &fingerprint)?;
    let proof = stands.and_then(|stands| Proof::of_comparison(shown, stands));
    let Some(proof) = proof else {
        return Err(say::verify_other_key());
    };
    alert::dismiss(cx, account, row.id);
    if matches {
        verified(cx, account, row.id, peer, shown, proof)?;
    } else {
        trust::distrust(cx, shown)?;
    }
    cx.changes.conversation(row.id);
    cx.changes.contacts();
    Ok(())
}

fn verified(
    cx: &mut Context,
    account: &mut Account,
    conversation: ConversationId,
    peer: &BareJid,
    key: PeerKeyId,
    proof: Proof,
) -> Result<(), Fault> {
    trust::verify(cx, key, proof)?;
    let text = say::verified(&events::name(cx, account, peer)?);
    events::line(cx, account, conversation, LineNotice::Verified, text)
}

/// `VerifyAsk`.
pub(super) fn ask(
    cx: &mut Context,
    account: &mut Account,
    row: &ConversationRow,
    peer: &BareJid,
    question: Option<String>,
    secret: &Secret,
) -> Result<(), ApiError> {
    if let Some(question) = &question {
        if question.trim().is_empty() {
            return Err(say::verify_empty_question());
        }
        if question.chars().count() > MAX_QUESTION {
            return Err(crate::words::too_long(
                "characters",
                MAX_QUESTION,
                Field::Question,
            ));
        }
    }
    check_secret(secret)?;
    let (device, fingerprint) = device(cx, account, row, peer)?;
    let mut done = Err(SmpRefused::NotPrivate);
    session::run(cx, account, peer, Cause::NONE, &mut |talk, env| {
        done = talk.smp_start(
            env,
            &device.id,
            question.as_deref(),
            secret.expose().as_bytes(),
        );
    })?;
    done.map_err(|refused| refusal(cx, account, peer, refused))?;
    let begun = match question {
        Some(_) => Begun::Question { ours: true },
        None => Begun::Secret,
    };
    let check = Check::new(device.id, fingerprint, begun, VerificationState::Waiting);
    account.private.verify.checks.insert(row.id, check);
    cx.changes.conversation(row.id);
    Ok(())
}

impl Check {
    fn new(
        device: InstanceId,
        fingerprint: Fingerprint,
        begun: Begun,
        state: VerificationState,
    ) -> Self {
        Self {
            device,
            fingerprint,
            begun,
            state,
            question: String::new(),
            step: 0,
            by_us: false,
            answered: false,
        }
    }

    fn runs(&self) -> bool {
        matches!(
            self.state,
            VerificationState::Asked | VerificationState::Waiting
        )
    }
}

fn check_secret(secret: &Secret) -> Result<(), ApiError> {
    if secret.is_empty() {
        return Err(say::verify_empty());
    }
    if secret.expose().len() > MAX_SECRET {
        return Err(crate::words::too_long("letters", MAX_SECRET, Field::Answer));
    }
    Ok(())
}

fn refusal(cx: &Context, account: &Account, peer: &BareJid, refused: SmpRefused) -> ApiError {
    let name = match events::name(cx, account, peer) {
        Ok(name) => name,
        Err(fault) => return fault.into(),
    };
    match refused {
        SmpRefused::Busy => say::verify_under_way(),
        SmpRefused::NotAsked => say::verify_not_asked(&name),
        SmpRefused::Length => crate::words::too_long("letters", MAX_SECRET, Field::Answer),
        _ => say::verify_needs_private(&name),
    }
}

/// `VerifyAnswer`.
pub(super) fn answer(
    cx: &mut Context,
    account: &mut Account,
    row: &ConversationRow,
    peer: &BareJid,
    secret: &Secret,
) -> Result<(), ApiError> {
    check_secret(secret)?;
    let asked = account.private.verify.checks.get(&row.id);
    let Some(device) = asked
        .filter(|check| check.state == VerificationState::Asked)
        .map(|check| check.device.clone())
    else {
        return Err(say::verify_not_asked(&events::name(cx, account, peer)?));
    };
    // What comes of it is handled inside: it counts as answered before.
    if let Some(check) = account.private.verify.checks.get_mut(&row.id) {
        check.state = VerificationState::Waiting;
        check.answered = true;
        check.step = check.step.max(1);
    }
    let mut done = Err(SmpRefused::NotPrivate);
    session::run(cx, account, peer, Cause::NONE, &mut |talk, env| {
        done = talk.smp_answer(env, &device, secret.expose().as_bytes());
    })?;
    cx.changes.conversation(row.id);
    if let Err(refused) = done {
        account.private.verify.checks.remove(&row.id);
        return Err(refusal(cx, account, peer, refused));
    }
    Ok(())
}

/// `VerifyStop`.
pub(super) fn stop(
    cx: &mut Context,
    account: &mut Account,
    row: &ConversationRow,
    peer: &BareJid,
) -> Result<(), ApiError> {
    let Some(check) = account.private.verify.checks.get_mut(&row.id) else {
        return Ok(());
    };
    cx.changes.conversation(row.id);
    if !check.runs() {
        account.private.verify.checks.remove(&row.id);
        return Ok(());
    }
    check.state = VerificationState::Stopped;
    check.by_us = true;
    let device = check.device.clone();
    session::run(cx, account, peer, Cause::NONE, &mut |talk, env| {
        // Over there already: then there is nothing to stop.
        let _ = talk.smp_abort(env, &device);
    })?;
    Ok(())
}

/// The private conversation is over: what ran in it is stopped.
pub(crate) fn over(cx: &mut Context, account: &mut Account, conversation: ConversationId) {
    if let Some(check) = account.private.verify.checks.get_mut(&conversation)
        && check.runs()
    {
        check.state = VerificationState::Stopped;
        check.by_us = false;
        cx.changes.conversation(conversation);
    }
}

/// What OTR reports of a check.
pub(super) fn handle(
    cx: &mut Context,
    account: &mut Account,
    conversation: ConversationId,
    peer: &BareJid,
    device: &InstanceId,
    event: SmpEvent,
) -> Result<(), Fault> {
    let devices = session::instances(cx, account, peer)?;
    let fingerprint = devices
        .into_iter()
        .find(|known| known.id == *device)
        .and_then(|known| known.fingerprint);
    cx.changes.conversation(conversation);
    if let SmpEvent::Asked { question } = event {
        let Some(fingerprint) = fingerprint else {
            return Ok(());
        };
        let begun = match question {
            Some(_) => Begun::Question { ours: false },
            None => Begun::Secret,
        };
        let mut check = Check::new(device.clone(), fingerprint, begun, VerificationState::Asked);
        let question: String = question
            .unwrap_or_default()
            .chars()
            .take(MAX_QUESTION)
            .collect();
        check.question = text::clean(&question);
        account.private.verify.checks.insert(conversation, check);
        return Ok(());
    }
    let Some(check) = account.private.verify.checks.get_mut(&conversation) else {
        return Ok(());
    };
    if check.device != *device || !check.runs() {
        return Ok(());
    }
    match event {
        SmpEvent::Progress { step } => check.step = step.clamp(check.step, 2),
        SmpEvent::Succeeded => {
            // Another key than the one that it was begun for proves nothing for either.
            if fingerprint != Some(check.fingerprint) {
                check.state = VerificationState::Failed;
                return Ok(());
            }
            check.state = VerificationState::Succeeded;
            check.step = 2;
            let begun = check.begun;
            let code = check.fingerprint;
            if let Some(proof) = Proof::of_check(&event, begun)
                && let Some(key) = trust::key_of(cx, account, peer, &code)?
            {
                alert::dismiss(cx, account, conversation);
                verified(cx, account, conversation, peer, key, proof)?;
            }
            cx.changes.contacts();
        }
        SmpEvent::Failed | SmpEvent::Cheated => {
            check.state = VerificationState::Failed;
            let text = say::not_verified(&events::name(cx, account, peer)?);
            events::line(cx, account, conversation, LineNotice::NotVerified, text)?;
        }
        SmpEvent::Aborted => check.state = VerificationState::Stopped,
        SmpEvent::Asked { .. } => {}
    }
    Ok(())
}
