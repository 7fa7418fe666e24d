//! Stores what was read. What is here already stays.

use std::collections::BTreeSet;
use std::sync::Arc;

use sotto_api::view::{Delivery, Direction, ImportParts, MessageKind, Privacy};
use sotto_api::{
    AccountSettings, ApiError, ConversationId, MessageId, Secret, ServerOverride, Timestamp,
};
use sotto_import::{Call, Found, SourceFile};
use sotto_otr::import::ImportedTrust;
use sotto_store::row::{CallOutcome, NewCall, NewMessage, Place};
use sotto_xmpp::{BareJid, Jid};

use super::feed::Slice;
use crate::account::{Account, Accounts};
use crate::context::Context;
use crate::error::Fault;
use crate::history::in_days;
use crate::{private, text};

/// How many places of a conversation are given anew at once.
const PLACES: usize = 500;

/// How much was taken over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub accounts: u64,
    pub passwords: u64,
    pub messages: u64,
    /// Messages that are here already.
    pub doubles: u64,
    /// Messages and calls that are older than what is kept.
    pub expired: u64,
    pub calls: u64,
    pub own_keys: u64,
    pub codes: u64,
    /// Accounts whose history was left, as they are not here.
    pub no_account: BTreeSet<String>,
    /// Conversations that are not kept.
    pub not_kept: u64,
    /// Conversations with an address that cannot be one.
    pub no_address: u64,
    /// Accounts that could not be added, and why in a sentence.
    pub refused: Vec<(String, String)>,
}

/// How far a run is: what is committed, and what the transaction under way adds.
#[derive(Default)]
pub(super) struct Progress {
    parts: Option<ImportParts>,
    committed: State,
    state: State,
    /// Files of which everything is stored; the first so many are committed.
    files: Vec<SourceFile>,
    files_committed: usize,
}

#[derive(Clone, Default)]
struct State {
    taken: Taken,
    /// Something of the keys was not taken.
    keys_left: bool,
    conversation: Option<Open>,
    arranging: Option<Arranging>,
}

/// The conversation whose messages are being stored.
#[derive(Clone)]
struct Open {
    id: ConversationId,
    own: String,
    peer: String,
    /// The next reserved place.
    place: i64,
    /// There was something in it before.
    mixed: bool,
    /// Messages that came, now or in a run before.
    stored: u64,
    /// What is older does not belong in it.
    expired: Option<Timestamp>,
}

/// Places that are given anew, because what came stands between what was here.
#[derive(Clone)]
pub(super) struct Arranging {
    conversation: ConversationId,
    messages: Arc<[MessageId]>,
    first: i64,
    done: usize,
}

impl Progress {
    pub fn new(parts: ImportParts) -> Self {
        Self {
            parts: Some(parts),
            ..Self::default()
        }
    }

    /// What is wanted.
    pub fn parts(&self) -> Option<ImportParts> {
        self.parts
    }

    /// The transaction came about.
    pub fn keep(&mut self) {
        self.committed.clone_from(&self.state);
        self.files_committed = self.files.len();
    }

    /// It did not.
    pub fn undo(&mut self) {
        self.state.clone_from(&self.committed);
        self.files.truncate(self.files_committed);
    }

    pub fn taken(&self) -> Taken {
        self.committed.taken.clone()
    }

    pub fn taken_files(&self) -> &[SourceFile] {
        self.files.get(..self.files_committed).unwrap_or_default()
    }

    pub fn is_arranging(&self) -> bool {
        self.state.arranging.is_some()
    }
}

/// The account with an address as another program wrote it.
fn account_at<'a>(accounts: &'a Accounts, address: &str) -> Option<&'a Account> {
    let address = bare(address)?;
    accounts.values().find(|account| account.address == address)
}

fn bare(address: &str) -> Option<BareJid> {
    Jid::new(address.trim()).ok().map(|jid| jid.to_bare())
}

/// Adds accounts, switched off, and their passwords.
pub(super) fn accounts(
    cx: &mut Context,
    accounts: &mut Accounts,
    found: &Found,
    progress: &mut Progress,
) -> Result<(), ApiError> {
    let Some(parts) = progress.parts else {
        return Ok(());
    };
    let taken = &mut progress.state.taken;
    for account in &found.accounts {
        if parts.accounts && account_at(accounts, &account.address).is_none() {
            let settings = AccountSettings {
                server: account.server.clone().map(|(host, port)| ServerOverride {
                    host,
                    port,
                    direct_tls: false,
                }),
                ..AccountSettings::default()
            };
            match crate::accounts::add_disabled(cx, accounts, &account.address, settings) {
                Ok(()) => taken.accounts += 1,
                Err(error) => taken.refused.push((account.address.clone(), error.message)),
            }
        }
        if parts.passwords
            && let Some(password) = &account.password
            && let Some(address) = bare(&account.address)
            && let Some(own) = accounts.values_mut().find(|own| own.address == address)
            && !own.row.remembered
        {
            let password = Secret::new(password.expose().to_owned());
            let now = cx.timestamp();
            cx.store
                .credential_set(own.id, &password, now)
                .map_err(Fault::from)?;
            own.row.remembered = true;
            cx.changes.account(own.id);
            taken.passwords += 1;
        }
    }
    Ok(())
}

