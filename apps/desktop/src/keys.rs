//! The keyboard table (docs/look.md §7), as far as what the keys do exists.

/// What a key that no field has used asks for: the name of an act, see [`crate::Shell::act`].
pub fn act(text: &str, control: bool, alt: bool, shift: bool) -> Option<&'static str> {
    const UP: &str = "\u{f700}";
    const DOWN: &str = "\u{f701}";
    const LEFT: &str = "\u{f702}";
    const F1: &str = "\u{f704}";
    const F2: &str = "\u{f705}";
    const F6: &str = "\u{f709}";
    const F10: &str = "\u{f70d}";
    const DELETE: &str = "\u{7f}";
    const ESCAPE: &str = "\u{1b}";
    let lower = text.to_lowercase();
    Some(match (lower.as_str(), control, alt, shift) {
        ("f", true, false, false) => "find",
        ("n", true, false, false) => "person-add",
        ("n", true, false, true) => "account-add",
        ("i", true, false, false) => "privacy",
        ("h", true, false, false) => "history",
        ("f", true, false, true) => "history-all",
        ("w", true, false, false) => "close",
        ("q", true, false, false) => "quit",
        ("c", true, false, false) => "copy-selected",
        ("1", true, false, false) => "list",
        (",", true, false, _) => "options",
        ("+" | "=", true, false, _) => "larger",
        ("-", true, false, _) => "smaller",
        ("0", true, false, false) => "plain-size",
        ("/", true, false, _) | (F1, false, false, false) => "shortcuts",
        (F2, false, false, false) => "person-rename",
        (DELETE, false, false, false) => "person-remove",
        (F6, false, false, false) => "next-pane",
        (F6, false, false, true) => "previous-pane",
        (F10, false, false, false) => "menu-bar",
        (DOWN, false, true, false) => "next",
        (UP, false, true, false) => "previous",
        (DOWN, false, true, true) => "next-unread",
        (UP, false, true, true) => "previous-unread",
        (LEFT, false, true, false) => "back",
        (ESCAPE, false, false, false) => "escape",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_what_the_table_says() {
        assert_eq!(act("f", true, false, false), Some("find"));
        assert_eq!(act("N", true, false, true), Some("account-add"));
        assert_eq!(act("\u{f701}", false, true, true), Some("next-unread"));
        assert_eq!(act("F", true, false, true), Some("history-all"));
        assert_eq!(act("x", false, false, false), None);
        assert_eq!(act("f", false, false, false), None);
    }
}
