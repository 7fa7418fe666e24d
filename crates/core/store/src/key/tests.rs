use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use sotto_api::view::ProtectionKind;
use sotto_api::{Protection, Secret};
use tempfile::TempDir;

use super::cost::{Cost, Pace};
use super::*;
use crate::profile::ProfileDir;
use crate::profile::tests::{crash_at, unsynced};

/// Quick enough to be run a few hundred times; everything else is as in earnest.
const CHEAP: Cost = Cost {
    memory_kib: 64,
    passes: 1,
    lanes: 1,
};

/// A machine on which [`CHEAP`] is dear enough.
pub(crate) const SLOW: Pace = Pace {
    least: CHEAP,
    spent: |_, _| Duration::from_secs(1),
};
/// One that needs eight passes (360 ms of 49 ms each, rounded up) for what the slow one does in one.
const QUICK: Pace = Pace {
    least: CHEAP,
    spent: |cost, _| Duration::from_millis(49) * cost.passes,
};

fn profile() -> (TempDir, ProfileDir) {
    let home = tempfile::tempdir().expect("a folder");
    let profile = ProfileDir::open(&home.path().join("profile")).expect("it opens");
    (home, profile)
}

fn secret(text: &str) -> Secret {
    Secret::new(text.into())
}

fn passphrase(text: &str) -> Protection {
    Protection::Passphrase {
        passphrase: secret(text),
    }
}

fn create(profile: &ProfileDir, protection: Protection) -> DatabaseKey {
    let mut job = KeyFile::create_job(profile, protection);
    job.pace = SLOW;
    job.run().expect("it makes").1
}

fn protect(
    profile: &ProfileDir,
    current: Option<&str>,
    protection: Protection,
) -> Result<KeyFile, KeyError> {
    let file = KeyFile::load(profile)?.expect("a key file");
    let mut job = file.protect_job(profile, current.map(secret), protection);
    job.pace = SLOW;
    job.run()
}

fn unlock(profile: &ProfileDir, with: Option<&str>) -> Result<DatabaseKey, KeyError> {
    let file = KeyFile::load(profile)?.expect("a key file");
    let mut job = file.unlock_job(profile, with.map(secret));
    job.pace = SLOW;
    job.run().map(|(_, key)| key)
}

fn key_path(profile: &ProfileDir) -> std::path::PathBuf {
    profile.path().join("profile.key")
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path).expect("it reads")).expect("it parses")
}

#[test]
fn s_store_01_a_guess_costs_argon2id_with_64_mib_and_three_passes() {
    let (_home, profile) = profile();
    let (file, key) = KeyFile::create_job(&profile, passphrase("correct"))
        .run()
        .expect("it makes");
    let slot = &json(&key_path(&profile))["slots"][0];
    assert_eq!(slot["kdf"], "argon2id");
    assert!(slot["memory_kib"].as_u64() >= Some(65_536), "{slot}");
    assert!(slot["passes"].as_u64() >= Some(3), "{slot}");
    assert_eq!(
        slot["salt"].as_str().map(str::len),
        Some(24),
        "16 bytes in Base64"
    );
    assert_eq!(file.protection(), ProtectionKind::Passphrase);

    let start = Instant::now();
    let wrong = file.unlock_job(&profile, Some(secret("wrong"))).run();
    let spent = start.elapsed();
    assert!(matches!(wrong, Err(KeyError::WrongPassphrase)), "{wrong:?}");
    let opened = file
        .unlock_job(&profile, Some(secret("correct")))
        .run()
        .expect("it opens")
        .1;
    assert_eq!(opened.expose(), key.expose());
    // Not a benchmark: only that nothing was skipped. The cost itself is checked above.
    assert!(spent.as_millis() > 20, "{spent:?}");
}

fn passes(profile: &ProfileDir) -> u64 {
    json(&key_path(profile))["slots"][0]["passes"]
        .as_u64()
        .expect("a number")
}

