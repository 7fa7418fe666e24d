//! Private conversations: OTR over any account that carries text, the policy that holds, trust in keys.

use sotto_api::ApiError;
use sotto_api::view::{Policy, PolicyScope, PrivateState, PrivateView, VerificationView};
use sotto_store::row::ConversationRow;

use crate::account::Account;
use crate::context::Context;

/// How a private conversation stands.
pub(crate) fn view(
    _cx: &Context,
    _account: &Account,
    _row: &ConversationRow,
    _name: &str,
) -> Result<PrivateView, ApiError> {
    Ok(PrivateView {
        state: PrivateState::None,
        policy: Policy::Preferred,
        policy_scope: PolicyScope::Global {},
        policy_text: String::new(),
        can_send: true,
        devices: Vec::new(),
        code: String::new(),
        own_code: String::new(),
        key: None,
        trust: None,
        verification: VerificationView::default(),
        alert: None,
    })
}
