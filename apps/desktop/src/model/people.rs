use std::collections::HashSet;
use std::rc::Rc;

use jiff::tz::TimeZone;
use sotto_api::view::{ContactGroup, ContactView, ConversationView, SearchHit};
use sotto_api::{ContactId, ConversationId, MessageId, Timestamp};

use super::diff::Keyed;
use super::time::{Wording, when};

/// One line of the list, complete.
#[derive(Clone, Debug, PartialEq)]
pub enum PersonLine {
    /// The name of a group.
    Group {
        /// Stable; also what is folded.
        key: String,
        /// As the person named it.
        name: String,
        /// *3 of 5*, or empty.
        count: String,
        /// Its people are hidden.
        folded: bool,
    },
    /// A person.
    Person {
        /// See [`contact_key`].
        key: String,
        /// The view as the engine gave it.
        contact: Rc<ContactView>,
        /// When the last message was, in words.
        time: String,
    },
    /// A message that was found.
    Found {
        /// Stable.
        key: String,
        /// Which.
        message: MessageId,
        /// Where.
        conversation: ConversationId,
        /// With whom.
        name: String,
        /// Its text.
        text: String,
        /// When it was written, in words.
        time: String,
    },
}

impl Keyed for PersonLine {
    fn key(&self) -> &str {
        match self {
            Self::Group { key, .. } | Self::Person { key, .. } | Self::Found { key, .. } => key,
        }
    }
}

impl PersonLine {
    /// The name on it.
    pub fn name(&self) -> &str {
        match self {
            Self::Group { name, .. } | Self::Found { name, .. } => name,
            Self::Person { contact, .. } => &contact.name,
        }
    }
}

/// Everything the list is made from.
#[derive(Debug, Default)]
pub struct ListInput {
    /// The list as the engine grouped, sorted and filtered it.
    pub groups: Vec<ContactGroup>,
    /// The newest conversations, the newest first; left out while something is searched.
    pub recent: Vec<ConversationView>,
    /// Messages that have the searched words.
    pub hits: Vec<SearchHit>,
    /// Keys of the groups that are folded.
    pub folded: HashSet<String>,
}

/// The key under which somebody stands in the list.
pub fn contact_key(contact: Option<ContactId>, conversation: Option<ConversationId>) -> String {
    match (contact, conversation) {
        (Some(contact), _) => format!("p{}", contact.0),
        (None, Some(conversation)) => format!("v{}", conversation.0),
        (None, None) => String::new(),
    }
}

/// The lines of the list: recent conversations first, then each group, then found messages.
///
/// Somebody who is in *Recent* is not said twice; a group's count still counts them.
pub fn list(
    input: &ListInput,
    now: Timestamp,
    zone: &TimeZone,
    words: &dyn Wording,
) -> Vec<PersonLine> {
    let mut lines = Vec::new();
    let mut said = HashSet::new();
    let time =
        |at: Option<Timestamp>| at.map_or_else(String::new, |at| words.when(&when(at, now, zone)));

    if !input.recent.is_empty() {
        let folded = input.folded.contains("recent");
        lines.push(PersonLine::Group {
            key: "recent".into(),
            name: words.recent(),
            count: String::new(),
            folded,
        });
        for conversation in &input.recent {
            let key = contact_key(conversation.contact_id, Some(conversation.id));
            said.insert(key.clone());
            if !folded {
                lines.push(PersonLine::Person {
                    key,
                    time: time(conversation.last_at),
                    contact: Rc::new(conversation.contact.clone()),
                });
            }
        }
    }
    for group in &input.groups {
        let key = format!("g{}", group.name);
        let folded = input.folded.contains(&key);
        let people: Vec<_> = group
            .contacts
            .iter()
            .map(|contact| (contact_key(contact.id, contact.conversation), contact))
            .filter(|(key, _)| !said.contains(key))
            .collect();
        // A group all of whose people stand above, or that nobody in it is shown, says nothing.
        if people.is_empty() {
            continue;
        }
        lines.push(PersonLine::Group {
            name: if group.name.is_empty() {
                words.others()
            } else {
                group.name.clone()
            },
            count: words.count(group.online, group.total),
            key: key.clone(),
            folded,
        });
        if !folded {
            lines.extend(
                people
                    .into_iter()
                    .map(|(person, contact)| PersonLine::Person {
                        // A person in two groups is two lines; the group makes them differ.
                        key: person,
                        time: time(contact.last_at),
                        contact: Rc::new(contact.clone()),
                    }),
            );
        }
    }
    if !input.hits.is_empty() {
        lines.push(PersonLine::Group {
            key: "found".into(),
            name: words.messages(),
            count: String::new(),
            folded: false,
        });
        lines.extend(input.hits.iter().map(|hit| PersonLine::Found {
            key: format!("m{}", hit.message.id.0),
            message: hit.message.id,
            conversation: hit.message.conversation,
            name: hit.conversation_name.clone(),
            text: hit.message.body.replace('\n', " "),
            time: time(Some(hit.message.at)),
        }));
    }
    lines
}

