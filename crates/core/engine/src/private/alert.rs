//! Notices with choices: what the person must see, and may do about it.

use sotto_api::ConversationId;
use sotto_api::view::{AlertKind, AlertView, Policy, PrivateState, Trust};

use super::standing::Standing;
use crate::account::Account;
use crate::context::Context;
use crate::words;

/// What a notice is about, until it is put away or overtaken.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Alert {
    /// No private conversation came about; what waited for it is back in the draft.
    NotPossible,
    Ended,
    KeyChanged,
    Distrusted,
    /// Text came in clear.
    CameUnencrypted,
    /// The other side's program says this; cleaned text, may be empty.
    Fault {
        said: String,
    },
}

/// Shows a notice.
pub(crate) fn set(
    cx: &mut Context,
    account: &mut Account,
    conversation: ConversationId,
    alert: Alert,
) {
    account.private.alerts.insert(conversation, alert);
    cx.changes.conversation(conversation);
}

/// Puts a notice away.
pub(crate) fn dismiss(cx: &mut Context, account: &mut Account, conversation: ConversationId) {
    account.private.alerts.remove(&conversation);
    cx.changes.conversation(conversation);
}

/// A session began: what was said about the one before is over, but for a fault that the other side reports.
/// The new session may be its answer, and the person has not seen it yet.
pub(super) fn overtaken(account: &mut Account, conversation: ConversationId) {
    let alerts = &mut account.private.alerts;
    if !matches!(alerts.get(&conversation), Some(Alert::Fault { .. })) {
        alerts.remove(&conversation);
    }
}

/// What the other side could not read was sent again.
pub(super) fn repaired(cx: &mut Context, account: &mut Account, conversation: ConversationId) {
    if matches!(
        account.private.alerts.get(&conversation),
        Some(Alert::Fault { .. })
    ) {
        dismiss(cx, account, conversation);
    }
}

/// The gravest notice of a conversation. What stops the sending cannot be put away.
pub(super) fn view(
    account: &Account,
    conversation: ConversationId,
    standing: &Standing,
    name: &str,
) -> Option<AlertView> {
    let stopped = match (standing.state, standing.trust) {
        (PrivateState::Ended, _) => Some(Alert::Ended),
        (PrivateState::Private, Some(Trust::Changed)) => Some(Alert::KeyChanged),
        (PrivateState::Private, Some(Trust::Distrusted)) => Some(Alert::Distrusted),
        _ => None,
    };
    let alert = match stopped {
        Some(stopped) => stopped,
        None => match account.private.alerts.get(&conversation)? {
            // They are over, or they would have been found above.
            Alert::Ended | Alert::KeyChanged | Alert::Distrusted => return None,
            alert => alert.clone(),
        },
    };
    let details = match &alert {
        Alert::Fault { said } => said.as_str(),
        _ => "",
    };
    let kind = match &alert {
        Alert::NotPossible => AlertKind::NotPossible,
        Alert::Ended => AlertKind::Ended,
        Alert::KeyChanged => AlertKind::KeyChanged,
        Alert::Distrusted => AlertKind::Distrusted,
        Alert::CameUnencrypted => AlertKind::CameUnencrypted,
        Alert::Fault { .. } => AlertKind::Fault,
    };
    let context = words::private::AlertContext {
        name,
        required: standing.policy == Policy::Required,
        details,
    };
    Some(words::private::alert(kind, context))
}
