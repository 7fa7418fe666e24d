use sotto_api::view::LinkSpan;

/// A stranger's text as Markdown that shows exactly that text, with its links clickable by number.
///
/// Every character with a meaning in CommonMark or HTML is escaped, so a text cannot format itself,
/// and above all cannot hide a link's target behind other words. The target of each link is its
/// number in `links`: the true one is looked up, shown and asked about.
pub fn markdown(text: &str, links: &[LinkSpan]) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut at = 0;
    for (number, link) in links.iter().enumerate() {
        let Some(before) = text.get(at..link.start) else {
            continue;
        };
        let Some(label) = text
            .get(link.start..link.end)
            .filter(|label| !label.is_empty())
        else {
            continue;
        };
        escape(before, at == 0, &mut out);
        out.push('[');
        escape(label, false, &mut out);
        out.push_str("](");
        out.push_str(&number.to_string());
        out.push(')');
        at = link.end;
    }
    escape(text.get(at..).unwrap_or_default(), at == 0, &mut out);
    out
}

/// A stranger's text as Markdown, with what was found in it strong, underlined and in a colour (`#rrggbb`). It cannot
/// format itself.
pub fn marked(text: &str, found: &[(usize, usize)], colour: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut at = 0;
    for &(start, end) in found {
        let Some(before) = text.get(at..start) else {
            continue;
        };
        // Strong words must not begin or end with a blank, nor run over lines.
        let Some(words) = text
            .get(start..end)
            .filter(|words| !words.is_empty() && !words.contains(char::is_whitespace))
        else {
            continue;
        };
        escape(before, at == 0, &mut out);
        out.push_str("<font color=\"");
        out.push_str(colour);
        out.push_str("\"><u>**");
        escape(words, false, &mut out);
        out.push_str("**</u></font>");
        at = end;
    }
    escape(text.get(at..).unwrap_or_default(), at == 0, &mut out);
    out
}

/// Escapes a piece of text; `start` says that a line begins with it.
fn escape(text: &str, start: bool, out: &mut String) {
    for (number, line) in text.split('\n').enumerate() {
        let at_start = start || number > 0;
        if number > 0 {
            // A hard break; an empty line would otherwise end the paragraph.
            out.push_str("\\\n");
        }
        // Leading blanks would make a code block or vanish; an empty line must hold something.
        let blanks = if at_start {
            line.chars().take_while(|c| matches!(c, ' ' | '\t')).count()
        } else {
            0
        };
        let words = &line[blanks..];
        out.extend(std::iter::repeat_n('\u{a0}', blanks));
        if line.is_empty() && at_start {
            out.push('\u{200b}');
        }
        for letter in words.chars() {
            if letter.is_ascii_punctuation() {
                out.push('\\');
            }
            out.push(letter);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(start: usize, end: usize) -> LinkSpan {
        LinkSpan {
            start,
            end,
            target: "https://riverside.example/".into(),
            warning: String::new(),
        }
    }

    #[test]
    fn s_ui_02_a_text_cannot_make_a_link_of_its_own() {
        assert_eq!(
            markdown("[bank](https://evil.example)", &[]),
            r"\[bank\]\(https\:\/\/evil\.example\)"
        );
        assert_eq!(markdown("<a href=x>b</a>", &[]), r"\<a href\=x\>b\<\/a\>");
    }

    #[test]
    fn links_are_named_by_number_only() {
        let text = "see https://riverside.example/ now";
        assert_eq!(
            markdown(text, &[link(4, 30)]),
            r"see [https\:\/\/riverside\.example\/](0) now"
        );
    }

    #[test]
    fn spans_that_lie_outside_the_text_are_left_out() {
        assert_eq!(markdown("aé", &[link(2, 9), link(1, 2), link(5, 3)]), "aé");
    }

    #[test]
    fn what_was_found_is_marked_and_nothing_else() {
        assert_eq!(
            marked("the harbour gate", &[(4, 11)], "#7a4a00"),
            r##"the <font color="#7a4a00"><u>**harbour**</u></font> gate"##
        );
        assert_eq!(
            marked("*a* 港口的门", &[(4, 10)], "#7a4a00"),
            r##"\*a\* <font color="#7a4a00"><u>**港口**</u></font>的门"##
        );
        assert_eq!(marked("a b", &[(0, 3), (9, 12), (2, 1)], "#7a4a00"), "a b");
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(markdown("a\n\n  b", &[]), "a\\\n\u{200b}\\\n\u{a0}\u{a0}b");
    }
}
