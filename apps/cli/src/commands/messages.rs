//! `sotto-cli send`, `history` and `search`.

use std::io::{Read, Write};

use sotto_api::view::{Delivery, MessageView};
use sotto_api::{ApiError, ErrorKind, MessageId, Reply, Request};

use crate::args::{HistoryArgs, SearchArgs, SendArgs, WaitFor};
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
    let enough = match args.wait {
        WaitFor::None => {
            return session.out.result(&view, || {
                "Kept. It goes out when the account is signed in.".to_owned()
            });
        }
        WaitFor::Sent => Delivery::Sent,
        WaitFor::Delivered => Delivery::Delivered,
    };
    let deadline = session.deadline();
    if let Err(failure) = session.online(conversation.account, OnTrouble::Wait) {
        session
            .out
            .remark("The message is kept and goes out at the next sign-in.");
        return Err(failure);
    }
    loop {
        view = message(session, view.id)?;
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
            return Err(Failure::TimedOut(format!(
                "After {} seconds the message is: {}. It is kept, and goes on by itself at the next sign-in.",
                session.limit.as_secs(),
                view.delivery_text
            )));
        }
    }
}

pub(super) fn history<W: Write>(args: HistoryArgs, session: &mut Session<'_, W>) -> Done {
    let conversation = session.conversation(&args.address, args.account.as_deref())?;
    let reply = session.call(Request::MessagePage {
        conversation: conversation.id,
        before: args.before.map(MessageId),
        after: None,
        limit: args.limit,
    })?;
    let Reply::Messages(page) = reply else {
        return Err(unexpected());
    };
    let zone = session.zone.clone();
    session.out.result(&page, || {
        let mut words = String::new();
        if page.older
            && let Some(first) = page.messages.first()
        {
            words.push_str(&format!("Older ones: --before {}\n", first.id.0));
        }
        words.push_str(&text::messages(&page.messages, &zone));
        words
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
