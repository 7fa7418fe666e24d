//! Keeps docs/rpc.md complete and true: every example line is the program's own form, and every request, reply,
//! event, error, field and problem stands in it.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::Value;
use sotto_api::{ClientLine, ErrorKind, Event, Field, Problem, Reply, Request, ServerLine};

const DOCUMENT: &str = include_str!("../../../docs/rpc.md");

#[test]
fn every_example_is_read_and_written_again_as_it_stands() {
    let mut wrong = Vec::new();
    for line in examples() {
        let value: Value = serde_json::from_str(line).expect("the example is JSON");
        let again = if value.get("method").is_some() {
            again::<ClientLine>(&value)
        } else {
            again::<ServerLine>(&value)
        };
        match again {
            Ok(again) if again == value => {}
            Ok(again) => wrong.push(format!("{value}\n  is written as\n{again}")),
            Err(error) => wrong.push(format!("{value}\n  cannot be read: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_request_has_an_example() {
    let shown = named_by(|v| v.get("method"));
    complete(
        &variants::<Request>(r#"{"method":"?","params":{}}"#),
        &shown,
    );
}

#[test]
fn every_reply_has_an_example() {
    let shown = named_by(|v| v.get("ok")?.get("reply"));
    complete(&variants::<Reply>(r#"{"reply":"?","value":null}"#), &shown);
}

#[test]
fn every_event_has_an_example() {
    let shown = named_by(|v| v.get("event"));
    complete(&variants::<Event>(r#"{"event":"?"}"#), &shown);
}

#[test]
fn every_kind_of_error_every_field_and_every_problem_has_a_row() {
    let rows = rows();
    complete(&variants::<ErrorKind>(r#""?""#), &rows);
    complete(&variants::<Field>(r#""?""#), &rows);
    complete(&variants::<Problem>(r#"{"problem":"?"}"#), &rows);
}

#[test]
fn words_that_stand_for_choices_are_named() {
    use sotto_api::view::{
        AccountState, AlertAct, AlertKind, Availability, Delivery, Direction, EraseScope, Expiry,
        FieldKind, LineNotice, MessageKind, Policy, Privacy, PrivateState, ProfileState,
        RegistrationState, Subscription, Theme, Trust, VerificationState,
    };
    use sotto_api::{CertificateAnswer, ProxyKind, SubscriptionAnswer};
    let mut missing = Vec::new();
    let mut all = BTreeSet::new();
    all.extend(variants::<AccountState>(r#"{"state":"?"}"#));
    all.extend(variants::<RegistrationState>(r#"{"state":"?"}"#));
    all.extend(variants::<Availability>(r#""?""#));
    all.extend(variants::<Delivery>(r#""?""#));
    all.extend(variants::<Direction>(r#""?""#));
    all.extend(variants::<FieldKind>(r#""?""#));
    all.extend(variants::<MessageKind>(r#""?""#));
    all.extend(variants::<Privacy>(r#""?""#));
    all.extend(variants::<AlertAct>(r#""?""#));
    all.extend(variants::<AlertKind>(r#""?""#));
    all.extend(variants::<EraseScope>(r#"{"scope":"?"}"#));
    all.extend(variants::<Expiry>(r#""?""#));
    all.extend(variants::<LineNotice>(r#""?""#));
    all.extend(variants::<Policy>(r#""?""#));
    all.extend(variants::<PrivateState>(r#""?""#));
    all.extend(variants::<Trust>(r#""?""#));
    all.extend(variants::<VerificationState>(r#""?""#));
    all.extend(variants::<Subscription>(r#""?""#));
    all.extend(variants::<Theme>(r#""?""#));
    all.extend(variants::<ProxyKind>(r#""?""#));
    for word in all {
        if !DOCUMENT.contains(&format!("`{word}`")) {
            missing.push(word);
        }
    }
    let mut in_examples = BTreeSet::new();
    in_examples.extend(variants::<CertificateAnswer>(r#""?""#));
    in_examples.extend(variants::<SubscriptionAnswer>(r#""?""#));
    in_examples.extend(variants::<ProfileState>(r#""?""#));
    for word in in_examples {
        if !DOCUMENT.contains(&format!("\"{word}\"")) && !DOCUMENT.contains(&format!("`{word}`")) {
            missing.push(word);
        }
    }
    assert!(missing.is_empty(), "docs/rpc.md does not name {missing:?}");
}

/// All lines in blocks of JSON.
fn examples() -> Vec<&'static str> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in DOCUMENT.lines() {
        match line {
            "```json" => inside = true,
            "```" => inside = false,
            line if inside => found.push(line),
            _ => {}
        }
    }
    assert!(found.len() > 80, "only {} examples were found", found.len());
    found
}

/// The first cells of all tables.
fn rows() -> BTreeSet<String> {
    DOCUMENT
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(str::to_owned)
        .collect()
}

fn named_by(name: impl Fn(&Value) -> Option<&Value>) -> BTreeSet<String> {
    examples()
        .iter()
        .filter_map(|line| {
            let value: Value = serde_json::from_str(line).ok()?;
            Some(name(&value)?.as_str()?.to_owned())
        })
        .collect()
}

fn again<T: DeserializeOwned + serde::Serialize>(value: &Value) -> serde_json::Result<Value> {
    serde_json::to_value(serde_json::from_value::<T>(value.clone())?)
}

/// The names of all variants, taken from what serde says about one that there is not.
fn variants<T: DeserializeOwned>(unknown: &str) -> BTreeSet<String> {
    let Err(error) = serde_json::from_str::<T>(unknown) else {
        panic!("{unknown} was read");
    };
    let words = error.to_string();
    let names: BTreeSet<String> = words
        .split('`')
        .skip(3)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    assert!(names.len() > 1, "serde names no variants: {words}");
    names
}

fn complete(wanted: &BTreeSet<String>, shown: &BTreeSet<String>) {
    let missing: Vec<_> = wanted.difference(shown).collect();
    assert!(missing.is_empty(), "docs/rpc.md lacks {missing:?}");
}