#[test]
fn s_store_01_a_new_passphrase_is_fitted_to_the_machine() {
    let (_home, profile) = profile();
    let mut job = KeyFile::create_job(&profile, passphrase("first"));
    job.pace = QUICK;
    let key = job.run().expect("it makes").1;
    assert_eq!(passes(&profile), 8);

    let file = KeyFile::load(&profile).expect("it loads").expect("a file");
    let mut job = file.protect_job(&profile, Some(secret("first")), passphrase("second"));
    job.pace = QUICK;
    job.run().expect("it changes");
    assert_eq!(passes(&profile), 8);
    let opened = unlock(&profile, Some("second")).expect("it opens");
    assert_eq!(opened.expose(), key.expose());
    assert_eq!(passes(&profile), 8, "a slower machine does not lower it");
}

#[test]
fn s_store_01_a_slot_that_became_cheap_is_raised_by_the_right_passphrase_only() {
    let (_home, profile) = profile();
    let key = create(&profile, passphrase("correct"));
    assert_eq!(passes(&profile), 1);
    let try_with = |guess: &str| {
        let file = KeyFile::load(&profile).expect("it loads").expect("a file");
        let mut job = file.unlock_job(&profile, Some(secret(guess)));
        job.pace = QUICK;
        job.run()
    };
    let before = fs::read(key_path(&profile)).expect("it reads");
    assert!(matches!(try_with("wrong"), Err(KeyError::WrongPassphrase)));
    assert_eq!(fs::read(key_path(&profile)).expect("it reads"), before);

    let (raised, opened) = try_with("correct").expect("it opens");
    assert_eq!(opened.expose(), key.expose());
    assert_eq!(passes(&profile), 8);
    assert_eq!(raised, KeyFile::load(&profile).expect("it loads"));

    let (again, opened) = try_with("correct").expect("it opens");
    assert_eq!(opened.expose(), key.expose());
    assert_eq!(again, None, "it is dear enough now");
}

#[test]
fn s_store_03_a_crash_while_a_slot_is_raised_loses_nothing() {
    for n in 0.. {
        let (_home, profile) = profile();
        let key = create(&profile, passphrase("correct"));
        let crashed = crash_at(n, || {
            let file = KeyFile::load(&profile).expect("it loads").expect("a file");
            let mut job = file.unlock_job(&profile, Some(secret("correct")));
            job.pace = QUICK;
            job.run().expect("it opens");
        });
        let opened = unlock(&profile, Some("correct")).expect("it opens");
        assert_eq!(opened.expose(), key.expose(), "at {n}");
        if !crashed {
            assert!(n >= 8, "{n} places to crash at");
            break;
        }
    }
}

#[test]
fn s_store_01_every_profile_and_every_change_has_a_salt_of_its_own() {
    let mut salts = std::collections::HashSet::new();
    for _ in 0..5 {
        let (_home, profile) = profile();
        create(&profile, passphrase("same"));
        salts.insert(json(&key_path(&profile))["slots"][0]["salt"].to_string());
        protect(&profile, Some("same"), passphrase("same")).expect("it changes");
        salts.insert(json(&key_path(&profile))["slots"][0]["salt"].to_string());
    }
    assert_eq!(salts.len(), 10);
}

#[test]
fn s_store_02_a_flipped_bit_in_the_key_file_never_gives_another_key() {
    let (_home, profile) = profile();
    let key = create(&profile, passphrase("correct"));
    let path = key_path(&profile);
    let copy = profile.path().join("profile.key.copy");
    let whole = fs::read(&path).expect("it reads");
    let mut refused = 0;
    for at in 0..whole.len() {
        for bit in [0, 2, 5] {
            let mut bent = whole.clone();
            bent[at] ^= 1 << bit;
            fs::write(&path, &bent).expect("it writes");
            fs::write(&copy, &bent).expect("it writes");
            match unlock(&profile, Some("correct")) {
                // White space, or the case of a hexadecimal digit's neighbour: read as before.
                Ok(opened) => assert_eq!(opened.expose(), key.expose(), "byte {at} bit {bit}"),
                Err(KeyError::Damaged { .. } | KeyError::Newer { .. }) => refused += 1,
                Err(other) => panic!("byte {at} bit {bit}: {other}"),
            }
        }
    }
    // All but white space that became other white space.
    assert!(
        refused * 10 > whole.len() * 3 * 9,
        "{refused} of {}",
        whole.len() * 3
    );
}

