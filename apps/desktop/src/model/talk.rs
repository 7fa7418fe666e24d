use std::collections::HashSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use sotto_api::view::{
    Delivery, Direction, LineNotice, LinkSpan, MessageKind, MessageView, Privacy,
};
use sotto_api::{MessageId, Timestamp};

use super::diff::Keyed;
use super::text::right_to_left;
use super::time::{Wording, clock, day_of};

/// Messages of one speaker within this time form a group (look §4), in milliseconds.
const GROUP: i64 = 5 * 60 * 1000;

/// A text longer than this is cut, in characters: a message of a mebibyte must not stop the window (S-UI-07).
const LONG: usize = 4_000;
/// And so far it goes on when the person asks to see more.
const LONGER: usize = 20_000;

/// One line of a conversation, complete.
#[derive(Clone, Debug, PartialEq)]
pub enum TalkLine {
    /// A calendar day begins.
    Day {
        /// Stable.
        key: String,
        /// *Today*, *Yesterday*, the date.
        text: String,
    },
    /// What follows has not been seen.
    Fresh {
        /// *New messages*.
        text: String,
    },
    /// A line of the program's own.
    System {
        /// Stable.
        key: String,
        /// What it says.
        text: String,
        /// What it is about.
        notice: Option<LineNotice>,
        /// It speaks of a verified key.
        verified: bool,
    },
    /// Somebody's words.
    Message(Box<Bubble>),
}

/// A message and how it hangs together with its neighbours.
#[derive(Clone, Debug, PartialEq)]
pub struct Bubble {
    /// Stable.
    pub key: String,
    /// Which.
    pub id: MessageId,
    /// I wrote it.
    pub mine: bool,
    /// Its words, as far as they are shown.
    pub text: String,
    /// There is more of it.
    pub cut: bool,
    /// Links in them.
    pub links: Vec<LinkSpan>,
    /// `/me`.
    pub action: bool,
    /// Its own direction.
    pub right_to_left: bool,
    /// It belongs to the bubble above, below.
    pub joined: (bool, bool),
    /// It was end-to-end encrypted on its way.
    pub private: bool,
    /// Time and state stand below it.
    pub foot: bool,
    /// *14:07*.
    pub time: String,
    /// How far it got; own messages only.
    pub delivery: Option<Delivery>,
    /// The word for that.
    pub delivery_text: String,
    /// The word is written out, not only the shape.
    pub state_word: bool,
    /// Why it was not sent.
    pub failure: String,
    /// It was corrected.
    pub edited: bool,
    /// Who could read it, where that differs from what the header says now, or is nobody's secret.
    pub note: String,
    /// The note says *not encrypted*.
    pub open: bool,
    /// As a screen reader says it.
    pub spoken: String,
    /// Selected for copying.
    pub selected: bool,
}

impl Keyed for TalkLine {
    fn key(&self) -> &str {
        match self {
            Self::Day { key, .. } | Self::System { key, .. } => key,
            Self::Fresh { .. } => "fresh",
            Self::Message(bubble) => &bubble.key,
        }
    }
}

/// What the lines depend on besides the messages.
#[derive(Debug)]
pub struct TalkContext<'a> {
    /// Who can read what is written now.
    pub privacy: Privacy,
    /// The first message not yet seen when the conversation was opened.
    pub first_unread: Option<MessageId>,
    /// Selected for copying.
    pub selected: &'a HashSet<MessageId>,
    /// Long messages that the person wants to see more of.
    pub expanded: &'a HashSet<MessageId>,
    /// The wall clock.
    pub now: Timestamp,
    /// Where the person is.
    pub zone: &'a TimeZone,
}

/// Whether `b`, the next message, continues the group of `a`.
fn continues(
    a: &MessageView,
    b: &MessageView,
    days: (Date, Date),
    fresh: Option<MessageId>,
) -> bool {
    a.kind != MessageKind::System
        && b.kind != MessageKind::System
        && a.direction == b.direction
        && a.author == b.author
        && a.privacy == b.privacy
        && a.privacy_text == b.privacy_text
        && days.0 == days.1
        && fresh != Some(b.id)
        && a.failure.is_empty()
        && (b.at.0 - a.at.0).abs() <= GROUP
}

