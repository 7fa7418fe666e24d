//! What shells ask about private conversations, keys and policies.

use sotto_api::view::{OwnPolicyView, PeerKeyView, PoliciesView, Policy, PolicyScope, Trust};
use sotto_api::{AccountId, ApiError, ConversationId, PeerKeyId, Reply, Request};
use sotto_otr::State;
use sotto_store::row::{ConversationRow, PeerKeyRow};
use sotto_xmpp::BareJid;

use super::import::{self, Files};
use super::{control, events, keys, session, trust, verify};
use crate::account::{Account, Accounts};
use crate::context::{Answer, Context};
use crate::error::Fault;
use crate::people;
use crate::words::{self, private as say};

/// `PrivateStart` … `OtrImport`.
pub(crate) fn handle(cx: &mut Context, accounts: &mut Accounts, request: Request) -> Answer {
    match request {
        Request::PeerKeyList { account } => return peer_keys(cx, accounts, account).map(Some),
        Request::OwnKeyList {} => {
            let views: Result<_, Fault> = accounts
                .values()
                .map(|account| keys::view(cx, account))
                .collect();
            return Ok(Some(Reply::OwnKeys(views?)));
        }
        Request::PolicyList {} => return Ok(Some(Reply::Policies(policies(cx)?))),
        Request::PeerKeyTrust { key, trust } => set_trust(cx, accounts, key, trust)?,
        Request::PeerKeyForget { key } => forget(cx, accounts, key)?,
        Request::OwnKeyRenew { account } => {
            let account = accounts.get_mut(&account).ok_or_else(words::not_found)?;
            keys::renew(cx, account)?;
        }
        Request::PolicySet {
            scope,
            policy,
            follow,
        } => set_policy(cx, accounts, scope, policy, follow)?,
        Request::OtrImport {
            private_key,
            fingerprints,
            instance_tags,
        } => {
            let files = Files {
                private_key,
                fingerprints,
                instance_tags,
            };
            import::take(cx, accounts, files)?;
        }
        other => in_conversation(cx, accounts, other)?,
    }
    Ok(Some(Reply::Done))
}

/// Requests that name a conversation.
fn in_conversation(
    cx: &mut Context,
    accounts: &mut Accounts,
    request: Request,
) -> Result<(), ApiError> {
    let conversation = match &request {
        Request::PrivateStart { conversation }
        | Request::PrivateEnd { conversation }
        | Request::PrivateDevice { conversation, .. }
        | Request::PrivateContinue { conversation, .. }
        | Request::VerifyCode { conversation, .. }
        | Request::VerifyAsk { conversation, .. }
        | Request::VerifyAnswer { conversation, .. }
        | Request::VerifyStop { conversation } => *conversation,
        _ => return Err(words::internal()),
    };
    let row = conversation_row(cx, conversation)?;
    let peer = BareJid::new(&row.jid).map_err(|_| words::not_found())?;
    let account = accounts
        .get_mut(&row.account)
        .ok_or_else(words::not_found)?;
    match request {
        Request::PrivateStart { .. } => control::start(cx, account, &row, &peer),
        Request::PrivateEnd { .. } => control::end(cx, account, &row, &peer),
        Request::PrivateDevice { device, .. } => control::device(cx, account, &row, &peer, &device),
        Request::PrivateContinue { act, .. } => control::go_on(cx, account, &row, &peer, act),
        Request::VerifyCode { key, matches, .. } => {
            verify::code(cx, account, &row, &peer, key, matches)
        }
        Request::VerifyAsk {
            question, secret, ..
        } => verify::ask(cx, account, &row, &peer, question, &secret),
        Request::VerifyAnswer { secret, .. } => verify::answer(cx, account, &row, &peer, &secret),
        Request::VerifyStop { .. } => verify::stop(cx, account, &row, &peer),
        _ => Err(words::internal()),
    }
}

fn conversation_row(
    cx: &Context,
    conversation: ConversationId,
) -> Result<ConversationRow, ApiError> {
    cx.store
        .conversation(conversation)
        .map_err(Fault::from)?
        .ok_or_else(words::not_found)
}

// ---- keys ------------------------------------------------------------------------------------

fn peer_keys(
    cx: &Context,
    accounts: &Accounts,
    account: Option<AccountId>,
) -> Result<Reply, ApiError> {
    let rows = cx.store.peer_keys(account).map_err(Fault::from)?;
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        // Keys of an account that was removed are not shown; its history may have stayed.
        if let Some(account) = accounts.get(&row.account)
            && let Some(view) = key_view(cx, account, &row)?
        {
            views.push(view);
        }
    }
    Ok(Reply::PeerKeys(views))
}

fn key_view(
    cx: &Context,
    account: &Account,
    row: &PeerKeyRow,
) -> Result<Option<PeerKeyView>, Fault> {
    let (Ok(peer), Some(code)) = (BareJid::new(&row.jid), trust::code_of(row)) else {
        return Ok(None);
    };
    let person = people::contact_of(cx, account.id, &peer)?;
    Ok(Some(PeerKeyView {
        id: row.id,
        account: account.id,
        account_address: account.address.to_string(),
        address: row.jid.clone(),
        name: person.name,
        contact: person.id,
        code: code.groups().join(" "),
        trust: row.trust,
        trust_text: say::trust(row.trust).to_owned(),
        first_seen: row.first_seen,
        last_seen: row.last_seen,
        in_use: in_use(cx, account, &peer, row)?,
    }))
}