#[test]
fn s_store_02_parameters_are_bound_to_the_key() {
    let (_home, profile) = profile();
    create(&profile, passphrase("correct"));
    let mut file = KeyFile::load(&profile)
        .expect("it loads")
        .expect("a key file");
    // Somebody who writes a fitting check as well.
    file.slot.wrapping = super::slot::Wrapping::passphrase(CHEAP).expect("another salt");
    file.save(&profile).expect("it saves");
    let opened = unlock(&profile, Some("correct"));
    assert!(
        matches!(opened, Err(KeyError::WrongPassphrase)),
        "{opened:?}"
    );
    if let super::slot::Wrapping::Passphrase { cost, .. } = &mut file.slot.wrapping {
        cost.memory_kib = u32::MAX;
    }
    file.save(&profile).expect("it saves");
    let opened = unlock(&profile, Some("correct"));
    assert!(
        matches!(opened, Err(KeyError::Damaged { .. })),
        "{opened:?}"
    );
}

#[test]
fn s_store_02_a_damaged_key_file_is_mended_from_its_copy() {
    let (_home, profile) = profile();
    let key = create(&profile, passphrase("correct"));
    let path = key_path(&profile);
    let whole = fs::read(&path).expect("it reads");
    for damage in [
        &b""[..],
        b"{\"version\":1}",
        &whole[..whole.len() / 2],
        &[0xff; 700],
    ] {
        fs::write(&path, damage).expect("it writes");
        let opened = unlock(&profile, Some("correct")).expect("it opens by the copy");
        assert_eq!(opened.expose(), key.expose());
        assert_eq!(fs::read(&path).expect("it reads"), whole);
    }
    fs::remove_file(&path).expect("it removes");
    unlock(&profile, Some("correct")).expect("it opens by the copy");
    assert_eq!(fs::read(&path).expect("it reads"), whole);
}