/// Takes own keys where there are none, and codes of others.
pub(super) fn keys(
    cx: &mut Context,
    accounts: &mut Accounts,
    found: &Found,
    own: bool,
    trust: Vec<ImportedTrust>,
    progress: &mut Progress,
) -> Result<(), Fault> {
    let (keys, tags) = if own {
        (found.keys.clone(), found.tags.clone())
    } else {
        (Vec::new(), Vec::new())
    };
    let rows = private::import::Rows { keys, tags, trust };
    let taken = private::import::take_rows(cx, accounts, rows)?;
    let state = &mut progress.state;
    state.taken.own_keys += taken.own_keys;
    state.taken.codes += taken.verified;
    state.keys_left |= taken.left;
    Ok(())
}

/// Stores a slice of messages. Whether more of this conversation is wanted.
pub(super) fn messages(
    cx: &mut Context,
    accounts: &Accounts,
    found: &Found,
    slice: Slice,
    progress: &mut Progress,
) -> Result<bool, Fault> {
    let state = &mut progress.state;
    if slice.first {
        state.conversation = None;
        let Some(conversation) = found.conversations.get(slice.conversation) else {
            return Ok(false);
        };
        let Some(account) = account_at(accounts, &conversation.account) else {
            state.taken.no_account.insert(conversation.account.clone());
            return Ok(false);
        };
        let Some(peer) = bare(&conversation.peer) else {
            state.taken.no_address += 1;
            return Ok(false);
        };
        let id = cx.store.conversation_open(account.id, peer.as_str())?;
        if !cx.store.keeps(id)? {
            state.taken.not_kept += 1;
            return Ok(false);
        }
        let now = cx.timestamp();
        let days = in_days(cx.settings.expiry);
        state.conversation = Some(Open {
            id,
            own: account.address.as_str().to_owned(),
            peer: peer.as_str().to_owned(),
            mixed: !cx.store.conversation_is_empty(id)?,
            place: cx.store.places_before(id, conversation.messages)?,
            stored: 0,
            expired: cx.store.expired_before(id, days, now)?,
        });
    }
    let Some(open) = &mut state.conversation else {
        return Ok(false);
    };
    // Switched off in the middle.
    if !cx.store.keeps(open.id)? {
        state.taken.not_kept += 1;
        state.conversation = None;
        return Ok(false);
    }
    for message in &slice.messages {
        // A message of the future would never expire.
        let at = Timestamp(message.at).min(cx.timestamp());
        if open.expired.is_some_and(|limit| at < limit) {
            state.taken.expired += 1;
            continue;
        }
        let body = message.text.as_str();
        let new = NewMessage {
            conversation: open.id,
            direction: if message.outgoing {
                Direction::Outgoing
            } else {
                Direction::Incoming
            },
            kind: if text::action(body).is_some() {
                MessageKind::Action
            } else {
                MessageKind::Text
            },
            body,
            at,
            // It was read there, at the time at which it came: it expires as if it had come here.
            received_at: at,
            delivery: message.outgoing.then_some(Delivery::Sent),
            privacy: Privacy::ServerOnly,
            origin_id: None,
            message_id: None,
            archive_id: None,
            sender: if message.outgoing {
                &open.own
            } else {
                &open.peer
            },
            unread: false,
            kept: true,
            notice: None,
        };
        let key = hex(&message.key);
        open.stored += 1;
        let inserted = cx
            .store
            .message_take_over(&new, Place::At(open.place), &key)?;
        if inserted.is_new() {
            open.place += 1;
            state.taken.messages += 1;
        } else {
            state.taken.doubles += 1;
        }
    }
    progress.files.extend(slice.whole);
    // With each slice: a run may end after any.
    if open.stored > 0 {
        cx.store.conversation_settle(open.id)?;
        cx.changes.conversation(open.id);
        cx.changes.contacts();
    }
    if slice.last
        && let Some(open) = state.conversation.take()
        && open.stored > 0
        && open.mixed
    {
        // Also where all of it came in a run before, which may have ended while it was being arranged.
        state.arranging = begin_to_arrange(cx, open.id)?;
    }
    Ok(true)
}

