use proptest::prelude::*;

use super::*;

fn own() -> BareJid {
    BareJid::new("romeo@montague.net").unwrap()
}

#[test]
fn stamps_of_the_xeps_are_read() {
    for (stamp, millis) in [
        ("1970-01-01T00:00:00Z", 0),
        ("2002-09-10T23:08:25Z", 1_031_699_305_000),
        ("2010-07-10T23:08:25Z", 1_278_803_305_000),
        ("1969-07-21T02:56:15Z", -14_159_025_000),
        ("1969-07-20T21:56:15-05:00", -14_159_025_000),
        ("2000-02-29T12:00:00.5+01:00", 951_822_000_500),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ("2006-03-16T23:40:12.123456Z", 1_142_552_412_123),
    ] {
        assert_eq!(parse(stamp), Some(millis), "{stamp}");
    }
}

#[test]
fn s_xmpp_11_impossible_dates_are_dropped() {
    for stamp in [
        "",
        "Z",
        "1000000-01-01T00:00:00Z",
        "-2000-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2001-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2001-13-01T00:00:00Z",
        "2001-00-01T00:00:00Z",
        "2001-01-32T00:00:00Z",
        "2001-01-01T24:00:00Z",
        "2001-01-01T00:60:00Z",
        "2001-01-01T00:00:61Z",
        "2001-01-01T00:00:00",
        "2001-01-01T00:00:00.Z",
        "2001-01-01T00:00:00+99:00",
        "2001-01-01T00:00:00Zx",
        "2001-01-01 00:00:00Z",
        "٢٠٠١-01-01T00:00:00Z",
        "20020910T23:08:25",
    ] {
        assert_eq!(parse(stamp), None, "{stamp}");
    }
}

#[test]
fn s_xmpp_11_only_the_own_server_stamps() {
    let now = 1_700_000_000_000;
    let stamp = |delays: &str| {
        let message: Element =
            format!("<message xmlns='jabber:client' from='eve@evil.example/x'>{delays}</message>")
                .parse()
                .unwrap();
        server_stamp(&message, &own(), now)
    };
    let delay =
        |from: &str, stamp: &str| format!("<delay xmlns='urn:xmpp:delay'{from} stamp='{stamp}'/>");
    let old = "2010-07-10T23:08:25Z";
    assert_eq!(
        stamp(&delay(" from='montague.net'", old)),
        Some(1_278_803_305_000)
    );
    assert_eq!(
        stamp(&delay(" from='romeo@montague.net'", old)),
        Some(1_278_803_305_000)
    );
    for from in [
        "",
        " from='evil.example'",
        " from='eve@evil.example'",
        " from='montague.net/x'",
        " from='romeo@montague.net/x'",
        " from='@'",
    ] {
        assert_eq!(stamp(&delay(from, old)), None, "{from}");
    }
    let far = "9999-01-01T00:00:00Z";
    assert_eq!(stamp(&delay(" from='montague.net'", far)), Some(now));
    assert_eq!(
        stamp(&delay(" from='montague.net'", "1950-01-01T00:00:00Z")),
        None
    );
    let both =
        delay(" from='montague.net'", "2001-01-01T00:00:00Z") + &delay(" from='montague.net'", old);
    assert_eq!(stamp(&both), Some(1_278_803_305_000));
}

/// A million random stamps: a small generator of our own, since proptest would take minutes.
#[test]
fn s_xmpp_11_a_million_random_stamps_do_not_panic() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let alphabet: Vec<char> = "0123456789-:.TZ+ é\u{0}".chars().collect();
    let mut read = 0_u32;
    for round in 0..1_000_000_u32 {
        let r = next();
        let text = if round % 2 == 0 {
            format!(
                "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{}{}",
                r % 10_001,
                (r >> 14) % 14,
                (r >> 18) % 33,
                (r >> 23) % 25,
                (r >> 28) % 61,
                (r >> 34) % 62,
                (r >> 40) % 100_000,
                ["Z", "+01:00", "-14:00", "+99:99", ""][(r >> 57) as usize % 5]
            )
        } else {
            (0..r % 30)
                .map(|_| alphabet[next() as usize % alphabet.len()])
                .collect()
        };
        if let Some(stamp) = parse(&text) {
            read += 1;
            assert_eq!(
                parse(&format(stamp)),
                Some(stamp.max(-62_135_596_800_000)),
                "{text}"
            );
        }
        let _ = format(next() as i64);
    }
    assert!(
        read > 100_000,
        "the generator makes valid stamps too: {read}"
    );
}

proptest! {
    #[test]
    fn what_is_written_reads_back(stamp in -62_135_596_800_000_i64..=253_402_300_799_999) {
        prop_assert_eq!(parse(&format(stamp)), Some(stamp));
    }

    #[test]
    fn any_text_is_read_or_dropped(text in ".*") {
        let _ = parse(&text);
    }
}
