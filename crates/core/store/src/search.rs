//! Finding messages by their words.
//!
//! The index (`message_words`) yields candidates, the newest first; each is checked against its text
//! here, which also says what to highlight. What a person types never reaches FTS5 as an expression:
//! only terms that `words.rs` cut, in quotes.

use std::cmp::Reverse;

use rusqlite::params;
use sotto_api::{ConversationId, MessageId};

use crate::error::Result;
use crate::message::MESSAGE_COLUMNS;
use crate::row::{SearchQuery, SearchRow, SearchRows};
use crate::store::Store;
use crate::words::{self, Word};

/// Words of a query beyond this are ignored.
const MOST_WORDS: usize = 16;
/// Length, in characters, of the longest beginnings that the index keeps ready, newest first.
const READY: usize = 3;
/// Candidates by a shorter beginning that are looked at before the exact one is asked for.
const QUICK_CANDIDATES: usize = 200;

impl Store {
    /// Finds messages that hold all words of a query, the newest (largest id) first. The last word is
    /// also found as a beginning; parts of Chinese, Japanese, Korean, Thai words are found anywhere.
    /// A query without any letter or digit finds nothing.
    pub fn search(&self, query: &SearchQuery<'_>) -> Result<SearchRows> {
        let wanted = Wanted::parse(query.text);
        if wanted.words.is_empty() {
            return Ok(nothing());
        }
        let unkept = self.search_unkept(query, &wanted)?;
        let mut found = self.search_kept(query, &wanted)?;
        if !unkept.is_empty() {
            found.hits.extend(unkept);
            found
                .hits
                .sort_unstable_by_key(|hit| Reverse(hit.message.id));
            let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
            found.more |= found.hits.len() > limit;
            found.hits.truncate(limit);
        }
        Ok(found)
    }

    /// What is not kept stands in no index: looked through one by one.
    fn search_unkept(&self, query: &SearchQuery<'_>, wanted: &Wanted) -> Result<Vec<SearchRow>> {
        let matching: Vec<_> = self
            .unkept
            .borrow()
            .iter()
            .filter(|(id, _)| query.before.is_none_or(|before| *id < before))
            .filter_map(|(id, body)| Some((id, wanted.highlights(body)?)))
            .collect();
        let mut hits = Vec::new();
        for (id, highlights) in matching {
            if let Some(message) = self.message(id)?
                && query
                    .conversation
                    .is_none_or(|conversation| conversation == message.conversation)
            {
                hits.push(SearchRow {
                    message,
                    highlights,
                });
            }
        }
        Ok(hits)
    }

    fn search_kept(&self, query: &SearchQuery<'_>, wanted: &Wanted) -> Result<SearchRows> {
        // A beginning of more than READY letters makes FTS5 gather every message that holds it before
        // it gives out the first: slow for a common word. The newest candidates by its first letters
        // come at once; for a common word they fill the page, for a rare one gathering is quick.
        if wanted.has_long_beginning() {
            let short = wanted.expression(query.conversation, true);
            if let Some(found) =
                self.search_candidates(query, wanted, &short, Some(QUICK_CANDIDATES))?
            {
                return Ok(found);
            }
        }
        let exact = wanted.expression(query.conversation, false);
        Ok(self
            .search_candidates(query, wanted, &exact, None)?
            .unwrap_or_else(nothing))
    }

    /// The first page among the candidates; absent when `most` of them did not fill it.
    fn search_candidates(
        &self,
        query: &SearchQuery<'_>,
        wanted: &Wanted,
        expression: &str,
        most: Option<usize>,
    ) -> Result<Option<SearchRows>> {
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let before = query.before.map_or(i64::MAX, |message| message.0);
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {MESSAGE_COLUMNS} FROM message_words
             JOIN message ON message.id = message_words.rowid
             WHERE message_words MATCH ?1 AND message_words.rowid < ?2
             ORDER BY message_words.rowid DESC"
        ))?;
        let mut rows = statement.query(params![expression, before])?;
        let mut hits = Vec::new();
        let mut candidates = 0;
        while let Some(row) = rows.next()? {
            if most.is_some_and(|most| candidates == most) {
                return Ok(None);
            }
            candidates += 1;
            let message = self.read_message(row)?;
            if let Some(highlights) = wanted.highlights(&message.body) {
                if hits.len() == limit {
                    return Ok(Some(SearchRows { hits, more: true }));
                }
                hits.push(SearchRow {
                    message,
                    highlights,
                });
            }
        }
        Ok(Some(SearchRows { hits, more: false }))
    }

    /// Puts the words of a message into the index.
    pub(crate) fn index_words(
        &self,
        message: MessageId,
        conversation: ConversationId,
        body: &str,
    ) -> Result<()> {
        self.execute(
            "INSERT INTO message_words (rowid, words) VALUES (?1, ?2)",
            params![message.0, indexed(conversation, body)],
        )?;
        Ok(())
    }

    /// Takes the words of a message out of the index; `body` is what was put in.
    pub(crate) fn unindex_words(
        &self,
        message: MessageId,
        conversation: ConversationId,
        body: &str,
    ) -> Result<()> {
        self.execute(
            "INSERT INTO message_words (message_words, rowid, words) VALUES ('delete', ?1, ?2)",
            params![message.0, indexed(conversation, body)],
        )?;
        Ok(())
    }
}

