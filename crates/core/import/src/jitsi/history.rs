//! `history_ver1.0`: records of messages and calls.

use std::io::{self, Read};

use jiff::civil;
use jiff::tz::Offset;

use crate::LONGEST_RECORD;
use crate::folder::SourceFile;
use crate::found::Call;
use crate::html;
use crate::key;
use crate::reader::{Line, Piece, Pieces, plausible};
use crate::xml::{Token, Tokens, attribute, decode};

/// How much is read at once, in bytes.
const CHUNK: usize = 64 * 1024;
const BEGIN: &[u8] = b"<record";
const END: &[u8] = b"</record>";

/// Cuts a file into records. One that is damaged is passed over, and the next one read.
pub(super) struct Records {
    file: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    /// Where in the buffer the rest begins.
    at: usize,
    ended: bool,
    /// Something was said about this file.
    any: bool,
}

pub(super) enum Raw {
    Record(String),
    Broken,
}

impl Records {
    pub fn new(file: Box<dyn Read + Send>) -> Self {
        Self {
            file,
            buffer: Vec::new(),
            at: 0,
            ended: false,
            any: false,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.at.min(self.buffer.len()));
        self.at = 0;
        let before = self.buffer.len();
        let mut chunk = self.file.by_ref().take(CHUNK as u64);
        chunk.read_to_end(&mut self.buffer)?;
        self.ended = self.buffer.len() == before;
        Ok(())
    }

    fn broken(&mut self, at: usize) -> io::Result<Option<Raw>> {
        self.at = at;
        Ok(Some(Raw::Broken))
    }

    pub fn next(&mut self) -> io::Result<Option<Raw>> {
        loop {
            let Some(begin) = next_begin(&self.buffer, self.at) else {
                if self.ended {
                    let silent = !self.any && !self.buffer.is_empty();
                    self.any = true;
                    // A file in which there is no record at all was something else, or was overwritten.
                    return Ok(silent.then_some(Raw::Broken));
                }
                // The opening may be cut in two by the end of what was read.
                self.at = self.at.max(self.buffer.len().saturating_sub(BEGIN.len()));
                self.fill()?;
                continue;
            };
            self.any = true;
            self.at = begin;
            let inside = begin + BEGIN.len();
            match next_mark(&self.buffer, inside) {
                // The next one begins before this one ended: it was cut off.
                Some((at, Mark::Begin)) => return self.broken(at),
                Some((at, Mark::End)) => {
                    let end = at + END.len();
                    let record = self.buffer.get(begin..end).unwrap_or_default();
                    if record.len() > LONGEST_RECORD {
                        return self.broken(end);
                    }
                    let record = String::from_utf8_lossy(record).into_owned();
                    self.at = end;
                    return Ok(Some(Raw::Record(record)));
                }
                None if self.ended => return self.broken(self.buffer.len()),
                None if self.buffer.len() - begin > LONGEST_RECORD => return self.broken(inside),
                None => self.fill()?,
            }
        }
    }
}

enum Mark {
    Begin,
    End,
}

/// The first beginning or end of a record from there on.
fn next_mark(bytes: &[u8], from: usize) -> Option<(usize, Mark)> {
    let mut at = from;
    loop {
        let rest = bytes.get(at..)?;
        at += rest.iter().position(|byte| *byte == b'<')?;
        let rest = bytes.get(at..)?;
        if rest.starts_with(END) {
            return Some((at, Mark::End));
        }
        if rest.starts_with(BEGIN) {
            return Some((at, Mark::Begin));
        }
        at += 1;
    }
}

fn next_begin(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        match next_mark(bytes, at)? {
            (at, Mark::Begin) => return Some(at),
            (end, Mark::End) => at = end + 1,
        }
    }
}

/// The fields of a record; of each name the first.
struct Fields {
    timestamp: Option<i64>,
    fields: Vec<(String, String)>,
}

/// More fields than a record has.
const MOST_FIELDS: usize = 32;

