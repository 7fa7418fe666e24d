//! Search: words, beginnings, scripts, highlights, and whatever a person may type.

mod common;

use common::{account, add, found, incoming};
use proptest::prelude::*;
use sotto_api::{ConversationId, MessageId};
use sotto_store::Store;
use sotto_store::row::SearchQuery;

fn store_with(bodies: &[&str]) -> (Store, ConversationId) {
    let store = Store::in_memory().expect("a store");
    let conversation = store
        .conversation_open(account(&store), "leila@example.org")
        .expect("it opens");
    for body in bodies {
        add(&store, &incoming(conversation, body));
    }
    (store, conversation)
}

fn highlighted(store: &Store, text: &str) -> Vec<Vec<String>> {
    let query = SearchQuery {
        text,
        conversation: None,
        before: None,
        limit: 50,
    };
    let cut = |body: &str, ranges: &[(usize, usize)]| {
        ranges
            .iter()
            .map(|(start, end)| body[*start..*end].to_owned())
            .collect()
    };
    let rows = store.search(&query).expect("a search");
    rows.hits
        .iter()
        .map(|hit| cut(&hit.message.body, &hit.highlights))
        .collect()
}

#[test]
fn all_words_must_occur_and_the_newest_find_comes_first() {
    let (store, _) = store_with(&["bread and tea", "tea", "no bread", "tea, then bread"]);
    assert_eq!(
        found(&store, "bread tea"),
        ["tea, then bread", "bread and tea"]
    );
    assert_eq!(found(&store, "bread coffee"), Vec::<String>::new());
}

#[test]
fn only_the_last_word_is_found_as_a_beginning() {
    let (store, _) = store_with(&["tomorrow station", "tomorrow stat"]);
    assert_eq!(
        found(&store, "tomorrow stat"),
        ["tomorrow stat", "tomorrow station"]
    );
    assert_eq!(
        found(&store, "stat "),
        ["tomorrow stat"],
        "a space ends the word"
    );
    assert_eq!(found(&store, "tomor station"), Vec::<String>::new());
    assert_eq!(found(&store, "stati"), ["tomorrow station"]);
}

#[test]
fn a_long_beginning_is_found_behind_many_that_begin_alike() {
    let (store, _) = store_with(&["conversation"]);
    let other = store.conversation_find(sotto_api::AccountId(1), "leila@example.org");
    let conversation = other.expect("a row").expect("it is");
    store.begin().expect("it begins");
    for _ in 0..1_000 {
        add(&store, &incoming(conversation, "contract"));
    }
    store.commit().expect("it commits");
    assert_eq!(found(&store, "convers"), ["conversation"]);
}

#[test]
fn case_accents_and_width_make_no_difference() {
    let (store, _) = store_with(&[
        "Café Zürich",
        "Straße",
        "ΟΔΟΣ",
        "Ёлка",
        "ＡＢＣ１２",
        "سَلام",
        "שָׁלוֹם",
        "e\u{301}te\u{301}",
    ]);
    for (typed, body) in [
        ("cafe", "Café Zürich"),
        ("ZURICH", "Café Zürich"),
        ("straße", "Straße"),
        ("οδος", "ΟΔΟΣ"),
        ("елка", "Ёлка"),
        ("abc12", "ＡＢＣ１２"),
        ("سلام", "سَلام"),
        ("שלום", "שָׁלוֹם"),
        ("été", "e\u{301}te\u{301}"),
    ] {
        assert_eq!(found(&store, typed), [body], "{typed}");
        assert_eq!(highlighted(&store, typed)[0].len(), 1, "{typed}");
    }
}

#[test]
fn any_part_of_a_script_without_spaces_is_found() {
    let (store, _) = store_with(&[
        "我们明天在图书馆前见",
        "明日は図書館の前で",
        "พบกันที่ห้องสมุด",
        "도서관에서 만나요",
        "ពេលព្រឹក",
    ]);
    for (typed, body) in [
        ("图书馆", "我们明天在图书馆前见"),
        ("馆", "我们明天在图书馆前见"),
        ("见", "我们明天在图书馆前见"),
        ("天在", "我们明天在图书馆前见"),
        ("図書", "明日は図書館の前で"),
        ("の", "明日は図書館の前で"),
        ("ห้องสมุด", "พบกันที่ห้องสมุด"),
        ("ที่ห้อง", "พบกันที่ห้องสมุด"),
        ("서관", "도서관에서 만나요"),
        ("ព្រឹក", "ពេលព្រឹក"),
    ] {
        assert_eq!(found(&store, typed), [body], "{typed}");
        assert_eq!(highlighted(&store, typed), [[typed]], "{typed}");
    }
    assert!(found(&store, "馆书图").is_empty());
    assert!(found(&store, "图馆").is_empty());
}

#[test]
fn pairs_that_lie_apart_are_not_taken_for_the_part() {
    let (store, _) = store_with(&["甲乙。乙丙", "甲乙丙"]);
    assert_eq!(found(&store, "甲乙丙"), ["甲乙丙"]);
}

