//! `sotto-cli send` and `search`.

use std::io::{Read, Write};

use sotto_api::view::{ConversationView, Delivery, MessageView, Policy};
use sotto_api::{ApiError, ErrorKind, MessageId, Reply, Request};

use super::private::{not_private, refusal};
use crate::args::{SearchArgs, SendArgs, WaitFor};
use crate::failure::{Done, Failure};
use crate::output::text;
use crate::session::{OnTrouble, Session, unexpected};

pub(super) fn send<W: Write>(args: SendArgs, session: &mut Session<'_, W>) -> Done {
    let body = match args.text {
        Some(text) => text,
        None => from_input()?,
    };
    let conversation = session.conversation(&args.address, args.account.as_deref())?;
    let reply = session.call(Request::MessageSend {
        conversation: conversation.id,
        body,
    })?;
    let Reply::Message(mut view) = reply else {
        return Err(unexpected());
    };
    // What is held back until the other side answers lives only as long as this program does.
    let held = conversation.private.policy == Policy::Required;
    // So does what is not kept.
    let kept = conversation.history.keep;
    let enough = match args.wait {
        WaitFor::None if !held && kept => {
            return session.out.result(&view, || {
                "Kept. It goes out when the account is signed in.".to_owned()
            });
        }
        WaitFor::None | WaitFor::Sent => Delivery::Sent,
        WaitFor::Delivered => Delivery::Delivered,
    };
    let deadline = session.deadline();
    if let Err(failure) = session.online(conversation.account, OnTrouble::Wait) {
        session.out.remark(if !kept {
            NOT_KEPT
        } else if held {
            "The message was not sent; its text is in the draft."
        } else {
            "The message is kept and goes out at the next sign-in."
        });
        return Err(failure);
    }
    loop {
        view = match message(session, view.id) {
            Err(Failure::Refused(error)) if error.kind == ErrorKind::NotFound => {
                return Err(taken_back(&session.conversation_now(conversation.id)?));
            }
            other => other?,
        };
        match view.delivery {
            Some(Delivery::Failed) => {
                return Err(Failure::Refused(ApiError::new(
                    ErrorKind::Refused,
                    format!("Not sent. {}", view.failure),
                )));
            }
            Some(reached) if reached >= enough => {
                return session
                    .out
                    .result(&view, || format!("{}.", view.delivery_text));
            }
            _ => {}
        }
        if session.next_event(deadline).is_none() {
            if !kept {
                return Err(Failure::TimedOut(format!(
                    "After {} seconds the message is: {}. {NOT_KEPT}",
                    session.limit.as_secs(),
                    view.delivery_text
                )));
            }
            if held && view.delivery == Some(Delivery::Waiting) {
                return Err(Failure::TimedOut(format!(
                    "No private conversation came about within {} seconds. The message was not sent; its text is \
                     in the draft.",
                    session.limit.as_secs()
                )));
            }
            return Err(Failure::TimedOut(format!(
                "After {} seconds the message is: {}. It is kept, and goes on by itself at the next sign-in.",
                session.limit.as_secs(),
                view.delivery_text
            )));
        }
    }
}

/// Of a message in a conversation that is not kept.
const NOT_KEPT: &str = "This conversation is not kept: what was not sent is lost when Sotto ends.";

/// Why a message that waited for a private conversation is gone again.
fn taken_back(view: &ConversationView) -> Failure {
    refusal(view).unwrap_or_else(|| {
        not_private("The message was not sent: no private conversation came about. Its text is in the draft.")
    })
}

pub(super) fn search<W: Write>(args: SearchArgs, session: &mut Session<'_, W>) -> Done {
    let conversation = match &args.with {
        Some(peer) => Some(session.conversation(peer, args.account.as_deref())?.id),
        None => None,
    };
    let reply = session.call(Request::Search {
        query: args.words.join(" "),
        conversation,
        before: None,
        limit: args.limit,
    })?;
    let Reply::Found(page) = reply else {
        return Err(unexpected());
    };
    let zone = session.zone.clone();
    session.out.result(&page, || text::found(&page.hits, &zone))
}

fn message<W: Write>(session: &Session<'_, W>, message: MessageId) -> Done<MessageView> {
    match session.call(Request::MessageView { message })? {
        Reply::Message(view) => Ok(view),
        _ => Err(unexpected()),
    }
}

fn from_input() -> Done<String> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|e| Failure::Io(format!("Standard input could not be read: {e}.")))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
