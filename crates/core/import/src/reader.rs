use std::io::{self, Read};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::LONGEST_RECORD;
use crate::folder::SourceFile;
use crate::found::{Calls, Conversation, Message, Program};
use crate::jitsi::{self, CallReader};
use crate::key::Keys;
use crate::pidgin;

/// One file of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HistoryFile {
    pub source: SourceFile,
    /// When it was begun, by its name: a log's lines have times of day only.
    pub begun: (DateTime, TimeZone),
}

/// A piece of a history.
pub(crate) enum Piece {
    Message(Line),
    /// Something that does not read.
    Broken,
}

/// What one side wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub outgoing: bool,
    pub text: String,
    /// Milliseconds since 1970.
    pub at: i64,
}

/// The pieces of one file.
pub(crate) trait Pieces: Send {
    /// The next one; absent at the end. After an error nothing more comes.
    fn next(&mut self) -> io::Result<Option<Piece>>;
}

/// Reads the messages of one conversation, file by file, in the order of time.
pub struct Reader {
    conversation: Conversation,
    next_file: usize,
    open: Option<Open>,
    keys: Keys,
    whole: Vec<SourceFile>,
    broken: u64,
}

struct Open {
    source: SourceFile,
    pieces: Box<dyn Pieces>,
    sound: bool,
}

impl Conversation {
    /// Begins to read its messages.
    pub fn open(&self) -> Reader {
        let program = match self.program {
            Program::Jitsi => "jitsi",
            Program::Pidgin => "pidgin",
        };
        Reader {
            conversation: self.clone(),
            next_file: 0,
            open: None,
            keys: Keys::new(program, &self.account, &self.peer),
            whole: Vec::new(),
            broken: 0,
        }
    }
}

impl Reader {
    /// The next message; absent at the end. What does not read is counted and passed over.
    pub fn next_message(&mut self) -> Option<Message> {
        loop {
            let Some(open) = &mut self.open else {
                let file = self.conversation.files.get(self.next_file)?.clone();
                self.next_file += 1;
                match file.source.open() {
                    Ok(read) => {
                        self.open = Some(Open {
                            pieces: self.pieces(Box::new(read), &file),
                            source: file.source,
                            sound: true,
                        });
                    }
                    Err(_) => self.broken += 1,
                }
                continue;
            };
            match open.pieces.next() {
                Ok(Some(Piece::Message(line))) if line.text.len() > LONGEST_RECORD => {
                    open.sound = false;
                    self.broken += 1;
                }
                Ok(Some(Piece::Message(line))) => {
                    let key = self.keys.next(line.outgoing, line.at, &line.text);
                    return Some(Message {
                        outgoing: line.outgoing,
                        text: line.text,
                        at: line.at,
                        key,
                    });
                }
                Ok(Some(Piece::Broken)) => {
                    open.sound = false;
                    self.broken += 1;
                }
                Ok(None) => {
                    if let Some(open) = self.open.take()
                        && open.sound
                    {
                        self.whole.push(open.source);
                    }
                }
                Err(_) => {
                    self.broken += 1;
                    self.open = None;
                }
            }
        }
    }

    fn pieces(&self, file: Box<dyn Read + Send>, of: &HistoryFile) -> Box<dyn Pieces> {
        match self.conversation.program {
            Program::Jitsi => Box::new(jitsi::messages(file)),
            Program::Pidgin => {
                pidgin::log(file, of.source.path(), of.begun.clone(), &self.conversation)
            }
        }
    }

    /// Files that were read to their end since this was asked last, and in which everything could be read: every
    /// message of theirs was handed out.
    pub fn take_whole(&mut self) -> Vec<SourceFile> {
        std::mem::take(&mut self.whole)
    }

    /// How many records, lines or files could not be read so far.
    pub fn broken(&self) -> u64 {
        self.broken
    }
}

impl Calls {
    /// Begins to read the calls.
    pub fn open(&self) -> CallReader {
        CallReader::new(self.files.clone())
    }

    /// The files of the list.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }
}

/// From 1990 to 2100: a time outside of it is a damaged one.
pub(crate) fn plausible(at: i64) -> Option<i64> {
    (631_152_000_000..4_102_444_800_000)
        .contains(&at)
        .then_some(at)
}
