//! Private conversations: policies, notices, lines, verification, keys.

use sotto_api::view::{AlertAct, AlertChoice, AlertKind, AlertView, Policy, PolicyScope, Trust};
use sotto_api::{ApiError, ErrorKind, Field};

use crate::text::isolate;

// ---- policies --------------------------------------------------------------------------------

/// A policy, as a setting is named: *when possible*.
pub fn policy(policy: Policy) -> &'static str {
    match policy {
        Policy::Off => "off",
        Policy::Preferred => "when possible",
        Policy::Required => "required",
    }
}

/// The end of the line under the field: *Omar: required, as for everyone*.
pub fn policy_text(policy: Policy, scope: PolicyScope, name: &str, account: &str) -> String {
    let setting = match policy {
        Policy::Off => "no private conversations",
        Policy::Preferred => "private when possible",
        Policy::Required => "required",
    };
    let name = isolate(name);
    match scope {
        PolicyScope::Global {} => format!("{name}: {setting}, as for everyone"),
        PolicyScope::Account { .. } => {
            format!("{name}: {setting}, as for everyone on {}", isolate(account))
        }
        PolicyScope::Conversation { .. } => format!("{name}: {setting}, a setting of its own"),
    }
}

/// What no policy covers.
pub fn policy_uncovered() -> &'static str {
    "Rooms and text messages to telephones are not covered."
}

/// *Everyone* needs a setting.
pub fn policy_missing() -> ApiError {
    ApiError::new(
        ErrorKind::Invalid,
        "For everyone, one of the settings has to be chosen.",
    )
}

// ---- notices with choices --------------------------------------------------------------------

/// What a notice must know.
#[derive(Clone, Copy, Debug)]
pub struct AlertContext<'a> {
    /// The other person, as the list calls them.
    pub name: &'a str,
    /// Privacy is required: then nothing offers to go on without.
    pub required: bool,
    /// The program's fault, in its own words, cleaned; for [`AlertKind::Fault`].
    pub details: &'a str,
}

/// A notice with its choices, the safest first (look.md §9).
pub fn alert(kind: AlertKind, context: AlertContext<'_>) -> AlertView {
    let name = isolate(context.name);
    let (title, text) = match kind {
        AlertKind::NotPossible if !context.required => (
            "No private conversation came about".into(),
            format!(
                "{name}’s program did not answer the request for it. It may be switched off, or not know how. \
                 What you wrote meanwhile is in the field below."
            ),
        ),
        AlertKind::NotPossible => (
            "Your message was not sent".into(),
            format!(
                "You require end-to-end encryption, and {name}’s program did not answer the request for it. \
                 Anyone along the way could have read the message, so it stayed here. Your text is in the \
                 field below."
            ),
        ),
        AlertKind::Ended => (
            format!("{name} ended the private conversation"),
            "Nothing more is sent until you choose.".into(),
        ),
        AlertKind::KeyChanged => (
            format!("{name}’s key is not the one you verified"),
            "A new computer, or somebody in between. Sending is stopped until you choose.".into(),
        ),
        AlertKind::Distrusted => (
            format!("You said that this is not {name}’s key"),
            format!(
                "Nothing is sent to it. Reach {name} in another way, and compare the codes again."
            ),
        ),
        AlertKind::CameUnencrypted => (
            "A message came unencrypted".into(),
            format!(
                "It came outside the private conversation. Anyone along the way could have read it or written \
                 it. Do not take it for {name}’s words before you have asked."
            ),
        ),
        AlertKind::Fault if context.details.is_empty() => (
            "A message could not be read".into(),
            format!(
                "The keys of this private conversation do not fit together any more. Begin it again; then ask \
                 {name} for the last message."
            ),
        ),
        // `AlertKind` may grow.
        AlertKind::Fault | _ => (
            format!("{name}’s program reports a fault"),
            format!(
                "It says: {}. Your last message may not have been read.",
                isolate(context.details.trim_end_matches('.'))
            ),
        ),
    };
    AlertView {
        kind,
        title,
        text,
        choices: choices(kind, context),
    }
}

