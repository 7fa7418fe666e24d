//! `sotto-cli settings …`

use std::io::Write;

use serde_json::{Map, Value};
use sotto_api::view::Settings;
use sotto_api::{Reply, Request};

use crate::failure::{Done, Failure};
use crate::session::{Session, unexpected};

pub(super) fn run<W: Write>(
    name: Option<&str>,
    value: Option<&str>,
    session: &mut Session<'_, W>,
) -> Done {
    let mut all = as_map(&get(session)?)?;
    let Some(name) = name else {
        return session.out.result(&all, || {
            let lines = all.iter().map(|(name, value)| line(name, value));
            lines.collect::<Vec<_>>().join("\n")
        });
    };
    let Some(known) = all.get_mut(name) else {
        let names: Vec<&str> = all.keys().map(String::as_str).collect();
        return Err(Failure::Usage(format!(
            "There is no such setting. There are: {}.",
            names.join(", ")
        )));
    };
    let Some(value) = value else {
        let known = known.clone();
        return session.out.result(&known, || line(name, &known));
    };
    *known = match known {
        Value::String(_) => Value::String(value.to_owned()),
        _ => serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned())),
    };
    let settings: Settings = serde_json::from_value(Value::Object(all))
        .map_err(|e| Failure::Usage(format!("{name} cannot be that: {e}.")))?;
    session.call(Request::SettingsSet { settings })?;
    Ok(())
}

/// The settings in force.
pub(super) fn get<W: Write>(session: &Session<'_, W>) -> Done<Settings> {
    match session.call(Request::SettingsGet {})? {
        Reply::Settings(settings) => Ok(settings),
        _ => Err(unexpected()),
    }
}

fn as_map(settings: &Settings) -> Done<Map<String, Value>> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(unexpected()),
    }
}

fn line(name: &str, value: &Value) -> String {
    match value {
        Value::String(text) => format!("{name} {}", crate::output::text::plain(text)),
        other => format!("{name} {other}"),
    }
}
