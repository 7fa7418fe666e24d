//! The section *conversations* of the requests.

use sotto_api::view::{MessagePage, SearchPage};
use sotto_api::{ApiError, ConversationId, MessageId, Reply, Request};
use sotto_store::row::{ConversationRow, MessageRow, Page, SearchQuery};
use sotto_xmpp::BareJid;

use super::view::{self, Authors};
use super::{archive, notices, outgoing, typing};
use crate::account::{Account, Accounts};
use crate::context::{Answer, Context};
use crate::error::Fault;
use crate::words;

/// Longest draft, in bytes.
const MOST_DRAFT: usize = 256 * 1024;
/// Longest query, in bytes.
const MOST_QUERY: usize = 1024;

/// Whether the request must be on the medium before it is answered; what ends private conversations, before
/// the bytes of their ends leave (S-OTR-12).
pub(crate) fn is_durable(request: &Request) -> bool {
    matches!(
        request,
        Request::MessageSend { .. }
            | Request::MessageCorrect { .. }
            | Request::MessageRetry { .. }
            | Request::AccountEnable { .. }
            | Request::AccountRemove { .. }
    )
}

/// `ConversationList` … `Search`.
pub(crate) fn handle(cx: &mut Context, accounts: &mut Accounts, request: Request) -> Answer {
    let reply = match request {
        Request::ConversationList { limit } => {
            let limit = in_range("The number of conversations", limit, 500)?;
            let mut views = Vec::new();
            for row in cx.store.conversations(limit).map_err(Fault::from)? {
                views.extend(view::conversation(cx, accounts, &row)?);
            }
            Reply::Conversations(views)
        }
        Request::ConversationOpen { account, address } => {
            let known = accounts.get(&account).ok_or_else(words::not_found)?;
            let peer = crate::accounts::parse_address(&address, "leila@example.org")?;
            if peer.node().is_none() && peer.domain() != known.address.domain() {
                // A bare domain is a service, not a person; only the own server's may be written to.
                return Err(words::bare_name("leila@example.org"));
            }
            let id = cx
                .store
                .conversation_open(account, peer.as_str())
                .map_err(Fault::from)?;
            shown(cx, accounts, id)?
        }
        Request::ConversationView { conversation } => shown(cx, accounts, conversation)?,
        Request::MessagePage {
            conversation,
            before,
            after,
            limit,
        } => page(cx, accounts, conversation, before, after, limit)?,
        Request::MessageView { message } => Reply::Message(view::message(cx, accounts, message)?),
        Request::MessageSend { conversation, body } => {
            let (row, account, peer) = open(cx, accounts, conversation)?;
            let id = outgoing::send(cx, account, &row, &peer, &body)?;
            Reply::Message(view::message(cx, accounts, id)?)
        }
        Request::MessageCorrect { message, body } => {
            let (row, account, peer) = of_message(cx, accounts, message)?;
            outgoing::correct(cx, account, &peer, &row, &body)?;
            Reply::Message(view::message(cx, accounts, message)?)
        }
        Request::MessageRetry { message } => {
            let (row, account, peer) = of_message(cx, accounts, message)?;
            outgoing::retry(cx, account, &peer, &row)?;
            Reply::Done
        }
        Request::MessageWithdraw { message } => {
            let shown = view::message(cx, accounts, message)?;
            let (row, _, _) = of_message(cx, accounts, message)?;
            outgoing::withdraw(cx, &row)?;
            Reply::Message(sotto_api::view::MessageView {
                body: row.body,
                ..shown
            })
        }
        Request::DraftSet { conversation, body } => {
            if body.len() > MOST_DRAFT {
                return Err(words::too_long("bytes", MOST_DRAFT, sotto_api::Field::Body));
            }
            let (row, _, _) = open(cx, accounts, conversation)?;
            if row.draft != body {
                cx.store
                    .draft_set(conversation, &body)
                    .map_err(Fault::from)?;
                cx.changes.conversation(conversation);
                cx.changes.contacts();
            }
            Reply::Done
        }
        Request::ConversationRead { conversation } => {
            let (_, account, peer) = open(cx, accounts, conversation)?;
            if cx
                .store
                .conversation_read(conversation, None)
                .map_err(Fault::from)?
            {
                cx.changes.conversation(conversation);
                cx.changes.contacts();
            }
            notices::send_marker(cx, account, conversation, &peer)?;
            Reply::Done
        }
        Request::Typing {
            conversation,
            active,
        } => {
            let (_, account, peer) = open(cx, accounts, conversation)?;
            typing::handle_request(cx, account, conversation, &peer, active)?
        }
        Request::Search {
            query,
            conversation,
            before,
            limit,
        } => search(cx, accounts, &query, conversation, before, limit)?,
        _ => return Err(words::internal()),
    };
    Ok(Some(reply))
}