fn choices(kind: AlertKind, context: AlertContext<'_>) -> Vec<AlertChoice> {
    let acts: &[AlertAct] = match kind {
        AlertKind::NotPossible => &[AlertAct::Start, AlertAct::Options],
        AlertKind::Ended if context.required => &[AlertAct::Start],
        AlertKind::Ended => &[AlertAct::Start, AlertAct::ContinueUnencrypted],
        AlertKind::KeyChanged => &[AlertAct::Verify, AlertAct::ContinueUnverified],
        AlertKind::Distrusted => &[AlertAct::Verify],
        AlertKind::CameUnencrypted => &[AlertAct::Dismiss],
        _ => &[AlertAct::Start, AlertAct::Dismiss],
    };
    acts.iter()
        .map(|act| choice(*act, kind, context.name))
        .collect()
}

fn choice(act: AlertAct, kind: AlertKind, name: &str) -> AlertChoice {
    let name = isolate(name);
    let (label, question) = match act {
        AlertAct::Start if kind == AlertKind::NotPossible => ("Ask again".into(), String::new()),
        AlertAct::Start => ("Begin again".into(), String::new()),
        AlertAct::Verify => (format!("Verify {name}"), String::new()),
        AlertAct::ContinueUnencrypted => (
            "Go on unencrypted…".into(),
            format!(
                "Go on unencrypted with {name}?\nAnyone along the way can read what you write from now on."
            ),
        ),
        AlertAct::ContinueUnverified => (
            "Go on with the new key…".into(),
            format!(
                "Go on without knowing whose key it is?\nIf somebody stands in between, what you write is read \
                 there. Reach {name} in another way and compare the codes."
            ),
        ),
        AlertAct::Options => (format!("What is required for {name}…"), String::new()),
        _ => ("Close".into(), String::new()),
    };
    AlertChoice {
        act,
        label,
        risky: !question.is_empty(),
        question,
    }
}

// ---- lines of the conversation ---------------------------------------------------------------

/// A private conversation began.
pub fn private_started(name: &str, verified: bool, refreshed: bool) -> String {
    let name = isolate(name);
    let began = if refreshed {
        "Private conversation renewed."
    } else {
        "Private conversation started."
    };
    if verified {
        format!("{began} {name} is verified.")
    } else {
        format!("{began} You have not verified {name} yet.")
    }
}

/// A private conversation is not kept.
pub fn not_kept() -> &'static str {
    "This private conversation is not kept: when Sotto ends, it is gone from this computer."
}

/// The person ended it.
pub fn private_ended_here() -> &'static str {
    "You ended the private conversation."
}

/// The other side ended it.
pub fn private_ended_there(name: &str) -> String {
    format!("{} ended the private conversation.", isolate(name))
}

/// Nobody answered.
pub fn no_answer(name: &str) -> String {
    format!(
        "Sotto asked {}’s program for a private conversation. It did not answer within 20 seconds.",
        isolate(name)
    )
}

/// The request for a private conversation came back.
pub fn not_reached(name: &str) -> String {
    format!(
        "Sotto asked {}’s program for a private conversation. The request came back: it cannot be reached now.",
        isolate(name)
    )
}

/// Texts of an earlier session were sent again.
pub fn sent_again(name: &str, count: usize) -> String {
    let what = if count == 1 {
        "your last private message".to_owned()
    } else {
        format!("your last {count} private messages")
    };
    format!(
        "Sotto sent {what} again: {}’s program may not have been able to read it before.",
        isolate(name)
    )
}

/// A text that was not read and cannot go again by itself.
pub fn not_sent_again(name: &str) -> String {
    format!(
        "{}’s program had lost the private conversation and may not have read this. Nothing goes to the present key \
         until you have chosen.",
        isolate(name)
    )
}

