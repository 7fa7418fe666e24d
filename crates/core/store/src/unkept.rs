//! Texts that are never written down: those of messages that are not kept.
//!
//! Their rows stand in the database with an empty body. The journal undoes what a transaction, or a part of
//! one, did to the texts when it does not come about.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sotto_api::{MessageId, Secret};
use zeroize::Zeroizing;

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

/// A text on its way across a lock of the profile. Never to be written down but sealed, in memory.
#[derive(Clone, Serialize, Deserialize)]
pub struct UnkeptText {
    message: i64,
    body: Secret,
    previous: Vec<Secret>,
}

impl fmt::Debug for UnkeptText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnkeptText").finish_non_exhaustive()
    }
}

impl From<Vec<UnkeptText>> for Unkept {
    fn from(texts: Vec<UnkeptText>) -> Self {
        let texts = texts.iter().map(|text| {
            let mut new = Text::new(text.body.expose());
            new.previous = text
                .previous
                .iter()
                .map(|earlier| Zeroizing::new(earlier.expose().to_owned()))
                .collect();
            (MessageId(text.message), new)
        });
        Self {
            texts: texts.collect(),
            undo: Vec::new(),
        }
    }
}

/// Texts by message. They are wiped when they go.
#[derive(Default)]
pub(crate) struct Unkept {
    texts: HashMap<MessageId, Text>,
    /// What stood there before each change since the outermost transaction began.
    undo: Vec<(MessageId, Option<Text>)>,
}

impl Unkept {
    pub fn get(&self, message: MessageId) -> Option<&Text> {
        self.texts.get(&message)
    }

    pub fn to_texts(&self) -> Vec<UnkeptText> {
        self.texts
            .iter()
            .map(|(message, text)| UnkeptText {
                message: message.0,
                body: Secret::new(text.body.to_string()),
                previous: text
                    .previous
                    .iter()
                    .map(|earlier| Secret::new(earlier.to_string()))
                    .collect(),
            })
            .collect()
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
        self.undo.push((message, before));
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
        self.undo.push((message, before));
    }

    pub fn remove(&mut self, message: MessageId) {
        if let Some(before) = self.texts.remove(&message) {
            self.undo.push((message, Some(before)));
        }
    }

    pub fn clear(&mut self) {
        for (message, text) in self.texts.drain() {
            self.undo.push((message, Some(text)));
        }
    }

    /// For [`Unkept::undo_to`].
    pub fn mark(&self) -> usize {
        self.undo.len()
    }

    /// Everything since the mark did not come about.
    pub fn undo_to(&mut self, mark: usize) {
        while self.undo.len() > mark
            && let Some((message, before)) = self.undo.pop()
        {
            match before {
                Some(text) => self.texts.insert(message, text),
                None => self.texts.remove(&message),
            };
        }
    }

    /// Everything so far came about for good.
    pub fn settle(&mut self) {
        self.undo.clear();
    }
}