fn shown(
    cx: &Context,
    accounts: &mut Accounts,
    conversation: ConversationId,
) -> Result<Reply, ApiError> {
    let (row, _, _) = open(cx, accounts, conversation)?;
    view::conversation(cx, accounts, &row)?
        .map(Reply::Conversation)
        .ok_or_else(words::not_found)
}

/// A conversation, its account, and the other side.
fn open<'a>(
    cx: &Context,
    accounts: &'a mut Accounts,
    conversation: ConversationId,
) -> Result<(ConversationRow, &'a mut Account, BareJid), ApiError> {
    let row = cx
        .store
        .conversation(conversation)
        .map_err(Fault::from)?
        .ok_or_else(words::not_found)?;
    let account = accounts
        .get_mut(&row.account)
        .ok_or_else(words::not_found)?;
    let peer = BareJid::new(&row.jid).map_err(|_| words::not_found())?;
    account.messages.open.insert(conversation);
    Ok((row, account, peer))
}

fn of_message<'a>(
    cx: &Context,
    accounts: &'a mut Accounts,
    message: MessageId,
) -> Result<(MessageRow, &'a mut Account, BareJid), ApiError> {
    let row = cx
        .store
        .message(message)
        .map_err(Fault::from)?
        .ok_or_else(words::not_found)?;
    let (_, account, peer) = open(cx, accounts, row.conversation)?;
    Ok((row, account, peer))
}

fn page(
    cx: &mut Context,
    accounts: &mut Accounts,
    conversation: ConversationId,
    before: Option<MessageId>,
    after: Option<MessageId>,
    limit: u32,
) -> Result<Reply, ApiError> {
    let limit = in_range("The number of messages", limit, 500)?;
    let which = match (before, after) {
        (None, None) => Page::Newest,
        (Some(before), None) => Page::Before(before),
        (None, Some(after)) => Page::After(after),
        (Some(_), Some(_)) => return Err(words::before_and_after()),
    };
    let (row, account, peer) = open(cx, accounts, conversation)?;
    let rows = cx
        .store
        .message_page(conversation, which, limit)
        .map_err(Fault::from)?;
    let mut older = rows.older;
    if after.is_none() && !rows.older && archive::may_have_older(cx, account, &peer)? {
        older = true;
        let oldest = rows
            .messages
            .iter()
            .find_map(|message| message.archive_id.clone());
        archive::ask_older(cx, account, conversation, &peer, oldest)?;
    }
    let authors = Authors::of(cx, accounts, &row)?;
    let messages = rows
        .messages
        .iter()
        .map(|row| authors.message(cx, row))
        .collect::<Result<_, _>>()?;
    Ok(Reply::Messages(MessagePage {
        messages,
        older,
        newer: rows.newer,
    }))
}

fn search(
    cx: &Context,
    accounts: &Accounts,
    query: &str,
    conversation: Option<ConversationId>,
    before: Option<MessageId>,
    limit: u32,
) -> Result<Reply, ApiError> {
    let limit = in_range("The number of finds", limit, 200)?;
    if query.len() > MOST_QUERY {
        return Err(words::too_long(
            "bytes",
            MOST_QUERY,
            sotto_api::Field::Query,
        ));
    }
    let found = cx
        .store
        .search(&SearchQuery {
            text: query,
            conversation,
            before,
            limit,
        })
        .map_err(Fault::from)?;
    let rows = found
        .hits
        .into_iter()
        .map(|hit| (hit.message, hit.highlights));
    let hits = view::hits(cx, accounts, rows)?;
    Ok(Reply::Found(SearchPage {
        hits,
        more: found.more,
    }))
}

fn in_range(what: &str, limit: u32, most: u32) -> Result<u32, ApiError> {
    if limit == 0 || limit > most {
        return Err(words::out_of_range(what, 1, i64::from(most)));
    }
    Ok(limit)
}
