//! What counts as a word: the one place that cuts text for the index, for queries and for highlights.
//!
//! - Letters, digits and the marks on them form words; everything else parts them.
//! - Case, width and the accents of Latin, Greek and Cyrillic, the vowel points of Arabic and Hebrew
//!   make no difference; the vowel signs of Indic scripts do.
//! - Scripts written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese, Tibetan), and Korean
//!   with its joined endings, are cut into overlapping pairs of characters, so that any part is found.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longer words are cut off, in text and query alike: nobody searches for the 65th letter.
pub(crate) const LONGEST: usize = 64;

/// A word of a text, folded, with its byte range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub folded: String,
    pub start: usize,
    pub end: usize,
    /// Of a script without spaces: found by any part.
    pub dense: bool,
}

/// The words of a text, in order. A run of a script without spaces is one word here.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open = false;
    for (start, character) in text.char_indices() {
        let end = start + character.len_utf8();
        let mark = is_combining_mark(character) || is_joiner(character);
        if !(character.is_alphanumeric() || (open && mark)) {
            open = false;
            continue;
        }
        let dense = is_dense(character);
        match words.last_mut() {
            Some(word) if open && (mark || word.dense == dense) => word.end = end,
            _ => words.push(Word {
                folded: String::new(),
                start,
                end,
                dense,
            }),
        }
        open = true;
    }
    for word in &mut words {
        word.folded = fold(text.get(word.start..word.end).unwrap_or_default());
    }
    words.retain(|word| !word.folded.is_empty());
    words
}

/// The terms under which a word stands in the index.
pub(crate) fn terms(word: &Word, push: &mut impl FnMut(&str)) {
    if !word.dense {
        push(cut(&word.folded, LONGEST));
        return;
    }
    let mut characters = word.folded.char_indices().peekable();
    while let Some((start, first)) = characters.next() {
        // The last character stands alone, so that each one begins some term.
        let end = match characters.peek() {
            Some((next, second)) => next + second.len_utf8(),
            None => start + first.len_utf8(),
        };
        push(&word.folded[start..end]);
    }
}

/// A text cut into characters with the marks that join them, each with the byte where it begins.
pub(crate) fn clusters(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut starts = text
        .char_indices()
        .filter(|(at, character)| *at == 0 || !joins(*character))
        .map(|(at, _)| at)
        .peekable();
    std::iter::from_fn(move || {
        let start = starts.next()?;
        let end = starts.peek().copied().unwrap_or(text.len());
        Some((start, text.get(start..end)?))
    })
}

/// Whether a character joins the one before it under normalisation.
fn joins(character: char) -> bool {
    is_combining_mark(character)
        || is_joiner(character)
        // Vowels and endings of Hangul, voicing marks of half-width Kana.
        || matches!(character, '\u{1160}'..='\u{11ff}' | '\u{ff9e}' | '\u{ff9f}')
}

/// The first so many characters.
pub(crate) fn cut(folded: &str, longest: usize) -> &str {
    match folded.char_indices().nth(longest) {
        Some((end, _)) => &folded[..end],
        None => folded,
    }
}

/// Folds case, width and accents away.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkd()
        .filter(|character| !is_folded_away(*character))
        .flat_map(char::to_lowercase)
        .nfc()
        // Compatibility forms may hold spaces and marks that are no part of a word.
        .filter(|character| character.is_alphanumeric() || is_combining_mark(*character))
        .map(|character| if character == 'ς' { 'σ' } else { character })
        .collect()
}

fn is_folded_away(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36f}'       // accents of Latin, Greek, Cyrillic
        | '\u{591}'..='\u{5c7}'     // Hebrew points
        | '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6ed}' // Arabic
    )
}

/// Invisible joiners inside words of Persian and Indic scripts.
fn is_joiner(character: char) -> bool {
    matches!(character, '\u{200c}' | '\u{200d}')
}

/// Whether a script is written without spaces between words.
fn is_dense(character: char) -> bool {
    matches!(character,
        '\u{e00}'..='\u{eff}'       // Thai, Lao
        | '\u{f00}'..='\u{fff}'     // Tibetan
        | '\u{1000}'..='\u{109f}'   // Burmese
        | '\u{1100}'..='\u{11ff}'   // Hangul
        | '\u{1780}'..='\u{17ff}'   // Khmer
        | '\u{3005}'..='\u{3007}' | '\u{3031}'..='\u{3035}'
        | '\u{3041}'..='\u{312f}'   // Kana, Bopomofo
        | '\u{3131}'..='\u{318f}' | '\u{31a0}'..='\u{31bf}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{a960}'..='\u{a97f}' | '\u{aa60}'..='\u{aa7f}' | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ffdc}'
        | '\u{20000}'..='\u{3ffff}' // Han
    )
}

#[cfg(test)]
mod tests;
