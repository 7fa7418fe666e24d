use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;
use crate::profile::ProfileDir;

fn profile() -> (TempDir, Records, DatabaseKey) {
    let home = tempfile::tempdir().expect("a folder");
    let profile = ProfileDir::open(&home.path().join("profile")).expect("a profile's folder");
    let key = DatabaseKey::from_bytes(&[9; 32]);
    (home, Records::of(&profile), key)
}

fn writer(records: &Records, key: Option<&DatabaseKey>, most: (u8, u64)) -> RecordWriter {
    let kind = RecordKind::Log;
    let key = key.map(|key| key.record_key(kind));
    RecordWriter::new(records.clone(), kind, key, b"begin\n".to_vec(), most)
}

fn exported(home: &TempDir, records: &Records, key: &DatabaseKey) -> io::Result<String> {
    let to = home.path().join("out");
    let files = records.list(RecordKind::Log);
    let done = Records::export(&files, &key.record_key(RecordKind::Log), &to);
    let text = fs::read_to_string(&to);
    fs::remove_file(&to).ok();
    done.map(|()| text.expect("it reads"))
}

fn only(records: &Records) -> PathBuf {
    let files = records.list(RecordKind::Log);
    assert_eq!(files.len(), 1);
    files[0].path.clone()
}

fn mode(path: &Path) -> u32 {
    path.metadata().expect("it is there").permissions().mode() & 0o777
}

#[test]
fn s_store_16_what_is_recorded_is_sealed_and_comes_out_again() {
    let (home, records, key) = profile();
    let mut writer = writer(&records, Some(&key), (3, 1000));
    assert!(!records.folder().exists(), "nothing before the first piece");
    assert!(writer.append(b"canary-1\n").expect("it appends"));
    assert!(!writer.append(b"canary-2\n").expect("it appends"));
    let path = only(&records);
    assert_eq!((mode(records.folder()), mode(&path)), (0o700, 0o600));
    let bytes = fs::read(&path).expect("it reads");
    assert!(!bytes.windows(6).any(|window| window == b"canary"));
    let text = exported(&home, &records, &key).expect("it opens");
    assert_eq!(text, "begin\ncanary-1\ncanary-2\n");

    // Neither with another key, nor with that of another kind.
    let other = DatabaseKey::from_bytes(&[8; 32]);
    assert!(exported(&home, &records, &other).is_err());
    let files = records.list(RecordKind::Log);
    let to = home.path().join("out");
    assert!(Records::export(&files, &key.record_key(RecordKind::Stanzas), &to).is_err());
    assert!(!to.exists());
    fs::write(&to, "mine").expect("it writes");
    assert!(exported(&home, &records, &key).is_err());
}

#[test]
fn a_record_is_read_up_to_the_last_whole_piece_after_a_crash() {
    let (home, records, key) = profile();
    let mut writer = writer(&records, Some(&key), (3, 10_000));
    for piece in ["one\n", "two\n", "three\n"] {
        writer.append(piece.as_bytes()).expect("it appends");
    }
    let path = only(&records);
    let whole = fs::read(&path).expect("it reads");
    let mut seen = Vec::new();
    for cut in 0..=whole.len() {
        fs::write(&path, &whole[..cut]).expect("it writes");
        let text = exported(&home, &records, &key).expect("it opens");
        assert!(
            "begin\none\ntwo\nthree\n".starts_with(&text),
            "{cut}: {text}"
        );
        seen.push(text);
    }
    seen.dedup();
    assert_eq!(seen.len(), 5);
    for at in 0..whole.len() {
        let mut bent = whole.clone();
        bent[at] ^= 1;
        fs::write(&path, &bent).expect("it writes");
        // A bent length may look like a cut; never is anything else read.
        if let Ok(text) = exported(&home, &records, &key) {
            assert!(
                "begin\none\ntwo\nthree\n".starts_with(&text),
                "{at}: {text}"
            );
            assert_ne!(text, "begin\none\ntwo\nthree\n", "{at}");
        }
    }
}

#[test]
fn files_are_bounded_in_size_and_number_and_the_newest_stay() {
    let (home, records, key) = profile();
    let mut writer = writer(&records, Some(&key), (3, 400));
    for number in 0..40 {
        writer
            .append(format!("{number:03} {}\n", "x".repeat(60)).as_bytes())
            .expect("it appends");
    }
    let files = records.list(RecordKind::Log);
    assert_eq!(files.len(), 3);
    assert!(files.iter().all(|file| file.bytes <= 400), "{files:?}");
    let text = exported(&home, &records, &key).expect("it opens");
    assert!(text.contains("039") && !text.contains("000"), "{text}");
    // Another run does not write into what an earlier one wrote.
    let before = fs::read(&files[2].path).expect("it reads");
    let mut next = super::tests::writer(&records, Some(&key), (3, 400));
    next.append(b"next\n").expect("it appends");
    assert_eq!(fs::read(&files[2].path).expect("it reads"), before);
    assert_eq!(records.list(RecordKind::Log).len(), 3);
}

#[test]
fn plain_files_are_plain_and_removed_with_the_others() {
    let (_home, records, key) = profile();
    writer(&records, None, (5, 1000))
        .append(b"plain\n")
        .expect("it appends");
    writer(&records, Some(&key), (5, 1000))
        .append(b"sealed\n")
        .expect("it appends");
    fs::write(records.folder().join("log-x.txt"), "of the person").expect("it writes");
    fs::write(records.folder().join("stanzas-1.pcapng"), "another kind").expect("it writes");
    let files = records.list(RecordKind::Log);
    assert_eq!(
        files
            .iter()
            .map(|file| (file.number, file.sealed))
            .collect::<Vec<_>>(),
        [(1, false), (2, true)]
    );
    assert_eq!(
        fs::read(&files[0].path).expect("it reads"),
        b"begin\nplain\n"
    );
    Records::remove(files).expect("they go");
    assert!(records.list(RecordKind::Log).is_empty());
    assert_eq!(records.list(RecordKind::Stanzas).len(), 1);
    assert!(records.folder().join("log-x.txt").exists());
}

#[test]
fn a_record_that_cannot_be_written_stops_and_says_so() {
    let (_home, records, key) = profile();
    // A file where the folder should be.
    fs::write(records.folder(), "in the way").expect("it writes");
    let shared = SharedRecord::new(writer(&records, Some(&key), (3, 1000)));
    shared.append(b"one\n");
    assert!(shared.failure().is_some());
    fs::remove_file(records.folder()).expect("it goes");
    shared.append(b"two\n");
    assert!(!records.folder().exists(), "it has stopped");

    let shared = SharedRecord::new(writer(&records, Some(&key), (3, 1000)));
    shared.append(b"one\n");
    let length = records.list(RecordKind::Log)[0].bytes;
    shared.stop();
    shared.append(b"two\n");
    assert_eq!(records.list(RecordKind::Log)[0].bytes, length);
    assert_eq!(shared.failure(), None);
}
