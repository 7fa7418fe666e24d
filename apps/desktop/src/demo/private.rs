//! Private conversations in the demo: every state can be shown.

use sotto_api::view::{
    AlertAct, AlertChoice, AlertKind, AlertView, ConversationView, DeviceView, LineNotice,
    MessageKind, MessageView, OwnKeyView, OwnPolicyView, PeerKeyView, PoliciesView, Policy,
    PolicyScope, Privacy, PrivacyView, PrivateState, Trust, VerificationState, VerificationView,
};
use sotto_api::{
    AccountId, ApiError, ContactId, ConversationId, PeerKeyId, Reply, Request, Timestamp,
};

use super::World;
use crate::testing::message;

const CODE: &str = "5F2C 91A0 77D3 E8B4 0C6A 12F9 D15B 38E7 A944 02CD";
const OWN: &str = "B08E 4D17 3A95 C2F6 61D0 7B2E 9FC4 380A E277 15D3";

/// How the private conversation with the first person stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stand {
    /// Nothing is said about it.
    #[default]
    None,
    /// It stands, and the key is verified.
    Verified,
    /// It stands.
    Unverified,
    /// Keys are being made.
    Starting,
    /// The other side ended it.
    Ended,
    /// It is required, and not possible.
    Refused,
    /// Another key than the verified one.
    Changed,
    /// A question came.
    Asked,
    /// A question waits for the other side.
    Waiting,
    /// A question was not answered rightly.
    Failed,
    /// Two devices.
    Devices,
}

impl Stand {
    /// By its name on the command line.
    #[cfg(feature = "demo")]
    pub fn of(name: &str) -> Self {
        match name {
            "verified" => Self::Verified,
            "unverified" => Self::Unverified,
            "starting" => Self::Starting,
            "ended" => Self::Ended,
            "refused" => Self::Refused,
            "changed" => Self::Changed,
            "asked" => Self::Asked,
            "waiting" => Self::Waiting,
            "failed" => Self::Failed,
            "devices" => Self::Devices,
            _ => Self::None,
        }
    }
}

fn label(state: Privacy, label: &str, below: &str) -> PrivacyView {
    PrivacyView {
        state,
        label: label.into(),
        below: below.into(),
        spoken: format!("Privacy: {}. {below} Opens details", label.to_lowercase()),
    }
}

fn choice(act: AlertAct, label: &str, question: &str) -> AlertChoice {
    AlertChoice {
        act,
        label: label.into(),
        risky: !question.is_empty(),
        question: question.into(),
    }
}

fn device(id: &str, name: &str, chosen: bool, privacy: Privacy) -> DeviceView {
    DeviceView {
        id: id.into(),
        name: name.into(),
        chosen,
        private: privacy != Privacy::ServerOnly,
        privacy,
        key: Some(PeerKeyId(1)),
    }
}