/// The lines of a page of messages: bubbles in groups, days, and where the new ones begin.
pub fn lines(
    messages: &[MessageView],
    context: &TalkContext<'_>,
    words: &dyn Wording,
) -> Vec<TalkLine> {
    let today = day_of(context.now, context.zone);
    let newest_own = messages
        .iter()
        .rev()
        .find(|message| {
            message.direction == Direction::Outgoing && message.kind != MessageKind::System
        })
        .map(|message| message.id);
    let days: Vec<Date> = messages
        .iter()
        .map(|message| day_of(message.at, context.zone))
        .collect();
    let joins = |at: usize| {
        let (Some(a), Some(b)) = (messages.get(at), messages.get(at + 1)) else {
            return false;
        };
        continues(a, b, (days[at], days[at + 1]), context.first_unread)
    };

    let mut lines = Vec::with_capacity(messages.len() + 8);
    for (at, message) in messages.iter().enumerate() {
        if at == 0 || days[at] != days[at - 1] {
            lines.push(TalkLine::Day {
                key: format!("d{}", days[at]),
                text: words.day(days[at], today),
            });
        }
        if context.first_unread == Some(message.id) {
            lines.push(TalkLine::Fresh {
                text: words.fresh(),
            });
        }
        let key = format!("m{}", message.id.0);
        if message.kind == MessageKind::System {
            lines.push(TalkLine::System {
                key,
                text: message.body.clone(),
                notice: message.notice,
                verified: message.privacy == Privacy::Verified,
            });
            continue;
        }
        let mine = message.direction == Direction::Outgoing;
        let joined = (at > 0 && joins(at - 1), joins(at));
        let foot = !joined.1;
        let told = !message.privacy_text.is_empty() && !is_private(message.privacy);
        let open = told || message.privacy == Privacy::None;
        let note = if foot && told {
            message.privacy_text.clone()
        } else if foot
            && (open || message.privacy != context.privacy)
            && !is_private(message.privacy)
        {
            words.privacy_note(mine, open)
        } else {
            String::new()
        };
        let expanded = context.expanded.contains(&message.id);
        let (text, cut) = shorten(&message.body, if expanded { LONGER } else { LONG });
        lines.push(TalkLine::Message(Box::new(Bubble {
            key,
            id: message.id,
            mine,
            links: message
                .links
                .iter()
                .filter(|link| link.end <= text.len())
                .cloned()
                .collect(),
            cut: cut && !expanded,
            text,
            action: message.kind == MessageKind::Action,
            right_to_left: right_to_left(&message.body),
            joined,
            private: is_private(message.privacy),
            foot,
            time: clock(message.at, context.zone),
            delivery: message.delivery.filter(|_| mine && foot),
            delivery_text: message.delivery_text.clone(),
            state_word: mine
                && foot
                && (newest_own == Some(message.id)
                    || matches!(message.delivery, Some(Delivery::Failed | Delivery::Waiting))),
            failure: message.failure.clone(),
            edited: message.edited,
            note,
            open,
            spoken: message.spoken.clone(),
            selected: context.selected.contains(&message.id),
        })));
    }
    lines
}

/// The first `most` characters of a text, and whether there are more.
fn shorten(text: &str, most: usize) -> (String, bool) {
    match text.char_indices().nth(most) {
        Some((end, _)) => (format!("{}…", &text[..end]), true),
        None => (text.to_owned(), false),
    }
}

fn is_private(privacy: Privacy) -> bool {
    matches!(privacy, Privacy::Verified | Privacy::Encrypted)
}

