//! History under the person's control: kept or not, for how long, erased for good, read out.

mod care;
mod clock;
mod days;
mod export;

use sotto_api::view::{EraseScope, ErasedView, Expiry, HistoryView, Settings};
use sotto_api::{ApiError, ConversationId, Reply, Request, Timestamp};
use sotto_store::row::{ConversationRow, ErasedCount, Erasure};
use sotto_xmpp::BareJid;

use crate::account::Accounts;
use crate::context::{Answer, Context, ReplyTo};
use crate::error::Fault;
use crate::{people, words};

pub(crate) use care::Care;

/// The section *history* of the requests.
pub(crate) fn handle_request(
    cx: &mut Context,
    care: &mut Care,
    accounts: &mut Accounts,
    to: ReplyTo,
    request: Request,
) -> Answer {
    let reply = match request {
        Request::HistorySet {
            conversation,
            keep,
            expiry,
        } => {
            known(cx, conversation)?;
            let store = cx.store;
            store
                .conversation_set_keep_history(conversation, keep, cx.timestamp())
                .map_err(Fault::from)?;
            store
                .conversation_set_expiry(conversation, expiry.map(in_days))
                .map_err(Fault::from)?;
            cx.changes.conversation(conversation);
            cx.changes.contacts();
            care.wake(cx.now.instant);
            Reply::Done
        }
        Request::HistoryDays {
            conversation,
            zone,
            before,
            limit,
        } => {
            if let Some(conversation) = conversation {
                known(cx, conversation)?;
            }
            let zone = days::zone(&zone)?;
            Reply::Days(days::page(
                cx,
                conversation,
                &zone,
                before.as_deref(),
                limit,
            )?)
        }
        Request::HistoryDay {
            day,
            zone,
            after,
            limit,
        } => {
            let zone = days::zone(&zone)?;
            Reply::Found(days::said(cx, accounts, &day, &zone, after, limit)?)
        }
        Request::HistoryCount { what } => {
            let name = name(cx, accounts, &what)?;
            let count = cx
                .store
                .erasure_count(&erasure(accounts, &what)?)
                .map_err(Fault::from)?;
            let text = words::history_to_erase(count, name.as_deref(), &what);
            Reply::Erased(erased(count, text))
        }
        Request::QuitCount {} => {
            let count = ErasedCount {
                messages: cx.store.lost_at_end().map_err(Fault::from)?,
                ..ErasedCount::default()
            };
            Reply::Erased(erased(count, words::lost_at_end(count)))
        }
        Request::HistoryErase { what } => {
            let name = name(cx, accounts, &what)?;
            let erasure = erasure(accounts, &what)?;
            crate::private::forget::erased(cx, accounts, &erasure)?;
            let count = cx.store.erase_begin(&erasure).map_err(Fault::from)?;
            let text = words::history_erased(count, name.as_deref(), &what);
            let reply = Reply::Erased(erased(count, text));
            care.answer_when_erased(cx.now.instant, to, reply);
            return Ok(None);
        }
        Request::HistoryExport {
            conversation,
            zone,
            after,
        } => {
            let row = known(cx, conversation)?;
            let zone = days::zone(&zone)?;
            Reply::Export(export::part(cx, accounts, &row, &zone, after)?)
        }
        _ => return Err(words::internal()),
    };
    Ok(Some(reply))
}

fn erased(count: ErasedCount, text: String) -> ErasedView {
    ErasedView {
        messages: count.messages,
        calls: count.calls,
        text,
    }
}

fn known(cx: &Context, conversation: ConversationId) -> Result<ConversationRow, ApiError> {
    cx.store
        .conversation(conversation)
        .map_err(Fault::from)?
        .ok_or_else(words::not_found)
}

fn erasure(accounts: &Accounts, what: &EraseScope) -> Result<Erasure, ApiError> {
    Ok(match what {
        EraseScope::Message { message } => Erasure::Message(*message),
        EraseScope::Conversation { conversation } => Erasure::Conversation(*conversation),
        EraseScope::Day {
            conversation,
            day,
            zone,
        } => {
            let (from, to) = days::span(days::parse(day)?, &days::zone(zone)?)?;
            Erasure::Between {
                conversation: *conversation,
                from,
                to,
            }
        }
        EraseScope::Account { account } if accounts.contains_key(account) => {
            Erasure::Account(*account)
        }
        EraseScope::Account { .. } => return Err(words::not_found()),
        EraseScope::All => Erasure::All,
    })
}

/// Whom an erasure is about, if it is about one person.
fn name(cx: &Context, accounts: &Accounts, what: &EraseScope) -> Result<Option<String>, ApiError> {
    let conversation = match what {
        EraseScope::Message { message } => {
            let row = cx.store.message(*message).map_err(Fault::from)?;
            Some(row.ok_or_else(words::not_found)?.conversation)
        }
        EraseScope::Conversation { conversation } => Some(*conversation),
        EraseScope::Day { conversation, .. } => *conversation,
        EraseScope::Account { .. } | EraseScope::All => None,
    };
    let Some(conversation) = conversation else {
        return Ok(None);
    };
    let row = known(cx, conversation)?;
    Ok(Some(name_of(cx, accounts, &row)?))
}

/// The other side of a conversation, as the list calls them; its address where the account was removed.
fn name_of(cx: &Context, accounts: &Accounts, row: &ConversationRow) -> Result<String, ApiError> {
    match BareJid::new(&row.jid) {
        Ok(peer) if accounts.contains_key(&row.account) => {
            Ok(people::contact_of(cx, row.account, &peer)?.name)
        }
        _ => Ok(row.jid.clone()),
    }
}

// ---- what holds for a conversation ----------------------------------------------------------------

/// Whether a conversation is kept, and for how long.
pub(crate) fn view(settings: &Settings, row: &ConversationRow) -> HistoryView {
    let own_expiry = row.expire_days.map(of_days);
    let keep = row.keep_history.unwrap_or(settings.keep_history);
    let expiry = own_expiry.unwrap_or(settings.expiry);
    HistoryView {
        keep,
        own_keep: row.keep_history,
        expiry,
        own_expiry,
        text: words::history(keep, expiry).to_owned(),
    }
}

/// Whether something from the archive is too old to be shown in a conversation.
pub(crate) fn is_expired(
    cx: &Context,
    conversation: ConversationId,
    at: Timestamp,
) -> Result<bool, Fault> {
    let days = in_days(cx.settings.expiry);
    let before = cx
        .store
        .expired_before(conversation, days, cx.timestamp())?;
    Ok(before.is_some_and(|before| at < before))
}

/// 0: never.
pub(crate) fn in_days(expiry: Expiry) -> u32 {
    match expiry {
        Expiry::Never => 0,
        Expiry::Year => 365,
        Expiry::Month => 30,
        Expiry::Week => 7,
        Expiry::Day => 1,
    }
}

fn of_days(days: u32) -> Expiry {
    match days {
        0 => Expiry::Never,
        1 => Expiry::Day,
        2..=7 => Expiry::Week,
        8..=30 => Expiry::Month,
        _ => Expiry::Year,
    }
}
