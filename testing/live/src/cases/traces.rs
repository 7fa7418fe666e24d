//! G-11: what a used profile leaves on the disk, and a locked one in memory: none of 200 canaries.

use std::path::Path;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use sotto_api::view::{Availability, Recording, Settings};
use sotto_api::{Protection, Reply, Request, Secret};
use sotto_testkit::memory::{Hidden, occurrences};
use sotto_testkit::rpc::{Failure, Program, Rpc, Step};
use tempfile::TempDir;

use super::{BOTH, Case, case, ensure, same};
use crate::sotto::{LATER, SOON, Sotto, befriend};
use crate::world::World;

/// What every canary begins with. Nothing else does.
const MARK: &str = "kanarienvogel";
/// Of each kind; with those that stand alone, more than 200.
const EACH: usize = 50;

pub(super) fn cases() -> Vec<Case> {
    vec![case(
        "g_11 s_store_05 s_store_08: a used, killed and locked profile leaves no canary on disk or in memory",
        BOTH,
        traces,
    )]
}

fn traces(world: &World<'_>) -> Step {
    let home = tempfile::tempdir()?;
    let mut canaries = Canaries::default();
    let password = canaries.next();
    let name = world.name("traces");
    world.server.add_account(&name, &password)?;
    let address = format!("{name}@{}", world.server.domain);

    let program = program(world, &home)?;
    let passphrase = canaries.next();
    let mut sotto = Sotto::start(&program, "sotto")?;
    sotto.ask(Request::ProfileProtect {
        current: Some(Secret::new(crate::sotto::PASSPHRASE.to_owned())),
        protection: Protection::Passphrase {
            passphrase: Secret::new(passphrase.clone()),
        },
    })?;
    sotto.sign_in(&address, &password, world.server.by_starttls())?;
    let mut leila = world.signed_in("leila")?;
    befriend(&mut sotto, &mut leila)?;
    let picture = show_picture(&mut sotto, &mut leila)?;
    use_it(&mut sotto, &mut leila, &mut canaries)?;
    ensure(canaries.0 >= 200, || {
        format!("only {} canaries", canaries.0)
    })?;

    // Killed while it writes, and crashed.
    let conversation = sotto.talk_to(&leila.address())?;
    let folder = sotto.profile();
    for (how, signal) in [("a kill", Signal::KILL), ("a crash", Signal::ABORT)] {
        for _ in 0..5 {
            let body = canaries.next();
            sotto
                .rpc()?
                .send(Request::MessageSend { conversation, body })?;
        }
        end_by(&mut sotto, signal)?;
        clean(&format!("after {how}"), &[&folder, home.path()], &picture)?;
        sotto.again_with(&passphrase)?;
        let account = sotto.account()?;
        sotto.online(account)?;
    }
    sotto.kill();

    // In use again, then locked.
    let mut rpc = Rpc::start(&program, &folder, "sotto again")?;
    unlock(&mut rpc, &passphrase)?;
    let history = page(&mut rpc, conversation)?;
    ensure(history.len() >= 2 * EACH, || {
        format!("only {} messages", history.len())
    })?;
    let hidden = [Hidden::new(MARK.as_bytes())];
    let open = look(&rpc, &hidden)?;
    ensure(open > 0, || {
        "the test does not find what is in memory".to_owned()
    })?;
    rpc.take_events();
    rpc.request(Request::ProfileLock {})?;
    let locked = look(&rpc, &hidden)?;
    ensure(locked == 0, || {
        format!("{locked} canaries in the memory of the locked process, {open} before")
    })?;
    clean("while it is locked", &[&folder, home.path()], &picture)?;

    // Whoever opens it has everything, also what was said meanwhile.
    let meanwhile = canaries.next();
    let there = leila.talk_to(&address)?;
    leila.say(there, &meanwhile)?;
    unlock(&mut rpc, &passphrase)?;
    let deadline = Instant::now() + LATER;
    loop {
        let now = page(&mut rpc, conversation)?;
        if now.len() > history.len() {
            same("the last message", &now.last(), &Some(&meanwhile))?;
            same("the history", &now[..history.len()].to_vec(), &history)?;
            break;
        }
        if rpc.next_event(deadline).is_none() {
            return Err(rpc.failure("what was said while it was locked has not come"));
        }
    }
    rpc.quit(SOON)?;
    clean("at the end", &[&folder, home.path()], &picture)
}

/// Leila's picture reaches the other side, decoded there by a process of its own. Some bytes of what is kept of it.
fn show_picture(sotto: &mut Sotto, leila: &mut Sotto) -> Step<Vec<u8>> {
    let account = leila.account()?;
    let png = include_str!("picture.b64").split_whitespace().collect();
    leila.ask(Request::AvatarSet {
        account,
        png: Some(png),
    })?;
    let view = sotto.contact_is("seen with a picture", &leila.address(), |view| {
        view.avatar.is_some()
    })?;
    let hash = view.avatar.ok_or_else(|| Failure::new("no picture"))?;
    let Reply::Avatar(Some(kept)) = sotto.ask(Request::AvatarGet { hash })? else {
        return Err(Failure::new("the picture is not there"));
    };
    // Past what every PNG begins with: compressed noise.
    let noise = kept.get(80..144).and_then(from_base64);
    noise.ok_or_else(|| Failure::new("the picture is no base64"))
}

