use super::*;

#[test]
fn s_ui_06_a_name_cannot_turn_the_direction_of_what_follows() {
    let cleaned = clean_line("photo\u{202e}gnp.exe");
    assert_eq!(cleaned, "photognp.exe");
    assert_eq!(clean("a\u{2066}b\u{2069}\u{206f}c"), "abc");
}

#[test]
fn s_ui_06_a_name_from_right_to_left_is_isolated_in_a_sentence() {
    assert_eq!(isolate("ليلى"), "\u{2068}ليلى\u{2069}");
    assert_eq!(isolate("Leila"), "Leila");
    // An isolate that the name itself closes too early is gone before ours is put around it.
    assert_eq!(isolate("ليلى\u{2069}"), "\u{2068}ليلى\u{2069}");
}

#[test]
fn s_ui_07_a_pile_of_marks_is_cut() {
    let pile = format!("a{}b", "\u{301}".repeat(100_000));
    assert_eq!(clean(&pile).chars().count(), 2 + MARKS_PER_LETTER);
}

#[test]
fn s_ui_07_a_word_of_a_mebibyte_is_cut_in_a_line() {
    let line = clean_line(&"w".repeat(1 << 20));
    assert_eq!(line.chars().count(), LINE_CHARS);
    assert!(line.ends_with('…'));
    let many = clean_line(&"ab ".repeat(1 << 18));
    assert!(many.chars().count() <= LINE_CHARS && many.ends_with('…'));
}

#[test]
fn line_ends_of_all_systems_become_one_and_terminal_codes_go() {
    assert_eq!(clean("a\r\nb\rc\u{2028}d"), "a\nb\nc\nd");
    assert_eq!(clean("\u{1b}[31mred\u{7}\0"), "[31mred");
    assert_eq!(clean_line("  a \n\t b  "), "a b");
}

#[test]
fn emoji_of_several_characters_stay_whole() {
    for emoji in ["👩‍👩‍👧", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "❤️", "👋🏽"] {
        assert_eq!(clean(emoji), emoji);
    }
}

#[test]
fn initials_are_two_letters_or_one_where_the_script_joins() {
    for (name, initials_) in [
        ("Leila Haddad", "LH"),
        ("omar", "O"),
        ("Jean-Pierre Le Goff", "JG"),
        ("maryam.t@riverside.example", "MT"),
        ("ليلى حداد", "ل"),
        ("דנה לוי", "דל"),
        ("Élodie Été", "ÉÉ"),
        ("王小明", "王"),
        ("Łukasz", "Ł"),
        ("(Sara) Jensen", "SJ"),
        ("7 of 9", "79"),
        ("ßeta", "ß"),
        ("🎉🎉", "?"),
        ("", "?"),
        ("...", "?"),
    ] {
        assert_eq!(initials(name), initials_, "{name}");
    }
}

#[test]
fn colours_are_stable_and_use_all_six() {
    assert_eq!(
        colour("Sara@Riverside.example"),
        colour("sara@riverside.example")
    );
    let used: std::collections::BTreeSet<u8> = (0..100)
        .map(|n| colour(&format!("user{n}@example.org")))
        .collect();
    assert_eq!(used.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn folding_finds_names_in_any_script_without_case_or_marks() {
    for (text, folded) in [
        ("Élodie", "elodie"),
        ("ÅNGSTRÖM", "angstrom"),
        ("Ｓａｒａ", "sara"),
        ("İstanbul", "istanbul"),
        ("أحـمَد", "احمد"),
        ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
        ("Ёлка", "елка"),
    ] {
        assert_eq!(fold(text), fold(folded), "{text}");
    }
    assert!(fold("Łukasz Øre").contains("lukasz ore"));
}

#[test]
fn an_action_is_only_what_begins_with_slash_me_and_a_space() {
    assert_eq!(action("/me waves"), Some("waves"));
    assert_eq!(action("/me"), None);
    assert_eq!(action("/me  "), None);
    assert_eq!(action("/meow"), None);
    assert_eq!(action(" /me waves"), None);
}

#[test]
fn a_preview_is_one_line_of_whole_graphemes() {
    assert_eq!(preview("a\n\nb", 10), "a b");
    assert_eq!(preview("abcdef", 3), "abc…");
    assert_eq!(preview("👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", 2), "👩‍👩‍👧👩‍👩‍👧…");
    assert_eq!(preview("", 3), "");
    assert!(preview(&"é".repeat(100_000), 20).ends_with('…'));
}

#[test]
fn nothing_of_the_naughty_strings_leaves_a_control_character() {
    for line in include_str!("../../tests/data/blns.txt").lines() {
        let cleaned = clean(line);
        assert!(
            !cleaned
                .chars()
                .any(|c| is_harmful(c) && c != '\n' && c != '\t'),
            "{line:?}"
        );
        let one = clean_line(line);
        assert!(!one.contains('\n') && one.chars().count() <= LINE_CHARS);
        initials(line);
        fold(line);
        preview(line, 5);
        isolate(line);
    }
}

proptest::proptest! {
    #[test]
    fn whatever_is_written_cleaning_is_done_once_and_for_all(text in ".{0,200}") {
        let cleaned = clean(&text);
        assert_eq!(clean(&cleaned), cleaned);
        let line = clean_line(&text);
        assert_eq!(clean_line(&line), line);
        assert!(line.chars().count() <= LINE_CHARS);
        assert!(initials(&text).graphemes(true).count() <= 2);
        assert!(colour(&text) < 6);
    }
}
