//! How a private conversation is shown.

use sotto_api::ApiError;
use sotto_api::view::{DeviceView, Privacy, PrivateState, PrivateView, Trust};
use sotto_otr::State;
use sotto_store::row::ConversationRow;
use sotto_xmpp::{BareJid, Jid};

use super::policy::{Decision, decide};
use super::standing::standing;
use super::{alert, keys, trust, verify};
use crate::account::Account;
use crate::context::Context;
use crate::words;

/// The label of what is encrypted to a key.
pub(crate) fn privacy(trust: Option<Trust>) -> Privacy {
    match trust {
        Some(Trust::Verified) => Privacy::Verified,
        Some(Trust::New | Trust::Changed | Trust::Distrusted) | None => Privacy::Encrypted,
    }
}

/// How a private conversation stands.
pub(crate) fn view(
    cx: &Context,
    account: &Account,
    row: &ConversationRow,
    name: &str,
) -> Result<PrivateView, ApiError> {
    let peer = BareJid::new(&row.jid).map_err(|_| words::not_found())?;
    let standing = standing(cx, account, row, &peer)?;
    let chosen = standing.chosen.as_ref();
    let mut devices = Vec::with_capacity(standing.devices.len());
    for device in &standing.devices {
        let private = device.state == State::Private;
        let (key, known) = match &device.fingerprint {
            Some(fingerprint) => (
                trust::key_of(cx, account, &peer, fingerprint)?,
                trust::of(cx, account, &peer, fingerprint)?,
            ),
            None => (None, None),
        };
        let shown = if private {
            privacy(known)
        } else {
            Privacy::ServerOnly
        };
        devices.push(DeviceView {
            id: device.id.to_string(),
            name: device_name(&device.address),
            chosen: chosen.is_some_and(|chosen| chosen.id == device.id),
            private,
            privacy: shown,
            key,
        });
    }
    devices.sort_by_key(|device| !device.chosen);
    let fingerprint = chosen.and_then(|chosen| chosen.fingerprint);
    let key = devices
        .first()
        .filter(|device| device.chosen)
        .and_then(|device| device.key);
    Ok(PrivateView {
        state: standing.state,
        policy: standing.policy,
        policy_scope: standing.scope,
        policy_text: words::private::policy_text(
            standing.policy,
            standing.scope,
            name,
            account.address.as_str(),
        ),
        can_send: !matches!(decide(standing.situation()), Decision::Refuse(_)),
        devices,
        code: fingerprint
            .map(|code| super::events::code(&code))
            .unwrap_or_default(),
        own_code: keys::own_code(cx, account)?,
        key,
        trust: standing
            .trust
            .filter(|_| standing.state != PrivateState::None),
        verification: verify::view(cx, account, row.id, name),
        alert: alert::view(account, row.id, &standing, name),
    })
}

/// What the other side calls a device: the resource of its address, cleaned.
fn device_name(address: &str) -> String {
    let resource = Jid::new(address)
        .ok()
        .and_then(|jid| jid.resource().map(|resource| resource.as_str().to_owned()))
        .map(|resource| crate::text::clean(&resource))
        .unwrap_or_default();
    if resource.trim().is_empty() {
        words::private::unnamed_device().to_owned()
    } else {
        resource
    }
}
