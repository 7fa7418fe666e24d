//! The log: off unless the person switches it on (on standard error, or kept in the profile under seal), and unable to tell what
//! was said, by whom, or with what password.
//!
//! Whoever writes a log line is asked to put no secret into it. This is what holds where that was forgotten (S-STORE-16):
//!
//! - Lines of other crates are dropped: TLS and DNS write names and bytes into theirs.
//! - A value is shown when it is a number or a truth value, or when its field is one of [`SHOWN`]; else its place only.
//! - In what is shown, every address and everything in quotation marks is left out, and so is what goes on for too long.

use std::fmt::{self, Write as _};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use sotto_engine::io::SharedRecord;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// Switches the log on: `error`, `warn`, `info`, `debug` or `trace`.
const VARIABLE: &str = "SOTTO_LOG";

/// Fields whose text is shown, redacted: causes, which are worded by us or by a library.
const SHOWN: &[&str] = &["message", "error", "fault", "refused", "cause"];

/// More of one value is not shown, in characters.
const LONGEST: usize = 300;

/// How fine a log is that is kept in the profile.
const KEPT: LevelFilter = LevelFilter::DEBUG;

/// Where the log is kept besides, while the person wants that.
static RECORD: Mutex<Option<SharedRecord>> = Mutex::new(None);
/// Whether it is kept, without waiting for the lock.
static KEEPS: AtomicBool = AtomicBool::new(false);

/// From now on the log is kept there as well, or nowhere.
pub(crate) fn keep(record: Option<SharedRecord>) {
    KEEPS.store(record.is_some(), Ordering::SeqCst);
    *RECORD.lock().unwrap_or_else(PoisonError::into_inner) = record;
    tracing::callsite::rebuild_interest_cache();
}

/// Writes the log to standard error where the person asks for it through `SOTTO_LOG`, and into the profile where it is to be
/// kept ([`keep`]). Does nothing the second time.
pub(crate) fn start() {
    let level = std::env::var(VARIABLE)
        .ok()
        .and_then(|text| text.parse::<LevelFilter>().ok())
        .unwrap_or(LevelFilter::OFF);
    let layer = Redacted {
        keeps: true,
        ..Redacted::new(level, std::io::stderr())
    };
    // Fails where the program has a subscriber of its own already: that one stays.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer));
}

/// A layer that writes one redacted line an event.
pub(crate) struct Redacted<W> {
    level: LevelFilter,
    start: Instant,
    writer: Mutex<W>,
    /// Whether this is the program's log, which may be kept.
    keeps: bool,
}

impl<W: Write> Redacted<W> {
    pub(crate) fn new(level: LevelFilter, writer: W) -> Self {
        Self {
            level,
            start: Instant::now(),
            writer: Mutex::new(writer),
            keeps: false,
        }
    }

    /// How fine the log is that is kept now.
    fn kept(&self) -> LevelFilter {
        if self.keeps && KEEPS.load(Ordering::SeqCst) {
            KEPT
        } else {
            LevelFilter::OFF
        }
    }
}

impl<S: Subscriber, W: Write + Send + 'static> Layer<S> for Redacted<W> {
    fn enabled(&self, metadata: &Metadata<'_>, _context: Context<'_, S>) -> bool {
        let target = metadata.target();
        let ours = target == "sotto" || target.starts_with("sotto_");
        ours && *metadata.level() <= self.level.max(self.kept())
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level.max(self.kept()))
    }

    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut line = Line(String::new());
        // Writing into a string does not fail.
        let _ = write!(
            line.0,
            "{:10.3} {:5} {}:",
            self.start.elapsed().as_secs_f64(),
            metadata.level(),
            metadata.target(),
        );
        event.record(&mut line);
        line.0.push('\n');
        if *metadata.level() <= self.level {
            let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody can be told that the log cannot be written.
            let _ = writer.write_all(line.0.as_bytes());
        }
        if *metadata.level() <= self.kept() {
            let record = RECORD.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(record) = &*record {
                record.append(line.0.as_bytes());
            }
        }
    }
}

struct Line(String);

impl Line {
    fn put(&mut self, field: &Field, value: &dyn fmt::Display) {
        let _ = match field.name() {
            "message" => write!(self.0, " {value}"),
            name => write!(self.0, " {name}={value}"),
        };
    }

    fn put_text(&mut self, field: &Field, text: &str) {
        if SHOWN.contains(&field.name()) {
            self.put(field, &redacted(text));
        } else {
            self.put(field, &"…");
        }
    }
}

impl Visit for Line {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put_text(field, value);
    }

    fn record_bytes(&mut self, field: &Field, _value: &[u8]) {
        self.put(field, &"…");
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put_text(field, &format!("{value:?}"));
    }
}

/// `text` without addresses, without what stands in quotation marks, in one line and not too long.
fn redacted(text: &str) -> String {
    let mut plain = String::new();
    let mut quote = None;
    let mut before = ' ';
    for c in text.chars() {
        match quote {
            Some(end) if c == end => {
                plain.push('…');
                plain.push(c);
                quote = None;
            }
            Some(_) => {}
            None => {
                plain.push(if c.is_control() { ' ' } else { c });
                quote = match c {
                    '"' | '`' => Some(c),
                    '“' => Some('”'),
                    '«' => Some('»'),
                    // Within a word it is an apostrophe.
                    '\'' if !before.is_alphanumeric() => Some(c),
                    _ => None,
                };
            }
        }
        before = c;
    }
    if quote.is_some() {
        plain.push('…');
    }
    let mut out = String::new();
    for (index, word) in plain.split(' ').enumerate() {
        if index > 0 {
            out.push(' ');
        }
        // A resource may go on after a blank; nobody can tell where it ends.
        if word.contains('@') {
            out.push('…');
            if word.contains('/') {
                break;
            }
        } else {
            out.push_str(word);
        }
    }
    if let Some((end, _)) = out.char_indices().nth(LONGEST) {
        out.truncate(end);
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests;
