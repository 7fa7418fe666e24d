//! Codes of keys: read out, and compared with what a person pasted.

/// What a pasted text is, beside the code that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Nothing was pasted.
    Nothing,
    /// It is the beginning of some code.
    Short,
    /// The same, whatever its case and spaces.
    Same,
    /// Another.
    Other,
}

/// Signs of a code: 20 bytes, two each.
const SIGNS: usize = 40;

/// Compares what was pasted with the code that is shown. It never marks anything: that is the person's word.
pub fn compare_codes(shown: &str, pasted: &str) -> Comparison {
    let plain = |text: &str| -> String {
        text.chars()
            .filter(|sign| {
                !sign.is_whitespace()
                    && !sign.is_control()
                    && !matches!(
                        sign,
                        '-' | ':' | '\u{200e}' | '\u{200f}' | '\u{2066}'..='\u{2069}'
                    )
            })
            .map(|sign| sign.to_ascii_uppercase())
            .collect()
    };
    let (shown, pasted) = (plain(shown), plain(pasted));
    if pasted.is_empty() {
        Comparison::Nothing
    } else if pasted == shown {
        Comparison::Same
    } else if pasted.len() < SIGNS && pasted.chars().all(|sign| sign.is_ascii_hexdigit()) {
        Comparison::Short
    } else {
        Comparison::Other
    }
}

/// A code sign by sign, as people read it to each other: *foxtrot, 2, charlie*; a pause after each group.
pub fn spell_code(code: &str) -> String {
    let sign = |sign: char| match sign.to_ascii_uppercase() {
        'A' => "alfa".to_owned(),
        'B' => "bravo".to_owned(),
        'C' => "charlie".to_owned(),
        'D' => "delta".to_owned(),
        'E' => "echo".to_owned(),
        'F' => "foxtrot".to_owned(),
        other => other.to_string(),
    };
    code.split_whitespace()
        .map(|group| group.chars().map(sign).collect::<Vec<_>>().join(", "))
        .collect::<Vec<_>>()
        .join("; ")
}

/// The title and the sentence of a question that stands in one text: the first line or the words up to the first
/// question mark, and the rest.
pub fn question_parts(question: &str) -> (String, String) {
    let parts = question.split_once('\n').or_else(|| {
        question
            .char_indices()
            .find(|(_, sign)| matches!(sign, '?' | '؟'))
            .map(|(at, sign)| question.split_at(at + sign.len_utf8()))
    });
    match parts {
        Some((title, text)) => (title.trim().to_owned(), text.trim().to_owned()),
        None => (question.trim().to_owned(), String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "5F2C 91A0 77D3 E8B4 0C6A 12F9 D15B 38E7 A944 02CD";

    #[test]
    fn a_pasted_code_is_compared_without_spaces_and_case() {
        let same = "5f2c91a0 77d3e8b4-0c6a12f9 d15b38e7 a94402cd\n";
        assert_eq!(compare_codes(CODE, same), Comparison::Same);
        assert_eq!(
            compare_codes(CODE, &same.replace('9', "8")),
            Comparison::Other
        );
        assert_eq!(compare_codes(CODE, "5F2C 91"), Comparison::Short);
        assert_eq!(compare_codes(CODE, "hello"), Comparison::Other);
        assert_eq!(compare_codes(CODE, "  "), Comparison::Nothing);
        assert_eq!(compare_codes("", "x"), Comparison::Other);
    }

    #[test]
    fn a_code_is_read_sign_by_sign() {
        assert_eq!(
            spell_code("5F2C 91A0"),
            "5, foxtrot, 2, charlie; 9, 1, alfa, 0"
        );
    }

    #[test]
    fn a_question_has_a_title_and_a_sentence() {
        let parts = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            question_parts("Go on? It is open."),
            parts("Go on?", "It is open.")
        );
        assert_eq!(
            question_parts("Go on\nIt is open."),
            parts("Go on", "It is open.")
        );
        assert_eq!(question_parts("Go on"), parts("Go on", ""));
    }
}
