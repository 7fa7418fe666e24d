//! What `docs/look.md` promises, checked against the files of the window.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

fn ui() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ui")
}

fn slint_files() -> Vec<(PathBuf, String)> {
    let mut folders = vec![ui()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "slint") {
                let text = std::fs::read_to_string(&path).unwrap();
                files.push((path, text));
            }
        }
    }
    files
}

/// Colours by name, dark then light, as the token file says them.
fn tokens() -> HashMap<String, [[f64; 3]; 2]> {
    let text = std::fs::read_to_string(ui().join("tokens.slint")).unwrap();
    text.lines()
        .filter_map(|line| {
            let (name, value) = line
                .trim()
                .split_once("property <color> ")?
                .1
                .split_once(": dark ? ")?;
            let (dark, light) = value.trim_end_matches(';').split_once(" : ")?;
            let name = name.trim_start_matches("soft-");
            Some((name.to_owned(), [colour(dark)?, colour(light)?]))
        })
        .collect()
}

fn colour(text: &str) -> Option<[f64; 3]> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let part = |at| {
        u8::from_str_radix(&digits[at..at + 2], 16)
            .ok()
            .map(f64::from)
    };
    Some([part(0)?, part(2)?, part(4)?])
}

/// WCAG 2.2, relative luminance and contrast ratio.
fn ratio(a: [f64; 3], b: [f64; 3]) -> f64 {
    let luminance = |colour: [f64; 3]| {
        let linear = colour.map(|part| {
            let part = part / 255.0;
            if part <= 0.040_45 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_text_and_every_line_with_a_meaning_has_its_contrast() {
    let tokens = tokens();
    let grounds = ["window", "panel", "raised", "hover"];
    let mut wanted: Vec<(String, &str, f64)> = Vec::new();
    for text in [
        "ink",
        "ink2",
        "ink3",
        "juniper",
        "juniper-hi",
        "ochre",
        "brick",
    ] {
        wanted.extend(grounds.iter().map(|ground| (text.to_owned(), *ground, 4.5)));
    }
    wanted.extend(
        grounds
            .iter()
            .map(|ground| ("edge".to_owned(), *ground, 3.0)),
    );
    for (text, ground, least) in [
        ("on-juniper", "juniper", 4.5),
        ("on-juniper", "juniper-hi", 4.5),
        ("on-fill", "brick-fill", 4.5),
        ("on-fill", "brick-fill-hi", 4.5),
        ("ink", "juniper-tint", 4.5),
        ("ink2", "juniper-tint", 4.5),
        ("juniper", "juniper-tint", 4.5),
        ("juniper-ink", "juniper-tint", 4.5),
        ("ink", "ochre-tint", 4.5),
        ("ochre", "ochre-tint", 4.5),
        ("ochre-line", "ochre-tint", 3.0),
        ("ochre-line", "window", 3.0),
        ("ink", "brick-tint", 4.5),
        ("brick", "brick-tint", 4.5),
        ("brick-ink", "brick-tint", 4.5),
    ] {
        wanted.push((text.to_owned(), ground, least));
    }
    for pair in 0..6 {
        let ground: &str = [
            "avatar0", "avatar1", "avatar2", "avatar3", "avatar4", "avatar5",
        ][pair];
        wanted.push((format!("avatar{pair}-ink"), ground, 7.0));
    }
    let mut low = Vec::new();
    for (text, ground, least) in wanted {
        for (theme, name) in ["dark", "light"].iter().enumerate() {
            let found = ratio(tokens[&text][theme], tokens[ground][theme]);
            if found < least - 0.05 {
                low.push(format!(
                    "{text} on {ground}, {name}: {found:.2}, at least {least}"
                ));
            }
        }
    }
    assert!(low.is_empty(), "{low:#?}");
}

#[test]
fn no_screen_uses_a_layout_that_cannot_mirror() {
    for (path, text) in slint_files() {
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            assert!(
                !code.contains("HorizontalLayout"),
                "{}:{}",
                path.display(),
                number + 1
            );
        }
    }
}

#[test]
fn every_text_input_has_a_name() {
    for (path, text) in slint_files() {
        for (at, _) in text.match_indices("TextInput {") {
            let before = text[..at].lines().next_back().unwrap_or_default();
            if before.trim_start().starts_with("//") {
                continue;
            }
            let block = block(&text[at..]);
            assert!(
                block.contains("accessible-label:"),
                "{}: {}",
                path.display(),
                &block[..block.len().min(120)]
            );
        }
    }
}

/// The text up to the brace that closes the first one.
fn block(text: &str) -> &str {
    let mut depth = 0;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return &text[..=at];
                }
            }
            _ => {}
        }
    }
    text
}

