//! Logs of conversations, as HTML and as text.

use std::io::{self, Read};
use std::path::Path;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::clock::Clock;
use crate::LONGEST_RECORD;
use crate::folder::{Line as RawLine, Lines, file_name};
use crate::found::Conversation;
use crate::html;
use crate::reader::{Line, Piece, Pieces, plausible};
use crate::xml::decode;

/// Colours of names in the HTML form.
const OWN: &str = "#16569E";
const PEER: &str = "#A82F2F";
const ACTION: &str = "#062585";
const WHISPER: &str = "#6C2585";

/// Reads a log.
pub(crate) fn log(
    file: Box<dyn Read + Send>,
    path: &Path,
    (at, zone): (DateTime, TimeZone),
    conversation: &Conversation,
) -> Box<dyn Pieces> {
    let is_html = file_name(path).is_some_and(|name| name.ends_with(".html"));
    Box::new(Log {
        lines: Lines::new(file),
        is_html,
        names: Names::new(conversation),
        at,
        zone,
        open: None,
        ended: false,
        header: true,
    })
}

struct Log {
    lines: Lines,
    is_html: bool,
    names: Names,
    /// When the last line was written.
    at: DateTime,
    zone: TimeZone,
    /// An entry whose end was not seen yet: it may have more lines.
    open: Option<Entry>,
    ended: bool,
    /// Nothing but the heading was read.
    header: bool,
}

/// One line of the conversation with the lines that belong to it.
struct Entry {
    clock: Clock,
    text: String,
    too_long: bool,
}

impl Pieces for Log {
    fn next(&mut self) -> io::Result<Option<Piece>> {
        loop {
            if self.ended {
                return Ok(self.open.take().and_then(|entry| self.close(entry)));
            }
            let Some(line) = self.lines.next()? else {
                self.ended = true;
                continue;
            };
            let line = match line {
                RawLine::Text(line) => line,
                RawLine::TooLong => {
                    // It belongs to the entry before it, or is one of its own: neither can be told any more.
                    self.open = None;
                    return Ok(Some(Piece::Broken));
                }
            };
            let begun = if self.is_html {
                html_entry(&line)
            } else {
                text_entry(&line)
            };
            if let Some((clock, text)) = begun {
                self.header = false;
                let next = Entry {
                    clock,
                    text: text.to_owned(),
                    too_long: false,
                };
                let piece = self.open.replace(next).and_then(|entry| self.close(entry));
                if piece.is_some() {
                    return Ok(piece);
                }
            } else if let Some(entry) = &mut self.open {
                if entry.text.len() + line.len() >= LONGEST_RECORD {
                    entry.too_long = true;
                } else {
                    entry.text.push('\n');
                    entry.text.push_str(&line);
                }
            } else if self.header {
                self.header = false;
                if line_is_binary(&line) {
                    return Ok(Some(Piece::Broken));
                }
            }
        }
    }
}

/// A log begins with a line of text; one that was overwritten does not.
fn line_is_binary(line: &str) -> bool {
    line.chars()
        .any(|c| c == '\u{fffd}' || (c.is_control() && c != '\t'))
}

impl Log {
    /// What an entry says; nothing where nobody said it.
    fn close(&mut self, entry: Entry) -> Option<Piece> {
        let at = entry.clock.after(self.at);
        self.at = at;
        if entry.too_long {
            return Some(Piece::Broken);
        }
        if self.is_html && is_unknown(&entry.text) {
            return Some(Piece::Broken);
        }
        let said = if self.is_html {
            self.html(&entry.text)
        } else {
            self.text(&entry.text)
        };
        let (outgoing, text) = said?;
        let at = self.zone.to_timestamp(at).ok();
        let Some(at) = at.and_then(|at| plausible(at.as_millisecond())) else {
            return Some(Piece::Broken);
        };
        (!text.trim().is_empty()).then_some(Piece::Message(Line { outgoing, text, at }))
    }

    fn html(&mut self, entry: &str) -> Option<(bool, String)> {
        let (colour, rest) = html_colour(entry);
        let colour = colour?;
        let rest = rest.split_once("</font>")?.1.trim_start();
        let (name, body) = rest.strip_prefix("<b>")?.split_once("</b></font>")?;
        let name = decode(name);
        let body = html::to_text(body.trim_end().trim_end_matches("</body></html>"));
        if colour.eq_ignore_ascii_case(ACTION) {
            let name = name.trim().trim_start_matches("***");
            return Some((self.names.is_own(name), format!("/me {body}")));
        }
        let name = name.trim().trim_end_matches(':');
        let name = name.trim_end_matches("<AUTO-REPLY>").trim();
        if colour.eq_ignore_ascii_case(OWN) {
            self.names.learn(true, name);
            Some((true, body))
        } else if colour.eq_ignore_ascii_case(PEER) || colour.eq_ignore_ascii_case(WHISPER) {
            self.names.learn(false, name);
            Some((false, body))
        } else {
            None
        }
    }