/// Why a text of an earlier session was not sent again.
pub fn written_for_another_key(name: &str) -> String {
    format!(
        "{} has another key than the one this was written for, and may not have read it.",
        isolate(name)
    )
}

/// Another key than before; `before` and `now` are codes. A key that was verified is named so.
pub fn key_changed(name: &str, before: &str, now: &str, was_verified: bool) -> String {
    let name = isolate(name);
    let what = if was_verified {
        format!("{name}’s key is not the one you verified.")
    } else {
        format!("{name} has another key than before.")
    };
    format!("{what} Before: {before}. Now: {now}.")
}

/// A verification succeeded.
pub fn verified(name: &str) -> String {
    format!("You verified {}.", isolate(name))
}

/// A verification did not succeed.
pub fn not_verified(name: &str) -> String {
    format!(
        "{} was not verified: the answers differ. Ask again, or compare the codes.",
        isolate(name)
    )
}

/// The other side offers version 2 of OTR only, which is not spoken unless the person allows it (S-OTR-02).
pub fn old_version(name: &str) -> String {
    let name = isolate(name);
    format!(
        "{name}’s program knows only an old version of OTR (2), whose messages can be altered on the way. Sotto did not \
         begin a private conversation. Ask {name} for a newer program, or allow version 2 in the settings."
    )
}

/// Something could not be read.
pub fn private_unreadable(name: &str) -> String {
    let name = isolate(name);
    format!(
        "A private message from {name} could not be read. Sotto asked {name}’s program for it; if it does not \
         come, ask {name}."
    )
}

/// A copy for another device of the person's came here (S-OTR-15).
pub fn for_another_device() -> &'static str {
    "Private messages came for another of your devices. They can be read only there."
}

/// Below a message: how it came.
pub fn came_unencrypted() -> &'static str {
    "Came unencrypted"
}

/// A correction that was on its way when the conversation became private, or had to.
pub fn correction_held() -> &'static str {
    "Your correction was not sent: it would have gone unencrypted. The message stands there as it was before."
}

/// What an unnamed device is called.
pub fn unnamed_device() -> &'static str {
    "a device without a name"
}

// ---- verification ----------------------------------------------------------------------------

/// The other side asks; with a question of its own, or for the shared secret.
pub fn verification_asked(name: &str, question: &str) -> String {
    let name = isolate(name);
    if question.is_empty() {
        format!("{name} asks for the secret that you share.")
    } else {
        format!("{name} asks: {}", isolate(question))
    }
}

/// The other side has to answer.
pub fn verification_waiting(name: &str) -> String {
    format!(
        "Waiting for {} to answer. This can take a while.",
        isolate(name)
    )
}

/// Our answer is being compared.
pub fn verification_comparing() -> &'static str {
    "Both answers are being compared."
}

/// Both said the same to a question of ours.
pub fn verification_succeeded(name: &str) -> String {
    format!("The answers are the same: {} is verified.", isolate(name))
}

/// Both said the same to a question of theirs: they know us, and we know that they knew the answer.
pub fn verification_answered(name: &str) -> String {
    let name = isolate(name);
    format!("Your answer is right: {name} knows that it is you. Ask {name} something as well.")
}

/// They did not say the same.
pub fn verification_failed(name: &str) -> String {
    format!(
        "The answers differ. Nothing was marked. It may be a slip; if they differ again, reach {} in another way.",
        isolate(name)
    )
}

/// It was stopped by one side.
pub fn verification_stopped(name: &str, by_us: bool) -> String {
    if by_us {
        "You stopped it. Nothing was marked.".into()
    } else {
        format!("{} stopped it. Nothing was marked.", isolate(name))
    }
}

/// There is no private conversation in which to verify.
pub fn verify_needs_private(name: &str) -> ApiError {
    ApiError::new(
        ErrorKind::NotPrivate,
        format!(
            "This needs a private conversation. Begin one with {} first.",
            isolate(name)
        ),
    )
}

