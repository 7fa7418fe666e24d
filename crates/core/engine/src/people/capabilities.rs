//! What programs of contacts can do (XEP-0115).

use std::collections::HashSet;

use sotto_xmpp::caps::{Caps, verify};
use sotto_xmpp::{Jid, disco, iq};

use super::Pending;
use crate::account::{Account, IqReply, Pending as AccountPending};
use crate::context::Context;
use crate::error::Fault;

/// Hashes that are asked about on one stream. Anybody with more contacts than that has them in the
/// cache by then.
const MOST_ASKED: usize = 2_000;

/// What is kept in memory.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Hashes that were asked about on this stream: each once, whatever came of it.
    asked: HashSet<String>,
}

/// A question under way.
#[derive(Debug)]
pub(crate) struct Asked {
    caps: Caps,
    key: String,
}

#[cfg(test)]
impl Asked {
    pub fn for_test(caps: Caps, key: String) -> Self {
        Self { caps, key }
    }
}

/// Presence named a hash. Answers the key of the cache; asks what it stands for if nobody has proved
/// it yet, and the other side knows anyway that I am here.
pub(super) fn handle_caps(
    cx: &mut Context,
    account: &mut Account,
    from: &Jid,
    caps: &Caps,
    sees_me: bool,
) -> Result<String, Fault> {
    let key = format!("{}:{}", caps.hash.name(), caps.ver);
    let asked = &mut account.people.capabilities.asked;
    if !sees_me
        || asked.contains(&key)
        || asked.len() >= MOST_ASKED
        || cx.store.caps(&key)?.is_some()
    {
        return Ok(key);
    }
    asked.insert(key.clone());
    let payload = disco::info_request(Some(&caps.query_node()));
    let pending = Asked {
        caps: caps.clone(),
        key: key.clone(),
    };
    account.request(
        cx,
        Some(from.clone()),
        iq::Method::Get,
        payload,
        AccountPending::People(Pending::Capabilities(pending)),
    );
    Ok(key)
}

/// An answer goes into the cache only when its hash is the one that presence named (S-XMPP-15).
pub(super) fn handle_reply(
    cx: &mut Context,
    _account: &mut Account,
    asked: &Asked,
    reply: IqReply,
) -> Result<(), Fault> {
    let info = reply.ok().flatten().as_ref().and_then(disco::Info::parse);
    let Some(info) = info else {
        return Ok(());
    };
    match verify(&asked.caps, info) {
        Ok(proven) => {
            if let Ok(json) = serde_json::to_string(&proven.info().features) {
                cx.store.caps_set(&asked.key, &json)?;
            }
        }
        Err(unproven) => tracing::warn!(%unproven, "capabilities were not proved"),
    }
    Ok(())
}
