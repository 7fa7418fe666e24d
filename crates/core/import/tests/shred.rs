//! S-STORE-15: the originals are read only, and removed only when that is asked for, and only what was read.
#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use common::{copy, found, with};
use sotto_import::{Kept, Program, Shredder, SourceFile};

fn all_files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("it reads") {
        let path = entry.expect("it reads").path();
        if path.is_dir() {
            files.extend(all_files(&path));
        } else {
            files.push((path.clone(), fs::read(&path).expect("it reads")));
        }
    }
    files.sort();
    files
}

fn whole(root: &Path, peer: &str) -> Vec<SourceFile> {
    let found = found(Program::Jitsi, root, Some("swordfish"));
    let mut reader = with(&found, peer).open();
    while reader.next_message().is_some() {}
    reader.take_whole()
}

#[test]
fn s_store_15_looking_and_reading_changes_nothing() {
    for (program, name) in [
        (Program::Jitsi, "jitsi-2.8"),
        (Program::Pidgin, "pidgin-2.14"),
    ] {
        let (_home, root) = copy(name);
        let before = all_files(&root);
        let found = found(program, &root, None);
        for conversation in &found.conversations {
            common::messages(conversation);
        }
        assert_eq!(all_files(&root), before);
    }
}

#[test]
fn s_store_15_exactly_what_was_read_is_overwritten_and_removed() {
    let (_home, root) = copy("jitsi-2.8");
    let files = whole(&root, "leila@example.org");
    assert_eq!(files.len(), 2);
    let before = all_files(&root).len();
    let folder = files
        .first()
        .and_then(|f| f.path().parent())
        .map(Path::to_owned);
    // A second handle sees what was written before the name went.
    let handle = fs::File::open(files.first().map(SourceFile::path).expect("a file"));
    let mut shredder = Shredder::new(root.clone(), files);
    assert!(shredder.step(1, u64::MAX));
    assert!(!shredder.step(10, u64::MAX));
    assert_eq!((shredder.removed(), shredder.kept().len()), (2, 0));
    assert_eq!(
        handle
            .expect("it opened")
            .metadata()
            .expect("it is open")
            .len(),
        0
    );
    // Both files, and the description of their fields, with the folder that named the contact.
    assert_eq!(all_files(&root).len(), before - 3);
    assert!(!folder.expect("a folder").exists());
}

#[test]
fn s_store_15_a_file_that_was_written_to_meanwhile_stays() {
    let (_home, root) = copy("jitsi-2.8");
    let files = whole(&root, "leila@example.org");
    let changed = files.first().expect("a file").path().to_owned();
    fs::write(&changed, "something new that nobody took over").expect("it writes");
    let mut shredder = Shredder::new(root, files);
    shredder.step(10, u64::MAX);
    assert_eq!(shredder.removed(), 1);
    assert_eq!(shredder.kept(), [(changed.clone(), Kept::Changed)]);
    assert!(
        fs::read_to_string(changed)
            .expect("it is there")
            .starts_with("something new")
    );
}

#[test]
fn s_store_15_no_link_leads_out_of_the_folder() {
    let (home, root) = copy("jitsi-2.8");
    let outside = home.path().join("outside");
    fs::create_dir(&outside).expect("a folder");
    let precious = outside.join("1395408742500.xml");

    // A link among the files, and one in place of a folder: not looked at.
    let files = whole(&root, "leila@example.org");
    let original = files.first().expect("a file").path().to_owned();
    fs::copy(&original, &precious).expect("it copies");
    let folder = original.parent().expect("a folder").to_owned();
    symlink(&precious, folder.join("1.xml")).expect("a link");
    symlink(
        &outside,
        folder.parent().expect("a folder").join("eve@example.org"),
    )
    .expect("a link");
    let again = found(Program::Jitsi, &root, Some("swordfish"));
    assert_eq!(again.conversations.len(), 3);
    assert_eq!(with(&again, "leila@example.org").messages, 7);
    assert!(
        again
            .problems
            .contains(&sotto_import::Problem::Links { count: 2 })
    );

    // The file became a link, or another name of a file, after it was read.
    let words = fs::read(&precious).expect("it reads");
    fs::remove_file(&original).expect("it goes");
    symlink(&precious, &original).expect("a link");
    let mut shredder = Shredder::new(root.clone(), files.clone());
    shredder.step(1, u64::MAX);
    assert_eq!(shredder.removed(), 0);
    assert_eq!(fs::read(&precious).expect("it is there"), words);

    // Its folder became one.
    fs::rename(&folder, home.path().join("moved")).expect("it moves");
    symlink(home.path().join("moved"), &folder).expect("a link");
    let mut shredder = Shredder::new(root, files);
    shredder.step(10, u64::MAX);
    assert_eq!(shredder.removed(), 0);
    assert!(shredder.kept().iter().all(|(_, why)| *why == Kept::Outside));
}

#[test]
fn s_store_15_a_file_with_a_second_name_stays() {
    let (home, root) = copy("jitsi-2.8");
    let files = whole(&root, "leila@example.org");
    let original = files.first().expect("a file").path().to_owned();
    let second = home.path().join("second");
    fs::hard_link(&original, &second).expect("a second name");
    let words = fs::read(&second).expect("it reads");
    let mut shredder = Shredder::new(root, files);
    shredder.step(10, u64::MAX);
    assert_eq!(shredder.kept(), [(original, Kept::SecondName)]);
    assert_eq!(fs::read(&second).expect("it is there"), words);
}

#[test]
fn a_pipe_in_the_folder_is_not_waited_for() {
    let (_home, root) = copy("pidgin-2.14");
    let log =
        root.join("logs/jabber/sara@example.org/leila@example.org/2014-03-24.090000+0100CET.txt");
    let made = std::process::Command::new("mkfifo").arg(&log).status();
    assert!(made.expect("mkfifo is there").success());
    assert_eq!(found(Program::Pidgin, &root, None).messages, 12);
}
