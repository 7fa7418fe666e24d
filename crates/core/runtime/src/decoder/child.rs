//! The child's side: one file in, its pixels out.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use sotto_engine::picture::{self, LARGEST_FILE, PictureError};

use super::{ANSWER, ASK, DAMAGED, PIXELS, TOO_MANY_PIXELS, UNKNOWN_FORMAT};

/// Gives up all rights, answers one request, ends.
pub(super) fn run() -> ExitCode {
    // A panic is the end of this picture; there is nobody to read of it.
    std::panic::set_hook(Box::new(|_| {}));
    #[cfg(target_os = "linux")]
    crate::confine::decoder();
    match serve(&mut io::stdin().lock(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

pub(super) fn serve(input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    let mut head = [0; ASK];
    input.read_exact(&mut head)?;
    let [l0, l1, l2, l3, s0, s1, s2, s3] = head;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    let side = u32::from_le_bytes([s0, s1, s2, s3]) as usize;
    if length > LARGEST_FILE {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut file = vec![0; length];
    input.read_exact(&mut file)?;
    let answer = picture::decode(&file, side);
    let (kind, width, height) = match &answer {
        Ok(pixels) => (PIXELS, pixels.width(), pixels.height()),
        Err(PictureError::TooManyPixels { width, height, .. }) => {
            (TOO_MANY_PIXELS, *width, *height)
        }
        Err(PictureError::UnknownFormat) => (UNKNOWN_FORMAT, 0, 0),
        Err(_) => (DAMAGED, 0, 0),
    };
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
    let mut head = Vec::with_capacity(ANSWER);
    head.push(kind);
    head.extend(number(width));
    head.extend(number(height));
    output.write_all(&head)?;
    if let Ok(pixels) = &answer {
        output.write_all(pixels.rgba())?;
    }
    output.flush()
}
