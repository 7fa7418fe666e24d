//! Requests to see my presence (RFC 6121 §3.1).

use sotto_api::view::{Subscription, SubscriptionView};
use sotto_api::{Reply, SubscriptionAnswer, Timestamp};
use sotto_store::row::SubscriptionRow;
use sotto_xmpp::presence::{self, Presence, SubscriptionStanza};
use sotto_xmpp::{BareJid, Jid};

use super::{blocking, online, typed_address};
use crate::account::Account;
use crate::context::{Answer, Context, ReplyTo};
use crate::error::Fault;
use crate::{text, words};

/// Requests that are kept of one account. The server keeps the rest and tells them at the next sign-in
/// (S-XMPP-18).
const MOST: u32 = 500;

pub(super) fn handle_subscribe(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    presence: &Presence,
) -> Result<(), Fault> {
    if *peer == account.address || blocking::is_blocked(cx, account.id, peer)? {
        return Ok(());
    }
    let item = cx.store.roster_item(account.id, peer.as_str())?;
    if item.is_some_and(|i| matches!(i.subscription, Subscription::From | Subscription::Both)) {
        // They may see it already and only ask again (RFC 6121 §3.1.3).
        let id = cx.random_id();
        let answer = presence::subscription(SubscriptionStanza::Subscribed, peer, &id);
        account.send(cx, answer);
        return Ok(());
    }
    let waiting = cx.store.subscription_request_count(account.id)?;
    if waiting >= MOST {
        return Ok(());
    }
    let new = cx.store.subscription_request_set(&SubscriptionRow {
        account: account.id,
        jid: peer.to_string(),
        nickname: presence
            .nick
            .as_deref()
            .map(text::clean_line)
            .unwrap_or_default(),
        text: text::clean_line(&presence.status),
        at: Timestamp(cx.now.unix_ms),
    })?;
    if new {
        cx.changes.subscriptions();
    }
    Ok(())
}

pub(super) fn withdrawn(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
) -> Result<(), Fault> {
    if cx
        .store
        .subscription_request_remove(account.id, peer.as_str())?
    {
        cx.changes.subscriptions();
    }
    Ok(())
}

pub(super) fn list(cx: &mut Context) -> Answer {
    let rows = cx.store.subscription_requests(MOST).map_err(Fault::from)?;
    let views = rows
        .into_iter()
        .map(|row| SubscriptionView {
            account: row.account,
            address: row.jid,
            nickname: row.nickname,
            text: row.text,
            at: row.at,
        })
        .collect();
    Ok(Some(Reply::SubscriptionRequests(views)))
}

pub(super) fn answer(
    cx: &mut Context,
    account: &mut Account,
    to: ReplyTo,
    address: &str,
    answer: SubscriptionAnswer,
) -> Answer {
    let peer = typed_address(address)?;
    let account = online(account)?;
    if !cx
        .store
        .subscription_request_remove(account.id, peer.as_str())
        .map_err(Fault::from)?
    {
        return Err(words::not_found());
    }
    cx.changes.subscriptions();
    let stanza = match answer {
        SubscriptionAnswer::Accept => SubscriptionStanza::Subscribed,
        SubscriptionAnswer::Refuse | SubscriptionAnswer::Block => SubscriptionStanza::Unsubscribed,
    };
    let id = cx.random_id();
    let presence = presence::subscription(stanza, &peer, &id);
    account.send(cx, presence);
    match answer {
        SubscriptionAnswer::Accept | SubscriptionAnswer::Refuse => Ok(Some(Reply::Done)),
        SubscriptionAnswer::Block => blocking::send(cx, account, to, Jid::from(peer), true),
    }
}
