use std::io::Cursor;

use super::*;

/// The smallest PNG: one grey pixel.
const PNG: &[u8] = b"\x89\x50\x4e\x47\x0d\x0a\x1a\x0a\x00\x00\x00\x0d\x49\x48\x44\x52\x00\x00\x00\x01\x00\x00\x00\x01\x08\
    \x00\x00\x00\x00\x3a\x7e\x9b\x55\x00\x00\x00\x0a\x49\x44\x41\x54\x78\xda\x63\x68\x00\x00\x00\x82\x00\
    \x81\xda\x45\x08\x3b\x00\x00\x00\x00\x49\x45\x4e\x44\xae\x42\x60\x82";

/// Longer than any of these programs takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Instant;

    use super::*;

    /// A program in place of the decoder.
    fn program(folder: &tempfile::TempDir, script: &str) -> PathBuf {
        let path = folder.path().join("decoder");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).unwrap();
        path
    }

    async fn answer_of(script: &str, patience: Duration) -> Result<Pixels, PictureError> {
        let folder = tempfile::tempdir().unwrap();
        let program = program(&folder, script);
        decode_within(&program, PNG, 128, patience).await
    }

    #[tokio::test]
    async fn s_proc_01_a_decoder_that_crashes_costs_only_its_picture() {
        for script in ["kill -SEGV $$", "kill -KILL $$", "exit 1", "cat >/dev/null"] {
            let answer = answer_of(script, LONG).await;
            assert_eq!(answer, Err(PictureError::Damaged), "{script}");
        }
    }

    #[tokio::test]
    async fn s_proc_01_a_decoder_that_hangs_is_killed() {
        let begun = Instant::now();
        for script in ["exec sleep 600", "cat >/dev/null; exec sleep 600"] {
            let answer = answer_of(script, Duration::from_millis(50)).await;
            assert_eq!(answer, Err(PictureError::Damaged), "{script}");
        }
        assert!(begun.elapsed() < LONG);
    }

    #[tokio::test]
    async fn s_proc_01_what_is_no_answer_is_not_taken() {
        for script in [
            // Too wide, too high, no pixels, too few, no kind of answer.
            r"printf '\000\201\000\000\000\001\000\000\000'; cat /dev/zero",
            r"printf '\000\001\000\000\000\377\377\377\377'; cat /dev/zero",
            r"printf '\000\000\000\000\000\000\000\000\000'; cat /dev/zero",
            r"printf '\000\002\000\000\000\002\000\000\000abcd'",
            r"printf '\011\000\000\000\000\000\000\000\000'",
            r"printf '\000\001'",
        ] {
            let answer = answer_of(&format!("cat >/dev/null; {script}"), LONG).await;
            assert_eq!(answer, Err(PictureError::Damaged), "{script}");
        }
    }

    #[tokio::test]
    async fn what_the_decoder_says_is_passed_on() {
        let pixel = r"printf '\000\001\000\000\000\001\000\000\000abcd'; exec sleep 600";
        assert_eq!(
            answer_of(&format!("cat >/dev/null; {pixel}"), LONG).await,
            Ok(Pixels::new(1, 1, b"abcd".to_vec()).unwrap())
        );
        let many = r"printf '\001\000\001\000\000\002\001\000\000'";
        assert_eq!(
            answer_of(&format!("cat >/dev/null; {many}"), LONG).await,
            Err(PictureError::TooManyPixels {
                width: 256,
                height: 258,
                limit: LONGEST_SIDE
            })
        );
    }

    #[tokio::test]
    async fn s_proc_01_a_decoder_is_given_no_environment() {
        let unknown = r"printf '\002\000\000\000\000\000\000\000\000'";
        let script = format!(
            r#"cat >/dev/null; [ "$1" = {ARGUMENT} ] && [ -z "$HOME$USER$CARGO" ] && {unknown}"#
        );
        assert!(std::env::var_os("CARGO").is_some());
        let answer = answer_of(&script, LONG).await;
        assert_eq!(answer, Err(PictureError::UnknownFormat));
    }
}

#[tokio::test]
async fn without_a_decoder_no_picture_is_taken() {
    let answer = decode(Path::new("/nonexistent/decoder"), PNG, 128).await;
    assert_eq!(answer, Err(PictureError::NoDecoder));
}

#[tokio::test]
async fn s_media_03_a_file_that_is_too_large_is_given_to_nobody() {
    let answer = decode(Path::new("/nonexistent"), &vec![0; LARGEST_FILE + 1], 128).await;
    assert!(matches!(answer, Err(PictureError::TooLarge { .. })));
}

fn served(request: &[u8]) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    child::serve(&mut Cursor::new(request), &mut answer)?;
    Ok(answer)
}

fn request(file: &[u8], side: u32) -> Vec<u8> {
    let length = u32::try_from(file.len()).unwrap();
    [&length.to_le_bytes(), &side.to_le_bytes(), file].concat()
}

#[test]
fn the_child_answers_pixels_or_why_there_are_none() {
    let one = [1, 0, 0, 0, 1, 0, 0, 0];
    let answer = served(&request(PNG, 128)).unwrap();
    assert_eq!(answer[..9], [&[PIXELS], &one[..]].concat());
    assert_eq!(answer.len(), 13);
    let nothing = [0; 8];
    assert_eq!(
        served(&request(b"GIF89a", 128)).unwrap(),
        [&[UNKNOWN_FORMAT], &nothing[..]].concat()
    );
    assert_eq!(
        served(&request(&PNG[..40], 128)).unwrap(),
        [&[DAMAGED], &nothing[..]].concat()
    );
    let mut wide = PNG.to_vec();
    wide[16..20].copy_from_slice(&5_000_u32.to_be_bytes());
    // The checksum of its first chunk.
    let sum = crc(&wide[12..29]);
    wide[29..33].copy_from_slice(&sum.to_be_bytes());
    let answer = served(&request(&wide, 128)).unwrap();
    assert_eq!(answer[..5], [TOO_MANY_PIXELS, 0x88, 0x13, 0, 0]);
}

#[test]
fn a_request_that_is_cut_or_too_long_is_not_answered() {
    let whole = request(PNG, 128);
    for cut in 0..whole.len() {
        assert!(served(&whole[..cut]).is_err(), "{cut}");
    }
    let long = u32::try_from(LARGEST_FILE + 1).unwrap().to_le_bytes();
    assert!(served(&[&long, &long[..]].concat()).is_err());
}

/// ISO/IEC 15948, annex D.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}
