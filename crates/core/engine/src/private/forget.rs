//! Texts that may have to go again are named in OTR's state by id, time and length: what was erased or is too old
//! is named there no longer.

use std::time::Duration;

use sotto_api::{MessageId, Timestamp};
use sotto_otr::TextRef;
use sotto_store::row::Erasure;
use sotto_xmpp::BareJid;

use super::{again, session};
use crate::account::{Account, Accounts};
use crate::context::Context;
use crate::error::Fault;

/// Where texts are named, it is looked at least so often whether they are too old: the computer may have slept.
pub(super) const LONGEST: Duration = Duration::from_hours(1);

/// Messages are about to be erased, in the transaction in hand.
pub(crate) fn erased(
    cx: &mut Context,
    accounts: &mut Accounts,
    what: &Erasure,
) -> Result<(), Fault> {
    let of = match what {
        Erasure::Message(message) => cx.store.message(*message)?.map(|row| row.conversation),
        Erasure::Conversation(conversation) => Some(*conversation),
        Erasure::Between { conversation, .. } => *conversation,
        Erasure::Account(_) | Erasure::Removed(_) | Erasure::All => None,
    };
    let of = match of {
        Some(of) => cx.store.conversation(of)?,
        None => None,
    };
    for account in accounts.values_mut() {
        if let Erasure::Account(only) | Erasure::Removed(only) = what
            && *only != account.id
        {
            continue;
        }
        match &of {
            Some(row) if row.account != account.id => {}
            Some(row) => {
                if let Ok(peer) = BareJid::new(&row.jid) {
                    session::retain_texts(cx, account, &peer, |cx, name| stays(cx, what, name))?;
                }
            }
            None => {
                for peer in session::peers(cx, account)? {
                    session::retain_texts(cx, account, &peer, |cx, name| stays(cx, what, name))?;
                }
            }
        }
    }
    Ok(())
}

/// Whether a text of an account and a conversation that an erasure is about stays all the same.
fn stays(cx: &Context, what: &Erasure, name: TextRef) -> Result<bool, Fault> {
    Ok(match what {
        Erasure::Message(message) => id(name) != Some(*message),
        Erasure::Between { from, to, .. } => {
            at(cx, name)?.is_some_and(|at| at < *from || at >= *to)
        }
        Erasure::Conversation(_) | Erasure::Account(_) | Erasure::Removed(_) | Erasure::All => {
            false
        }
    })
}

/// Forgets texts of an account that can never go again: because of their age, or since there is no message any more.
/// When it is to be looked next; absent: none is left.
pub(super) fn outlived(cx: &mut Context, account: &mut Account) -> Result<Option<Duration>, Fault> {
    let now = cx.now.unix_ms.cast_unsigned();
    let span = u64::try_from(again::WITH_RECEIPTS.as_millis()).unwrap_or(u64::MAX);
    let mut next: Option<Duration> = None;
    for peer in session::peers(cx, account)? {
        let oldest = session::retain_texts(cx, account, &peer, |cx, name| {
            Ok(name.at.saturating_add(span) > now && at(cx, name)?.is_some())
        })?;
        if let Some(oldest) = oldest {
            let left = Duration::from_millis(oldest.saturating_add(span).saturating_sub(now));
            next = Some(next.map_or(left, |next| next.min(left)));
        }
    }
    Ok(next.map(|next| next.min(LONGEST)))
}

fn id(name: TextRef) -> Option<MessageId> {
    i64::try_from(name.id).ok().map(MessageId)
}

/// When the message of a text was written; absent where there is none.
fn at(cx: &Context, name: TextRef) -> Result<Option<Timestamp>, Fault> {
    match id(name) {
        Some(id) => Ok(cx.store.message(id)?.map(|row| row.at)),
        None => Ok(None),
    }
}
