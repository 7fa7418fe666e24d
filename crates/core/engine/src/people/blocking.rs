//! Blocked addresses (XEP-0191).

use sotto_api::view::BlockedView;
use sotto_api::{AccountId, Reply};
use sotto_xmpp::blocking::{self, Push};
use sotto_xmpp::{BareJid, Element, Jid, iq};

use super::{Pending, done, note_person, online, refusal};
use crate::account::{Account, IqReply, Pending as AccountPending};
use crate::context::{Answer, Context, ReplyTo};
use crate::error::Fault;
use crate::words;

pub(super) fn ask(cx: &mut Context, account: &mut Account) {
    // A server without the command answers with an error, which costs less than waiting for its
    // features: until the list is here, a blocked address would look as if it were not.
    account.request(
        cx,
        None,
        iq::Method::Get,
        blocking::list(),
        AccountPending::People(Pending::BlockList),
    );
}

pub(super) fn handle_list(
    cx: &mut Context,
    account: &mut Account,
    reply: IqReply,
) -> Result<(), Fault> {
    if let Some(list) = reply.ok().flatten().as_ref().and_then(blocking::parse_list) {
        let jids: Vec<String> = list.iter().map(ToString::to_string).collect();
        cx.store.blocked_replace(account.id, &jids)?;
        cx.changes.contacts();
    }
    Ok(())
}

pub(super) fn handle_push(
    cx: &mut Context,
    account: &mut Account,
    iq: &Element,
) -> Result<bool, Fault> {
    let push = match blocking::parse_push(iq, &account.address) {
        Ok(Some(push)) => push,
        Ok(None) => return Ok(false),
        Err(refused) => {
            tracing::warn!(%refused, "a push of the block list was refused");
            return Ok(false);
        }
    };
    match push {
        Push::Blocked(jids) => {
            for jid in &jids {
                note(cx, account, jid, true)?;
            }
        }
        Push::Unblocked(jids) => {
            for jid in &jids {
                note(cx, account, jid, false)?;
            }
        }
        Push::UnblockedAll => {
            cx.store.blocked_replace(account.id, &[])?;
            cx.changes.contacts();
        }
    }
    Ok(true)
}

pub(super) fn block(
    cx: &mut Context,
    account: &mut Account,
    to: ReplyTo,
    address: &str,
    blocked: bool,
) -> Answer {
    let jid =
        Jid::new(address.trim()).map_err(|_| words::invalid_address("leila@riverside.example"))?;
    if jid.to_bare() == account.address {
        return Err(words::contact_itself());
    }
    let account = online(account)?;
    if account.features.known && !account.features.blocking {
        return Err(words::server_without(account.domain(), "blocking"));
    }
    send(cx, account, to, jid, blocked)
}

pub(super) fn send(
    cx: &mut Context,
    account: &mut Account,
    to: ReplyTo,
    jid: Jid,
    blocked: bool,
) -> Answer {
    let payload = if blocked {
        blocking::block(&jid)
    } else {
        blocking::unblock(&jid)
    };
    let pending = AccountPending::People(Pending::Block { to, jid, blocked });
    if account.request(cx, None, iq::Method::Set, payload, pending) {
        Ok(None)
    } else {
        Err(words::offline(account.address.as_str()))
    }
}

pub(super) fn handle_blocked(
    cx: &mut Context,
    account: &mut Account,
    to: ReplyTo,
    jid: &Jid,
    blocked: bool,
    reply: IqReply,
) -> Result<(), Fault> {
    match reply {
        Ok(_) => {
            note(cx, account, jid, blocked)?;
            done(cx, to);
        }
        Err(failure) => {
            let error = refusal(account, &failure);
            cx.answer(to, Err(error));
        }
    }
    Ok(())
}

fn note(cx: &mut Context, account: &mut Account, jid: &Jid, blocked: bool) -> Result<(), Fault> {
    cx.store.blocked_set(account.id, jid.as_str(), blocked)?;
    let bare = jid.to_bare();
    if blocked {
        cx.store.presence_remove_all(account.id, bare.as_str())?;
        if cx
            .store
            .subscription_request_remove(account.id, bare.as_str())?
        {
            cx.changes.subscriptions();
        }
    }
    note_person(cx, account.id, bare.as_str())
}

pub(super) fn list(cx: &mut Context, account: &mut Account) -> Answer {
    let rows = cx.store.blocked(account.id).map_err(Fault::from)?;
    let views = rows
        .into_iter()
        .map(|row| BlockedView {
            account: row.account,
            address: row.jid,
        })
        .collect();
    Ok(Some(Reply::Blocked(views)))
}

/// Whether somebody is blocked: their address, or their whole server.
pub(super) fn is_blocked(cx: &Context, account: AccountId, peer: &BareJid) -> Result<bool, Fault> {
    Ok(cx.store.is_blocked(account, peer.as_str())?
        || cx.store.is_blocked(account, peer.domain().as_str())?)
}