#[test]
fn s_store_03_after_a_crash_the_old_way_or_the_new_one_opens() {
    type Way = (fn() -> Protection, Option<&'static str>);
    let ways: [Way; 3] = [
        (|| passphrase("first"), Some("first")),
        (|| passphrase("second"), Some("second")),
        (|| Protection::None, None),
    ];
    let mut crashes = 0;
    for (from, old) in &ways {
        for (to, new) in &ways {
            for n in 0.. {
                let (_home, profile) = profile();
                let key = create(&profile, from());
                let crashed = crash_at(n, || protect(&profile, *old, to()).expect("it changes"));
                let opened = unlock(&profile, *new).or_else(|_| unlock(&profile, *old));
                let opened = opened.unwrap_or_else(|error| panic!("neither, at {n}: {error}"));
                assert_eq!(opened.expose(), key.expose());
                // And it can be changed again, to an end, after which only the new way opens.
                let now = if unlock(&profile, *new).is_ok() {
                    new
                } else {
                    old
                };
                protect(&profile, *now, passphrase("third")).expect("it changes");
                let opened = unlock(&profile, Some("third")).expect("it opens");
                assert_eq!(opened.expose(), key.expose());
                let (old_way, new_way) = (unlock(&profile, *old), unlock(&profile, *new));
                assert!(old_way.is_err() && new_way.is_err());
                if !crashed {
                    break;
                }
                crashes += 1;
            }
        }
    }
    assert!(crashes >= 60, "{crashes} places to crash at");
}

#[test]
fn s_store_03_a_change_that_took_hold_is_not_reported_as_failed() {
    let (_home, profile) = profile();
    let key = create(&profile, passphrase("first"));
    let changed = unsynced(|| protect(&profile, Some("first"), passphrase("second")));
    changed.expect("the new key file is in place");
    let opened = unlock(&profile, Some("second")).expect("as it was reported");
    assert_eq!(opened.expose(), key.expose());
    unlock(&profile, Some("first")).expect_err("no longer");
}

#[test]
fn s_store_03_a_copy_that_cannot_be_written_keeps_no_old_passphrase() {
    let (_home, profile) = profile();
    create(&profile, passphrase("first"));
    let old = fs::read(key_path(&profile)).expect("it reads");
    // Something stands where the new copy would be written.
    let blocked = profile.path().join("profile.key.copy.new");
    fs::create_dir(&blocked).expect("it makes");
    protect(&profile, Some("first"), passphrase("second")).expect("the key file is changed");
    assert!(!profile.path().join("profile.key.copy").exists());
    let new = fs::read(key_path(&profile)).expect("it reads");
    assert_ne!(new, old);
    fs::remove_dir(&blocked).expect("it removes");
    unlock(&profile, Some("second")).expect("it opens");
    let copy = fs::read(profile.path().join("profile.key.copy")).expect("the next start wrote it");
    assert_eq!(copy, new);
}

#[test]
fn s_store_05_the_secret_of_a_profile_without_a_passphrase_goes_when_it_gets_one() {
    let (_home, profile) = profile();
    create(&profile, Protection::None);
    let secret = profile.path().join("profile.secret");
    let bytes = fs::read(&secret).expect("without a keyring it is a file");
    protect(&profile, None, passphrase("first")).expect("it changes");
    assert!(!secret.exists());
    // Left behind by a crash, it goes with the next unlocking.
    fs::write(&secret, &bytes).expect("it writes");
    // Held open, one sees what was done to its blocks.
    let left = fs::File::open(&secret).expect("it opens");
    unlock(&profile, Some("first")).expect("it opens");
    assert!(!secret.exists());
    let mut there = Vec::new();
    std::io::Read::read_to_end(&mut &left, &mut there).expect("it reads");
    assert_ne!(there, bytes, "it was written over first");
}

#[test]
fn s_store_07_one_file_that_resists_does_not_save_the_others() {
    let (_home, profile) = profile();
    create(&profile, Protection::None);
    let path = key_path(&profile);
    fs::remove_file(&path).expect("it removes");
    fs::create_dir(&path).expect("it makes");
    profile
        .destroy_key(None)
        .expect_err("one could not be written over");
    for name in ["profile.key.copy", "profile.secret"] {
        assert!(!profile.path().join(name).exists(), "{name}");
    }
}

#[test]
fn s_store_04_every_wrong_passphrase_is_told_in_the_same_words() {
    let (_home, profile) = profile();
    create(&profile, passphrase("correct horse"));
    let told: std::collections::HashSet<String> = [
        "correct",
        "Correct horse",
        "correct horse ",
        "x",
        "",
        "\u{0}",
        "ö",
    ]
    .into_iter()
    .map(|guess| {
        unlock(&profile, Some(guess))
            .expect_err("wrong")
            .to_string()
    })
    .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    let none = unlock(&profile, None);
    assert!(matches!(none, Err(KeyError::PassphraseNeeded)), "{none:?}");
}

#[test]
fn without_a_passphrase_the_key_lies_in_a_file_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (_home, profile) = profile();
    let key = create(&profile, Protection::None);
    let file = KeyFile::load(&profile)
        .expect("it loads")
        .expect("a key file");
    assert_eq!(file.protection(), ProtectionKind::KeyFile);
    let path = profile.path().join("profile.secret");
    let mode = fs::metadata(&path)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(
        unlock(&profile, None).expect("it opens").expose(),
        key.expose()
    );

    // The file does not hold the key itself, and is gone once there is a passphrase.
    let secret = fs::read(&path).expect("it reads");
    assert_ne!(secret.as_slice(), key.expose());
    protect(&profile, None, passphrase("now")).expect("it changes");
    assert!(!path.exists());
    assert_eq!(
        unlock(&profile, Some("now")).expect("it opens").expose(),
        key.expose()
    );

    // An old copy of the file opens nothing any more.
    fs::write(&path, secret).expect("it writes");
    assert!(unlock(&profile, None).is_err());
}

/// With a keyring and back, in one test, because the keyring of the tests is one for the process.
#[test]
fn s_store_14_a_keyring_is_used_where_there_is_one_and_its_loss_is_told() {
    use super::keyring::system::KEYRING;
    let keyring = || KEYRING.lock().expect("the keyring");
    let (_home, profile) = profile();
    *keyring() = Some(std::collections::HashMap::new());
    let key = create(&profile, Protection::None);
    let file = KeyFile::load(&profile)
        .expect("it loads")
        .expect("a key file");
    assert_eq!(file.protection(), ProtectionKind::Keyring);
    assert!(!profile.path().join("profile.secret").exists());
    assert_eq!(
        unlock(&profile, None).expect("it opens").expose(),
        key.expose()
    );

    let entries = keyring().take();
    let absent = unlock(&profile, None);
    assert!(
        matches!(absent, Err(KeyError::Keyring { .. })),
        "{absent:?}"
    );
    *keyring() = entries;
    protect(&profile, None, passphrase("now")).expect("it changes");
    assert_eq!(keyring().as_ref().map(|entries| entries.len()), Some(0));
    assert_eq!(
        unlock(&profile, Some("now")).expect("it opens").expose(),
        key.expose()
    );
    *keyring() = None;
}

