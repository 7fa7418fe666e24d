use std::cell::Cell;
use std::os::unix::fs::symlink;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

thread_local! {
    /// How many crash points to pass before the plug is pulled; absent: never.
    static FUSE: Cell<Option<usize>> = const { Cell::new(None) };
}

thread_local! {
    /// The folder's names do not reach the medium.
    static UNSYNCED: Cell<bool> = const { Cell::new(false) };
}

pub(super) fn sync_point() -> io::Result<()> {
    if UNSYNCED.get() {
        return Err(io::Error::other("the medium is gone"));
    }
    Ok(())
}

/// Runs work on a medium on which names change and are not made to last.
pub(crate) fn unsynced<T>(work: impl FnOnce() -> T) -> T {
    UNSYNCED.set(true);
    let result = work();
    UNSYNCED.set(false);
    result
}

/// Thrown where the process would have died.
struct Crash;

pub(super) fn crash_point(_name: &'static str) {
    FUSE.with(|fuse| match fuse.get() {
        Some(0) => {
            fuse.set(None);
            std::panic::resume_unwind(Box::new(Crash));
        }
        Some(left) => fuse.set(Some(left - 1)),
        None => {}
    });
}

/// Runs work that dies at its `n`th crash point. Whether it got that far.
pub(crate) fn crash_at<T>(n: usize, work: impl FnOnce() -> T) -> bool {
    FUSE.with(|fuse| fuse.set(Some(n)));
    let end = catch_unwind(AssertUnwindSafe(work));
    FUSE.with(|fuse| fuse.set(None));
    match end {
        Ok(_) => false,
        Err(reason) if reason.is::<Crash>() => true,
        Err(reason) => std::panic::resume_unwind(reason),
    }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("it is there").mode() & 0o777
}

fn reason(error: StoreError) -> &'static str {
    match error {
        StoreError::Unsafe { reason, .. } => reason,
        other => panic!("another error: {other}"),
    }
}

/// The umask belongs to the process, so that each case runs this test again in one of its own.
#[test]
fn s_store_06_folder_and_files_are_ours_alone_whatever_the_umask() {
    const FOLDER: &str = "SOTTO_TEST_UMASK_FOLDER";
    if let Some(path) = std::env::var_os(FOLDER) {
        let profile = ProfileDir::open(Path::new(&path)).expect("a profile");
        let _lock = profile.lock().expect("it locks");
        profile
            .replace_file("profile.key", b"{}")
            .expect("it writes");
        profile.prepare_file(STORE_FILE).expect("it prepares");
        return;
    }
    let home = tempfile::tempdir().expect("a folder");
    for mask in ["000", "022", "377"] {
        let path = home.path().join(mask);
        let done = std::process::Command::new("sh")
            .args(["-c", "umask \"$1\"; shift; exec \"$@\"", "sh", mask])
            .arg(std::env::current_exe().expect("this program"))
            .args([
                "--exact",
                "profile::tests::s_store_06_folder_and_files_are_ours_alone_whatever_the_umask",
            ])
            .env(FOLDER, &path)
            .output()
            .expect("it runs");
        assert!(
            done.status.success(),
            "{mask}: {}",
            String::from_utf8_lossy(&done.stdout)
        );
        assert_eq!(mode(&path), 0o700, "{mask}");
        for file in ["lock", "profile.key", STORE_FILE] {
            assert_eq!(mode(&path.join(file)), 0o600, "{mask}: {file}");
        }
    }
}

#[test]
fn s_store_06_what_is_open_to_others_is_closed() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("profile");
    fs::create_dir(&path).expect("it makes");
    fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("it sets");
    fs::write(path.join(STORE_FILE), b"").expect("it writes");
    fs::set_permissions(path.join(STORE_FILE), Permissions::from_mode(0o666)).expect("it sets");
    let profile = ProfileDir::open(&path).expect("it opens");
    profile.prepare_file(STORE_FILE).expect("it prepares");
    assert_eq!((mode(&path), mode(&path.join(STORE_FILE))), (0o700, 0o600));
}

#[test]
fn s_store_06_links_are_refused() {
    let home = tempfile::tempdir().expect("a folder");
    let real = home.path().join("real");
    let profile = ProfileDir::open(&real).expect("it opens");
    let link = home.path().join("link");
    symlink(&real, &link).expect("it links");
    assert_eq!(
        reason(ProfileDir::open(&link).expect_err("refused")),
        "it is a link"
    );

    let outside = home.path().join("outside");
    fs::write(&outside, b"theirs").expect("it writes");
    for name in ["lock", "profile.key", STORE_FILE, "store.db-wal"] {
        let file = real.join(name);
        symlink(&outside, &file).expect("it links");
        let found = profile.check_file(name).expect_err("refused");
        assert_eq!(reason(found), "it is a link or not a plain file");
        assert!(profile.replace_file(name, b"x").is_err());
        fs::remove_file(&file).expect("it removes");
        fs::hard_link(&outside, &file).expect("it links");
        let found = profile.check_file(name).expect_err("refused");
        assert_eq!(reason(found), "it has a second name elsewhere");
        fs::remove_file(&file).expect("it removes");
    }
    assert_eq!(fs::read(&outside).expect("it reads"), b"theirs");
    let plain = home.path().join("plain");
    fs::write(&plain, b"").expect("it writes");
    assert_eq!(
        reason(ProfileDir::open(&plain).expect_err("refused")),
        "it is not a folder"
    );
}

#[test]
fn s_store_06_what_belongs_to_somebody_else_is_refused() {
    if !rustix::process::geteuid().is_root() {
        return; // Only root can make such a folder.
    }
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("profile");
    let profile = ProfileDir::open(&path).expect("it opens");
    fs::write(path.join(STORE_FILE), b"").expect("it writes");
    std::os::unix::fs::chown(path.join(STORE_FILE), Some(12345), None).expect("it gives away");
    let found = profile.check_file(STORE_FILE).expect_err("refused");
    assert_eq!(reason(found), "it belongs to somebody else");
    std::os::unix::fs::chown(&path, Some(12345), None).expect("it gives away");
    let found = ProfileDir::open(&path).expect_err("refused");
    assert_eq!(reason(found), "it belongs to somebody else");
}

#[test]
fn a_replaced_file_is_the_old_or_the_new_one_after_a_crash() {
    let home = tempfile::tempdir().expect("a folder");
    let profile = ProfileDir::open(&home.path().join("profile")).expect("it opens");
    profile.replace_file("f", b"old").expect("it writes");
    let mut seen = Vec::new();
    for n in 0.. {
        let crashed = crash_at(n, || profile.replace_file("f", b"new").expect("it writes"));
        seen.push(
            profile
                .read_file("f", 10)
                .expect("it reads")
                .expect("it is there"),
        );
        profile.replace_file("f", b"old").expect("it recovers");
        if !crashed {
            break;
        }
    }
    assert_eq!(seen, [&b"old"[..], b"old", b"old", b"new", b"new"]);
}

#[test]
fn a_profile_has_one_owner_at_a_time() {
    let home = tempfile::tempdir().expect("a folder");
    let profile = ProfileDir::open(&home.path().join("profile")).expect("it opens");
    let lock = profile.lock().expect("it locks");
    assert!(matches!(profile.lock(), Err(StoreError::InUse)));
    drop(lock);
    profile.lock().expect("it locks again");
}
