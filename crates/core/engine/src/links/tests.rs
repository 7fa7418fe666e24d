use std::time::Instant;

use super::*;

fn targets(text: &str) -> Vec<String> {
    find(text).into_iter().map(|link| link.target).collect()
}

fn only(text: &str) -> LinkSpan {
    let mut links = find(text);
    assert_eq!(links.len(), 1, "{text}: {links:?}");
    links.remove(0)
}

#[test]
fn links_are_found_without_the_sentence_around_them() {
    for (text, span, target) in [
        (
            "see https://example.org.",
            "https://example.org",
            "https://example.org",
        ),
        (
            "(http://example.org/a)",
            "http://example.org/a",
            "http://example.org/a",
        ),
        (
            "https://en.example/wiki/Dot_(sign), then",
            "https://en.example/wiki/Dot_(sign)",
            "https://en.example/wiki/Dot_(sign)",
        ),
        (
            "<https://example.org/?q=a&b=c#d>",
            "https://example.org/?q=a&b=c#d",
            "https://example.org/?q=a&b=c#d",
        ),
        (
            "HTTPS://Example.ORG/Path",
            "HTTPS://Example.ORG/Path",
            "https://example.org/Path",
        ),
        (
            "见https://example.org/路。好",
            "https://example.org/路",
            "https://example.org/%E8%B7%AF",
        ),
        (
            "write to mailto:sara@example.org!",
            "mailto:sara@example.org",
            "mailto:sara@example.org",
        ),
        (
            "xmpp:sara@example.org?join",
            "xmpp:sara@example.org?join",
            "xmpp:sara@example.org?join",
        ),
        (
            "sip:sara@phone.example:5061;transport=tls",
            "sip:sara@phone.example:5061;transport=tls",
            "sip:sara@phone.example:5061;transport=tls",
        ),
        (
            "geo:52.5,13.4;u=35",
            "geo:52.5,13.4;u=35",
            "geo:52.5,13.4;u=35",
        ),
        (
            "http://[2001:db8::1]:8080/x",
            "http://[2001:db8::1]:8080/x",
            "http://[2001:db8::1]:8080/x",
        ),
        (
            "http://192.0.2.7/",
            "http://192.0.2.7/",
            "http://192.0.2.7/",
        ),
        (
            "https://bücher.example/",
            "https://bücher.example/",
            "https://xn--bcher-kva.example/",
        ),
        (
            "سلام https://example.org/، بعد",
            "https://example.org/",
            "https://example.org/",
        ),
        (
            "http://localhost:8080",
            "http://localhost:8080",
            "http://localhost:8080",
        ),
    ] {
        let link = only(text);
        assert_eq!(text.get(link.start..link.end), Some(span));
        assert_eq!(link.target, target);
        assert_eq!(link.warning, "", "{text}");
    }
    assert_eq!(
        targets("a https://a.example b https://b.example/x,https://c.example"),
        ["https://a.example", "https://b.example/x,https://c.example"]
    );
}

#[test]
fn s_ui_02_only_the_allow_list_is_clickable() {
    for text in [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html;base64,PHNjcmlwdD4=",
        "file:///etc/passwd",
        "smb://host/share",
        "\\\\host\\share",
        "ftp://example.org/x",
        "vbscript:msgbox(1)",
        "ms-msdt:/id",
        "search-ms:query=x",
        "jar:http!",
        "view-source:x",
        "about:blank",
        "tel:+15550100",
        "ssh://-oProxyCommand=x",
        "steam://run/1",
        "--help",
        "-https",
        "x-http://example.org",
        "shttp://example.org",
        "git+https://example.org",
        "http:",
        "http://",
        "http:///path",
        "http://?x",
        "https:example.org",
        "mailto:",
        "mailto:@example.org",
        "mailto:sara@example.org?attach=/etc/passwd",
        "mailto:sara@example.org?subject=x&ATTACHMENT=/etc/passwd",
        "mailto:sara@example.org?%61ttach=/etc/passwd",
        "xmpp:",
        "xmpp://me@example.org/other@example.org",
        "geo:here",
        "geo:1",
        "geo:1,2,3,4",
        "geo:inf,nan",
        "http://example.org:0/",
        "http://example.org:99999/",
        "http://exa%6dple.org/",
        "http://-option.example/",
        "http://a..b/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://127.1/",
        "http://[::1",
        "http://[nonsense]/",
    ] {
        assert_eq!(find(text), [], "{text}");
    }
}