/// Makes a conversation stand so.
pub(super) fn put(view: &mut ConversationView, stand: Stand) {
    let private = &mut view.private;
    private.policy = Policy::Preferred;
    private.policy_text = "Leila: when possible".into();
    private.state = PrivateState::Private;
    private.code = CODE.into();
    private.own_code = OWN.into();
    private.key = Some(PeerKeyId(1));
    private.trust = Some(if stand == Stand::Verified {
        Trust::Verified
    } else {
        Trust::New
    });
    private.devices = vec![device("v3:1", "laptop", true, Privacy::Encrypted)];
    private.alert = None;
    private.can_send = true;
    private.verification = VerificationView::default();
    view.typing_text.clear();
    view.privacy = if stand == Stand::Verified {
        label(
            Privacy::Verified,
            "End-to-end, verified",
            "Only you and Leila can read this.",
        )
    } else {
        label(
            Privacy::Encrypted,
            "End-to-end, not verified",
            "Encrypted. You have not checked that it is Leila.",
        )
    };
    let verification = |state, text: &str, question: &str| VerificationView {
        state,
        question: question.into(),
        text: text.into(),
        step: 1,
    };
    match stand {
        Stand::None | Stand::Verified | Stand::Unverified => {}
        Stand::Starting => {
            private.state = PrivateState::Starting;
            private.code.clear();
            private.trust = None;
            view.privacy = label(
                Privacy::ServerOnly,
                "Making it private…",
                "What you write waits until it is private.",
            );
        }
        Stand::Ended => {
            private.state = PrivateState::Ended;
            private.can_send = false;
            view.privacy = label(
                Privacy::ServerOnly,
                "To the server only",
                "Nothing more is sent until you choose.",
            );
            private.alert = Some(AlertView {
                kind: AlertKind::Ended,
                title: "Leila ended the private conversation".into(),
                text: "Nothing more is sent until you choose.".into(),
                choices: vec![
                    choice(AlertAct::Start, "Begin again", ""),
                    choice(
                        AlertAct::ContinueUnencrypted,
                        "Go on unencrypted…",
                        "Go on unencrypted with Leila?\nAnyone along the way can read what you write from now on.",
                    ),
                ],
            });
        }
        Stand::Refused => {
            private.state = PrivateState::None;
            private.policy = Policy::Required;
            private.policy_text = "Leila: required, as for everyone".into();
            private.can_send = false;
            private.code.clear();
            private.trust = None;
            view.draft =
                "Yes, I have them here with me. Three from the hospital, one from the school."
                    .into();
            view.privacy = label(
                Privacy::None,
                "Not encrypted",
                "Not encrypted, and you require encryption: nothing leaves this computer.",
            );
            private.alert = Some(AlertView {
                kind: AlertKind::NotPossible,
                title: "Your message was not sent".into(),
                text: "You require end-to-end encryption, and Leila’s program did not answer the request for it. Anyone along the way could have read the message, so it stayed here. Your text is in the field below.".into(),
                choices: vec![
                    choice(AlertAct::Start, "Ask again", ""),
                    choice(AlertAct::Options, "What is required for Leila…", ""),
                ],
            });
        }
        Stand::Changed => {
            private.trust = Some(Trust::Changed);
            private.can_send = false;
            private.alert = Some(AlertView {
                kind: AlertKind::KeyChanged,
                title: "Leila’s key is not the one you verified".into(),
                text:
                    "A new computer, or somebody in between. Sending is stopped until you choose."
                        .into(),
                choices: vec![
                    choice(AlertAct::Verify, "Verify Leila", ""),
                    choice(
                        AlertAct::ContinueUnverified,
                        "Go on with the new key…",
                        "Go on without knowing whose key it is?\nIf somebody stands in between, what you write is read there. Reach Leila in another way and compare the codes.",
                    ),
                ],
            });
        }
        Stand::Asked => {
            private.verification = verification(
                VerificationState::Asked,
                "Leila wants to make sure that it is you.",
                "Where did we shelter from the hail?",
            );
        }
        Stand::Waiting => {
            private.verification = verification(
                VerificationState::Waiting,
                "Waiting for Leila to answer.",
                "",
            );
        }
        Stand::Failed => {
            private.verification = verification(
                VerificationState::Failed,
                "The answers differ. A typing mistake, or somebody in between. Nothing was marked.",
                "",
            );
        }
        Stand::Devices => {
            private.devices = vec![
                device("v3:1", "laptop", true, Privacy::Encrypted),
                device("v3:2", "phone", false, Privacy::ServerOnly),
            ];
        }
    }
}

/// The program's own lines that belong to a state.
pub(super) fn lines(list: &mut Vec<MessageView>, stand: Stand, now: i64) {
    let mut say = |at: usize, id: i64, notice: LineNotice, privacy: Privacy, text: &str| {
        let mut line = message(900_000 + id, text);
        line.kind = MessageKind::System;
        line.notice = Some(notice);
        line.privacy = privacy;
        line.at = Timestamp(now - 22 * 60_000);
        line.spoken = text.into();
        if at == 0
            && let Some(first) = list.first()
        {
            line.at = first.at;
        }
        list.insert(at.min(list.len()), line);
    };
    match stand {
        Stand::None => {}
        Stand::Refused => say(
            usize::MAX,
            1,
            LineNotice::NoAnswer,
            Privacy::None,
            "Sotto asked Leila’s program for a private conversation. It did not answer within 20 seconds.",
        ),
        Stand::Changed => say(
            usize::MAX,
            1,
            LineNotice::KeyChanged,
            Privacy::Encrypted,
            "Leila has another key than before.",
        ),
        Stand::Verified => {
            say(
                0,
                1,
                LineNotice::NotKept,
                Privacy::Verified,
                "This private conversation is not kept: it is gone when Sotto ends.",
            );
            say(
                0,
                2,
                LineNotice::PrivateStarted,
                Privacy::Verified,
                "Private conversation started. Only you and Leila can read what follows.",
            );
        }
        _ => say(
            usize::MAX,
            1,
            LineNotice::PrivateStarted,
            Privacy::Encrypted,
            "Private conversation started. You have not verified Leila yet.",
        ),
    }
    if stand == Stand::Refused {
        for message in list.iter_mut().filter(|m| m.kind == MessageKind::Text) {
            message.privacy = Privacy::None;
            message.privacy_text = if message.delivery.is_some() {
                "Sent unencrypted".into()
            } else {
                "Came unencrypted".into()
            };
        }
    } else if stand != Stand::None {
        for message in list.iter_mut().filter(|m| m.kind == MessageKind::Text) {
            message.kept = false;
            if stand != Stand::Verified {
                message.privacy = Privacy::Encrypted;
            }
        }
    }
}

