//! Drives the OTR conversations of an account and keeps them in the transaction of what they did.
//!
//! A conversation's state is written together with the outbox rows that it made and the messages that it
//! read. So a counter is never used twice: either the text is queued and the counter has moved, or neither.
//! What a rolled-back transaction had moved in memory is dropped here and read again from the store.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use sotto_api::{ConversationId, MessageId};
use sotto_otr::{
    Config, Conversation, Env, Event, InstanceId, InstanceTag, InstanceView, TextRef, TransmitKind,
    Unread,
};
use sotto_store::Store;
use sotto_store::row::{NewOutbox, OutboxPurpose};
use sotto_xmpp::message::{OtrText, Outgoing};
use sotto_xmpp::{BareJid, Jid};

use super::policy::{Kind, Released};
use super::{events, forget, keys};
use crate::account::Account;
use crate::context::{Context, Random};
use crate::error::Fault;
use sotto_api::view::Policy;

/// The OTR conversations that an account has in memory.
#[derive(Default)]
pub(crate) struct Sessions {
    talks: BTreeMap<BareJid, Conversation>,
    /// Those that have moved in the transaction in hand.
    moved: BTreeSet<BareJid>,
}

impl Sessions {
    /// What they did is kept.
    pub fn committed(&mut self) {
        self.moved.clear();
    }

    /// What they did is not kept: they go on from what is.
    pub fn rolled_back(&mut self) {
        for peer in std::mem::take(&mut self.moved) {
            self.talks.remove(&peer);
        }
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.talks
            .values()
            .filter_map(Conversation::poll_timeout)
            .min()
    }

    /// Whose conversation has something to do by now.
    pub fn due(&self, now: Instant) -> Vec<BareJid> {
        self.talks
            .iter()
            .filter(|(_, talk)| talk.poll_timeout().is_some_and(|at| at <= now))
            .map(|(peer, _)| peer.clone())
            .collect()
    }

    pub fn forget_all(&mut self) {
        self.talks.clear();
    }
}

/// What a call of [`run`] is about.
#[derive(Clone, Copy)]
pub(crate) struct Cause<'a> {
    /// The message whose text is encrypted, and the id of its stanza.
    pub message: Option<(MessageId, &'a str)>,
}

impl Cause<'_> {
    pub const NONE: Self = Self { message: None };
}

/// A text that came out of a conversation.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// It came in clear; `exposed`: although a private conversation stands.
    Clear { text: String, exposed: bool },
    /// It came encrypted, by this device.
    Secret { text: String, instance: InstanceId },
}