fn nothing() -> SearchRows {
    SearchRows {
        hits: Vec::new(),
        more: false,
    }
}

/// The terms of a message, parted by spaces, after the mark of its conversation.
fn indexed(conversation: ConversationId, body: &str) -> String {
    let mut text = conversation_term(conversation);
    for word in words::words(body) {
        words::terms(&word, &mut |term| {
            text.push(' ');
            text.push_str(term);
        });
    }
    text
}

/// No word can hold the private-use character, so no text can pretend to be in a conversation.
fn conversation_term(conversation: ConversationId) -> String {
    format!("\u{e000}{}", conversation.0)
}

/// The words of a query.
struct Wanted {
    words: Vec<Word>,
    /// The last word may go on: nothing follows it in what was typed.
    open: bool,
}

impl Wanted {
    fn parse(text: &str) -> Self {
        let mut words = words::words(text);
        let open = words.last().is_some_and(|word| word.end == text.len());
        words.truncate(MOST_WORDS);
        Self { words, open }
    }

    /// Whether a word of the text may go on after this word of the query.
    fn is_open(&self, index: usize) -> bool {
        let word = &self.words[index];
        // One letter begins half of all words; it is worth nothing and costs most.
        self.open && index + 1 == self.words.len() && word.folded.chars().nth(1).is_some()
    }

    /// Whether the last word is a beginning that the index does not keep ready.
    fn has_long_beginning(&self) -> bool {
        let last = self.words.len().saturating_sub(1);
        self.words.get(last).is_some_and(|word| {
            !word.dense && self.is_open(last) && word.folded.chars().nth(READY).is_some()
        })
    }

    /// The FTS5 expression that every message to be found matches; with a `short` beginning others do too.
    fn expression(&self, conversation: Option<ConversationId>, short: bool) -> String {
        let mut terms: Vec<String> = Vec::new();
        if let Some(conversation) = conversation {
            terms.push(quoted(&conversation_term(conversation), false));
        }
        for (index, word) in self.words.iter().enumerate() {
            let folded = word.folded.as_str();
            if !word.dense {
                let open = self.is_open(index);
                let term = if open && short {
                    words::cut(folded, READY)
                } else {
                    folded
                };
                let term = words::cut(term, words::LONGEST);
                terms.push(quoted(term, open));
            } else if folded.chars().nth(1).is_none() {
                // Each character begins a pair, or stands alone at the end.
                terms.push(quoted(folded, true));
            } else {
                let mut pairs = Vec::new();
                words::terms(word, &mut |term| pairs.push(quoted(term, false)));
                // The last character alone is there only when the text ends with it too.
                pairs.pop();
                terms.append(&mut pairs);
            }
        }
        terms.join(" AND ")
    }

    /// Where the text holds each word of the query; absent when one is missing.
    fn highlights(&self, body: &str) -> Option<Vec<(usize, usize)>> {
        let text = words::words(body);
        let mut ranges = Vec::new();
        for (index, wanted) in self.words.iter().enumerate() {
            let before = ranges.len();
            for word in text.iter().filter(|word| word.dense == wanted.dense) {
                if wanted.dense {
                    dense_ranges(body, word, &wanted.folded, &mut ranges);
                } else if matches(word, wanted, self.is_open(index)) {
                    ranges.push((word.start, word.end));
                }
            }
            if ranges.len() == before {
                return None;
            }
        }
        ranges.sort_unstable();
        let mut merged: Vec<(usize, usize)> = Vec::new();
        for (start, end) in ranges {
            match merged.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        Some(merged)
    }
}

fn matches(word: &Word, wanted: &Word, open: bool) -> bool {
    let text = words::cut(&word.folded, words::LONGEST);
    let sought = words::cut(&wanted.folded, words::LONGEST);
    text == sought || (open && text.starts_with(sought))
}

/// The places of a part within a run of a script without spaces.
fn dense_ranges(body: &str, word: &Word, sought: &str, ranges: &mut Vec<(usize, usize)>) {
    if !word.folded.contains(sought) {
        return;
    }
    // Folding changes lengths: remember for each character of the text where its folded form begins.
    let run = body.get(word.start..word.end).unwrap_or_default();
    let mut folded = String::with_capacity(word.folded.len());
    let mut borders = Vec::new();
    for (at, character) in words::clusters(run) {
        borders.push((folded.len(), word.start + at));
        folded.push_str(&words::fold(character));
    }
    borders.push((folded.len(), word.end));
    let before = ranges.len();
    for (at, part) in folded.match_indices(sought) {
        let first = borders
            .partition_point(|(folded, _)| *folded <= at)
            .saturating_sub(1);
        let last = borders.partition_point(|(folded, _)| *folded < at + part.len());
        if let (Some((_, start)), Some((_, end))) = (borders.get(first), borders.get(last)) {
            ranges.push((*start, *end));
        }
    }
    if ranges.len() == before {
        // Characters that only meet across a border of ours: show the run as a whole.
        ranges.push((word.start, word.end));
    }
}

fn quoted(term: &str, open: bool) -> String {
    format!("\"{term}\"{}", if open { "*" } else { "" })
}
