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
    #[cfg(unix)]
    let input = {
        use std::os::fd::AsFd;
        std::fs::File::from(io::stdin().as_fd().try_clone_to_owned()?)
    };
    #[cfg(not(unix))]
    let input = io::stdin();
    Ok(Wiped::new(input))
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