#[test]
fn vowel_signs_of_indic_scripts_count() {
    let (store, _) = store_with(&["हिन्दी में", "हन्द"]);
    assert_eq!(found(&store, "हिन्दी"), ["हिन्दी में"]);
}

#[test]
fn highlights_are_the_words_of_the_query() {
    let (store, _) = store_with(&["Stone by stone, a stonemason"]);
    assert_eq!(
        highlighted(&store, "stone"),
        [["Stone", "stone", "stonemason"]]
    );
    assert_eq!(highlighted(&store, "stone "), [["Stone", "stone"]]);
    assert_eq!(highlighted(&store, "a by"), [["by", "a"]]);
}

#[test]
fn s_store_13_operators_and_quotes_are_plain_text() {
    let (store, _) = store_with(&[
        "to be or not to be",
        "near \"water\"",
        "col:umn",
        "a* AND b*",
    ]);
    for (typed, bodies) in [
        ("be OR water", vec![]),
        ("not to", vec!["to be or not to be"]),
        ("near(water)", vec!["near \"water\""]),
        ("\"water", vec!["near \"water\""]),
        ("words:water", vec![]),
        ("col:umn", vec!["col:umn"]),
        ("a* b*", vec!["a* AND b*"]),
        ("^near", vec!["near \"water\""]),
        ("water'; DROP TABLE message; --", vec![]),
    ] {
        assert_eq!(found(&store, typed), bodies, "{typed}");
    }
    for nothing in [
        "",
        " ",
        "\"",
        "\"\"",
        "*",
        "()",
        "AND?!".trim_matches(char::is_alphabetic),
        "🎉",
        "\u{0}",
        "\u{e000}1",
        "-",
    ] {
        let without_mark = nothing.trim_matches(|c: char| c.is_ascii_digit());
        assert!(found(&store, without_mark).is_empty(), "{nothing:?}");
    }
}

#[test]
fn a_text_cannot_pretend_to_be_in_a_conversation() {
    let (store, first) = store_with(&["hello"]);
    let second = store
        .conversation_open(sotto_api::AccountId(1), "omid@example.org")
        .expect("ok");
    add(
        &store,
        &incoming(second, &format!("hello \u{e000}{}", first.0)),
    );
    let query = SearchQuery {
        text: "hello",
        conversation: Some(first),
        before: None,
        limit: 9,
    };
    let rows = store.search(&query).expect("a search");
    assert_eq!(rows.hits.len(), 1);
    assert_eq!(rows.hits[0].message.conversation, first);
}

#[test]
fn pages_of_finds_follow_each_other() {
    let bodies: Vec<String> = (0..25).map(|n| format!("wave {n}")).collect();
    let (store, _) = store_with(&bodies.iter().map(String::as_str).collect::<Vec<_>>());
    let mut before: Option<MessageId> = None;
    let mut all = Vec::new();
    let mut pages = Vec::new();
    loop {
        let query = SearchQuery {
            text: "wave",
            conversation: None,
            before,
            limit: 10,
        };
        let rows = store.search(&query).expect("a search");
        pages.push((rows.hits.len(), rows.more));
        all.extend(rows.hits.iter().map(|hit| hit.message.body.clone()));
        before = rows.hits.last().map(|hit| hit.message.id);
        if !rows.more {
            break;
        }
    }
    assert_eq!(pages, [(10, true), (10, true), (5, false)]);
    assert_eq!(all, bodies.into_iter().rev().collect::<Vec<_>>());
}

/// Vowel points and the like, which make no difference to a search: alone, they are no word.
fn is_point(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{640}'
        | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6ed}')
}

#[test]
fn points_without_a_letter_are_no_word_and_do_no_harm() {
    let (store, conversation) = store_with(&["other"]);
    let points = add(&store, &incoming(conversation, "\u{610} \u{640}"));
    assert!(found(&store, "\u{610}").is_empty());
    store.message_erase(points).expect("it erases");
    store.check().expect("the index is sound");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_text_can_be_stored_found_by_its_words_and_erased(body in "\\PC{0,80}", query in "\\PC{0,30}") {
        let (store, conversation) = store_with(&["other"]);
        let message = add(&store, &incoming(conversation, &body));
        let rows = store.search(&SearchQuery { text: &query, conversation: None, before: None, limit: 9 }).expect("a search");
        for hit in rows.hits {
            let mut last = 0;
            for (start, end) in hit.highlights {
                prop_assert!(start < end && last <= start && hit.message.body.get(start..end).is_some());
                last = end;
            }
        }
        let words: Vec<&str> = body.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.chars().all(is_point)).take(16).collect();
        if body.chars().all(|c| c.is_alphanumeric() || c.is_ascii()) && !words.is_empty() {
            let typed = words.join(" ");
            prop_assert!(found(&store, &typed).contains(&body), "{typed:?} in {body:?}");
        }
        store.message_erase(message).expect("it erases");
        store.check().expect("the index is sound");
    }
}