    fn text(&mut self, entry: &str) -> Option<(bool, String)> {
        let entry = entry.trim_end_matches('\n');
        if let Some(action) = entry.strip_prefix("***") {
            let (name, body) = self.names.split(action)?;
            return Some((self.names.is_own(name), format!("/me {body}")));
        }
        let (name, body) = match self.names.split(entry) {
            Some((name, body)) if body.starts_with(':') || body.starts_with("<AUTO-REPLY>") => {
                (name, body.trim_start_matches("<AUTO-REPLY>"))
            }
            _ => {
                let (name, body) = entry.split_once(": ")?;
                if is_sentence(name) {
                    return None;
                }
                (name.trim_end_matches("<AUTO-REPLY>").trim(), body)
            }
        };
        let body = body.trim_start_matches(':');
        let body = body.strip_prefix(' ').unwrap_or(body);
        Some((self.names.is_own(name), body.to_owned()))
    }
}

/// What the program itself says in this form: `Unable to send message: …`.
fn is_sentence(name: &str) -> bool {
    name.contains('\n')
        || name.starts_with("Unable to send")
        || name.starts_with("Message could not be sent")
        || name == "Error"
}

/// Whether an entry without a colour is something else than what the program itself says, which is bold as a whole:
/// somebody's words in a form that is not known, or raw text. Its file has more than was taken over.
fn is_unknown(entry: &str) -> bool {
    let (None, rest) = html_colour(entry) else {
        return false;
    };
    let said = rest.split_once("</font>").map_or("", |(_, said)| said);
    !said.trim_start().starts_with("<b>") || said.contains(":</b></font>")
}

/// The colour of an entry's name, and the rest of it from the time on.
fn html_colour(line: &str) -> (Option<&str>, &str) {
    let Some(rest) = line.strip_prefix("<font color=\"") else {
        return (None, line);
    };
    match rest.split_once("\">") {
        Some((colour, rest)) => (Some(colour), rest),
        None => (None, line),
    }
}

/// The time of a line that begins an entry, and the line.
fn html_entry(line: &str) -> Option<(Clock, &str)> {
    // Old versions closed the document after each session and went on behind it.
    let line = line.trim_start();
    let (_, rest) = html_colour(line);
    let rest = rest
        .strip_prefix("<font size=\"2\">(")
        .or_else(|| rest.strip_prefix("<font sml>("))?;
    let (time, _) = rest.split_once(')')?;
    Some((Clock::parse(time)?, line))
}

/// The time of a line that begins an entry, and what follows it.
fn text_entry(line: &str) -> Option<(Clock, &str)> {
    let (time, rest) = line.strip_prefix('(')?.split_once(')')?;
    let rest = rest.strip_prefix(' ')?;
    Some((Clock::parse(time)?, rest))
}

/// Who writes under which name.
struct Names {
    own: Vec<String>,
    peer: Vec<String>,
    /// The other side was met under a name that is known to be theirs.
    peer_met: bool,
}

/// More names than anybody uses in one conversation.
const MOST_NAMES: usize = 64;

impl Names {
    fn new(conversation: &Conversation) -> Self {
        Self {
            own: conversation.own_names.clone(),
            peer: conversation.peer_names.clone(),
            peer_met: false,
        }
    }

    /// A name stands in the colour of one side.
    fn learn(&mut self, own: bool, name: &str) {
        let names = if own { &mut self.own } else { &mut self.peer };
        if names.len() < MOST_NAMES && !name.is_empty() && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }

    /// Whether a name is the own side's. One that nobody knows is the own side's where the other one is known by
    /// another name; else the other side's.
    fn is_own(&mut self, name: &str) -> bool {
        let same = |known: &String| {
            known == name || super::bare(known) == super::bare(name) && known.contains('@')
        };
        if self.own.iter().any(same) {
            return true;
        }
        if self.peer.iter().any(same) {
            self.peer_met = true;
            return false;
        }
        self.peer_met
    }

    /// Cuts off the longest known name that a line begins with, or for an action its first word.
    fn split<'a>(&self, line: &'a str) -> Option<(&'a str, &'a str)> {
        let known = self
            .own
            .iter()
            .chain(&self.peer)
            .filter(|name| !name.is_empty())
            .filter(|name| {
                line.strip_prefix(name.as_str())
                    .is_some_and(|rest| rest.starts_with([':', ' ']))
            })
            .max_by_key(|name| name.len());
        let (name, rest) = match known {
            Some(name) => line.split_at_checked(name.len())?,
            None => line.split_once(' ')?,
        };
        Some((name, rest.trim_start_matches(' ')))
    }
}
