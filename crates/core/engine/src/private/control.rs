//! Beginning, ending and choosing, as the person asks for it.

use std::str::FromStr;

use sotto_api::ApiError;
use sotto_api::view::{AlertAct, LineNotice, Policy, PrivateState, Trust};
use sotto_otr::{InstanceId, State};
use sotto_store::row::ConversationRow;
use sotto_xmpp::BareJid;

use super::standing::standing;
use super::{alert, outgoing, session, trust};
use crate::account::Account;
use crate::context::Context;
use crate::words;

/// `PrivateStart`.
pub(super) fn start(
    cx: &mut Context,
    account: &mut Account,
    row: &ConversationRow,
    peer: &BareJid,
) -> Result<(), ApiError> {
    let standing = standing(cx, account, row, peer)?;
    alert::dismiss(cx, account, row.id);
    match standing
        .chosen
        .filter(|device| device.state == State::Private)
    {
        Some(device) => {
            session::ask(cx, account, peer, Some(&device.id))?;
        }
        None => {
            if !account.is_online() {
                return Err(words::offline(account.address.as_str()));
            }
            outgoing::want(cx, account, peer)?;
        }
    }
    cx.changes.conversation(row.id);
    Ok(())
}

/// `PrivateEnd`.
pub(super) fn end(
    cx: &mut Context,
    account: &mut Account,
    row: &ConversationRow,
    peer: &BareJid,
) -> Result<(), ApiError> {
    let standing = standing(cx, account, row, peer)?;
    match (standing.state, standing.chosen) {
        (PrivateState::Private, Some(device)) => {
            session::end(cx, account, peer, &device.id)?;
            let text = words::private::private_ended_here().to_owned();
            super::events::line(cx, account, row.id, LineNotice::PrivateEnded, text)?;
        }
        (PrivateState::Ended, _) if standing.policy != Policy::Required => {
            session::forget_finished(cx, account, peer)?;
        }
        (PrivateState::Starting, _) => {
            account.private.asked.remove(peer);
            account.private.wanted.remove(peer);
            outgoing::withdraw(cx, row.id)?;
        }
        _ => {}
    }
    alert::dismiss(cx, account, row.id);
    Ok(())
}

/// `PrivateDevice`.
pub(super) fn device(
    cx: &mut Context,
    account: &mut Account,
    row: &ConversationRow,
    peer: &BareJid,
    device: &str,
) -> Result<(), ApiError> {
    let id = InstanceId::from_str(device).map_err(|_| words::private::no_such_device())?;
    let devices = session::instances(cx, account, peer)?;
    if !devices.iter().any(|device| device.id == id) {
        return Err(words::private::no_such_device());
    }
    super::chosen_set(cx, row.id, Some(&id))?;
    Ok(())
}

/// `PrivateContinue`.
pub(super) fn go_on(
    cx: &mut Context,
    account: &mut Account,
    row: &ConversationRow,
    peer: &BareJid,
    act: AlertAct,
) -> Result<(), ApiError> {
    let standing = standing(cx, account, row, peer)?;
    let name = super::events::name(cx, account, peer)?;
    match act {
        AlertAct::ContinueUnencrypted => {
            if standing.policy == Policy::Required {
                return Err(words::private::required_refused(&name));
            }
            session::forget_finished(cx, account, peer)?;
        }
        AlertAct::ContinueUnverified => {
            let fingerprint = standing
                .chosen
                .and_then(|device| device.fingerprint)
                .filter(|_| standing.trust == Some(Trust::Changed))
                .ok_or_else(|| words::private::not_private(&name))?;
            trust::go_on_unverified(cx, account, peer, &fingerprint)?;
        }
        AlertAct::Dismiss => {}
        _ => return Err(words::internal()),
    }
    alert::dismiss(cx, account, row.id);
    Ok(())
}
