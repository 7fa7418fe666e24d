use super::*;

fn cut_text(text: &str) -> Vec<(String, String)> {
    words(text)
        .into_iter()
        .map(|word| (text[word.start..word.end].to_owned(), word.folded))
        .collect()
}

fn terms_of(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for word in words(text) {
        terms(&word, &mut |term| all.push(term.to_owned()));
    }
    all
}

#[test]
fn letters_digits_and_their_marks_form_words() {
    let expected = [
        ("Don", "don"),
        ("t", "t"),
        ("e\u{301}ach", "each"),
        ("4x4", "4x4"),
    ];
    let expected = expected.map(|(text, folded)| (text.to_owned(), folded.to_owned()));
    assert_eq!(cut_text("Don't, e\u{301}ach 4x4! 🎉 \u{301}"), expected);
}

#[test]
fn a_script_without_spaces_is_cut_into_pairs_and_a_last_character() {
    assert_eq!(terms_of("图书馆 abc"), ["图书", "书馆", "馆", "abc"]);
    assert_eq!(terms_of("abc图"), ["abc", "图"]);
}

#[test]
fn a_long_word_stands_in_the_index_by_its_first_letters() {
    assert_eq!(terms_of(&"a".repeat(1000)), ["a".repeat(LONGEST)]);
}

#[test]
fn no_term_holds_what_parts_terms_or_marks_a_conversation() {
    let every = (0..=0x10_ffff)
        .filter_map(char::from_u32)
        .collect::<String>();
    for character in every.chars() {
        let text = format!("a{character}b {character}{character}");
        for term in terms_of(&text) {
            assert!(
                term.chars()
                    .all(|c| !c.is_ascii() || c.is_ascii_alphanumeric()),
                "{character:?}"
            );
            assert!(
                !term.is_empty() && !term.contains('\u{e000}'),
                "{character:?}"
            );
        }
    }
}

#[test]
fn folding_character_by_character_is_folding_the_run() {
    for run in [
        "がぎぐ",
        "か\u{3099}き\u{3099}",
        "ｶﾞｷﾞ",
        "한국어",
        "\u{1112}\u{1161}\u{11ab}",
        "ที่ห้องสมุด",
        "图书馆",
    ] {
        let one_by_one: String = clusters(run).map(|(_, cluster)| fold(cluster)).collect();
        assert_eq!(one_by_one, fold(run), "{run}");
    }
}