/// The next line at or after `from` (wrapping round) whose name begins with `letter`.
pub fn jump(lines: &[PersonLine], from: usize, letter: &str) -> Option<usize> {
    let letter = letter.to_lowercase();
    (0..lines.len())
        .map(|step| (from + step) % lines.len())
        .find(|&at| {
            let line = &lines[at];
            !matches!(line, PersonLine::Group { .. })
                && line.name().to_lowercase().starts_with(&letter)
        })
}

#[cfg(test)]
mod tests {
    use super::super::time::tests::{English, at};
    use super::*;
    use crate::testing::{contact, conversation, message};

    fn group(name: &str, contacts: Vec<ContactView>) -> ContactGroup {
        ContactGroup {
            name: name.into(),
            online: 1,
            total: u32::try_from(contacts.len()).unwrap(),
            contacts,
        }
    }

    fn show(input: &ListInput) -> Vec<String> {
        list(input, at("2026-11-25T14:30:00Z"), &TimeZone::UTC, &English)
            .iter()
            .map(|line| match line {
                PersonLine::Group { name, count, .. } => {
                    format!("[{name} {count}]").replace(" ]", "]")
                }
                PersonLine::Person { contact, time, .. } => {
                    format!("{} {time}", contact.name).trim().into()
                }
                PersonLine::Found { name, text, .. } => format!("{name}: {text}"),
            })
            .collect()
    }

    #[test]
    fn somebody_recent_is_not_said_twice_but_still_counted() {
        let mut recent = conversation(7, 1, "Leila Haddad");
        recent.last_at = Some(at("2026-11-25T14:07:00Z"));
        let input = ListInput {
            groups: vec![
                group(
                    "Colleagues",
                    vec![contact(1, "Leila Haddad"), contact(2, "Omar Mansour")],
                ),
                group("Family", vec![contact(1, "Leila Haddad")]),
                group("", vec![contact(3, "Jonas Vik")]),
            ],
            recent: vec![recent],
            ..ListInput::default()
        };
        assert_eq!(
            show(&input),
            [
                "[Recent]",
                "Leila Haddad 14:07",
                "[Colleagues 1 of 2]",
                "Omar Mansour",
                "[Without a group 1 of 1]",
                "Jonas Vik"
            ]
        );
    }

    #[test]
    fn a_folded_group_keeps_its_name_only() {
        let input = ListInput {
            groups: vec![group("Colleagues", vec![contact(2, "Omar Mansour")])],
            folded: HashSet::from(["gColleagues".into()]),
            ..ListInput::default()
        };
        assert_eq!(show(&input), ["[Colleagues 1 of 1]"]);
    }

    #[test]
    fn found_messages_stand_below_the_people() {
        let input = ListInput {
            hits: vec![SearchHit {
                message: message(3, "the small\ncafé"),
                conversation_name: "Leila Haddad".into(),
                highlights: Vec::new(),
            }],
            ..ListInput::default()
        };
        assert_eq!(show(&input), ["[Messages]", "Leila Haddad: the small café"]);
    }

    #[test]
    fn letters_jump_to_the_next_name_and_round() {
        let input = ListInput {
            groups: vec![group(
                "A",
                vec![contact(1, "Anna"), contact(2, "Omar"), contact(3, "anton")],
            )],
            ..ListInput::default()
        };
        let lines = list(&input, at("2026-11-25T14:30:00Z"), &TimeZone::UTC, &English);
        assert_eq!(jump(&lines, 0, "a"), Some(1));
        assert_eq!(jump(&lines, 2, "A"), Some(3));
        assert_eq!(jump(&lines, 4, "a"), Some(1));
        assert_eq!(jump(&lines, 0, "x"), None);
    }

    #[test]
    fn five_thousand_people_are_listed_in_no_time_to_speak_of() {
        let input = ListInput {
            groups: (0..10)
                .map(|g| {
                    group(
                        &format!("G{g}"),
                        (0..500).map(|n| contact(g * 500 + n, "Somebody")).collect(),
                    )
                })
                .collect(),
            ..ListInput::default()
        };
        assert_eq!(show(&input).len(), 5_010);
    }
}
