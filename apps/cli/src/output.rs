//! What is printed: text for people or JSON for programs.

use std::io::{self, Write};

use serde::Serialize;

use crate::failure::{Done, Failure};

pub mod text;

/// Writes results to standard output and remarks to standard error.
#[derive(Debug)]
pub struct Output<W> {
    writer: W,
    json: bool,
}

impl<W: Write> Output<W> {
    /// Prints to `writer`, as JSON or as text.
    pub fn new(writer: W, json: bool) -> Self {
        Self { writer, json }
    }

    /// Whether programs read this.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// One result: `value` for programs, `text` for people. Text without a line prints nothing.
    ///
    /// # Errors
    /// When writing fails.
    pub fn result<T: Serialize>(&mut self, value: &T, text: impl FnOnce() -> String) -> Done {
        let words = if self.json {
            serde_json::to_string(value).map_err(|e| Failure::Io(e.to_string()))?
        } else {
            text()
        };
        self.print(&words)
    }

    /// A remark for the person at the terminal; programs do not get it.
    pub fn remark(&self, text: &str) {
        if !self.json {
            eprintln!("{}", text::plain(text));
        }
    }

    fn print(&mut self, words: &str) -> Done {
        if words.is_empty() {
            return Ok(());
        }
        writeln!(self.writer, "{}", words.trim_end_matches('\n'))
            .and_then(|()| self.writer.flush())
            .map_err(|error| match error.kind() {
                io::ErrorKind::BrokenPipe => Failure::OutputClosed,
                _ => Failure::Io(format!("The output could not be written: {error}.")),
            })
    }
}
