//! Changing the password on the server (XEP-0077 §3.3).

/// What an iq of this module is for.
#[derive(Debug)]
pub(crate) enum Pending {}

/// `AccountChangePassword`: asks the server over the account's stream; the answer waits for it.
pub(crate) fn change(cx: &mut Context, account: &mut Account, to: ReplyTo, password: Secret) -> Answer;

/// The server's answer: only after `result` is the stored password replaced (if one is stored), and
/// the one that the account keeps in memory for signing in again (`account.set_password`).
pub(crate) fn handle_reply(cx: &mut Context, account: &mut Account, pending: Pending, reply: IqReply) -> Result<(), Fault>;

/// Whether the button is on; the reason in a sentence when not.
pub(crate) fn possible(account: &Account) -> PasswordChange;
