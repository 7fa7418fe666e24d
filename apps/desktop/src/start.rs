//! How the program starts: one window for one profile, shown before the engine has answered.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use slint::ComponentHandle;
use sotto_api::{Event, Request};
use sotto_runtime::{Client, Options, Role, StartError};

use crate::backend::{Backend, Done};
use crate::shell::on_window;
use crate::{Shell, platform, post};

/// The engine usually answers within this time; then the first frame already shows people.
const PATIENCE: Duration = Duration::from_millis(40);

/// What the command line says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// The profile's folder, where it is not the usual one.
    pub profile: Option<PathBuf>,
    /// A link to open, as given.
    pub link: Option<String>,
}

impl Arguments {
    /// Reads `sotto [--profile FOLDER] [LINK]`.
    ///
    /// # Errors
    /// What is wrong, and what is understood.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self::default();
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            if argument == "--profile" {
                let folder = arguments.next().ok_or("--profile needs a folder.")?;
                parsed.profile = Some(folder.into());
            } else if argument.starts_with('-') || parsed.link.is_some() {
                return Err(format!(
                    "Sotto does not understand {argument}. It takes: sotto [--profile FOLDER] [LINK]"
                ));
            } else {
                parsed.link = Some(argument);
            }
        }
        Ok(parsed)
    }
}

struct Engine(Client);

impl Backend for Engine {
    fn request(&self, request: Request, done: Done) {
        self.0.request(request, done);
    }
}

/// Opens the window over the profile, and returns when it is closed.
///
/// A second start hands its link to the window that is open and ends.
///
/// # Errors
/// In words, when there is no screen or the profile cannot be used.
pub fn run(arguments: Arguments) -> Result<(), String> {
    let folder = arguments
        .profile
        .or_else(sotto_runtime::default_profile)
        .ok_or("The system names no folder for a profile. Give one: sotto --profile FOLDER")?;
    let options = Options {
        profile: folder.clone(),
        nameservers: None,
        software: concat!("Sotto ", env!("CARGO_PKG_VERSION")).to_owned(),
        decoder: sotto_runtime::this_program(),
        // The window starts browsers and writes where the person says: docs/hardening.md.
        writes: None,
    };

    // The engine starts while the window is made.
    let (sender, receiver) = channel();
    let starting = options.clone();
    std::thread::spawn(move || {
        // Nobody listens any more when the window could not be made.
        let _ = sender.send(sotto_runtime::connect(starting));
    });

    platform::choose_renderer()?;
    let no_window = |error: slint::PlatformError| format!("No window can be opened here: {error}");
    let shell = Shell::new().map_err(no_window)?;
    platform::bundle_emoji();

    let link = arguments.link;
    let mut window_lock = None;
    match receiver.recv_timeout(PATIENCE) {
        Ok(started) => {
            if let Some(client) = settle(&shell, started, &folder, &mut window_lock)? {
                return hand_over(&client, link);
            }
        }
        Err(RecvTimeoutError::Timeout) => {
            // The window need not wait; it takes the engine when it comes.
            let folder = folder.clone();
            std::thread::spawn(move || {
                let Ok(started) = receiver.recv() else { return };
                on_window(move |shell| late(shell, started, &folder, link));
            });
        }
        Err(RecvTimeoutError::Disconnected) => {
            return Err("Sotto could not start its engine.".into());
        }
    }
    shell.window().show().map_err(no_window)?;
    Shell::meet_desktop();
    slint::run_event_loop_until_quit().map_err(no_window)?;
    drop(window_lock);
    Ok(())
}

/// Takes a started engine; the client comes back when another window is open already.
fn settle(
    shell: &Rc<Shell>,
    started: Result<(Client, Role), StartError>,
    folder: &Path,
    lock: &mut Option<File>,
) -> Result<Option<Client>, String> {
    let (client, role) =
        started.map_err(|error| format!("This profile cannot be used: {error}."))?;
    match window_lock(folder) {
        Some(file) => *lock = Some(file),
        None if role == Role::Attached => return Ok(Some(client)),
        None => {}
    }
    attach(shell, client, role);
    Ok(None)
}

/// The same when the window is there before the engine.
fn late(
    shell: &Rc<Shell>,
    started: Result<(Client, Role), StartError>,
    folder: &Path,
    link: Option<String>,
) {
    let mut lock = None;
    match settle(shell, started, folder, &mut lock) {
        Ok(None) => shell.keep(lock),
        Ok(Some(client)) => {
            // The other window may be gone by now; then there is nobody to tell.
            let _ = hand_over(&client, link);
            let _ = slint::quit_event_loop();
        }
        Err(words) => shell.toast(&words),
    }
}

/// The one window of a profile holds this, so that a later start knows that there is one. The owner of the profile may
/// be a command line without any.
fn window_lock(folder: &Path) -> Option<File> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let file = options.open(folder.join("window")).ok()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // One that an earlier version left open to others. It is empty: where the folder's file system knows no
        // modes, nothing is lost.
        let _ = file.set_permissions(std::fs::Permissions::from_mode(0o600));
    }
    match file.try_lock() {
        // A file system without locks: better two windows than none.
        Ok(()) | Err(TryLockError::Error(_)) => Some(file),
        Err(TryLockError::WouldBlock) => None,
    }
}

fn hand_over(client: &Client, link: Option<String>) -> Result<(), String> {
    client
        .call(Request::Activate { link })
        .map(drop)
        .map_err(|error| error.message)
}

fn attach(shell: &Rc<Shell>, client: Client, role: Role) {
    client.subscribe(|event: Event| post(event));
    shell.set_owner(role == Role::Owner);
    shell.attach(Arc::new(Engine(client)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn the_command_line_takes_a_folder_and_a_link() {
        assert_eq!(
            parse("--profile /tmp/p xmpp:leila@riverside.example"),
            Ok(Arguments {
                profile: Some("/tmp/p".into()),
                link: Some("xmpp:leila@riverside.example".into()),
            })
        );
        assert_eq!(parse(""), Ok(Arguments::default()));
    }

    #[test]
    fn anything_else_is_refused_with_what_is_understood() {
        assert!(
            parse("--profle x")
                .unwrap_err()
                .contains("--profile FOLDER")
        );
        assert!(parse("a b").is_err());
        assert!(parse("--profile").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn the_mark_of_the_window_is_its_owners_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("window");
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        drop(window_lock(folder.path()));
        assert_eq!(mode(), 0o600);
        // As earlier versions made it.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        drop(window_lock(folder.path()));
        assert_eq!(mode(), 0o600);
    }

    #[test]
    fn a_second_window_knows_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let first = window_lock(folder.path());
        assert!(first.is_some());
        assert!(window_lock(folder.path()).is_none());
        drop(first);
        assert!(window_lock(folder.path()).is_some());
    }
}