#[test]
fn colours_are_named_in_one_file_only() {
    for (path, text) in slint_files() {
        // The panel of the first start is the logo's ground: juniper in every theme.
        if path.ends_with("tokens.slint") || path.ends_with("first_start.slint") {
            continue;
        }
        for line in text
            .lines()
            .filter(|line| !line.contains("drop-shadow-color"))
        {
            let code = line.split("//").next().unwrap_or_default();
            let hex = code.match_indices('#').any(|(at, _)| {
                let digits = code[at + 1..]
                    .chars()
                    .take_while(char::is_ascii_hexdigit)
                    .count();
                digits == 6 || digits == 8
            });
            assert!(!hex, "{}: {line}", path.display());
        }
    }
}

/// The words of the window as the catalogues key them: context and text of every `@tr`.
fn words() -> Vec<(PathBuf, Option<String>, String)> {
    let mut words = Vec::new();
    for (path, text) in slint_files() {
        for (at, _) in text.match_indices("@tr(") {
            let Some((first, rest)) = literal(&text[at + 4..]) else {
                panic!("{}: @tr without words", path.display());
            };
            match rest.trim_start().strip_prefix("=>").map(literal) {
                Some(Some((second, _))) => words.push((path.clone(), Some(first), second)),
                _ => words.push((path.clone(), None, first)),
            }
        }
    }
    words
}

/// The string that begins `text`, as written between its quotes, and what follows it.
fn literal(text: &str) -> Option<(String, &str)> {
    let inner = text.trim_start().strip_prefix('"')?;
    let mut escaped = false;
    for (at, letter) in inner.char_indices() {
        match letter {
            '"' if !escaped => return Some((inner[..at].to_owned(), &inner[at + 1..])),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

/// The entries of a catalogue that have words: context and text.
fn catalogue(text: &str) -> Vec<(Option<String>, String)> {
    let value = |line: &str| literal(line).map(|(words, _)| words);
    text.split("\n\n")
        .filter_map(|entry| {
            let find = |key: &str| {
                entry
                    .lines()
                    .find_map(|line| line.strip_prefix(key).and_then(value))
            };
            let full = entry
                .lines()
                .filter(|line| line.starts_with("msgstr"))
                .all(|line| !line.ends_with("\"\""));
            full.then(|| find("msgid ").map(|text| (find("msgctxt "), text)))
                .flatten()
        })
        .collect()
}

#[test]
fn every_word_of_the_window_is_said_in_every_language() {
    let lang = Path::new(env!("CARGO_MANIFEST_DIR")).join("lang");
    let words = words();
    assert!(words.len() > 500, "{} words were found", words.len());
    for language in std::fs::read_dir(lang).unwrap() {
        let path = language.unwrap().path().join("LC_MESSAGES/sotto.po");
        let known = catalogue(&std::fs::read_to_string(&path).unwrap());
        let missing: Vec<_> = words
            .iter()
            .filter(|(_, context, text)| !known.contains(&(context.clone(), text.clone())))
            .collect();
        assert!(missing.is_empty(), "{}: {missing:#?}", path.display());
    }
}