fn begin_to_arrange(
    cx: &Context,
    conversation: ConversationId,
) -> Result<Option<Arranging>, Fault> {
    let messages = cx.store.order_by_time(conversation)?;
    if messages.is_empty() {
        return Ok(None);
    }
    let first = cx
        .store
        .places_before(conversation, messages.len() as u64)?;
    Ok(Some(Arranging {
        conversation,
        messages: messages.into(),
        first,
        done: 0,
    }))
}

/// Gives some messages their places.
pub(super) fn arrange(cx: &mut Context, progress: &mut Progress) -> Result<(), Fault> {
    let Some(arranging) = &mut progress.state.arranging else {
        return Ok(());
    };
    let rest = arranging.messages.get(arranging.done..).unwrap_or_default();
    let some = rest.get(..PLACES).unwrap_or(rest);
    let first = arranging.first + i64::try_from(arranging.done).unwrap_or_default();
    cx.store.messages_place(some, first)?;
    arranging.done += some.len();
    if arranging.done >= arranging.messages.len() {
        cx.store.conversation_settle(arranging.conversation)?;
        cx.changes.conversation(arranging.conversation);
        progress.state.arranging = None;
    }
    Ok(())
}

/// Stores a slice of calls.
pub(super) fn calls(
    cx: &mut Context,
    accounts: &Accounts,
    calls: &[Call],
    whole: Vec<SourceFile>,
    progress: &mut Progress,
) -> Result<(), Fault> {
    let state = &mut progress.state;
    let days = i64::from(in_days(cx.settings.expiry));
    let now = cx.timestamp();
    let limit = now.0.saturating_sub(days * 86_400_000);
    for call in calls {
        if days > 0 && call.started < limit {
            state.taken.expired += 1;
            continue;
        }
        let account = call
            .address
            .as_deref()
            .and_then(|address| account_at(accounts, address))
            .map(|account| account.id);
        let participants: Vec<String> = call
            .participants
            .iter()
            .map(|(address, name)| if address.is_empty() { name } else { address })
            .map(|name| bare(name).map_or_else(|| text::clean_line(name), |jid| jid.to_string()))
            .collect();
        let reason = call.reason.map(|reason| reason.to_string());
        let outcome = match (call.answered, call.outgoing, call.reason) {
            (true, _, _) => CallOutcome::Answered,
            (false, true, Some(486 | 600 | 603)) => CallOutcome::Declined,
            (false, true, Some(reason)) if reason >= 300 => CallOutcome::Failed,
            (false, _, _) => CallOutcome::Missed,
        };
        let added = cx.store.call_add(&NewCall {
            account,
            peer: participants.first().map(String::as_str).unwrap_or_default(),
            direction: if call.outgoing {
                Direction::Outgoing
            } else {
                Direction::Incoming
            },
            outcome,
            started_at: Timestamp(call.started).min(now),
            ended_at: Timestamp(call.ended).min(now),
            end_reason: reason.as_deref().unwrap_or_default(),
            participants: &participants,
            imported: Some(&hex(&call.key)),
        })?;
        state.taken.calls += u64::from(added);
    }
    progress.files.extend(whole);
    Ok(())
}

/// Files of settings and keys of which everything is here now: they may be shredded as well.
pub(super) fn files_of_settings(
    cx: &Context,
    accounts: &Accounts,
    found: &Found,
    progress: &mut Progress,
) -> Result<(), Fault> {
    let Some(parts) = progress.parts else {
        return Ok(());
    };
    let keys_taken = parts.keys && !progress.state.keys_left;
    if keys_taken {
        progress.files.extend(found.key_files.iter().cloned());
    }
    let Some(file) = &found.settings_file else {
        return Ok(());
    };
    // Jitsi keeps its keys among the settings; Pidgin's have files of their own.
    let keys_elsewhere = found.keys.is_empty() && found.trust.is_empty();
    let in_settings = found.program == sotto_import::Program::Jitsi;
    if in_settings && !keys_elsewhere && !keys_taken {
        return Ok(());
    }
    for account in &found.accounts {
        let Some(own) = account_at(accounts, &account.address) else {
            return Ok(());
        };
        if let Some(password) = &account.password {
            let kept = cx.store.credential(own.id)?;
            if kept.is_none_or(|kept| kept.expose() != password.expose()) {
                return Ok(());
            }
        }
    }
    progress.files.push(file.clone());
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