fn peer_key(id: i64, name: &str, address: &str, trust: Trust, words: &str) -> PeerKeyView {
    PeerKeyView {
        id: PeerKeyId(id),
        account: AccountId(1),
        account_address: "sara@riverside.example".into(),
        address: address.into(),
        name: name.into(),
        contact: Some(ContactId(id)),
        code: if id == 1 {
            CODE.into()
        } else {
            OWN.chars().rev().collect()
        },
        trust,
        trust_text: words.into(),
        first_seen: Timestamp(1_790_000_000_000),
        last_seen: Timestamp(1_795_000_000_000),
        in_use: id == 1,
    }
}

/// Answers what is about private conversations; gives back what is not.
pub(super) fn answer(
    world: &mut World,
    request: Request,
) -> Result<Result<Reply, ApiError>, Box<Request>> {
    let change = |world: &mut World, id: ConversationId, stand: Stand| {
        world.conversation(id).map(|view| {
            put(view, stand);
            Reply::Done
        })
    };
    Ok(match request {
        Request::PrivateStart { conversation } => change(world, conversation, Stand::Unverified),
        Request::PrivateEnd { conversation } => change(world, conversation, Stand::Ended),
        Request::VerifyCode {
            conversation,
            matches,
            ..
        } => change(
            world,
            conversation,
            if matches {
                Stand::Verified
            } else {
                Stand::Changed
            },
        ),
        Request::VerifyAsk { conversation, .. } => change(world, conversation, Stand::Waiting),
        Request::VerifyAnswer { conversation, .. } | Request::VerifyStop { conversation } => {
            change(world, conversation, Stand::Unverified)
        }
        Request::PrivateDevice {
            conversation,
            device,
        } => world.conversation(conversation).map(|view| {
            for known in &mut view.private.devices {
                known.chosen = known.id == device;
            }
            Reply::Done
        }),
        Request::PolicyList {} => Ok(Reply::Policies(PoliciesView {
            global: Policy::Required,
            own: vec![OwnPolicyView {
                scope: PolicyScope::Conversation {
                    conversation: ConversationId(4),
                },
                name: "Jonas Vik".into(),
                policy: Policy::Preferred,
                policy_text: "when possible".into(),
            }],
            uncovered: "Rooms and text messages to telephones are not covered.".into(),
        })),
        Request::OwnKeyList {} => Ok(Reply::OwnKeys(vec![
            OwnKeyView {
                account: AccountId(1),
                address: "sara@riverside.example".into(),
                code: OWN.into(),
                making: false,
                created: Some(Timestamp(1_790_000_000_000)),
            },
            OwnKeyView {
                account: AccountId(2),
                address: "sara.j@press.example".into(),
                code: String::new(),
                making: false,
                created: None,
            },
        ])),
        Request::PeerKeyList { .. } => Ok(Reply::PeerKeys(vec![
            peer_key(
                1,
                "Leila Haddad",
                "leila@riverside.example",
                Trust::Verified,
                "Verified",
            ),
            peer_key(
                2,
                "Omar Mansour",
                "omar@commons.example",
                Trust::New,
                "Not checked",
            ),
            peer_key(
                3,
                "Anna Kowalska",
                "anna@quiet.example",
                Trust::Distrusted,
                "Not trusted",
            ),
        ])),
        other => return Err(Box::new(other)),
    })
}