/// Whole groups of four characters without padding (RFC 4648 §4).
fn from_base64(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.chars().map(|c| ALPHABET.find(c));
    let digits = digits.collect::<Option<Vec<usize>>>()?;
    let (groups, _) = digits.as_chunks::<4>();
    let bytes = groups.iter().flat_map(|[a, b, c, d]| {
        let group = a << 18 | b << 12 | c << 6 | d;
        [(group >> 16) as u8, (group >> 8) as u8, group as u8]
    });
    Some(bytes.collect())
}

/// Ends the process by a signal, and waits for its end.
fn end_by(sotto: &mut Sotto, signal: Signal) -> Step {
    let pid = i32::try_from(sotto.rpc()?.pid())
        .ok()
        .and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| Failure::new("no process id"))?;
    kill_process(pid, signal).map_err(std::io::Error::from)?;
    // What it says ends with it.
    let deadline = Instant::now() + SOON;
    while sotto.rpc()?.next_event(deadline).is_some() {}
    ensure(Instant::now() < deadline, || "it goes on".to_owned())?;
    sotto.kill();
    Ok(())
}

/// Writes, reads and sets everything that is nobody's business.
fn use_it(sotto: &mut Sotto, leila: &mut Sotto, canaries: &mut Canaries) -> Step {
    let account = sotto.account()?;
    let there = leila.talk_to(&sotto.address())?;
    let here = sotto.talk_to(&leila.address())?;
    sotto.ask(Request::SettingsSet {
        settings: Settings {
            record_stanzas: Recording::Sealed,
            record_log: true,
            ..Settings::default()
        },
    })?;
    for _ in 0..EACH {
        let body = canaries.next();
        sotto.say(here, &body)?;
        leila.hears(there, &body)?;
        let body = canaries.next();
        leila.say(there, &body)?;
        sotto.hears(here, &body)?;
        let body = canaries.next();
        sotto.ask(Request::DraftSet {
            conversation: here,
            body,
        })?;
        sotto.ask(Request::Search {
            query: canaries.next(),
            conversation: None,
            before: None,
            limit: 20,
        })?;
    }
    for _ in 0..5 {
        sotto.ask(Request::ContactAdd {
            account,
            address: format!("{}@{}", canaries.next(), "elsewhere.test"),
            name: canaries.next(),
            groups: vec![canaries.next()],
        })?;
    }
    sotto.ask(Request::StatusSet {
        account: None,
        availability: Availability::Away,
        text: canaries.next(),
    })?;
    Ok(())
}

/// Texts that stand nowhere else.
#[derive(Default)]
struct Canaries(usize);

impl Canaries {
    fn next(&mut self) -> String {
        self.0 += 1;
        format!("{MARK}{:04}", self.0)
    }
}

/// The program with all its usual folders inside `home`.
fn program(world: &World<'_>, home: &TempDir) -> Step<Program> {
    let mut program = world.tools.program.clone();
    for (variable, folder) in [
        ("HOME", "home"),
        ("TMPDIR", "tmp"),
        ("SQLITE_TMPDIR", "tmp"),
        ("XDG_DATA_HOME", "data"),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_STATE_HOME", "state"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_RUNTIME_DIR", "run"),
    ] {
        let folder = home.path().join(folder);
        std::fs::create_dir_all(&folder)?;
        let folder = folder.display().to_string();
        program.environment.push((variable.to_owned(), folder));
    }
    Ok(program)
}

fn unlock(rpc: &mut Rpc, passphrase: &str) -> Step {
    let passphrase = Secret::new(passphrase.to_owned());
    rpc.request(Request::ProfileUnlock { passphrase })?;
    Ok(())
}

fn page(rpc: &mut Rpc, conversation: sotto_api::ConversationId) -> Step<Vec<String>> {
    let reply = rpc.request(Request::MessagePage {
        conversation,
        before: None,
        after: None,
        limit: 500,
    })?;
    let Reply::Messages(page) = reply else {
        return Err(Failure::new("no page"));
    };
    Ok(page
        .messages
        .into_iter()
        .map(|message| message.body)
        .collect())
}

/// How often they stand in the memory of the process, which only root may look into.
fn look(rpc: &Rpc, hidden: &[Hidden]) -> Step<usize> {
    let found = occurrences(&rpc.pid().to_string(), hidden).map_err(|error| {
        Failure::new(format!(
            "the memory of another process can only be read by root ({error}): run this suite as root"
        ))
    })?;
    Ok(found.iter().sum())
}

/// A failure when a canary or the picture stands in any file below the folders, or a canary in a name there.
fn clean(when: &str, folders: &[&Path], picture: &[u8]) -> Step {
    let mut files = 0;
    let mut left: Vec<_> = folders.iter().map(|folder| (*folder).to_owned()).collect();
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            ensure(!path.to_string_lossy().contains(MARK), || {
                format!("{when}: a canary in the name {}", path.display())
            })?;
            let kind = path.symlink_metadata()?.file_type();
            if kind.is_dir() {
                left.push(path);
            } else if kind.is_file() {
                files += 1;
                let bytes = std::fs::read(&path)?;
                let found = bytes.windows(MARK.len()).any(|w| w == MARK.as_bytes());
                ensure(!found, || format!("{when}: a canary in {}", path.display()))?;
                let found = bytes.windows(picture.len()).any(|w| w == picture);
                ensure(!found, || {
                    format!("{when}: the picture in {}", path.display())
                })?;
            }
        }
    }
    ensure(files > 2, || {
        format!("{when}: only {files} files were looked at")
    })
}
