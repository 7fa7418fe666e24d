//! History, passwords, locking, records and moving in, in the demo.

use sotto_api::view::{
    DayPage, DayView, EraseScope, ErasedView, ExportPart, ImportProgram, ImportState, ImportView,
    Record, Recording, RecordsView, SavedPasswordView, SearchHit, SearchPage,
};
use sotto_api::{
    AccountId, ApiError, ConversationId, ErrorKind, Field, ImportId, Reply, Request, Secret,
    Timestamp,
};

use super::World;
use crate::model::day_of;

/// The passphrase of the demo's profile.
const PASSPHRASE: &str = "lantern copper quiet harbour";

#[derive(Default)]
pub(super) struct Kept {
    forgotten: Vec<AccountId>,
    removed: bool,
    import: Option<ImportView>,
}

fn wrong() -> ApiError {
    ApiError::new(
        ErrorKind::WrongPassphrase,
        "This passphrase does not open it. Try again, as often as you like.",
    )
    .at(Field::Passphrase)
}

fn found(program: ImportProgram, state: ImportState) -> ImportView {
    ImportView {
        id: ImportId(1),
        program,
        folder: "/home/sara/.jitsi".into(),
        state,
        accounts: vec!["sara@riverside.example".into()],
        passwords: 1,
        needs_master: false,
        conversations: 12,
        messages: 8_412,
        calls: 37,
        own_keys: 1,
        verified_keys: 3,
        bytes: 4_100_000,
        problems: vec!["The SIP account sara@phone.example is not supported yet.".into()],
        text: "8,412 messages in 12 conversations, 37 calls, 1 account, 1 key and 3 verified codes are here."
            .into(),
        shred_text: "Overwriting helps on magnetic disks. On an SSD or a stick the chip may keep old copies that no program reaches.".into(),
    }
}

impl World {
    fn days(&self, conversation: Option<ConversationId>) -> Vec<DayView> {
        let zone = jiff::tz::TimeZone::system();
        let mut days: Vec<DayView> = Vec::new();
        let mut messages: Vec<_> = self
            .messages
            .iter()
            .filter(|(id, _)| conversation.is_none_or(|wanted| wanted == **id))
            .flat_map(|(_, messages)| messages)
            .collect();
        messages.sort_by_key(|message| message.at);
        for message in messages {
            let day = day_of(message.at, &zone).to_string();
            match days.last_mut() {
                Some(last) if last.day == day => last.messages += 1,
                _ => days.push(DayView {
                    day,
                    first: message.id,
                    messages: 1,
                }),
            }
        }
        days.reverse();
        days
    }

    fn said_on(&self, day: &str) -> Vec<SearchHit> {
        let zone = jiff::tz::TimeZone::system();
        let mut said: Vec<SearchHit> = self
            .messages
            .iter()
            .flat_map(|(id, messages)| messages.iter().map(move |message| (id, message)))
            .filter(|(_, message)| day_of(message.at, &zone).to_string() == day)
            .map(|(id, message)| SearchHit {
                message: message.clone(),
                conversation_name: self
                    .conversations
                    .iter()
                    .find(|view| view.id == *id)
                    .map(|view| view.contact.name.clone())
                    .unwrap_or_default(),
                highlights: Vec::new(),
            })
            .collect();
        said.sort_by_key(|line| (line.message.at, line.message.id));
        said
    }

