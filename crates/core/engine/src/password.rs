//! Changing the password on the server (XEP-0077 §3.3).

use sotto_api::view::PasswordChange;
use sotto_api::{ApiError, ErrorKind, Field, Reply, Secret};
use sotto_xmpp::register::{self, Refusal, RefusalKind};
use sotto_xmpp::{BareJid, Jid, iq};

use crate::account::{Account, IqReply, Pending as AccountPending};
use crate::context::{Answer, Context, ReplyTo};
use crate::error::Fault;
use crate::words;

/// What an iq of this module is for.
#[derive(Debug)]
pub(crate) struct Pending {
    to: ReplyTo,
    password: Secret,
}

/// `AccountChangePassword`: asks the server over the account's stream, which is always verified TLS;
/// the answer waits for it.
pub(crate) fn change(
    cx: &mut Context,
    account: &mut Account,
    to: ReplyTo,
    password: Secret,
) -> Answer {
    if let PasswordChange::Impossible(reason) = possible(account) {
        let kind = if account.is_online() {
            ErrorKind::Refused
        } else {
            ErrorKind::Offline
        };
        return Err(ApiError::new(kind, reason));
    }
    if password.is_empty() {
        return Err(words::empty_password());
    }
    let Some(name) = account.address.node().map(|node| node.as_str().to_owned()) else {
        return Err(words::internal());
    };
    let server = Jid::from(BareJid::from_parts(None, account.address.domain()));
    let payload = register::change_password(&name, password.expose());
    let pending = AccountPending::Password(Pending { to, password });
    if account.request(cx, Some(server), iq::Method::Set, payload, pending) {
        Ok(None)
    } else {
        Err(words::offline(account.address.as_str()))
    }
}

/// The server's answer: only after `result` is the stored password replaced (if one is stored), and
/// the one that the account keeps in memory for signing in again.
pub(crate) fn handle_reply(
    cx: &mut Context,
    account: &mut Account,
    pending: Pending,
    reply: IqReply,
) -> Result<(), Fault> {
    let Pending { to, password } = pending;
    let answer = match reply {
        Ok(_) => {
            let stored = if account.row.remembered {
                cx.store
                    .credential_set(account.id, &password, cx.timestamp())
            } else {
                Ok(())
            };
            account.set_password(password);
            cx.changes.account(account.id);
            match stored {
                Ok(()) => Ok(Reply::Done),
                Err(error) => {
                    tracing::warn!(%error, "a changed password could not be stored");
                    Err(ApiError::new(
                        ErrorKind::Store,
                        words::password_changed_not_stored(account.domain()),
                    ))
                }
            }
        }
        Err(iq::Failure::Error(error)) => {
            let refusal = Refusal::of(&error, false);
            Err(match refusal.kind {
                RefusalKind::AnswerRejected | RefusalKind::NameInvalid => {
                    words::password_rejected(account.domain(), &refusal.text).at(Field::Password)
                }
                _ => words::server_refused(account.domain(), error.condition.name(), &error.text),
            })
        }
        Err(iq::Failure::TimedOut | iq::Failure::Dropped | iq::Failure::Lost) => {
            Err(ApiError::new(
                ErrorKind::Refused,
                words::password_in_doubt(account.domain()),
            ))
        }
    };
    cx.answer(to, answer);
    Ok(())
}

/// Whether the button is on; the reason in a sentence when not.
pub(crate) fn possible(account: &Account) -> PasswordChange {
    let online = account.is_online();
    // Until the server has told, it may be tried; the server's own answer then says why not.
    let features = &account.features;
    if online && (features.register || !features.server_known) {
        PasswordChange::Possible
    } else {
        PasswordChange::Impossible(words::password_change_off(account.domain(), online))
    }
}
