//! The own keys: one for each account, made in the background at first need.

use sha2::{Digest, Sha512};
use sotto_api::ApiError;
use sotto_api::view::{LineNotice, OwnKeyView};
use sotto_otr::{Keypair, State as Standing};
use sotto_xmpp::BareJid;
use zeroize::Zeroizing;

use super::{events, session};
use crate::account::Account;
use crate::context::Context;
use crate::error::Fault;
use crate::io::{WorkId, WorkJob, WorkResult};
use crate::words;
use crate::work::Done;

/// What an account keeps in memory about its key: not the key.
#[derive(Default)]
pub(crate) struct State {
    /// The work that makes it.
    making: Option<WorkId>,
}

/// The own key, or that it is being made; then [`super::key_ready`] is called in the end.
#[allow(
    clippy::large_enum_variant,
    reason = "lives for one call; a box would only add an allocation"
)]
pub(crate) enum OwnKey {
    Ready(Keypair),
    Making,
}

/// The own key of an account; it is made when there is none.
pub(crate) fn own(cx: &mut Context, account: &mut Account) -> Result<OwnKey, Fault> {
    if let Some(keypair) = stored(cx, account)? {
        return Ok(OwnKey::Ready(keypair));
    }
    if account.private.keys.making.is_none() {
        make(cx, account);
    }
    Ok(OwnKey::Making)
}

fn stored(cx: &Context, account: &Account) -> Result<Option<Keypair>, Fault> {
    let Some(row) = cx.store.otr_key(account.id)? else {
        return Ok(None);
    };
    match Keypair::from_bytes(&row.bytes) {
        Ok(keypair) => Ok(Some(keypair)),
        Err(error) => {
            tracing::error!(%error, "an own key in the store does not read; another one is made");
            Ok(None)
        }
    }
}

fn make(cx: &mut Context, account: &mut Account) {
    let mut seed = Zeroizing::new([0; 64]);
    (cx.effects.random)(&mut *seed);
    let work = cx.effects.work(WorkJob::new(move || {
        let mut stream = Stream { seed, counter: 0 };
        let keypair = Keypair::generate(&mut |bytes| stream.fill(bytes));
        WorkResult(Done::OtrKey(keypair.to_bytes()))
    }));
    account.private.keys.making = Some(work);
    cx.changes.keys();
}

/// Random bytes for a job away from the engine's thread, out of a random seed: SHA-512 over seed and counter.
struct Stream {
    seed: Zeroizing<[u8; 64]>,
    counter: u64,
}

impl Stream {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(64) {
            let mut hash = Sha512::new();
            hash.update(self.seed.as_slice());
            hash.update(self.counter.to_be_bytes());
            let block: Zeroizing<[u8; 64]> = Zeroizing::new(hash.finalize().into());
            self.counter += 1;
            for (to, from) in chunk.iter_mut().zip(block.iter()) {
                *to = *from;
            }
        }
    }
}

/// Takes the result of work that made this account's key. Whether it was for it.
pub(crate) fn handle_work(
    cx: &mut Context,
    account: &mut Account,
    work: WorkId,
    done: &mut Option<Done>,
) -> Result<bool, Fault> {
    if account.private.keys.making != Some(work) {
        return Ok(false);
    }
    account.private.keys.making = None;
    if let Some(Done::OtrKey(bytes)) = done.take() {
        // One that was read from a file meanwhile stays.
        if stored(cx, account)?.is_none() {
            cx.store.otr_key_set(account.id, &bytes, cx.timestamp())?;
        }
        super::key_ready(cx, account)?;
    }
    cx.changes.keys();
    Ok(true)
}

/// The own code, in ten groups of four; empty before there is a key.
pub(crate) fn own_code(cx: &Context, account: &Account) -> Result<String, Fault> {
    let keypair = stored(cx, account)?;
    Ok(keypair.map_or_else(String::new, |keypair| {
        keypair.fingerprint().groups().join(" ")
    }))
}

/// The own key as it is shown.
pub(super) fn view(cx: &Context, account: &Account) -> Result<OwnKeyView, Fault> {
    let code = own_code(cx, account)?;
    let created = cx.store.otr_key(account.id)?.map(|row| row.created);
    Ok(OwnKeyView {
        account: account.id,
        address: account.address.to_string(),
        created: created.filter(|_| !code.is_empty()),
        code,
        making: account.private.keys.making.is_some(),
    })
}

/// Replaces the own key: private conversations are ended politely with the old one, which is erased.
pub(super) fn renew(cx: &mut Context, account: &mut Account) -> Result<(), ApiError> {
    if account.private.keys.making.is_some() {
        return Err(words::private::key_being_made());
    }
    end_all(cx, account)?;
    cx.store
        .otr_state_remove_all(account.id)
        .map_err(Fault::from)?;
    account.private.sessions.forget_all();
    cx.store.otr_key_remove(account.id).map_err(Fault::from)?;
    make(cx, account);
    Ok(())
}

/// Ends every private conversation of an account, politely.
pub(crate) fn end_all(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    for peer in cx.store.otr_state_peers(account.id)? {
        let Ok(peer) = BareJid::new(&peer) else {
            continue;
        };
        let mut ended = false;
        for device in session::instances(cx, account, &peer)? {
            if device.state == Standing::Private {
                session::end(cx, account, &peer, &device.id)?;
                ended = true;
            }
        }
        if ended
            && let Some(conversation) = cx.store.conversation_find(account.id, peer.as_str())?
        {
            let text = words::private::private_ended_here().to_owned();
            events::line(cx, account, conversation, LineNotice::PrivateEnded, text)?;
            super::verify::over(cx, account, conversation);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(first: u8) -> Stream {
        Stream {
            seed: Zeroizing::new([first; 64]),
            counter: 0,
        }
    }

    #[test]
    fn the_stream_of_a_seed_goes_on_and_is_that_of_no_other_seed() {
        let mut one = stream(1);
        let (mut first, mut second) = ([0; 100], [0; 100]);
        one.fill(&mut first);
        one.fill(&mut second);
        assert_ne!(first, second);
        let mut again = [0; 100];
        stream(1).fill(&mut again);
        assert_eq!(first, again);
        stream(2).fill(&mut again);
        assert_ne!(first, again);
    }
}
