//! What is never written down: texts of messages that are not kept, and drafts and stanzas of conversations
//! that are not.
//!
//! Their rows stand in the database without it. The journal undoes what a transaction, or a part of one, did
//! here when it does not come about.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sotto_api::{ConversationId, MessageId, Secret};
use zeroize::Zeroizing;

use crate::row::OutboxId;

/// What a message says, and said before each correction, the oldest first.
#[derive(Clone)]
pub(crate) struct Text {
    pub body: Zeroizing<String>,
    pub previous: Vec<Zeroizing<String>>,
}

impl Text {
    pub fn new(body: &str) -> Self {
        Self {
            body: Zeroizing::new(body.to_owned()),
            previous: Vec::new(),
        }
    }
}

/// A text, draft or stanza on its way across a lock of the profile. Never to be written down but sealed, in memory.
#[derive(Clone, Serialize, Deserialize)]
pub struct UnkeptText(Held);

#[derive(Clone, Serialize, Deserialize)]
enum Held {
    Text {
        message: i64,
        body: Secret,
        previous: Vec<Secret>,
    },
    Draft {
        conversation: i64,
        text: Secret,
    },
    Stanza {
        id: i64,
        xml: Secret,
    },
}

impl fmt::Debug for UnkeptText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnkeptText").finish_non_exhaustive()
    }
}

impl From<Vec<UnkeptText>> for Unkept {
    fn from(texts: Vec<UnkeptText>) -> Self {
        let open = |secret: &Secret| Zeroizing::new(secret.expose().to_owned());
        let mut unkept = Self::default();
        for text in &texts {
            match &text.0 {
                Held::Text {
                    message,
                    body,
                    previous,
                } => {
                    let text = Text {
                        body: open(body),
                        previous: previous.iter().map(open).collect(),
                    };
                    unkept.texts.insert(MessageId(*message), text);
                }
                Held::Draft { conversation, text } => {
                    let conversation = ConversationId(*conversation);
                    unkept.drafts.insert(conversation, open(text));
                }
                Held::Stanza { id, xml } => {
                    unkept.stanzas.insert(OutboxId(*id), open(xml));
                }
            }
        }
        unkept
    }
}

/// Texts, drafts and stanzas in memory only. They are wiped when they go.
#[derive(Default)]
pub(crate) struct Unkept {
    texts: HashMap<MessageId, Text>,
    drafts: HashMap<ConversationId, Zeroizing<String>>,
    stanzas: HashMap<OutboxId, Zeroizing<String>>,
    /// What stood there before each change since the outermost transaction began.
    undo: Vec<Before>,
}

enum Before {
    Text(MessageId, Option<Text>),
    Draft(ConversationId, Option<Zeroizing<String>>),
    Stanza(OutboxId, Option<Zeroizing<String>>),
}

impl Unkept {
    pub fn get(&self, message: MessageId) -> Option<&Text> {
        self.texts.get(&message)
    }

    /// Everything that is here.
    pub fn to_texts(&self) -> Vec<UnkeptText> {
        let seal = |text: &Zeroizing<String>| Secret::new(text.to_string());
        let texts = self.texts.iter().map(|(message, text)| Held::Text {
            message: message.0,
            body: seal(&text.body),
            previous: text.previous.iter().map(seal).collect(),
        });
        let drafts = self.drafts.iter().map(|(conversation, text)| Held::Draft {
            conversation: conversation.0,
            text: seal(text),
        });
        let stanzas = self.stanzas.iter().map(|(id, xml)| Held::Stanza {
            id: id.0,
            xml: seal(xml),
        });
        texts.chain(drafts).chain(stanzas).map(UnkeptText).collect()
    }

    pub fn is_here(&self, message: MessageId) -> bool {
        self.texts.contains_key(&message)
    }

    /// What the message says; empty for one that is not here.
    pub fn body(&self, message: MessageId) -> &str {
        self.get(message).map_or("", |text| text.body.as_str())
    }

    /// All messages that are here, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (MessageId, &str)> {
        self.texts
            .iter()
            .map(|(message, text)| (*message, text.body.as_str()))
    }

    pub fn put(&mut self, message: MessageId, text: Text) {
        let before = self.texts.insert(message, text);
        self.undo.push(Before::Text(message, before));
    }

    /// The text becomes another; what it was is remembered.
    pub fn correct(&mut self, message: MessageId, body: &str) {
        let before = self.texts.get(&message).cloned();
        let mut text = Text::new(body);
        if let Some(before) = &before {
            text.previous.clone_from(&before.previous);
            text.previous.push(before.body.clone());
        }
        self.texts.insert(message, text);
        self.undo.push(Before::Text(message, before));
    }

    pub fn remove(&mut self, message: MessageId) {
        if let Some(before) = self.texts.remove(&message) {
            self.undo.push(Before::Text(message, Some(before)));
        }
    }

    // ---- drafts ------------------------------------------------------------------------------

    pub fn draft(&self, conversation: ConversationId) -> Option<&str> {
        self.drafts.get(&conversation).map(|text| text.as_str())
    }

    /// The conversations that have a draft here, in no order.
    pub fn drafts(&self) -> impl Iterator<Item = ConversationId> {
        self.drafts.keys().copied()
    }

    /// Empty text forgets it.
    pub fn draft_set(&mut self, conversation: ConversationId, text: &str) {
        let before = if text.is_empty() {
            self.drafts.remove(&conversation)
        } else {
            self.drafts
                .insert(conversation, Zeroizing::new(text.to_owned()))
        };
        if before.is_some() || !text.is_empty() {
            self.undo.push(Before::Draft(conversation, before));
        }
    }

    // ---- stanzas -----------------------------------------------------------------------------

    /// The stanza; empty for one that is not here.
    pub fn stanza(&self, id: OutboxId) -> &str {
        self.stanzas.get(&id).map_or("", |xml| xml.as_str())
    }

    pub fn has_stanza(&self, id: OutboxId) -> bool {
        self.stanzas.contains_key(&id)
    }

    pub fn stanza_put(&mut self, id: OutboxId, xml: &str) {
        let before = self.stanzas.insert(id, Zeroizing::new(xml.to_owned()));
        self.undo.push(Before::Stanza(id, before));
    }

    pub fn stanza_remove(&mut self, id: OutboxId) {
        if let Some(before) = self.stanzas.remove(&id) {
            self.undo.push(Before::Stanza(id, Some(before)));
        }
    }

    // ---- transactions ------------------------------------------------------------------------

    /// For [`Unkept::undo_to`].
    pub fn mark(&self) -> usize {
        self.undo.len()
    }

    /// Everything since the mark did not come about.
    pub fn undo_to(&mut self, mark: usize) {
        while self.undo.len() > mark
            && let Some(before) = self.undo.pop()
        {
            match before {
                Before::Text(message, text) => put_back(&mut self.texts, message, text),
                Before::Draft(conversation, text) => {
                    put_back(&mut self.drafts, conversation, text);
                }
                Before::Stanza(id, xml) => put_back(&mut self.stanzas, id, xml),
            }
        }
    }

    /// Everything so far came about for good.
    pub fn settle(&mut self) {
        self.undo.clear();
    }
}

fn put_back<K: std::hash::Hash + Eq, V>(map: &mut HashMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}