#[test]
fn a_lost_secret_is_told_as_that() {
    let (_home, profile) = profile();
    create(&profile, Protection::None);
    fs::remove_file(profile.path().join("profile.secret")).expect("it removes");
    let opened = unlock(&profile, None);
    assert!(
        matches!(opened, Err(KeyError::SecretMissing { .. })),
        "{opened:?}"
    );
}

#[test]
fn a_second_profile_is_not_made_over_the_first() {
    let (_home, profile) = profile();
    let key = create(&profile, passphrase("correct"));
    let again = KeyFile::create_job(&profile, passphrase("other")).run();
    assert!(matches!(again, Err(KeyError::Exists)));
    assert_eq!(
        unlock(&profile, Some("correct"))
            .expect("it opens")
            .expose(),
        key.expose()
    );
}

#[test]
fn an_empty_passphrase_is_refused() {
    let (_home, profile) = profile();
    let made = KeyFile::create_job(&profile, passphrase("")).run();
    assert!(matches!(made, Err(KeyError::Empty)));
    assert!(KeyFile::load(&profile).expect("it loads").is_none());
}

#[test]
fn a_key_file_of_a_newer_version_is_refused_and_kept() {
    let (_home, profile) = profile();
    let newer = br#"{"sotto":"profile key","version":2,"quantum":true}"#;
    fs::write(key_path(&profile), newer).expect("it writes");
    let loaded = KeyFile::load(&profile);
    assert!(
        matches!(
            loaded,
            Err(KeyError::Newer {
                found: 2,
                supported: 1
            })
        ),
        "{loaded:?}"
    );
    assert_eq!(fs::read(key_path(&profile)).expect("it reads"), newer);
}

#[test]
fn jobs_can_be_run_on_another_thread() {
    fn send<T: Send>() {}
    send::<CreateJob>();
    send::<UnlockJob>();
    send::<ProtectJob>();
    send::<DatabaseKey>();
}

/// The same with real kills: a process that changes the passphrase to and fro, as fast as it can.
#[test]
fn s_store_03_after_a_kill_the_old_passphrase_or_the_new_one_opens() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    const FOLDER: &str = "SOTTO_TEST_FOLDER";
    const NAME: &str =
        "key::tests::s_store_03_after_a_kill_the_old_passphrase_or_the_new_one_opens";
    if let Some(folder) = std::env::var_os(FOLDER) {
        let profile = ProfileDir::open(Path::new(&folder)).expect("it opens");
        let (mut now, mut next) = ("first", "second");
        if unlock(&profile, Some(now)).is_err() {
            (now, next) = (next, now);
        }
        println!("begin");
        loop {
            protect(&profile, Some(now), passphrase(next)).expect("it changes");
            (now, next) = (next, now);
        }
    }
    let (_home, profile) = profile();
    let key = create(&profile, passphrase("first"));
    let kills = std::env::var("SOTTO_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(40);
    for kill in 0..kills {
        let mut changer = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", NAME, "--nocapture", "--test-threads=1"])
            .env(FOLDER, profile.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let output = BufReader::new(changer.stdout.take().expect("its output"));
        output
            .lines()
            .map_while(Result::ok)
            .find(|line| line.ends_with("begin"))
            .expect("begun");
        std::thread::sleep(std::time::Duration::from_micros(kill * 137 % 9_000));
        changer.kill().expect("it is killed");
        changer.wait().expect("it ended");
        let opened = unlock(&profile, Some("first")).or_else(|_| unlock(&profile, Some("second")));
        assert_eq!(
            opened.expect("one of them opens").expose(),
            key.expose(),
            "kill {kill}"
        );
    }
}
