//! `sotto-cli verify …`

use std::io::Write;

use sotto_api::view::{ConversationView, VerificationState};
use sotto_api::{ApiError, ConversationId, ErrorKind, Field, Reply, Request};

use super::private::{not_private, online};
use crate::args::VerifyArgs;
use crate::failure::{Done, Failure};
use crate::output::text;
use crate::session::{Session, not_found};

pub(super) fn run<W: Write>(args: VerifyArgs, session: &mut Session<'_, W>) -> Done {
    let way = args.way;
    if let Some(code) = way.code {
        let view = session.conversation(&args.person.address, args.person.account.as_deref())?;
        return by_code(session, &view, &code);
    }
    let view = online(session, &args.person)?;
    let conversation = view.id;
    if way.stop {
        session.call(Request::VerifyStop { conversation })?;
        return session
            .out
            .result(&Reply::Done, || "The verification was stopped.".to_owned());
    }
    if way.answer {
        return answer(session, conversation);
    }
    let prompt = match &way.question {
        Some(question) => format!("The right answer to “{}”", text::plain(question)),
        None => "The secret that both of you know".to_owned(),
    };
    let secret = session.asker.secret(&prompt)?;
    session.call(Request::VerifyAsk {
        conversation,
        question: way.question,
        secret,
    })?;
    outcome(session, conversation)
}

/// The person has the code from elsewhere: what it is compared with is the key in use.
fn by_code<W: Write>(session: &mut Session<'_, W>, view: &ConversationView, code: &str) -> Done {
    let Some(key) = view.private.key else {
        return Err(not_found(
            "There is no key of theirs here yet. Begin a private conversation first.",
        ));
    };
    let given = digits(code)?;
    if given != digits(&view.private.code)? {
        // Not distrusted: a slip of the pen is likelier than an attack, and `keys distrust` is at hand.
        return Err(Failure::Refused(ApiError::new(
            ErrorKind::Refused,
            format!(
                "This is not the code of the key in use, which is\n{}\nNothing was marked. If theirs is really \
                 another one, somebody may be in between: sotto-cli keys distrust {}",
                view.private.code, key.0
            ),
        )));
    }
    session.call(Request::VerifyCode {
        conversation: view.id,
        key,
        matches: true,
    })?;
    session.out.result(&Reply::Done, || {
        format!("{} is verified.", text::plain(&view.contact.name))
    })
}

/// Waits for their question, asks the person, and waits for the outcome.
fn answer<W: Write>(session: &mut Session<'_, W>, conversation: ConversationId) -> Done {
    let deadline = session.deadline();
    let asked = loop {
        let verification = session.conversation_now(conversation)?.private.verification;
        if verification.state == VerificationState::Asked {
            break verification;
        }
        if session.next_event(deadline).is_none() {
            return Err(Failure::TimedOut(format!(
                "Nothing was asked within {} seconds.",
                session.limit.as_secs()
            )));
        }
    };
    let prompt = if asked.question.is_empty() {
        "The secret that both of you know".to_owned()
    } else {
        format!("They ask: {}\nYour answer", text::plain(&asked.question))
    };
    let secret = session.asker.secret(&prompt)?;
    session.call(Request::VerifyAnswer {
        conversation,
        secret,
    })?;
    outcome(session, conversation)
}

fn outcome<W: Write>(session: &mut Session<'_, W>, conversation: ConversationId) -> Done {
    let deadline = session.deadline();
    loop {
        let view = session.conversation_now(conversation)?;
        let verification = &view.private.verification;
        match verification.state {
            VerificationState::Succeeded => {
                return session
                    .out
                    .result(&view.private, || text::plain(&verification.text));
            }
            VerificationState::Failed | VerificationState::Stopped => {
                return Err(Failure::Refused(ApiError::new(
                    ErrorKind::Refused,
                    verification.text.clone(),
                )));
            }
            VerificationState::None => {
                return Err(not_private("The verification is not under way any more."));
            }
            VerificationState::Asked | VerificationState::Waiting => {}
        }
        if session.next_event(deadline).is_none() {
            return Err(Failure::TimedOut(format!(
                "The other side did not answer within {} seconds. The verification goes on; look with: sotto-cli \
                 private status ADDRESS",
                session.limit.as_secs()
            )));
        }
    }
}

/// The digits of a code, however it is grouped.
pub(super) fn digits(code: &str) -> Done<String> {
    let digits: String = code
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | ':' | '.'))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    if digits.len() == 40 && digits.chars().all(|c| c.is_ascii_hexdigit()) {
        Ok(digits)
    } else {
        Err(Failure::Refused(
            ApiError::new(
                ErrorKind::Invalid,
                "A code has forty digits from 0 to 9 and A to F.",
            )
            .at(Field::Code),
        ))
    }
}
