//! `sotto-cli watch`: stays signed in and prints messages as they come.

use std::collections::BTreeMap;
use std::io::Write;

use sotto_api::view::{AccountView, Direction, MessageView};
use sotto_api::{AccountId, ConversationId, ErrorKind, Event, MessageId, Reply, Request};

use crate::args::WatchArgs;
use crate::failure::{Done, Failure};
use crate::output::text;
use crate::session::{Session, unexpected};

pub(super) fn run<W: Write>(args: WatchArgs, session: &mut Session<'_, W>) -> Done {
    let mut told = BTreeMap::new();
    let mut happened = BTreeMap::new();
    let mut left = args.count;
    for account in session.accounts()? {
        tell_account(session, &account, &mut told);
    }
    while left != Some(0) {
        let Some(event) = session.wait_event() else {
            return Ok(());
        };
        match event {
            Event::MessagesAdded {
                conversation,
                first,
                last,
                ..
            } => {
                for view in added(session, conversation, first, last)? {
                    show(session, &view)?;
                    if view.direction == Direction::Incoming {
                        left = left.map(|n| n.saturating_sub(1));
                    }
                    if left == Some(0) {
                        return Ok(());
                    }
                }
            }
            Event::MessageChanged { message, .. } => {
                if let Some(view) = message_view(session, message)?
                    && (session.out.is_json()
                        || (view.edited && view.direction == Direction::Incoming))
                {
                    show(session, &view)?;
                }
            }
            Event::AccountChanged { account } => match session.account(account) {
                Ok(view) => tell_account(session, &view, &mut told),
                Err(Failure::Refused(error)) if error.kind == ErrorKind::NotFound => {}
                Err(failure) => return Err(failure),
            },
            Event::ConversationChanged { conversation } => {
                tell_private(session, conversation, &mut happened)?;
            }
            Event::SubscriptionsChanged => tell_requests(session)?,
            Event::QuestionsChanged => session.out.remark(
                "A certificate waits for an answer. Stop, and run `sotto-cli status` to see it.",
            ),
            Event::Ending => return Ok(()),
            _ => {}
        }
    }
    Ok(())
}

/// The new messages of one conversation: ids of other conversations lie between them.
fn added<W: Write>(
    session: &Session<'_, W>,
    conversation: ConversationId,
    first: MessageId,
    last: MessageId,
) -> Done<Vec<MessageView>> {
    let mut views = Vec::new();
    for id in first.0..=last.0 {
        if let Some(view) = message_view(session, MessageId(id))?
            && view.conversation == conversation
        {
            views.push(view);
        }
    }
    Ok(views)
}

fn message_view<W: Write>(
    session: &Session<'_, W>,
    message: MessageId,
) -> Done<Option<MessageView>> {
    match session.call(Request::MessageView { message }) {
        Ok(Reply::Message(view)) => Ok(Some(view)),
        Ok(_) => Err(unexpected()),
        Err(Failure::Refused(error)) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn show<W: Write>(session: &mut Session<'_, W>, view: &MessageView) -> Done {
    let zone = session.zone.clone();
    session.out.result(view, || text::message(view, &zone))
}

/// Says on standard error where an account stands, when that has changed.
fn tell_account<W: Write>(
    session: &Session<'_, W>,
    view: &AccountView,
    told: &mut BTreeMap<AccountId, String>,
) {
    let words = text::account(view);
    if told.get(&view.id) != Some(&words) {
        session.out.remark(&words);
        told.insert(view.id, words);
    }
}

/// Says on standard error what a private conversation waits for, when that has changed.
fn tell_private<W: Write>(
    session: &Session<'_, W>,
    conversation: ConversationId,
    told: &mut BTreeMap<ConversationId, Vec<String>>,
) -> Done {
    let view = match session.conversation_now(conversation) {
        Ok(view) => view,
        Err(Failure::Refused(error)) if error.kind == ErrorKind::NotFound => return Ok(()),
        Err(failure) => return Err(failure),
    };
    let lines = text::private::happening(&view);
    let before = told.insert(conversation, lines.clone()).unwrap_or_default();
    for line in lines.iter().filter(|line| !before.contains(line)) {
        session
            .out
            .remark(&format!("{}: {line}", view.contact.name));
    }
    Ok(())
}

fn tell_requests<W: Write>(session: &Session<'_, W>) -> Done {
    let Reply::SubscriptionRequests(requests) = session.call(Request::SubscriptionList {})? else {
        return Err(unexpected());
    };
    for request in requests {
        session.out.remark(&format!(
            "{} wants to see your presence. Answer with: sotto-cli contacts accept {}",
            request.address, request.address
        ));
    }
    Ok(())
}