impl Fields {
    fn parse(record: &str) -> Self {
        let mut timestamp = None;
        let mut fields: Vec<(String, String)> = Vec::new();
        let mut open: Option<(&str, String)> = None;
        for token in Tokens::new(record) {
            match token {
                Token::Start {
                    name: "record",
                    attributes,
                    ..
                } => {
                    timestamp = attribute(attributes, "timestamp")
                        .as_deref()
                        .and_then(parse_time);
                }
                Token::Start { name, empty, .. } if open.is_none() && !empty => {
                    open = Some((name, String::new()));
                }
                Token::Text(text) => {
                    if let Some((_, value)) = &mut open {
                        value.push_str(&decode(text));
                    }
                }
                // Its inside was escaped once more before it was wrapped.
                Token::Cdata(text) => {
                    if let Some((_, value)) = &mut open {
                        value.push_str(&decode(text));
                    }
                }
                Token::End(end) => {
                    if let Some((name, value)) = open.take_if(|(name, _)| *name == end)
                        && fields.len() < MOST_FIELDS
                    {
                        fields.push((name.to_owned(), value));
                    }
                }
                Token::Start { .. } => {}
            }
        }
        Self { timestamp, fields }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whose; absent when the record does not say.
    fn outgoing(&self) -> Option<bool> {
        match self.get("dir")?.trim() {
            "out" => Some(true),
            "in" => Some(false),
            _ => None,
        }
    }
}

/// `yyyy-MM-ddTHH:mm:ss.SSS±zzzz`, or milliseconds since 1970 as older versions wrote them.
fn parse_time(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(milliseconds) = text.parse::<i64>() {
        return plausible(milliseconds);
    }
    let number = |range: std::ops::Range<usize>| -> Option<i16> {
        let digits = text.get(range)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let small = |range| number(range).and_then(|value| i8::try_from(value).ok());
    let marks: Vec<u8> = [4, 7, 10, 13, 16, 19]
        .into_iter()
        .filter_map(|at| text.as_bytes().get(at).copied())
        .collect();
    if marks != *b"--T::." {
        return None;
    }
    let at = civil::DateTime::new(
        number(0..4)?,
        small(5..7)?,
        small(8..10)?,
        small(11..13)?,
        small(14..16)?,
        small(17..19)?,
        i32::from(number(20..23)?) * 1_000_000,
    )
    .ok()?;
    let zone = text.get(23..)?;
    let offset = match zone {
        "Z" => Offset::UTC,
        _ => parse_offset(zone)?,
    };
    plausible(offset.to_timestamp(at).ok()?.as_millisecond())
}

/// `+0330`, `-08:00`.
pub(crate) fn parse_offset(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits = digits.replace(':', "");
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = digits.split_at_checked(2)?;
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
    Offset::from_seconds(sign * seconds).ok()
}

/// The messages of a file.
pub(crate) struct Messages {
    records: Records,
}

/// Reads the messages of a file.
pub(crate) fn messages(file: Box<dyn Read + Send>) -> Messages {
    Messages {
        records: Records::new(file),
    }
}

impl Pieces for Messages {
    fn next(&mut self) -> io::Result<Option<Piece>> {
        loop {
            let record = match self.records.next()? {
                None => return Ok(None),
                Some(Raw::Broken) => return Ok(Some(Piece::Broken)),
                Some(Raw::Record(record)) => record,
            };
            let fields = Fields::parse(&record);
            let at = fields
                .timestamp
                .or_else(|| fields.get("receivedTimestamp").and_then(parse_time));
            let (Some(at), Some(outgoing), Some(text)) = (at, fields.outgoing(), fields.get("msg"))
            else {
                return Ok(Some(Piece::Broken));
            };
            let is_html = fields
                .get("msgTyp")
                .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/html"));
            let text = if is_html {
                html::to_text(text)
            } else {
                text.trim_matches('\n').to_owned()
            };
            if text.trim().is_empty() {
                continue;
            }
            return Ok(Some(Piece::Message(Line { outgoing, text, at })));
        }
    }
}

/// More than a call has.
const MOST_PARTICIPANTS: usize = 100;

/// Reads a list of calls, one after the other.
pub struct CallReader {
    files: std::vec::IntoIter<SourceFile>,
    open: Option<(SourceFile, Records, bool)>,
    whole: Vec<SourceFile>,
}

impl CallReader {
    pub(crate) fn new(files: Vec<SourceFile>) -> Self {
        Self {
            files: files.into_iter(),
            open: None,
            whole: Vec::new(),
        }
    }

    /// The next call; absent at the end. What does not read is passed over.
    pub fn next_call(&mut self) -> Option<Call> {
        loop {
            let Some((_, records, sound)) = &mut self.open else {
                let source = self.files.next()?;
                if let Ok(file) = source.open() {
                    self.open = Some((source, Records::new(Box::new(file)), true));
                }
                continue;
            };
            match records.next() {
                Ok(Some(Raw::Record(record))) => match parse_call(&record) {
                    Some(call) => return Some(call),
                    None => *sound = false,
                },
                Ok(Some(Raw::Broken)) => *sound = false,
                Err(_) => self.open = None,
                Ok(None) => {
                    if let Some((source, _, true)) = self.open.take() {
                        self.whole.push(source);
                    }
                }
            }
        }
    }

    /// As [`crate::Reader::take_whole`].
    pub fn take_whole(&mut self) -> Vec<SourceFile> {
        std::mem::take(&mut self.whole)
    }
}

fn parse_call(record: &str) -> Option<Call> {
    let fields = Fields::parse(record);
    let outgoing = fields.outgoing()?;
    let started = fields
        .get("callStart")
        .and_then(parse_time)
        .or(fields.timestamp)?;
    let ended = fields
        .get("callEnd")
        .and_then(parse_time)
        .unwrap_or(started)
        .max(started);
    let names: Vec<&str> = list(fields.get("callParticipantNames")).collect();
    let participants: Vec<(String, String)> = list(fields.get("callParticipantIDs"))
        .take(MOST_PARTICIPANTS)
        .enumerate()
        .map(|(index, id)| {
            let name = names.get(index).copied().unwrap_or_default();
            (id.to_owned(), name.to_owned())
        })
        .filter(|(id, name)| !id.is_empty() || !name.is_empty())
        .collect();
    if participants.is_empty() {
        return None;
    }
    let reason = fields
        .get("callEndReason")
        .and_then(|reason| reason.trim().parse().ok())
        .filter(|reason| *reason > 0);
    let account = fields.get("accountUID").unwrap_or_default().to_owned();
    let key = key::digest(&[
        b"jitsi call",
        account.as_bytes(),
        &[u8::from(outgoing)],
        &started.to_be_bytes(),
        &ended.to_be_bytes(),
        fields
            .get("callParticipantIDs")
            .unwrap_or_default()
            .as_bytes(),
    ]);
    Some(Call {
        address: account.strip_prefix("Jabber:").and_then(|rest| {
            let mut parts = rest.split('@');
            Some(format!("{}@{}", parts.next()?, parts.next()?))
        }),
        account,
        outgoing,
        started,
        ended,
        // Of a call that nobody answered Jitsi keeps one time as both.
        answered: ended > started,
        reason,
        participants,
        key,
    })
}

/// A list with commas.
fn list(field: Option<&str>) -> impl Iterator<Item = &str> {
    field.unwrap_or_default().split(',').map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> (Vec<Line>, usize) {
        let mut reader = messages(Box::new(io::Cursor::new(text.as_bytes().to_vec())));
        let (mut lines, mut broken) = (Vec::new(), 0);
        while let Some(piece) = reader.next().expect("memory reads") {
            match piece {
                Piece::Message(line) => lines.push(line),
                Piece::Broken => broken += 1,
            }
        }
        (lines, broken)
    }

    fn record(text: &str) -> String {
        format!(
            "<record timestamp=\"2014-03-21T14:32:22.500+0330\"><dir>in</dir><msg><![CDATA[{text}]]></msg>\
             <msgTyp>text/plain</msgTyp></record>"
        )
    }

    #[test]
    fn a_time_has_its_zone_or_is_in_milliseconds() {
        assert_eq!(
            parse_time("2014-03-21T14:32:22.500+0330"),
            Some(1_395_399_742_500)
        );
        assert_eq!(
            parse_time("2014-03-21T11:02:22.500Z"),
            Some(1_395_399_742_500)
        );
        assert_eq!(parse_time("1395399742500"), Some(1_395_399_742_500));
        for wrong in [
            "",
            "yesterday",
            "2014-03-21",
            "2014-13-21T14:32:22.500+0330",
            "2014-03-21T14:32:22.500+9930",
            "2014-03-21T14:32:22.500",
            "-1",
            "99999999999999999",
            "2014-03-21T14:32:2é.500+0330",
        ] {
            assert_eq!(parse_time(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_text_was_escaped_before_it_was_wrapped() {
        let (lines, broken) = pieces(&record("1 &lt; 2 &amp;amp; سلام 😀"));
        assert_eq!(broken, 0);
        assert_eq!(
            lines.first().map(|l| l.text.as_str()),
            Some("1 < 2 &amp; سلام 😀")
        );
    }

    #[test]
    fn a_record_that_was_cut_off_does_not_take_the_next_one_along() {
        let whole = record("whole");
        let cut = whole.get(..60).expect("it is longer");
        let (lines, broken) = pieces(&format!("<history>{cut}{whole}{cut}"));
        assert_eq!((lines.len(), broken), (1, 2));
    }

    #[test]
    fn a_record_that_is_too_long_is_passed_over_and_the_next_one_read() {
        let long = record(&"a".repeat(LONGEST_RECORD));
        let (lines, broken) = pieces(&format!("<history>{long}{}</history>", record("b")));
        assert_eq!((lines.len(), broken), (1, 1));
    }

    #[test]
    fn a_file_without_any_record_is_not_taken_for_an_empty_history() {
        assert_eq!(pieces("\0\0\0\0").1, 1);
        assert_eq!(pieces("").1, 0);
    }

    #[test]
    fn calls_have_participants_times_and_an_end() {
        let call = parse_call(
            "<record timestamp='2014-03-21T14:32:22.500+0000'><accountUID>Jabber:sara@example.org@example.org\
             </accountUID><callStart>2014-03-21T14:32:22.500+0000</callStart>\
             <callEnd>2014-03-21T14:42:22.500+0000</callEnd><dir>out</dir>\
             <callParticipantIDs>leila@example.org,omar@example.org</callParticipantIDs>\
             <callParticipantNames>Leila,Omar</callParticipantNames><callEndReason>200</callEndReason></record>",
        )
        .expect("it reads");
        assert_eq!(call.address.as_deref(), Some("sara@example.org"));
        assert_eq!(call.ended - call.started, 600_000);
        assert!(call.outgoing && call.answered);
        assert_eq!(call.reason, Some(200));
        assert_eq!(call.participants.len(), 2);
    }
}