/// Nobody asked.
pub fn verify_not_asked(name: &str) -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        format!("{} does not wait for an answer now.", isolate(name)),
    )
    .at(Field::Answer)
}

/// Another verification is under way.
pub fn verify_under_way() -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        "A verification is under way. Stop it first, or wait for its end.",
    )
}

/// The secret or answer is empty.
pub fn verify_empty() -> ApiError {
    ApiError::new(ErrorKind::Invalid, "There is no answer written yet.").at(Field::Answer)
}

/// The question is empty.
pub fn verify_empty_question() -> ApiError {
    ApiError::new(ErrorKind::Invalid, "There is no question written yet.").at(Field::Question)
}

/// Another key stands there than the one that was shown.
pub fn verify_other_key() -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        "The key changed while you compared. Nothing was marked; compare the code that is shown now.",
    )
    .at(Field::Code)
}

// ---- keys ------------------------------------------------------------------------------------

/// Trust in a key, as the list of keys says it.
pub fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::New => "Not checked",
        Trust::Verified => "Verified",
        Trust::Changed => "Changed, not checked",
        Trust::Distrusted => "Not theirs",
    }
}

/// Only three kinds of trust can be set by hand.
pub fn no_such_trust() -> ApiError {
    ApiError::new(
        ErrorKind::Invalid,
        "A key can be marked as verified, as not checked, or as not theirs.",
    )
}

/// A key in use cannot be forgotten.
pub fn key_in_use(name: &str) -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        format!(
            "A private conversation with {} uses this key. End it first.",
            isolate(name)
        ),
    )
}

/// The own key is being made now.
pub fn key_being_made() -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        "Your key is being made now. Try again in a moment.",
    )
}

/// Nothing that a program of libotr's wrote was recognised.
pub fn import_unreadable(file: &str) -> ApiError {
    ApiError::new(
        ErrorKind::Invalid,
        format!("{file} does not read as a file of libotr’s. Nothing was taken from it."),
    )
}

/// No file was given.
pub fn import_nothing() -> ApiError {
    ApiError::new(ErrorKind::Invalid, "No file was given to read.")
}

// ---- refusals --------------------------------------------------------------------------------

/// The other side ended the private conversation, and the person has not chosen yet.
pub fn ended_choose_first(name: &str) -> ApiError {
    ApiError::new(
        ErrorKind::NotPrivate,
        format!(
            "{} ended the private conversation. Nothing more is sent until you choose.",
            isolate(name)
        ),
    )
    .at(Field::Body)
}

/// The key is not the one that was verified.
pub fn changed_choose_first(name: &str) -> ApiError {
    ApiError::new(
        ErrorKind::NotPrivate,
        format!(
            "{}’s key is not the one you verified. Nothing more is sent until you choose.",
            isolate(name)
        ),
    )
    .at(Field::Body)
}

/// The key was distrusted.
pub fn distrusted_refused(name: &str) -> ApiError {
    ApiError::new(
        ErrorKind::NotPrivate,
        format!(
            "You said that this is not {}’s key. Nothing is sent to it.",
            isolate(name)
        ),
    )
    .at(Field::Body)
}

/// Privacy is required and what is asked would lower it.
pub fn required_refused(name: &str) -> ApiError {
    ApiError::new(
        ErrorKind::NotPrivate,
        format!(
            "You require end-to-end encryption for {}. Change that first.",
            isolate(name)
        ),
    )
    .at(Field::Body)
}

/// Private messages cannot be corrected.
pub fn private_not_correctable() -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        "A private message cannot be corrected afterwards. Write another one.",
    )
}

/// There is no such private conversation.
pub fn not_private(name: &str) -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        format!("There is no private conversation with {}.", isolate(name)),
    )
}

/// A device that is not there any more.
pub fn no_such_device() -> ApiError {
    ApiError::new(ErrorKind::NotFound, "This device is not there any more.")
}

#[cfg(test)]
mod tests;
