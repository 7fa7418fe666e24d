//! Views as the engine would give them, for tests and the demo.

use sotto_api::view::{
    AccountState, AccountView, AddressView, Availability, ContactView, ConversationView, Direction,
    Expiry, HistoryView, MessageKind, MessageView, PasswordChange, Policy, PolicyScope, Privacy,
    PrivacyView, PrivateState, PrivateView, Subscription, VerificationView,
};
use sotto_api::{AccountId, ContactId, ConversationId, MessageId, Timestamp};

/// Two letters for a name.
fn initials(name: &str) -> String {
    name.split_whitespace()
        .filter_map(|word| word.chars().next())
        .take(2)
        .collect::<String>()
        .to_uppercase()
}

/// An address made from a name.
fn address(name: &str) -> String {
    let local = name.split_whitespace().next().unwrap_or("x").to_lowercase();
    format!("{local}@riverside.example")
}

/// Somebody in the list.
pub fn contact(id: i64, name: &str) -> ContactView {
    ContactView {
        id: Some(ContactId(id)),
        name: name.into(),
        initials: initials(name),
        colour: u8::try_from(id.rem_euclid(6)).unwrap_or_default(),
        avatar: None,
        addresses: vec![AddressView {
            account: AccountId(1),
            address: address(name),
            ascii: None,
            subscription: Subscription::Both,
            asking: false,
            availability: Availability::Available,
        }],
        groups: Vec::new(),
        availability: Availability::Available,
        availability_text: "Available".into(),
        status_text: String::new(),
        conversation: None,
        unread: 0,
        preview: String::new(),
        preview_is_draft: false,
        preview_failed: false,
        last_at: None,
        blocked: false,
        spoken: format!("{name}, available"),
    }
}

/// A conversation with somebody in the list.
pub fn conversation(id: i64, with: i64, name: &str) -> ConversationView {
    let mut contact = contact(with, name);
    contact.conversation = Some(ConversationId(id));
    ConversationView {
        id: ConversationId(id),
        account: AccountId(1),
        account_address: "sara@riverside.example".into(),
        address: address(name),
        subtitle: format!("Available · {}", address(name)),
        contact,
        contact_id: Some(ContactId(with)),
        availability: Availability::Available,
        stranger: false,
        typing: false,
        typing_text: String::new(),
        draft: String::new(),
        unread: 0,
        first_unread: None,
        privacy: PrivacyView {
            state: Privacy::ServerOnly,
            label: "To the server only".into(),
            below: "The servers in between can read this.".into(),
            spoken:
                "Privacy: to the server only. The servers in between can read this. Opens details"
                    .into(),
        },
        private: not_private(),
        history: HistoryView {
            keep: true,
            own_keep: None,
            expiry: Expiry::Never,
            own_expiry: None,
            text: "Kept".into(),
        },
        online: true,
        notice: String::new(),
        correctable: None,
        last_at: None,
    }
}

/// No private conversation, and none required.
pub fn not_private() -> PrivateView {
    PrivateView {
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
    }
}

/// A message that came.
pub fn message(id: i64, body: &str) -> MessageView {
    MessageView {
        id: MessageId(id),
        conversation: ConversationId(1),
        direction: Direction::Incoming,
        author: "Leila Haddad".into(),
        kind: MessageKind::Text,
        body: body.into(),
        links: Vec::new(),
        at: Timestamp(1_795_615_620_000),
        delivery: None,
        delivery_text: String::new(),
        failure: String::new(),
        edited: false,
        previous: Vec::new(),
        privacy: Privacy::ServerOnly,
        privacy_text: String::new(),
        kept: true,
        notice: None,
        spoken: format!("Leila Haddad: {body}"),
    }
}

/// An account that is online.
pub fn account(id: i64, address: &str) -> AccountView {
    AccountView {
        id: AccountId(id),
        network: "xmpp".into(),
        address: address.into(),
        enabled: true,
        remembered: true,
        state: AccountState::Online,
        state_text: "Online".into(),
        problem: None,
        availability: Availability::Available,
        status_text: String::new(),
        avatar: None,
        settings: sotto_api::AccountSettings::default(),
        password_change: PasswordChange::Possible,
        connection: "TLS 1.3, SCRAM-SHA-256".into(),
        accepted_certificates: Vec::new(),
    }
}
