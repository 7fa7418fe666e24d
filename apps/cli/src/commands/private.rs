//! `sotto-cli private …`

use std::io::Write;

use sotto_api::view::{AlertKind, ConversationView, PrivateState};
use sotto_api::{ApiError, ConversationId, ErrorKind, Request};

use crate::args::{PersonArgs, PrivateCommand};
use crate::failure::{Done, Failure};
use crate::output::text;
use crate::session::{OnTrouble, Session};

pub(super) fn run<W: Write>(command: PrivateCommand, session: &mut Session<'_, W>) -> Done {
    match command {
        PrivateCommand::Start(person) => start(person, session),
        PrivateCommand::End(person) => {
            let conversation = online(session, &person)?;
            session.call(Request::PrivateEnd {
                conversation: conversation.id,
            })?;
            show(session, conversation.id)
        }
        PrivateCommand::Status(person) => {
            let conversation = session.conversation(&person.address, person.account.as_deref())?;
            show(session, conversation.id)
        }
        PrivateCommand::Device { person, device } => {
            let conversation = session.conversation(&person.address, person.account.as_deref())?;
            session.call(Request::PrivateDevice {
                conversation: conversation.id,
                device,
            })?;
            show(session, conversation.id)
        }
    }
}

/// The conversation, with its account signed in.
pub(super) fn online<W: Write>(
    session: &mut Session<'_, W>,
    person: &PersonArgs,
) -> Done<ConversationView> {
    let conversation = session.conversation(&person.address, person.account.as_deref())?;
    session.online(conversation.account, OnTrouble::Wait)?;
    session.conversation_now(conversation.id)
}

/// The engine's words for what stops the sending here; `None` where nothing does.
pub(super) fn refusal(view: &ConversationView) -> Option<Failure> {
    let alert = view.private.alert.as_ref()?;
    let stops = !matches!(alert.kind, AlertKind::CameUnencrypted | AlertKind::Fault);
    stops.then(|| {
        not_private(&format!(
            "{}. {}",
            alert.title.trim_end_matches('.'),
            alert.text
        ))
    })
}

/// A failure of kind *not private*.
pub(super) fn not_private(words: &str) -> Failure {
    Failure::Refused(ApiError::new(ErrorKind::NotPrivate, words))
}

fn start<W: Write>(person: PersonArgs, session: &mut Session<'_, W>) -> Done {
    let before = online(session, &person)?;
    let conversation = before.id;
    session.call(Request::PrivateStart { conversation })?;
    let deadline = session.deadline();
    loop {
        let view = session.conversation_now(conversation)?;
        match view.private.state {
            PrivateState::Private => return show(session, conversation),
            PrivateState::Starting => {}
            PrivateState::None | PrivateState::Ended => {
                return Err(refusal(&view).unwrap_or_else(|| {
                    not_private(
                        "No private conversation came about: the other side did not answer.",
                    )
                }));
            }
        }
        if session.next_event(deadline).is_none() {
            return Err(Failure::TimedOut(format!(
                "No private conversation came about within {} seconds.",
                session.limit.as_secs()
            )));
        }
    }
}

fn show<W: Write>(session: &mut Session<'_, W>, conversation: ConversationId) -> Done {
    let view = session.conversation_now(conversation)?;
    session
        .out
        .result(&view, || text::private::conversation(&view))
}
