//! The peer that we did not write, without a network: libotr, in a process that `otr/libotr_driver.c` describes.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use sotto_testkit::rpc::{Failure, Step};

/// Version 2 may be spoken.
pub const ALLOW_V2: u32 = 0x02;
/// Version 3 may be spoken.
pub const ALLOW_V3: u32 = 0x04;
/// Plain text carries the whitespace tag.
pub const SEND_TAG: u32 = 0x10;
/// The whitespace tag starts a key exchange.
pub const TAG_STARTS: u32 = 0x20;

/// What libotr said, in its own words.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Which event; the driver's head lists them.
    pub kind: String,
    /// Whose.
    pub user: String,
    words: Vec<String>,
}

impl Heard {
    /// A word as it came.
    pub fn word(&self, index: usize) -> &str {
        self.words.get(index).map_or("", String::as_str)
    }

    /// A word that is text.
    pub fn text(&self, index: usize) -> String {
        String::from_utf8_lossy(&unhex(self.word(index))).into_owned()
    }
}

/// A running libotr. Dropping it ends it.
pub struct Libotr {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Libotr {
    /// Starts the driver.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn start(program: &Path) -> Step<Self> {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| {
                Failure::new(format!(
                    "{} cannot be run: {e}; make live-programs",
                    program.display()
                ))
            })?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Failure::new("the driver has no pipes"));
        };
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    /// Gives it a command and takes what it causes; the driver answers every command.
    ///
    /// # Errors
    /// When the driver refuses or ends.
    pub fn tell(&mut self, command: &str) -> Step<Vec<Heard>> {
        writeln!(self.input, "{command}")?;
        self.input.flush()?;
        let mut heard = Vec::new();
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line)? == 0 {
                return Err(Failure::new(format!("libotr ended on {command:?}")));
            }
            let mut words = line.split_whitespace().map(str::to_owned);
            let kind = words.next().unwrap_or_default();
            match kind.as_str() {
                "done" => return Ok(heard),
                "failed" => return Err(Failure::new(format!("libotr on {command:?}: {line}"))),
                _ => heard.push(Heard {
                    kind,
                    user: words.next().unwrap_or_default(),
                    words: words.collect(),
                }),
            }
        }
    }
}

impl Drop for Libotr {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Text as a word for the driver.
pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref();
    if bytes.is_empty() {
        return "-".to_owned();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(word: &str) -> Vec<u8> {
    let digits: Vec<u8> = word
        .chars()
        .filter_map(|c| c.to_digit(16))
        .filter_map(|d| u8::try_from(d).ok())
        .collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
        .collect()
}