/// Lets a conversation work, keeps its state and carries out what it wants. Absent while the own key is
/// being made: then nothing happened.
pub(crate) fn run(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    cause: Cause<'_>,
    work: &mut dyn FnMut(&mut Conversation, &mut Env<'_>),
) -> Result<Option<Vec<Content>>, Fault> {
    let keys::OwnKey::Ready(keypair) = keys::own(cx, account)? else {
        return Ok(None);
    };
    let conversation = cx.store.conversation_open(account.id, peer.as_str())?;
    let config = config(cx, account, conversation)?;
    let mut talk = taken(cx, account, peer)?;
    account.private.sessions.moved.insert(peer.clone());
    work(
        &mut talk,
        &mut Env {
            keypair: &keypair,
            config: &config,
            now: cx.now.instant,
            random: &mut *cx.effects.random,
        },
    );
    let mut happened = Vec::new();
    while let Some(event) = talk.poll_event() {
        happened.push(event);
    }
    cx.store
        .otr_state_set(account.id, peer.as_str(), &talk.to_bytes())?;
    account.private.sessions.talks.insert(peer.clone(), talk);
    let mut contents = Vec::new();
    for event in happened {
        match event {
            Event::Transmit { to, text, kind } => {
                transmit(cx, account, peer, to.as_deref(), text, kind, cause)?;
            }
            Event::Plain { text, private, .. } => contents.push(Content::Clear {
                text,
                exposed: private,
            }),
            Event::Message { instance, text } => contents.push(Content::Secret { text, instance }),
            event => events::handle(cx, account, conversation, peer, event)?,
        }
    }
    cx.changes.conversation(conversation);
    Ok(Some(contents))
}

/// What a policy lets OTR do by itself. Version 2 is spoken only where the person allowed it (S-OTR-02).
fn config(cx: &Context, account: &Account, conversation: ConversationId) -> Result<Config, Fault> {
    let willing = super::policy_of(cx, account, conversation)?.0 != Policy::Off;
    Ok(Config {
        v2: cx.settings.allow_otr_v2,
        v3: true,
        offer: willing,
        answer_tag: willing,
        answer_query: true,
        restart_on_error: willing,
        fragment: None,
    })
}

fn taken(cx: &mut Context, account: &mut Account, peer: &BareJid) -> Result<Conversation, Fault> {
    if let Some(talk) = account.private.sessions.talks.remove(peer) {
        return Ok(talk);
    }
    if let Some(bytes) = cx.store.otr_state(account.id, peer.as_str())? {
        match Conversation::from_bytes(&bytes) {
            Ok(talk) => return Ok(talk),
            Err(error) => tracing::error!(%error, "a private conversation does not read any more"),
        }
    }
    Ok(Conversation::new(own_tag(cx, account)?))
}

/// The own instance tag, one for each account on this computer.
fn own_tag(cx: &mut Context, account: &Account) -> Result<InstanceTag, Fault> {
    if let Some(tag) = cx
        .store
        .instance_tag(account.id)?
        .and_then(InstanceTag::new)
    {
        return Ok(tag);
    }
    let tag = InstanceTag::generate(&mut *cx.effects.random);
    cx.store.instance_tag_set(account.id, tag.get())?;
    Ok(tag)
}

/// The store is a copy of what went on elsewhere or later: its sessions end before anything is sent, and it speaks
/// as another instance from now on.
pub(crate) fn settle_copy(store: &Store, random: &mut Random) -> Result<(), Fault> {
    store.begin_durable()?;
    let settled = (|| -> Result<(), Fault> {
        for account in store.accounts()? {
            let tag = InstanceTag::generate(&mut **random);
            store.instance_tag_set(account.id, tag.get())?;
            for peer in store.otr_state_peers(account.id)? {
                let Some(bytes) = store.otr_state(account.id, &peer)? else {
                    continue;
                };
                match Conversation::from_bytes(&bytes) {
                    Ok(mut talk) => {
                        talk.abandon(tag);
                        store.otr_state_set(account.id, &peer, &talk.to_bytes())?;
                    }
                    Err(error) => {
                        tracing::error!(%error, "a private conversation does not read any more");
                    }
                }
            }
        }
        Ok(store.copy_settled()?)
    })();
    match settled {
        Ok(()) => Ok(store.commit()?),
        Err(fault) => {
            store.rollback()?;
            Err(fault)
        }
    }
}

/// The devices of a peer, without letting anything happen.
pub(crate) fn instances(
    cx: &Context,
    account: &Account,
    peer: &BareJid,
) -> Result<Vec<InstanceView>, Fault> {
    if let Some(talk) = account.private.sessions.talks.get(peer) {
        return Ok(talk.instances());
    }
    let stored = cx.store.otr_state(account.id, peer.as_str())?;
    let talk = stored.and_then(|bytes| Conversation::from_bytes(&bytes).ok());
    Ok(talk.map_or_else(Vec::new, |talk| talk.instances()))
}

/// Whether anything is known of OTR with somebody.
pub(crate) fn is_known(cx: &Context, account: &Account, peer: &BareJid) -> Result<bool, Fault> {
    Ok(account.private.sessions.talks.contains_key(peer)
        || cx.store.otr_state(account.id, peer.as_str())?.is_some())
}

/// Queues one OTR text, durably and in its order.
fn transmit(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    to: Option<&str>,
    text: String,
    kind: TransmitKind,
    cause: Cause<'_>,
) -> Result<(), Fault> {
    let kind = match kind {
        TransmitKind::Query => Kind::Query,
        TransmitKind::Data { message: true } => Kind::Message,
        _ => Kind::Protocol,
    };
    let Some(released) = Released::otr(text, kind) else {
        tracing::error!("what OTR gave is not OTR; it does not leave");
        return Ok(());
    };
    // Only to the peer, whatever the conversation remembers.
    let to = to
        .and_then(|to| Jid::new(to).ok())
        .filter(|to| to.to_bare() == *peer)
        .unwrap_or_else(|| Jid::from(peer.clone()));
    let message = cause.message.filter(|_| kind == Kind::Message);
    let id = match message {
        Some((_, id)) => id.to_owned(),
        None => cx.random_id(),
    };
    if kind == Kind::Query
        && to.resource().is_none()
        && let Some(asked) = account.private.asked.get_mut(peer)
    {
        asked.stanza = Some(id.clone());
    }
    let xml = stanza(&to, &id, &released, false, None);
    cx.store.outbox_add(&NewOutbox {
        account: account.id,
        message: message.map(|(message, _)| message),
        purpose: if message.is_some() {
            OutboxPurpose::Message
        } else {
            OutboxPurpose::Otr
        },
        stanza_id: &id,
        xml: &xml,
        created: cx.timestamp(),
    })?;
    account.wake_outbox();
    Ok(())
}

/// The one way of a text into a stanza: it must have been released.
pub(crate) fn stanza(
    to: &Jid,
    id: &str,
    released: &Released,
    chat_state: bool,
    replaces: Option<&str>,
) -> String {
    let body = released.body();
    let outgoing = match released.kind() {
        Kind::Clear => Outgoing {
            chat_state,
            replaces,
            ..Outgoing::new(to, id, body)
        },
        Kind::Message => Outgoing::otr(to, id, body, OtrText::Message),
        Kind::Query => Outgoing::otr(to, id, body, OtrText::Query),
        Kind::Protocol => Outgoing::otr(to, id, body, OtrText::Fleeting),
    };
    String::from(&outgoing.to_element())
}

/// Encrypts the text of a message and queues it; by its name it is reported when the other side may not have
/// read it. Whether that was possible.
pub(crate) fn encrypt(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    instance: &InstanceId,
    message: (MessageId, &str),
    (text, name): (&str, TextRef),
) -> Result<bool, Fault> {
    let mut sent = false;
    let cause = Cause {
        message: Some(message),
    };
    run(cx, account, peer, cause, &mut |talk, env| {
        sent = talk.send_named(env, instance, text, name).is_ok();
    })?;
    if sent && account.private.look_at_texts.is_none() {
        account.private.look_at_texts = Some(cx.now.instant + forget::LONGEST);
    }
    Ok(sent)
}

/// With whom anything is known of OTR.
pub(super) fn peers(cx: &Context, account: &Account) -> Result<Vec<BareJid>, Fault> {
    let stored = cx.store.otr_state_peers(account.id)?;
    Ok(stored
        .iter()
        .filter_map(|peer| BareJid::new(peer).ok())
        .collect())
}

/// Which texts may be reported yet as unread. When the oldest of them was sent; absent: there are none.
pub(super) fn retain_texts(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    mut keep: impl FnMut(&Context, TextRef) -> Result<bool, Fault>,
) -> Result<Option<u64>, Fault> {
    let in_memory = account.private.sessions.talks.remove(peer);
    let stays_in_memory = in_memory.is_some();
    let stored = match in_memory {
        Some(talk) => Some(talk),
        None => cx
            .store
            .otr_state(account.id, peer.as_str())?
            .and_then(|bytes| Conversation::from_bytes(&bytes).ok()),
    };
    let Some(mut talk) = stored else {
        return Ok(None);
    };
    let mut fault = None;
    let fewer = talk.retain_texts(|name| {
        keep(cx, name).unwrap_or_else(|failed| {
            fault = Some(failed);
            true
        })
    });
    if let Some(fault) = fault {
        return Err(fault);
    }
    if fewer {
        account.private.sessions.moved.insert(peer.clone());
        cx.store
            .otr_state_set(account.id, peer.as_str(), &talk.to_bytes())?;
    }
    let oldest = talk.oldest_text();
    if stays_in_memory {
        account.private.sessions.talks.insert(peer.clone(), talk);
    }
    Ok(oldest)
}

/// What a device that is gone may not have read; it is not reported again.
pub(super) fn take_unread(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    instance: &InstanceId,
) -> Result<Vec<Unread>, Fault> {
    let mut unread = Vec::new();
    run(cx, account, peer, Cause::NONE, &mut |talk, _| {
        unread = talk.take_unread(instance);
    })?;
    Ok(unread)
}

/// What was asked came back: nobody will answer it.
pub(super) fn give_up(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
) -> Result<(), Fault> {
    run(cx, account, peer, Cause::NONE, &mut |talk, _| {
        talk.give_up();
    })?;
    Ok(())
}

/// Asks for a private conversation: with everything that the peer has, or anew with one device. Whether
/// that went out; else the own key is being made.
pub(crate) fn ask(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    instance: Option<&InstanceId>,
) -> Result<bool, Fault> {
    let done = run(cx, account, peer, Cause::NONE, &mut |talk, env| {
        let refreshed = instance.is_some_and(|instance| talk.refresh(env, instance).is_ok());
        if !refreshed {
            talk.start(env, None);
        }
    })?;
    Ok(done.is_some())
}

/// A text with the offer of a private conversation, where that makes sense. That needs no own key: it is made
/// meanwhile, and who takes the offer before it is there is asked when it is.
pub(crate) fn tagged(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    text: &str,
) -> Result<String, Fault> {
    keys::own(cx, account)?;
    without_key(cx, account, peer, |talk, config| talk.tagged(config, text))
}

/// A text in clear came while the own key was being made: an offer, if one was made, was not taken.
pub(super) fn answered_in_clear(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
) -> Result<(), Fault> {
    without_key(cx, account, peer, |talk, _| talk.answered_in_clear())
}

/// As [`run`], for what needs no own key and leads to nothing.
fn without_key<T>(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    work: impl FnOnce(&mut Conversation, &Config) -> T,
) -> Result<T, Fault> {
    let conversation = cx.store.conversation_open(account.id, peer.as_str())?;
    let config = config(cx, account, conversation)?;
    let mut talk = taken(cx, account, peer)?;
    account.private.sessions.moved.insert(peer.clone());
    let done = work(&mut talk, &config);
    cx.store
        .otr_state_set(account.id, peer.as_str(), &talk.to_bytes())?;
    account.private.sessions.talks.insert(peer.clone(), talk);
    Ok(done)
}

/// Ends the private conversation with a device, politely.
pub(crate) fn end(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    instance: &InstanceId,
) -> Result<(), Fault> {
    run(cx, account, peer, Cause::NONE, &mut |talk, env| {
        talk.end(env, instance);
    })?;
    Ok(())
}

/// The person has seen that devices ended their private conversations.
pub(crate) fn forget_finished(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
) -> Result<(), Fault> {
    run(cx, account, peer, Cause::NONE, &mut |talk, _| {
        for instance in talk.instances() {
            talk.forget_finished(&instance.id);
        }
    })?;
    Ok(())
}

/// Timers of conversations.
pub(crate) fn handle_timeout(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    for peer in account.private.sessions.due(cx.now.instant) {
        run(cx, account, &peer, Cause::NONE, &mut |talk, env| {
            talk.handle_timeout(env);
        })?;
    }
    Ok(())
}
