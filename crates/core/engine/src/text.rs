//! Text that others wrote, made safe to show: S-UI-06, S-UI-07, look.md §2 and §6.
//!
//! Whatever a contact, a server or an archive sends passes through here before a view carries it.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_script::{Script, UnicodeScript};
use unicode_segmentation::UnicodeSegmentation;

/// Longest name, nickname or status line, in characters.
pub const LINE_CHARS: usize = 256;

/// Marks that may stand on one letter. Words of living languages need at most a handful; a thousand
/// of them are an attack on the layout (S-UI-07).
const MARKS_PER_LETTER: usize = 10;

/// First Strong Isolate … Pop Directional Isolate (UAX 9 §2.4).
const ISOLATE: (char, char) = ('\u{2068}', '\u{2069}');

/// Cleans a text of several lines: line ends become `\n`; control characters, and the characters that
/// turn the direction of what follows, are removed; piles of marks are cut.
pub fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut marks = 0;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let character = match character {
            '\r' => {
                characters.next_if_eq(&'\n');
                '\n'
            }
            '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
            other => other,
        };
        if is_combining_mark(character) {
            marks += 1;
            if marks > MARKS_PER_LETTER {
                continue;
            }
        } else {
            marks = 0;
        }
        if character == '\n' || character == '\t' || !is_harmful(character) {
            cleaned.push(character);
        }
    }
    cleaned
}

/// Cleans a text of one line: as [`clean`], with any run of white space as one space, nothing at the
/// ends, and at most `LINE_CHARS` characters, the last of them `…` where it was longer.
pub fn clean_line(text: &str) -> String {
    let mut line = String::new();
    let mut count = 0;
    for word in clean(text).split_whitespace() {
        let space = usize::from(!line.is_empty());
        let mut room = LINE_CHARS.saturating_sub(count + space);
        if room <= 1 {
            line.push('…');
            return line;
        }
        if space == 1 {
            line.push(' ');
            count += 1;
        }
        for character in word.chars() {
            if room == 1 {
                line.push('…');
                return line;
            }
            line.push(character);
            count += 1;
            room -= 1;
        }
    }
    line
}

/// A foreign name or address inside a sentence of ours: isolated where it is written from right to
/// left, so that the marks around it stay where they belong.
pub fn isolate(foreign: &str) -> String {
    let cleaned = clean_line(foreign);
    if cleaned.chars().any(is_right_to_left) {
        format!("{}{cleaned}{}", ISOLATE.0, ISOLATE.1)
    } else {
        cleaned
    }
}

/// One or two letters to stand for a picture: the first of the first word and of the last one; one
/// where the script joins its letters; `?` where there is no letter at all.
pub fn initials(name: &str) -> String {
    let name = clean_line(name);
    // Of an address the part before the @ speaks.
    let name = match name.split_once('@') {
        Some((local, _)) if !name.contains(' ') => local.to_owned(),
        _ => name,
    };
    let mut words = name
        .split(|c: char| c.is_whitespace() || matches!(c, '.' | '_' | '-' | '+' | ',' | '/'))
        .filter_map(first_letter);
    let Some(first) = words.next() else {
        return "?".into();
    };
    if joins_letters(&first) {
        return first;
    }
    match words.next_back() {
        Some(last) if !joins_letters(&last) => first + &last,
        _ => first,
    }
}

/// The first grapheme of a word that begins with a letter or a digit, in capitals.
fn first_letter(word: &str) -> Option<String> {
    let grapheme = word
        .graphemes(true)
        .find(|g| g.chars().next().is_some_and(char::is_alphanumeric))?;
    // One base letter with its marks; a capital that is two letters (ß, ŉ) stays as it is.
    let upper = grapheme.to_uppercase();
    Some(if upper.chars().count() == grapheme.chars().count() {
        upper
    } else {
        grapheme.to_owned()
    })
}

fn joins_letters(text: &str) -> bool {
    text.chars().any(|c| {
        matches!(
            c.script(),
            Script::Arabic
                | Script::Syriac
                | Script::Mongolian
                | Script::Nko
                | Script::Mandaic
                | Script::Adlam
                | Script::Hanifi_Rohingya
                | Script::Phags_Pa
        )
    })
}

/// Which of the six pairs of colours stands for an address: 0–5, the same on every computer.
pub fn colour(address: &str) -> u8 {
    // FNV-1a, 32 bits: short, stable, and evenly spread over names that differ in one letter.
    let hash = address
        .to_lowercase()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
    ((hash >> 16 ^ hash) % 6) as u8
}

/// A text as it is compared when a person looks for it: no case, no marks, no width.
pub fn fold(text: &str) -> String {
    text.nfkd()
        .filter(|c| !is_combining_mark(*c) && !is_harmful(*c))
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'ı' => 'i',
            'ø' => 'o',
            'đ' => 'd',
            'ł' => 'l',
            // Arabic letters that people write for one another, and the mere lengthening mark.
            'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
            'ى' | 'ی' => 'ي',
            'ک' => 'ك',
            'ة' => 'ه',
            other => other,
        })
        .filter(|c| *c != 'ـ')
        .collect()
}

/// The words after `/me ` (XEP-0245 §3), where a message is told as an action.
pub fn action(body: &str) -> Option<&str> {
    body.strip_prefix("/me ")
        .filter(|rest| !rest.trim().is_empty())
}

/// The first `limit` characters on one line, with `…` where there was more.
pub fn preview(body: &str, limit: usize) -> String {
    let mut preview = String::new();
    let mut graphemes = 0;
    let mut space = false;
    // No more than this is looked at, however long the message is.
    let mut end = body.len().min(limit.saturating_mul(64));
    while !body.is_char_boundary(end) {
        end -= 1;
    }
    let (head, rest) = body.split_at(end);
    for grapheme in clean(head).graphemes(true) {
        if grapheme.chars().all(char::is_whitespace) {
            space = !preview.is_empty();
            continue;
        }
        if graphemes >= limit {
            preview.push('…');
            return preview;
        }
        if space {
            preview.push(' ');
            graphemes += 1;
            space = false;
        }
        preview.push_str(grapheme);
        graphemes += 1;
    }
    if !rest.is_empty() {
        preview.push('…');
    }
    preview
}

/// Whether a character is never shown: it controls a terminal, turns the direction, or hides.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character,
            // Embeddings and overrides (UAX 9 §2.1, §2.2), isolates (§2.4), deprecated controls.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{206a}'..='\u{206f}'
            // Byte order mark, interlinear annotation, characters that are none.
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            // Letters that show nothing at all and serve to forge names.
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{180e}')
}

fn is_right_to_left(character: char) -> bool {
    matches!(character,
        '\u{0590}'..='\u{08ff}' | '\u{200f}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests;
