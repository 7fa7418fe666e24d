//! Lines of JSON out of a stream of bytes. Passwords pass here: every buffer is wiped.

use std::io::{self, Read};

use tokio::io::{AsyncRead, AsyncReadExt};
use zeroize::{Zeroize, Zeroizing};

/// The longest line that is read, in bytes: an avatar with room to spare.
pub(crate) const LONGEST: usize = 4 * 1024 * 1024;

/// How much room there is to begin with, in bytes.
const ROOM: usize = 8 * 1024;

/// One line, without its end.
pub(crate) type Line = Zeroizing<Vec<u8>>;

/// Cuts what was read into lines.
pub(crate) struct Lines {
    /// Zeros, but for `start..end`.
    buffer: Zeroizing<Vec<u8>>,
    start: usize,
    end: usize,
    /// No line ends before this.
    seen: usize,
}

impl Lines {
    pub(crate) fn new() -> Self {
        Self {
            buffer: Zeroizing::new(vec![0; ROOM]),
            start: 0,
            end: 0,
            seen: 0,
        }
    }

    /// The next line; `None` at the end of the stream.
    ///
    /// # Errors
    ///
    /// `InvalidData` when a line is longer than [`LONGEST`]; whatever the reader says.
    pub(crate) fn read(&mut self, reader: &mut impl Read) -> io::Result<Option<Line>> {
        loop {
            if let Some(line) = self.cut() {
                return Ok(Some(line));
            }
            match reader.read(self.space()?) {
                Ok(0) => return Ok(self.rest()),
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The same. Given up in between, it has lost nothing.
    ///
    /// # Errors
    ///
    /// As [`Lines::read`].
    pub(crate) async fn read_async(
        &mut self,
        reader: &mut (impl AsyncRead + Unpin),
    ) -> io::Result<Option<Line>> {
        loop {
            if let Some(line) = self.cut() {
                return Ok(Some(line));
            }
            match reader.read(self.space()?).await? {
                0 => return Ok(self.rest()),
                count => self.end += count,
            }
        }
    }

    fn cut(&mut self) -> Option<Line> {
        let fresh = self.buffer.get(self.seen..self.end)?;
        let Some(length) = fresh.iter().position(|b| *b == b'\n') else {
            self.seen = self.end;
            return None;
        };
        let end = self.seen + length;
        let line = self.take(end);
        self.start = end + 1;
        self.seen = self.start;
        Some(line)
    }

    /// What is left at the end of the stream: a last line needs no end.
    fn rest(&mut self) -> Option<Line> {
        if self.start == self.end {
            return None;
        }
        let line = self.take(self.end);
        self.start = self.end;
        self.seen = self.end;
        Some(line)
    }

    fn take(&mut self, end: usize) -> Line {
        let taken = self.buffer.get_mut(self.start..end).unwrap_or_default();
        let line = Zeroizing::new(taken.to_vec());
        taken.zeroize();
        line
    }

    /// Room for at least one more byte.
    fn space(&mut self) -> io::Result<&mut [u8]> {
        let kept = self.end - self.start;
        if kept > LONGEST {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a line is too long",
            ));
        }
        if kept == 0 && self.buffer.len() > ROOM {
            *self = Self::new();
        } else if self.end == self.buffer.len() {
            // Into a new buffer either way, so that nothing stays behind what was moved.
            let mut larger = Zeroizing::new(vec![0; (kept * 2).max(ROOM)]);
            if let (Some(to), Some(from)) = (
                larger.get_mut(..kept),
                self.buffer.get(self.start..self.end),
            ) {
                to.copy_from_slice(from);
            }
            self.buffer = larger;
            self.seen -= self.start;
            self.end = kept;
            self.start = 0;
        }
        Ok(self.buffer.get_mut(self.end..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives three bytes at a time.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = buffer.len().min(3);
            Read::read(&mut self.0, &mut buffer[..count])
        }
    }

    #[test]
    fn lines_come_one_by_one_and_the_last_needs_no_end() {
        let mut bytes = Trickle(b"one\n\nthree");
        let mut lines = Lines::new();
        let mut next = || {
            let line = lines.read(&mut bytes).unwrap();
            line.map(|l| String::from_utf8(l.to_vec()).unwrap())
        };
        assert_eq!(next().as_deref(), Some("one"));
        assert_eq!(next().as_deref(), Some(""));
        assert_eq!(next().as_deref(), Some("three"));
        assert_eq!(next(), None);
    }

    #[test]
    fn long_lines_come_whole_and_leave_no_large_buffer() {
        let mut text = Vec::new();
        for length in [10, ROOM, 100_000, LONGEST, 3] {
            text.extend(std::iter::repeat_n(b'x', length));
            text.push(b'\n');
        }
        let mut lines = Lines::new();
        let mut bytes = text.as_slice();
        for length in [10, ROOM, 100_000, LONGEST, 3] {
            assert_eq!(lines.read(&mut bytes).unwrap().unwrap().len(), length);
        }
        assert!(lines.read(&mut bytes).unwrap().is_none());
        assert_eq!(lines.buffer.len(), ROOM);
    }

    #[test]
    fn a_line_that_was_taken_is_wiped_from_the_buffer() {
        let mut lines = Lines::new();
        let mut bytes = &b"canary\nrest"[..];
        lines.read(&mut bytes).unwrap();
        assert!(!lines.buffer.windows(6).any(|w| w == b"canary"));
    }

    #[test]
    fn s_proc_06_a_line_without_end_does_not_fill_the_memory() {
        let mut endless = io::BufReader::new(io::repeat(b'x'));
        let error = Lines::new().read(&mut endless).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
