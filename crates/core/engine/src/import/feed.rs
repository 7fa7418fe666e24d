//! Reads what was found, slice by slice, away from the engine's thread.

use std::sync::Arc;

use sotto_api::view::ImportParts;
use sotto_import::{Call, CallReader, Found, Message, Reader, SourceFile};
use sotto_otr::import::ImportedTrust;

/// Messages of one slice, and after how many bytes of text it takes no further one.
const MESSAGES: usize = 500;
const BYTES: usize = 1024 * 1024;
/// Calls of one slice.
const CALLS: usize = 500;
/// Codes of one slice.
const CODES: usize = 200;

/// A slice.
pub(crate) enum Batch {
    /// Own keys and tags, when `own` says so, and codes of others.
    Keys {
        own: bool,
        trust: Vec<ImportedTrust>,
    },
    Messages(Slice),
    Calls {
        calls: Vec<Call>,
        whole: Vec<SourceFile>,
    },
    /// The engine has something to do first.
    Nothing,
    /// That was all.
    End,
}

/// Messages of one conversation.
pub(crate) struct Slice {
    /// Which, in [`Found::conversations`].
    pub conversation: usize,
    pub first: bool,
    pub last: bool,
    pub messages: Vec<Message>,
    /// Files of which every message was handed out.
    pub whole: Vec<SourceFile>,
}

pub(crate) struct Feed {
    found: Arc<Found>,
    parts: ImportParts,
    stage: Stage,
}

enum Stage {
    Keys {
        own: bool,
        from: usize,
    },
    Messages {
        conversation: usize,
        reader: Option<Box<Reader>>,
    },
    Calls(CallReader),
    End,
}

impl Feed {
    pub fn new(found: Arc<Found>, parts: ImportParts) -> Self {
        Self {
            found,
            parts,
            stage: Stage::Keys { own: true, from: 0 },
        }
    }

    /// What follows of this conversation is not wanted.
    pub fn skip_conversation(&mut self) {
        if let Stage::Messages {
            conversation,
            reader: reader @ Some(_),
        } = &mut self.stage
        {
            *reader = None;
            *conversation += 1;
        }
    }

    pub fn next(&mut self) -> Batch {
        loop {
            let next = match &mut self.stage {
                Stage::Keys { own, from } => {
                    if self.parts.keys {
                        let rest = self.found.trust.get(*from..).unwrap_or_default();
                        let trust: Vec<_> = rest.iter().take(CODES).cloned().collect();
                        let own = std::mem::take(own);
                        *from += trust.len();
                        if own || !trust.is_empty() {
                            return Batch::Keys { own, trust };
                        }
                    }
                    Stage::Messages {
                        conversation: 0,
                        reader: None,
                    }
                }
                Stage::Messages { .. } if !self.parts.history => Stage::End,
                Stage::Messages {
                    conversation,
                    reader,
                } => match self.found.conversations.get(*conversation) {
                    Some(found) => {
                        let first = reader.is_none();
                        let reading = reader.get_or_insert_with(|| Box::new(found.open()));
                        let slice = read(*conversation, first, reading);
                        if slice.last {
                            *reader = None;
                            *conversation += 1;
                        }
                        return Batch::Messages(slice);
                    }
                    None => Stage::Calls(self.found.calls.open()),
                },
                Stage::Calls(reader) => {
                    let calls: Vec<_> = std::iter::from_fn(|| reader.next_call())
                        .take(CALLS)
                        .collect();
                    let whole = reader.take_whole();
                    if !calls.is_empty() || !whole.is_empty() {
                        return Batch::Calls { calls, whole };
                    }
                    Stage::End
                }
                Stage::End => return Batch::End,
            };
            self.stage = next;
        }
    }
}

fn read(conversation: usize, first: bool, reader: &mut Reader) -> Slice {
    let mut messages = Vec::new();
    let mut bytes = 0;
    let mut last = false;
    while messages.len() < MESSAGES && bytes < BYTES {
        match reader.next_message() {
            Some(message) => {
                bytes += message.text.len();
                messages.push(message);
            }
            None => {
                last = true;
                break;
            }
        }
    }
    Slice {
        conversation,
        first,
        last,
        messages,
        whole: reader.take_whole(),
    }
}
