//! The program as the decoder of pictures that it starts for itself (S-PROC-01).

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

const JPEG: &[u8] =
    include_bytes!("../../../crates/core/engine/tests/data/pictures/progressive.jpg");

fn decoder() -> Child {
    Command::new(env!("CARGO_BIN_EXE_sotto-cli"))
        .arg("--decode-picture")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

fn request(file: &[u8], side: u32) -> Vec<u8> {
    let length = u32::try_from(file.len()).expect("it is short");
    [&length.to_le_bytes(), &side.to_le_bytes(), file].concat()
}

/// What it answers, and whether it ended well; it logs nothing.
fn answer(request: &[u8]) -> (Vec<u8>, bool) {
    let mut child = decoder();
    // It may end before it has read everything.
    let _ = child.stdin.take().expect("a pipe").write_all(request);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    (output.stdout, output.status.success())
}

#[test]
fn s_proc_01_the_program_decodes_one_picture_and_ends() {
    let (pixels, well) = answer(&request(JPEG, 128));
    assert!(well);
    assert_eq!(pixels[..9], [0, 128, 0, 0, 0, 64, 0, 0, 0]);
    assert_eq!(pixels.len(), 9 + 128 * 64 * 4);
    // After what does not decode, too.
    assert_eq!(
        answer(&request(b"GIF89a", 128)),
        (vec![2, 0, 0, 0, 0, 0, 0, 0, 0], true)
    );
    let half = &JPEG[..JPEG.len() / 2];
    assert!(answer(&request(half, 128)).1);
    assert_eq!(answer(&request(JPEG, 128)[..100]), (vec![], false));
    assert_eq!(answer(b""), (vec![], false));
}

#[cfg(target_os = "linux")]
#[test]
fn s_proc_01_a_decoder_has_given_up_its_rights_before_it_reads() {
    use std::time::{Duration, Instant};

    let mut child = decoder();
    let folder = format!("/proc/{}", child.id());
    let begun = Instant::now();
    let status = loop {
        let status = std::fs::read_to_string(format!("{folder}/status")).expect("it runs");
        if status.contains("Seccomp:\t2") || begun.elapsed() > Duration::from_secs(60) {
            break status;
        }
        std::thread::yield_now();
    };
    assert!(status.contains("Seccomp:\t2"), "{status}");
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    assert!(status.contains("Threads:\t1"), "{status}");
    let limits = std::fs::read_to_string(format!("{folder}/limits")).expect("it runs");
    let of = |name: &str| -> Vec<&str> {
        let line = limits.lines().find_map(|line| line.strip_prefix(name));
        let words = line.expect("it has a line").split_whitespace();
        words.take(2).collect()
    };
    assert_eq!(of("Max address space"), ["268435456", "268435456"]);
    assert_eq!(of("Max cpu time"), ["2", "2"]);
    assert_eq!(of("Max open files"), ["0", "0"]);
    assert_eq!(of("Max processes"), ["0", "0"]);
    assert_eq!(of("Max core file size"), ["0", "0"]);
    // It still does what it is there for.
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(&request(JPEG, 16)).expect("it reads");
    drop(input);
    let mut pixels = Vec::new();
    let mut output = child.stdout.take().expect("a pipe");
    output.read_to_end(&mut pixels).expect("it answers");
    assert_eq!(pixels.len(), 9 + 16 * 8 * 4);
    assert!(child.wait().expect("it ends").success());
}