#[test]
fn s_ui_02_a_target_is_one_harmless_argument() {
    for text in [
        "https://example.org/$(reboot)",
        "https://example.org/`reboot`",
        "https://example.org/a\\b",
        "https://example.org/\u{202e}gpj.exe",
        "https://example.org/a'b'c",
        "https://example.org/é\u{0}x",
        "https://example.org/a\u{1b}[0m",
        "https://example.org/a|b{c}d^e",
        "sip:a b@example.org",
        "https://example.org/𝕏",
    ] {
        for link in find(text) {
            let scheme = link.target.split(':').next().unwrap_or("");
            assert!(SCHEMES.contains(&scheme), "{text}");
            assert!(
                link.target
                    .bytes()
                    .all(|b| b.is_ascii_graphic() && !b"'\"\\`<>|{}^[]".contains(&b)),
                "{text}: {}",
                link.target
            );
        }
    }
}

#[test]
fn s_ui_02_nothing_of_the_naughty_strings_becomes_another_scheme() {
    let mut found = 0;
    for line in include_str!("../../tests/data/blns.txt").lines() {
        for link in find(line) {
            found += 1;
            let scheme = link.target.split(':').next().unwrap_or("");
            assert!(SCHEMES.contains(&scheme), "{line}");
            assert!(line.get(link.start..link.end).is_some(), "{line}");
            assert!(link.target.is_ascii());
        }
    }
    assert!(found > 0, "the list holds harmless links too");
}

#[test]
fn s_ui_05_a_host_of_mixed_or_imitated_letters_warns_and_shows_its_true_name() {
    let mixed = only("https://pаypal.example/login");
    assert_eq!(mixed.target, "https://xn--pypal-4ve.example/login");
    assert!(
        mixed.warning.contains("xn--pypal-4ve.example"),
        "{}",
        mixed.warning
    );
    let imitated = only("https://раураӏ.example/");
    assert!(imitated.target.starts_with("https://xn--"));
    assert!(!imitated.warning.is_empty());
    // The same in its ASCII form.
    assert!(!only("https://xn--pypal-4ve.example/").warning.is_empty());
    for honest in [
        "https://пример.example/",
        "https://例え.example/",
        "https://bücher.example",
    ] {
        assert_eq!(only(honest).warning, "", "{honest}");
    }
}

#[test]
fn s_ui_05_a_name_in_an_address_warns_too() {
    assert!(!only("xmpp:sаra@example.org").warning.is_empty());
    assert!(!only("mailto:sara@еxample.org").warning.is_empty());
}

#[test]
fn s_ui_02_a_user_part_that_imitates_a_host_is_told() {
    let link = only("https://bank.example@evil.example/login");
    assert_eq!(link.target, "https://bank.example@evil.example/login");
    assert!(link.warning.contains("evil.example"), "{}", link.warning);
    let twice = only("https://a@bank.example:443@evil.example/");
    assert!(twice.warning.contains("evil.example"));
    // A backslash would make a browser stop at bank.example's imitation; the link ends before it.
    assert_eq!(
        targets("https://evil.example\\@bank.example/"),
        ["https://evil.example"]
    );
}

#[test]
fn s_ui_06_controls_of_direction_end_a_link() {
    assert_eq!(
        targets("https://example.org/\u{202e}moc"),
        ["https://example.org/"]
    );
    assert_eq!(targets("https://exa\u{200b}mple.org/"), ["https://exa"]);
}

#[test]
fn s_ui_08_a_mebibyte_of_almost_links_takes_no_time() {
    let start = Instant::now();
    for hostile in [
        ":".repeat(1 << 20),
        "http:".repeat(1 << 18),
        "http://".repeat(1 << 17),
        format!("http://{}", "a.".repeat(1 << 19)),
        format!("http://{}", "(".repeat(1 << 20)),
        format!("http://e.x/{}", ")".repeat(1 << 20)),
        "http://e.x/. ".repeat(1 << 16),
        format!("http://{}", "@".repeat(1 << 20)),
        "x".repeat(1 << 20),
        "http://é".repeat(1 << 17),
    ] {
        assert!(find(&hostile).len() <= MOST);
    }
    // Generous for a debug build on a busy machine; a quadratic search takes minutes here.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn an_overlong_link_stays_text() {
    assert_eq!(
        find(&format!("https://example.org/{}", "a".repeat(LONGEST))),
        []
    );
    assert_eq!(
        find(&format!("https://example.org/{}", "a".repeat(LONGEST - 20))).len(),
        1
    );
}

proptest::proptest! {
    #[test]
    fn whatever_is_written_links_are_in_order_within_it_and_harmless(
        text in "(https?://|mailto:|xmpp:|sips?:|geo:|[a-z@./:()\\[\\]?#%&;=,-]|\\PC|\\s){0,60}"
    ) {
        let mut after = 0;
        for link in find(&text) {
            assert!(link.start >= after && link.end > link.start);
            let shown = text.get(link.start..link.end).expect("on borders of characters");
            after = link.end;
            let scheme = link.target.split(':').next().unwrap_or("");
            assert!(SCHEMES.contains(&scheme));
            assert!(link.target.bytes().all(|b| b.is_ascii_graphic()));
            // What is shown and what is opened are the same link.
            assert_eq!(target(shown).map(|t| t.text), Some(link.target));
        }
    }
}
