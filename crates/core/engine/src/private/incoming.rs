//! Texts that come: those of OTR go to its conversation, those in clear are looked at where one stands.

use sotto_api::view::{Policy, Privacy};
use sotto_xmpp::BareJid;
use sotto_xmpp::message::{Encryption, Message};

use super::session::{self, Cause, Content};
use super::standing::standing;
use super::{alert, html, policy_of, trust};
use crate::account::Account;
use crate::context::Context;
use crate::error::Fault;

/// The spaces and tabs by which a text in clear offers OTR (OTR v3, *Whitespace-tagged plaintext*).
const TAG: &str = " \t  \t\t\t\t \t \t \t  ";

/// A text to be shown.
pub(crate) struct Shown {
    pub text: String,
    pub privacy: Privacy,
    /// It was encrypted, so it is kept only where the person says so.
    pub secret: bool,
}

/// Whether a message holds OTR's data.
pub(crate) fn is_otr(message: &Message) -> bool {
    message.encryption == Some(Encryption::Otr)
}

/// Whether it is a data message of version 3, rather than a part of a key exchange.
pub(crate) fn is_data(message: &Message) -> bool {
    let text = message.placeholder.as_ref().map(|text| text.as_str());
    text.is_some_and(|text| text.trim_start().starts_with("?OTR:AAMD"))
}

/// An OTR text that came to this program. What it held, if it held words.
pub(crate) fn receive_otr(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    message: &Message,
) -> Result<Vec<Shown>, Fault> {
    let (Some(from), Some(text)) = (&message.from, &message.placeholder) else {
        return Ok(Vec::new());
    };
    if message.cut {
        return Ok(Vec::new());
    }
    let from = from.as_str().to_owned();
    let text = text.as_str().trim_start().to_owned();
    let done = session::run(cx, account, peer, Cause::NONE, &mut |talk, env| {
        talk.receive(env, &from, &text);
    })?;
    if done.is_none() && !account.private.asked.contains_key(peer) {
        // The own key is being made: the other side is asked when it is there.
        account.private.wanted.insert(peer.clone());
    }
    shown(cx, account, peer, done.unwrap_or_default())
}

/// A text in clear. As it is to be shown: without an offer of OTR, and with its label.
pub(crate) fn receive_clear(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    from: &str,
    text: &str,
    live: bool,
) -> Result<Shown, Fault> {
    let offered = text.contains(TAG);
    let plain = Shown {
        text: stripped(text),
        privacy: Privacy::ServerOnly,
        secret: false,
    };
    if !live || !(offered || session::is_known(cx, account, peer)?) {
        return Ok(plain);
    }
    let conversation = cx.store.conversation_open(account.id, peer.as_str())?;
    if offered && policy_of(cx, account, conversation)?.0 == Policy::Off {
        return Ok(plain);
    }
    let done = session::run(cx, account, peer, Cause::NONE, &mut |talk, env| {
        talk.receive(env, from, text);
    })?;
    if done.is_none() && !offered {
        session::answered_in_clear(cx, account, peer)?;
    } else if done.is_none() && !account.private.asked.contains_key(peer) {
        account.private.wanted.insert(peer.clone());
    }
    let all = shown(cx, account, peer, done.unwrap_or_default())?;
    Ok(all.into_iter().next().map_or(plain, |shown| Shown {
        text: stripped(&shown.text),
        ..shown
    }))
}

fn shown(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    contents: Vec<Content>,
) -> Result<Vec<Shown>, Fault> {
    if contents.is_empty() {
        return Ok(Vec::new());
    }
    let conversation = cx.store.conversation_open(account.id, peer.as_str())?;
    let mut all = Vec::new();
    for content in contents {
        match content {
            Content::Clear { text, exposed } => {
                let required = policy_of(cx, account, conversation)?.0 == Policy::Required;
                if exposed {
                    alert::set(cx, account, conversation, alert::Alert::CameUnencrypted);
                }
                all.push(Shown {
                    text,
                    privacy: if exposed || required {
                        Privacy::None
                    } else {
                        Privacy::ServerOnly
                    },
                    secret: false,
                });
            }
            Content::Secret { text, instance } => {
                let devices = session::instances(cx, account, peer)?;
                let fingerprint = devices
                    .into_iter()
                    .find(|device| device.id == instance)
                    .and_then(|device| device.fingerprint);
                let trust = match fingerprint {
                    Some(fingerprint) => trust::of(cx, account, peer, &fingerprint)?,
                    None => None,
                };
                account.private.latest.insert(peer.clone(), instance);
                all.push(Shown {
                    text: html::plain(&text),
                    privacy: super::privacy(trust),
                    secret: true,
                });
            }
        }
    }
    Ok(all)
}

/// A text without OTR's offer: the base tag and the versions that follow it, eight spaces or tabs each.
pub(crate) fn stripped(text: &str) -> String {
    let Some((before, after)) = text.split_once(TAG) else {
        return text.to_owned();
    };
    let mut rest = after;
    while let Some(version) = rest.get(..8)
        && version.bytes().all(|byte| byte == b' ' || byte == b'\t')
    {
        rest = rest.get(8..).unwrap_or_default();
    }
    format!("{before}{rest}")
}

/// A copy of an OTR text that went to or came from another program of mine: one line in a conversation.
pub(crate) fn note_copy(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
) -> Result<(), Fault> {
    let Some(conversation) = cx.store.conversation_find(account.id, peer.as_str())? else {
        return Ok(());
    };
    let Some(row) = cx.store.conversation(conversation)? else {
        return Ok(());
    };
    if !account.private.told_copies.insert(conversation) {
        return Ok(());
    }
    // With a session of this program's own, the words are here.
    if standing(cx, account, &row, peer)?.state != sotto_api::view::PrivateState::None {
        return Ok(());
    }
    super::events::line(
        cx,
        account,
        conversation,
        sotto_api::view::LineNotice::Unreadable,
        crate::words::private::for_another_device().to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::{TAG, stripped};

    #[test]
    fn s_otr_03_an_offer_is_not_shown() {
        assert_eq!(stripped(&format!("hello{TAG}  \t\t  \t\t")), "hello");
        assert_eq!(stripped(&format!("a{TAG}  \t\t  \t b")), "ab");
        assert_eq!(stripped("no offer \t "), "no offer \t ");
    }
}
