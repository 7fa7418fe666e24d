//! How a private conversation stands: which device is written to, and what that means for a text.

use sotto_api::view::{Policy, PolicyScope, PrivateState, Trust};
use sotto_otr::{InstanceView, State};
use sotto_store::row::ConversationRow;
use sotto_xmpp::BareJid;

use super::policy::Situation;
use super::{policy_of, session, trust};
use crate::account::Account;
use crate::context::Context;
use crate::error::Fault;

/// How a private conversation stands.
pub(crate) struct Standing {
    pub state: PrivateState,
    pub policy: Policy,
    pub scope: PolicyScope,
    /// The device that is written to, where there is a session.
    pub chosen: Option<InstanceView>,
    /// Trust in its key.
    pub trust: Option<Trust>,
    /// All devices that speak OTR.
    pub devices: Vec<InstanceView>,
}

impl Standing {
    /// What the decision about a text depends on.
    pub fn situation(&self) -> Situation {
        Situation {
            policy: self.policy,
            state: self.state,
            trust: self.trust,
        }
    }
}

/// Finds out how things stand; nothing happens.
pub(crate) fn standing(
    cx: &Context,
    account: &Account,
    conversation: &ConversationRow,
    peer: &BareJid,
) -> Result<Standing, Fault> {
    let (policy, scope) = policy_of(cx, account, conversation.id)?;
    let devices = session::instances(cx, account, peer)?;
    let named = conversation.private_device.as_deref();
    let latest = account.private.latest.get(peer);
    let in_state = |state: State| {
        let mut found = devices.iter().filter(move |device| device.state == state);
        let first = found.clone().next();
        found
            .clone()
            .find(|device| named == Some(device.id.to_string().as_str()))
            .or_else(|| found.find(|device| latest == Some(&device.id)))
            .or(first)
            .cloned()
    };
    // The device that the person chose counts, where it has a session or had one.
    let named_ended = devices.iter().find(|device| {
        named == Some(device.id.to_string().as_str()) && device.state == State::Finished
    });
    let asked = account.private.asked.contains_key(peer) || account.private.wanted.contains(peer);
    let (state, chosen) = if let Some(ended) = named_ended.filter(|_| !asked) {
        (PrivateState::Ended, Some(ended.clone()))
    } else if let Some(device) = in_state(State::Private) {
        (PrivateState::Private, Some(device))
    } else if asked || devices.iter().any(|device| device.state == State::Starting) {
        (PrivateState::Starting, None)
    } else if let Some(device) = in_state(State::Finished) {
        (PrivateState::Ended, Some(device))
    } else {
        (PrivateState::None, None)
    };
    let trust = match chosen.as_ref().and_then(|device| device.fingerprint) {
        Some(fingerprint) => trust::of(cx, account, peer, &fingerprint)?,
        None => None,
    };
    Ok(Standing {
        state,
        policy,
        scope,
        chosen,
        trust,
        devices,
    })
}