/// Whether a private conversation with a key stands.
fn in_use(
    cx: &Context,
    account: &Account,
    peer: &BareJid,
    row: &PeerKeyRow,
) -> Result<bool, Fault> {
    let code = trust::code_of(row);
    Ok(session::instances(cx, account, peer)?
        .iter()
        .any(|device| device.state == State::Private && device.fingerprint == code))
}

fn key_row(cx: &Context, key: PeerKeyId) -> Result<PeerKeyRow, ApiError> {
    cx.store
        .peer_key(key)
        .map_err(Fault::from)?
        .ok_or_else(words::not_found)
}

/// `PeerKeyTrust`: the person compared the code in the list, which is that of this very key.
fn set_trust(
    cx: &mut Context,
    accounts: &mut Accounts,
    key: PeerKeyId,
    trust: Trust,
) -> Result<(), ApiError> {
    let row = key_row(cx, key)?;
    match trust {
        Trust::Verified => {
            let proof = trust::Proof::of_comparison(key, row.id).ok_or_else(words::internal)?;
            trust::verify(cx, key, proof)?;
        }
        Trust::New => trust::uncheck(cx, key)?,
        Trust::Distrusted => trust::distrust(cx, key)?,
        Trust::Changed => return Err(say::no_such_trust()),
    }
    note(cx, accounts, &row)
}

fn forget(cx: &mut Context, accounts: &mut Accounts, key: PeerKeyId) -> Result<(), ApiError> {
    let row = key_row(cx, key)?;
    if let (Some(account), Ok(peer)) = (accounts.get(&row.account), BareJid::new(&row.jid))
        && in_use(cx, account, &peer, &row)?
    {
        return Err(say::key_in_use(&events::name(cx, account, &peer)?));
    }
    trust::forget(cx, key)?;
    note(cx, accounts, &row)
}

/// The conversation with the owner of a key is shown otherwise now.
fn note(cx: &mut Context, accounts: &mut Accounts, row: &PeerKeyRow) -> Result<(), ApiError> {
    let found = cx
        .store
        .conversation_find(row.account, &row.jid)
        .map_err(Fault::from)?;
    if let Some(conversation) = found {
        if let Some(account) = accounts.get_mut(&row.account) {
            super::alert::dismiss(cx, account, conversation);
        }
        cx.changes.conversation(conversation);
    }
    cx.changes.contacts();
    Ok(())
}

// ---- policies --------------------------------------------------------------------------------

fn policies(cx: &Context) -> Result<PoliciesView, ApiError> {
    let mut own = Vec::new();
    for row in cx.store.policies_own().map_err(Fault::from)? {
        let name = match row.scope {
            PolicyScope::Global {} => continue,
            PolicyScope::Account { account } => {
                let found = cx.store.account(account).map_err(Fault::from)?;
                found.map(|row| row.address)
            }
            PolicyScope::Conversation { conversation } => {
                let found = cx.store.conversation(conversation).map_err(Fault::from)?;
                match found {
                    Some(row) => Some(match BareJid::new(&row.jid) {
                        Ok(peer) => people::contact_of(cx, row.account, &peer)?.name,
                        Err(_) => row.jid,
                    }),
                    None => None,
                }
            }
        };
        if let Some(name) = name {
            own.push(OwnPolicyView {
                scope: row.scope,
                name,
                policy: row.policy,
                policy_text: say::policy(row.policy).to_owned(),
            });
        }
    }
    Ok(PoliciesView {
        global: cx.store.policy_global().map_err(Fault::from)?,
        own,
        uncovered: say::policy_uncovered().to_owned(),
    })
}

fn set_policy(
    cx: &mut Context,
    accounts: &mut Accounts,
    scope: PolicyScope,
    policy: Option<Policy>,
    follow: bool,
) -> Result<(), ApiError> {
    match scope {
        PolicyScope::Global {} => {
            let policy = policy.ok_or_else(say::policy_missing)?;
            cx.store.policy_global_set(policy).map_err(Fault::from)?;
            if follow {
                cx.store.policies_clear().map_err(Fault::from)?;
            }
        }
        PolicyScope::Account { account } => cx
            .store
            .policy_of_account_set(account, policy)
            .map_err(Fault::from)?,
        PolicyScope::Conversation { conversation } => cx
            .store
            .policy_of_conversation_set(conversation, policy)
            .map_err(Fault::from)?,
    }
    cx.changes.policies();
    for account in accounts.values_mut() {
        super::policy_changed(cx, account)?;
        crate::messages::account_state_changed(cx, account)?;
    }
    if let PolicyScope::Conversation { conversation } = scope {
        cx.changes.conversation(conversation);
    }
    cx.changes.contacts();
    Ok(())
}
