use std::io::{self, BufRead};

use zeroize::Zeroizing;

/// The longest line of JSON that is read, in bytes: an avatar with room to spare.
pub(crate) const LONGEST: usize = 4 * 1024 * 1024;

/// Reads one line without its end; `None` at the end of the stream. The buffer is wiped on drop: passwords pass here.
///
/// # Errors
///
/// `InvalidData` when the line is longer than [`LONGEST`]; whatever the reader says.
pub(crate) fn read(reader: &mut impl BufRead) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut line = Zeroizing::new(Vec::new());
    loop {
        let available = match reader.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if available.is_empty() {
            return Ok(if line.is_empty() { None } else { Some(line) });
        }
        let (taken, ended) = match available.iter().position(|b| *b == b'\n') {
            Some(end) => (end, true),
            None => (available.len(), false),
        };
        if line.len() + taken > LONGEST {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a line is too long",
            ));
        }
        line.extend_from_slice(available.get(..taken).unwrap_or_default());
        reader.consume(taken + usize::from(ended));
        if ended {
            return Ok(Some(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_one_by_one_and_the_last_needs_no_end() {
        let mut bytes = io::BufReader::with_capacity(3, &b"one\n\nthree"[..]);
        let mut next = || {
            read(&mut bytes)
                .unwrap()
                .map(|l| String::from_utf8(l.to_vec()).unwrap())
        };
        assert_eq!(next().as_deref(), Some("one"));
        assert_eq!(next().as_deref(), Some(""));
        assert_eq!(next().as_deref(), Some("three"));
        assert_eq!(next(), None);
    }

    #[test]
    fn s_proc_06_a_line_without_end_does_not_fill_the_memory() {
        let mut endless = io::BufReader::new(io::repeat(b'x'));
        let error = read(&mut endless).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
