//! Decoding of foreign pictures in a process of its own (S-PROC-01).
//!
//! 1. The program starts itself once more with [`ARGUMENT`], without environment, with two pipes.
//! 2. The child gives up every right but to read the one and write the other (`confine`).
//! 3. It reads one file, answers with its pixels, and ends. One file a child: what took over one cannot touch the
//!    picture of somebody else, and nothing stays in memory between pictures.
//!
//! The answer is as untrusted as the file: sides and length are checked, and pixels cannot be wrong.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use sotto_engine::picture::{LARGEST_FILE, LONGEST_SIDE, PictureError, Pixels};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

mod child;

/// What makes a program a decoder, as its first argument.
const ARGUMENT: &str = "--decode-picture";

/// How long a decoder may take, with its start.
const PATIENCE: Duration = Duration::from_secs(2);

/// Head of a request: length of the file and longest side wanted, both 32 bits little-endian.
const ASK: usize = 8;

/// Head of an answer: kind, width and height, the latter two of 32 bits little-endian. Pixels follow.
const ANSWER: usize = 9;

const PIXELS: u8 = 0;
const TOO_MANY_PIXELS: u8 = 1;
const UNKNOWN_FORMAT: u8 = 2;
const DAMAGED: u8 = 3;

/// The program that is running, as [`crate::Options::decoder`]. Its `main` must begin with [`decoder_role`].
pub fn this_program() -> Option<PathBuf> {
    if cfg!(target_os = "linux") {
        // Unlike its name, this stays when the program is updated while it runs.
        return Some("/proc/self/exe".into());
    }
    std::env::current_exe().ok()
}

/// Whether this process was started to decode a picture; then it did, and is to end with this.
///
/// Call before anything else: before threads, files, arguments.
pub fn decoder_role() -> Option<ExitCode> {
    let first = std::env::args_os().nth(1)?;
    (first == OsStr::new(ARGUMENT)).then(child::run)
}

/// Decodes a file in a process of its own.
///
/// # Errors
///
/// As the decoder says; `Damaged` also when it is killed, takes too long or answers what is no answer.
pub(crate) async fn decode(
    program: &Path,
    file: &[u8],
    side: usize,
) -> Result<Pixels, PictureError> {
    decode_within(program, file, side, PATIENCE).await
}

async fn decode_within(
    program: &Path,
    file: &[u8],
    side: usize,
    patience: Duration,
) -> Result<Pixels, PictureError> {
    if file.len() > LARGEST_FILE {
        return Err(PictureError::TooLarge {
            bytes: file.len(),
            limit: LARGEST_FILE,
        });
    }
    let mut child = start(program).map_err(|error| {
        tracing::error!(%error, "the decoder of pictures did not start");
        PictureError::NoDecoder
    })?;
    let answer = tokio::time::timeout(patience, ask(&mut child, file, side)).await;
    // It has nothing more to say, whatever it is doing.
    let killed = child.start_kill();
    let ended = child.wait().await;
    match answer {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            tracing::warn!(%error, ?ended, "a decoder of pictures gave no answer");
            Err(PictureError::Damaged)
        }
        Err(_) => {
            tracing::warn!(?killed, "a decoder of pictures took too long");
            Err(PictureError::Damaged)
        }
    }
}

fn start(program: &Path) -> io::Result<Child> {
    let mut command = Command::new(program);
    command
        .arg(ARGUMENT)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    if cfg!(unix) {
        command.current_dir("/");
    }
    #[cfg(windows)]
    if let Some(root) = std::env::var_os("SystemRoot") {
        // Libraries of the system are found by it.
        command.env("SystemRoot", root);
    }
    command.spawn()
}

/// The outer error: there was no answer.
async fn ask(
    child: &mut Child,
    file: &[u8],
    side: usize,
) -> io::Result<Result<Pixels, PictureError>> {
    let (Some(mut input), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    let number = |n: usize| u32::try_from(n).map_err(|_| io::ErrorKind::InvalidInput);
    input.write_all(&number(file.len())?.to_le_bytes()).await?;
    input.write_all(&number(side)?.to_le_bytes()).await?;
    input.write_all(file).await?;
    drop(input);
    let mut head = [0; ANSWER];
    output.read_exact(&mut head).await?;
    let [kind, w0, w1, w2, w3, h0, h1, h2, h3] = head;
    let width = u32::from_le_bytes([w0, w1, w2, w3]) as usize;
    let height = u32::from_le_bytes([h0, h1, h2, h3]) as usize;
    Ok(Err(match kind {
        PIXELS => {
            let limit = side.min(LONGEST_SIDE);
            if width > limit || height > limit {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let mut rgba = vec![0; width * height * 4];
            output.read_exact(&mut rgba).await?;
            return Ok(Pixels::new(width, height, rgba).ok_or(PictureError::Damaged));
        }
        TOO_MANY_PIXELS => PictureError::TooManyPixels {
            width,
            height,
            limit: LONGEST_SIDE,
        },
        UNKNOWN_FORMAT => PictureError::UnknownFormat,
        DAMAGED => PictureError::Damaged,
        _ => return Err(io::ErrorKind::InvalidData.into()),
    }))
}

#[cfg(test)]
mod tests;
