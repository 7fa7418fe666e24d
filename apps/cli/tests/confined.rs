//! What `sotto-cli rpc` may change besides its profile (S-PROC-02).
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Answers to a profile's making and its backup, and what the system says of the process.
fn backed_up(around: &Path, arguments: &[&str]) -> (Vec<String>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sotto-cli"))
        .arg("--profile")
        .arg(around.join("profile"))
        .arg("rpc")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("a pipe");
    let file = around.join("copies/backup");
    let file = file.display();
    let requests = [
        r#"{"id":1,"method":"profile_create","params":{"protection":{"kind":"passphrase","passphrase":"p"}}}"#.to_owned(),
        format!(r#"{{"id":2,"method":"profile_back_up","params":{{"current":"p","file":"{file}","passphrase":"q"}}}}"#),
    ];
    let output = child.stdout.take().expect("a pipe");
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let mut answers = Vec::new();
    for request in requests {
        writeln!(input, "{request}").expect("it reads");
        answers.extend(lines.find(|line| line.starts_with(r#"{"id""#)));
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    drop(input);
    assert!(child.wait().expect("it ends").success());
    (answers, status.expect("it runs"))
}

#[test]
fn s_proc_02_rpc_writes_to_its_profile_and_to_the_folders_that_are_named() {
    let around = sotto_testkit::profile::TempProfile::new().expect("a folder");
    let around = around.around();
    let copies = around.join("copies");
    std::fs::create_dir_all(&copies).expect("a folder");

    let (answers, status) = backed_up(around, &[]);
    assert!(answers[0].contains(r#""ok""#), "{answers:?}");
    assert!(answers[1].contains(r#""error""#), "{answers:?}");
    assert!(!answers[1].contains("wrong_passphrase"), "{answers:?}");
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    assert!(!copies.join("backup").exists());

    std::fs::remove_dir_all(around.join("profile")).expect("it goes");
    let copies = copies.display().to_string();
    let (answers, _) = backed_up(around, &["--write", &copies]);
    assert!(answers[0].contains(r#""ok""#), "{answers:?}");
    assert!(answers[1].contains(r#""ok""#), "{answers:?}");
    assert!(around.join("copies/backup").exists());
}

#[test]
fn a_folder_that_is_not_there_is_said_and_nothing_is_started() {
    let around = sotto_testkit::profile::TempProfile::new().expect("a folder");
    let ended = Command::new(env!("CARGO_BIN_EXE_sotto-cli"))
        .arg("--profile")
        .arg(around.path())
        .args(["rpc", "--write", "/nonexistent/folder"])
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    assert!(!ended.status.success());
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(said.contains("a folder to write to"), "{said}");
}