/// What several selected messages are on the clipboard: who, when, what, in order.
pub fn copy_text(
    messages: &[MessageView],
    selected: &HashSet<MessageId>,
    zone: &TimeZone,
) -> String {
    let chosen: Vec<&MessageView> = messages
        .iter()
        .filter(|message| selected.contains(&message.id))
        .collect();
    match chosen.as_slice() {
        [one] => one.body.clone(),
        many => many
            .iter()
            .map(|message| {
                let day = day_of(message.at, zone);
                let clock = clock(message.at, zone);
                format!("[{day} {clock}] {}: {}", message.author, message.body)
            })
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::time::tests::{English, at};
    use super::*;
    use crate::testing::message;

    fn said(id: i64, time: &str, mine: bool, body: &str) -> MessageView {
        let mut view = message(id, body);
        view.at = at(&format!("2026-11-{time}:00Z"));
        view.direction = if mine {
            Direction::Outgoing
        } else {
            Direction::Incoming
        };
        view.author = if mine { "Sara" } else { "Leila" }.into();
        view.delivery = mine.then_some(Delivery::Delivered);
        view.delivery_text = if mine {
            "Delivered".into()
        } else {
            String::new()
        };
        view
    }

    fn show(messages: &[MessageView], first_unread: Option<i64>, privacy: Privacy) -> Vec<String> {
        let context = TalkContext {
            privacy,
            first_unread: first_unread.map(MessageId),
            selected: &HashSet::new(),
            expanded: &HashSet::new(),
            now: at("2026-11-25T14:30:00Z"),
            zone: &TimeZone::UTC,
        };
        lines(messages, &context, &English)
            .iter()
            .map(|line| match line {
                TalkLine::Day { text, .. } | TalkLine::Fresh { text } => format!("--{text}--"),
                TalkLine::System { text, .. } => format!("*{text}*"),
                TalkLine::Message(b) => {
                    let foot = if b.foot {
                        format!(" {}", b.time)
                    } else {
                        String::new()
                    };
                    let word = if b.state_word {
                        format!(" {}", b.delivery_text)
                    } else {
                        String::new()
                    };
                    let note = if b.note.is_empty() {
                        String::new()
                    } else {
                        format!(" ({})", b.note)
                    };
                    let joined = [
                        if b.joined.0 { "^" } else { "" },
                        if b.joined.1 { "v" } else { "" },
                    ]
                    .concat();
                    format!(
                        "{}{}{joined}{foot}{word}{note}",
                        if b.mine { "> " } else { "< " },
                        b.text
                    )
                }
            })
            .collect()
    }

    #[test]
    fn words_of_one_speaker_within_five_minutes_form_a_group() {
        let messages = [
            said(1, "25T14:02", false, "a"),
            said(2, "25T14:02", false, "b"),
            said(3, "25T14:05", true, "c"),
            said(4, "25T14:05", true, "d"),
            said(5, "25T14:11", true, "e"),
        ];
        assert_eq!(
            show(&messages, None, Privacy::ServerOnly),
            [
                "--Today--",
                "< av",
                "< b^ 14:02",
                "> cv",
                "> d^ 14:05",
                "> e 14:11 Delivered"
            ]
        );
    }

    #[test]
    fn days_and_new_messages_part_a_group() {
        let messages = [
            said(1, "24T23:59", false, "a"),
            said(2, "25T00:01", false, "b"),
            said(3, "25T00:02", false, "c"),
        ];
        let fresh = English.fresh();
        assert_eq!(
            show(&messages, Some(3), Privacy::ServerOnly),
            [
                "--Yesterday--",
                "< a 23:59",
                "--Today--",
                "< b 00:01",
                &format!("--{fresh}--"),
                "< c 00:02"
            ]
        );
    }

    #[test]
    fn what_was_open_says_so_and_what_is_as_the_header_says_does_not() {
        let mut open = said(1, "25T14:00", true, "a");
        open.privacy = Privacy::None;
        let server = said(2, "25T14:00", true, "b");
        assert_eq!(
            show(&[open.clone(), server.clone()], None, Privacy::ServerOnly)[1..],
            ["> a 14:00 (Sent unencrypted)", "> b 14:00 Delivered"]
        );
        assert_eq!(
            show(&[server], None, Privacy::Verified)[1..],
            ["> b 14:00 Delivered (Sent to the server only)"]
        );
    }

    #[test]
    fn a_message_that_failed_stands_alone_with_its_word() {
        let mut failed = said(1, "25T14:00", true, "a");
        failed.delivery = Some(Delivery::Failed);
        failed.delivery_text = "Not sent".into();
        failed.failure = "The server refused it.".into();
        assert_eq!(
            show(
                &[failed, said(2, "25T14:00", true, "b")],
                None,
                Privacy::ServerOnly
            )[1..],
            ["> a 14:00 Not sent", "> b 14:00 Delivered"]
        );
    }

    #[test]
    fn a_line_of_the_program_takes_no_form_of_a_message() {
        let mut line = said(2, "25T14:00", false, "Sara waves");
        line.kind = MessageKind::System;
        assert_eq!(
            show(&[line], None, Privacy::ServerOnly)[1..],
            ["*Sara waves*"]
        );
    }

    #[test]
    fn s_ui_07_a_very_long_message_is_cut_until_more_is_asked_for() {
        let long = said(1, "25T14:00", false, &"ا\u{301}".repeat(500_000));
        let shown = |expanded: &HashSet<MessageId>| {
            let context = TalkContext {
                privacy: Privacy::ServerOnly,
                first_unread: None,
                selected: &HashSet::new(),
                expanded,
                now: at("2026-11-25T14:30:00Z"),
                zone: &TimeZone::UTC,
            };
            match lines(std::slice::from_ref(&long), &context, &English).pop() {
                Some(TalkLine::Message(bubble)) => (bubble.text.chars().count(), bubble.cut),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(shown(&HashSet::new()), (LONG + 1, true));
        assert_eq!(shown(&HashSet::from([MessageId(1)])), (LONGER + 1, false));
    }

    #[test]
    fn several_messages_are_copied_with_who_and_when() {
        let messages = [
            said(1, "25T14:02", false, "a"),
            said(2, "25T14:05", true, "b"),
        ];
        let both = HashSet::from([MessageId(1), MessageId(2)]);
        assert_eq!(
            copy_text(&messages, &both, &TimeZone::UTC),
            "[2026-11-25 14:02] Leila: a\n[2026-11-25 14:05] Sara: b"
        );
        assert_eq!(
            copy_text(&messages, &HashSet::from([MessageId(2)]), &TimeZone::UTC),
            "b"
        );
    }
}