    fn matches(&self, what: &EraseScope) -> u64 {
        let zone = jiff::tz::TimeZone::system();
        let count = self
            .messages
            .iter()
            .flat_map(|(id, messages)| messages.iter().map(move |message| (id, message)))
            .filter(|(id, message)| match what {
                EraseScope::Message { message: wanted } => message.id == *wanted,
                EraseScope::Conversation { conversation } => *id == conversation,
                EraseScope::Day {
                    conversation, day, ..
                } => {
                    conversation.is_none_or(|wanted| wanted == **id)
                        && day_of(message.at, &zone).to_string() == *day
                }
                EraseScope::Account { .. } | EraseScope::All => true,
            })
            .count();
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    fn erase(&mut self, what: &EraseScope) {
        let zone = jiff::tz::TimeZone::system();
        for (id, messages) in &mut self.messages {
            messages.retain(|message| match what {
                EraseScope::Message { message: wanted } => message.id != *wanted,
                EraseScope::Conversation { conversation } => id != conversation,
                EraseScope::Day {
                    conversation, day, ..
                } => {
                    conversation.is_some_and(|wanted| wanted != *id)
                        || day_of(message.at, &zone).to_string() != *day
                }
                EraseScope::Account { .. } | EraseScope::All => false,
            });
        }
    }
}

fn erased(messages: u64) -> ErasedView {
    ErasedView {
        messages,
        calls: 0,
        text: format!(
            "{messages} messages will be gone from this computer. They cannot be brought back, not even with the passphrase. What Leila keeps, and what the servers keep, is not touched."
        ),
    }
}

/// Answers what is about these; gives back what is not.
pub(super) fn answer(
    world: &mut World,
    request: Request,
) -> Result<Result<Reply, ApiError>, Box<Request>> {
    Ok(match request {
        Request::ProfileLock {} => {
            world.locked = true;
            Ok(Reply::Done)
        }
        Request::ProfileUnlock { passphrase } => {
            if passphrase.expose() == PASSPHRASE {
                world.locked = false;
                Ok(Reply::Done)
            } else {
                Err(wrong())
            }
        }
        Request::HistoryDays { conversation, .. } => Ok(Reply::Days(DayPage {
            days: world.days(conversation),
            more: false,
        })),
        Request::HistoryDay { day, .. } => Ok(Reply::Found(SearchPage {
            hits: world.said_on(&day),
            more: false,
        })),
        Request::HistoryCount { what } => Ok(Reply::Erased(erased(world.matches(&what)))),
        Request::HistoryErase { what } => {
            let count = world.matches(&what);
            world.erase(&what);
            Ok(Reply::Erased(erased(count)))
        }
        Request::HistoryExport { after, .. } => Ok(Reply::Export(ExportPart {
            name: "Leila Haddad 2026-11-26.txt".into(),
            text: match after {
                None => "Leila Haddad\n\n".into(),
                Some(_) => "14:07 Leila: Then the small café, at six.\n".into(),
            },
            next: after.is_none().then_some(sotto_api::MessageId(1)),
        })),
        Request::HistorySet {
            conversation,
            keep,
            expiry,
        } => {
            let settings = world.settings.clone();
            world.conversation(conversation).map(|view| {
                view.history.own_keep = keep;
                view.history.keep = keep.unwrap_or(settings.keep_history);
                view.history.own_expiry = expiry;
                view.history.expiry = expiry.unwrap_or(settings.expiry);
                view.history.text = if view.history.keep {
                    "Kept".into()
                } else {
                    "Not kept".into()
                };
                Reply::Done
            })
        }
        Request::SavedPasswordList {} => Ok(Reply::SavedPasswords(
            [(1, "sara@riverside.example"), (2, "sara.j@press.example")]
                .into_iter()
                .filter(|(id, _)| !world.kept.forgotten.contains(&AccountId(*id)))
                .map(|(id, address)| SavedPasswordView {
                    account: AccountId(id),
                    network: "xmpp".into(),
                    address: address.into(),
                    stored_at: Timestamp(world.now - 20 * 86_400_000),
                })
                .collect(),
        )),
        Request::SavedPasswordRemove { account } => {
            match account {
                Some(account) => world.kept.forgotten.push(account),
                None => world.kept.forgotten.extend([AccountId(1), AccountId(2)]),
            }
            Ok(Reply::Done)
        }
        Request::SavedPasswordShow { passphrase, .. } => {
            if passphrase.expose() == PASSPHRASE {
                Ok(Reply::Password(Secret::new("a quiet password 17".into())))
            } else {
                Err(wrong())
            }
        }
        Request::RecordStatus {} => {
            let stanzas = world.settings.record_stanzas;
            let files = if world.kept.removed || stanzas == Recording::Off {
                0
            } else {
                3
            };
            Ok(Reply::Records(RecordsView {
                stanzas,
                stanza_files: files,
                stanza_bytes: u64::from(files) * 4_321_000,
                log: world.settings.record_log,
                log_bytes: if world.settings.record_log { 18_400 } else { 0 },
                folder: "/home/sara/.local/share/sotto/records".into(),
                warning: match stanzas {
                    Recording::Off => String::new(),
                    Recording::Sealed => "What comes and goes is being recorded, sealed.".into(),
                    Recording::Plain => {
                        "What comes and goes is being recorded in plain files.".into()
                    }
                },
                failure: String::new(),
            }))
        }
        Request::RecordRemove {
            record: Record::Stanzas,
        } => {
            world.kept.removed = true;
            Ok(Reply::Done)
        }
        Request::ImportScan { program, .. } => import(world, found(program, ImportState::Found)),
        Request::ImportRun { .. } => import(world, found(ImportProgram::Jitsi, ImportState::Done)),
        Request::ImportShred { .. } => {
            import(world, found(ImportProgram::Jitsi, ImportState::Shredded))
        }
        Request::ImportView { .. } => match world.kept.import.clone() {
            Some(view) => Ok(Reply::Import(view)),
            None => Err(ApiError::new(ErrorKind::NotFound, "Nothing was looked at.")),
        },
        other => return Err(Box::new(other)),
    })
}

fn import(world: &mut World, view: ImportView) -> Result<Reply, ApiError> {
    world.kept.import = Some(view.clone());
    Ok(Reply::Import(view))
}
