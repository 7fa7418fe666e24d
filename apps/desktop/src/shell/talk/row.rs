//! One line of the conversation, as the window draws it.

use slint::StyledText;
use sotto_api::view::{Delivery, LineNotice};

use crate::model::{TalkLine, markdown};
use crate::ui::{LineIcon, SendState, TalkKind, TalkRow};

pub(super) fn row(line: &TalkLine) -> TalkRow {
    match line {
        TalkLine::Day { key, text } => TalkRow {
            kind: TalkKind::Day,
            key: key.into(),
            text: text.into(),
            spoken: text.into(),
            ..TalkRow::default()
        },
        TalkLine::Fresh { text } => TalkRow {
            kind: TalkKind::Fresh,
            key: "fresh".into(),
            text: text.into(),
            spoken: text.into(),
            ..TalkRow::default()
        },
        TalkLine::System {
            key,
            text,
            notice,
            verified,
        } => TalkRow {
            kind: TalkKind::System,
            icon: icon(*notice, *verified),
            key: key.into(),
            text: text.into(),
            spoken: text.into(),
            ..TalkRow::default()
        },
        TalkLine::Message(bubble) => TalkRow {
            kind: TalkKind::Message,
            key: bubble.key.as_str().into(),
            mine: bubble.mine,
            text: bubble.text.as_str().into(),
            cut: bubble.cut,
            rich: !bubble.links.is_empty(),
            styled: if bubble.links.is_empty() {
                StyledText::default()
            } else {
                StyledText::from_markdown(&markdown(&bubble.text, &bubble.links))
                    .unwrap_or_else(|_| StyledText::from_plain_text(&bubble.text))
            },
            action: bubble.action,
            right_to_left: bubble.right_to_left,
            joined_above: bubble.joined.0,
            joined_below: bubble.joined.1,
            private: bubble.private,
            foot: bubble.foot,
            time: bubble.time.as_str().into(),
            state: match bubble.delivery {
                None => SendState::None,
                Some(Delivery::Waiting) => SendState::Waiting,
                Some(Delivery::Sent) => SendState::Sent,
                Some(Delivery::Delivered) => SendState::Delivered,
                Some(Delivery::Seen) => SendState::Seen,
                Some(Delivery::Failed) => SendState::Failed,
            },
            state_text: bubble.delivery_text.as_str().into(),
            state_word: bubble.state_word,
            failure: bubble.failure.as_str().into(),
            edited: bubble.edited,
            note: bubble.note.as_str().into(),
            open: bubble.open,
            spoken: bubble.spoken.as_str().into(),
            selected: bubble.selected,
            icon: LineIcon::None,
        },
    }
}

fn icon(notice: Option<LineNotice>, verified: bool) -> LineIcon {
    match notice {
        Some(LineNotice::PrivateStarted) if verified => LineIcon::Verified,
        Some(LineNotice::PrivateStarted) => LineIcon::Encrypted,
        Some(LineNotice::NotKept) => LineIcon::Kept,
        Some(LineNotice::PrivateEnded) => LineIcon::Ended,
        Some(LineNotice::NoAnswer | LineNotice::SentAgain) => LineIcon::Refresh,
        Some(LineNotice::KeyChanged) => LineIcon::KeyChanged,
        Some(LineNotice::Verified) => LineIcon::Verified,
        Some(LineNotice::NotVerified | LineNotice::CorrectionHeld) => LineIcon::Warning,
        Some(LineNotice::Unreadable) => LineIcon::Error,
        _ => LineIcon::None,
    }
}
