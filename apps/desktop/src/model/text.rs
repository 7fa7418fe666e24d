use unicode_segmentation::UnicodeSegmentation;

/// Whether a text runs from right to left: the direction of its first strong letter (UAX #9, P2).
pub fn right_to_left(text: &str) -> bool {
    text.chars().find_map(strong).unwrap_or(false)
}

/// The direction of a letter: `Some(true)` for right to left, `None` where it has none of its own.
fn strong(letter: char) -> Option<bool> {
    let rtl = matches!(letter,
        '\u{0590}'..='\u{05FF}' | '\u{0608}' | '\u{060B}' | '\u{060D}' | '\u{061B}'..='\u{064A}'
        | '\u{066D}'..='\u{066F}' | '\u{0671}'..='\u{06D5}' | '\u{06E5}' | '\u{06E6}' | '\u{06EE}' | '\u{06EF}'
        | '\u{06FA}'..='\u{08FF}' | '\u{200F}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}'
        | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}');
    if rtl {
        Some(true)
    } else if letter.is_alphabetic() || letter == '\u{200E}' {
        Some(false)
    } else {
        None
    }
}

/// The byte offset one letter on (or back) from `offset`, whole grapheme clusters only.
pub fn step(text: &str, offset: usize, forward: bool) -> usize {
    let offset = floor(text, offset);
    if forward {
        text[offset..]
            .graphemes(true)
            .next()
            .map_or(offset, |letter| offset + letter.len())
    } else {
        text[..offset]
            .graphemes(true)
            .next_back()
            .map_or(0, |letter| offset - letter.len())
    }
}

/// The byte offset of the start or end of the paragraph with `offset`.
pub fn edge(text: &str, offset: usize, end: bool) -> usize {
    let offset = floor(text, offset);
    if end {
        text[offset..]
            .find('\n')
            .map_or(text.len(), |at| offset + at)
    } else {
        text[..offset].rfind('\n').map_or(0, |at| at + 1)
    }
}

/// A foreign name or address inside a sentence of ours: it keeps its direction to itself (UAX #9, FSI and PDI; S-UI-06).
pub fn isolate(text: &str) -> String {
    format!("\u{2068}{text}\u{2069}")
}

/// The beginning of a foreign text for one line, so that no width and no number of marks can hold up the window.
pub fn one_line(text: &str) -> String {
    text.chars()
        .take(300)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Whether the paragraph with the byte `offset` runs from right to left.
pub fn paragraph_right_to_left(text: &str, offset: usize) -> bool {
    right_to_left(paragraph(text, offset))
}

/// The paragraph with the byte `offset`.
fn paragraph(text: &str, offset: usize) -> &str {
    &text[edge(text, offset, false)..edge(text, offset, true)]
}

/// The nearest character boundary at or before `offset`.
fn floor(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_strong_letter_decides() {
        assert!(right_to_left("مرحبا Omar"));
        assert!(right_to_left("12:30 — سلام"));
        assert!(!right_to_left("Omar قال"));
        assert!(!right_to_left("123 🙂"));
    }

    #[test]
    fn a_step_never_splits_a_letter() {
        let text = "a👩‍👩‍👧e\u{301}م";
        let mut at = 0;
        let mut stops = vec![at];
        while at < text.len() {
            at = step(text, at, true);
            stops.push(at);
        }
        let mut back = vec![at];
        while at > 0 {
            at = step(text, at, false);
            back.push(at);
        }
        back.reverse();
        assert_eq!(stops, back);
        assert_eq!(stops.len(), 5);
        assert_eq!(step(text, 2, true), 1 + "👩‍👩‍👧".len());
    }

    #[test]
    fn edges_are_those_of_the_paragraph() {
        assert_eq!(edge("ab\ncd\nef", 4, false), 3);
        assert_eq!(edge("ab\ncd\nef", 4, true), 5);
        assert_eq!(paragraph("ab\ncd", 9), "cd");
    }
}
