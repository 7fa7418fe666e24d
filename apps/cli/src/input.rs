//! Standard input, of which nothing stays behind: passphrases and texts pass here (S-STORE-08).

use std::io::{self, BufRead, Read};

use zeroize::{Zeroize, Zeroizing};

/// How much is read at once, in bytes.
const ROOM: usize = 8 * 1024;

/// Standard input without the buffer of the standard library, which keeps what was read.
///
/// # Errors
/// When there is none.
pub fn standard() -> io::Result<Wiped<impl Read + Send + 'static>> {
    unbuffered().map(Wiped::new)
}

/// The same without any buffer: what is not read stays for whoever reads the same input later.
///
/// # Errors
/// When there is none.
pub fn unbuffered() -> io::Result<impl Read + Send + 'static> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        let input = io::stdin().as_fd().try_clone_to_owned()?;
        Ok(std::fs::File::from(input))
    }
    #[cfg(not(unix))]
    Ok(io::stdin())
}

/// Appends a line of it, with its end, and gives its length in bytes; 0 when there is no more.
///
/// # Errors
/// `InvalidData` when the line is longer than [`ROOM`] or not in UTF-8; whatever the reader says.
pub fn read_line(input: &mut impl Read, line: &mut String) -> io::Result<usize> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(ROOM));
    let mut byte = Zeroizing::new([0]);
    while bytes.last() != Some(&b'\n') {
        match input.read(byte.as_mut()) {
            Ok(0) => break,
            Ok(_) if bytes.len() == ROOM => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a line is too long",
                ));
            }
            Ok(_) => bytes.extend(byte.iter()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    line.push_str(text);
    Ok(text.len())
}

/// A buffer that is zeros but for what is still to be taken from it.
#[derive(Debug)]
pub struct Wiped<R> {
    input: R,
    buffer: Zeroizing<Vec<u8>>,
    start: usize,
    end: usize,
}

impl<R> Wiped<R> {
    fn new(input: R) -> Self {
        Self {
            input,
            buffer: Zeroizing::new(vec![0; ROOM]),
            start: 0,
            end: 0,
        }
    }
}

impl<R: Read> BufRead for Wiped<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            self.end = self.input.read(&mut self.buffer)?;
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        let end = self.start.saturating_add(amount).min(self.end);
        if let Some(taken) = self.buffer.get_mut(self.start..end) {
            taken.zeroize();
        }
        self.start = end;
    }
}

impl<R: Read> Read for Wiped<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(to)?;
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_and_what_follows_it_is_left() {
        let mut input = "one\ntwo\nthe rest".as_bytes();
        let mut line = String::new();
        assert_eq!(read_line(&mut input, &mut line).unwrap(), 4);
        assert_eq!((line.as_str(), input), ("one\n", &b"two\nthe rest"[..]));
        assert_eq!(read_line(&mut &b""[..], &mut line).unwrap(), 0);
        let long = vec![b'x'; ROOM + 1];
        for bad in [&long[..], b"\xff\n"] {
            let error = read_line(&mut &bad[..], &mut line).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
        assert_eq!(line, "one\n");
    }

    #[test]
    fn s_store_08_lines_are_read_whole_and_leave_nothing_in_the_buffer() {
        let long = "canary".repeat(5_000);
        let text = format!("one\n{long}\nlast");
        let mut input = Wiped::new(text.as_bytes());
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if input.read_line(&mut line).unwrap() == 0 {
                break;
            }
            lines.push(line);
        }
        assert_eq!(
            lines,
            ["one\n".to_owned(), format!("{long}\n"), "last".to_owned()]
        );
        assert!(input.buffer.iter().all(|byte| *byte == 0));
    }
}
