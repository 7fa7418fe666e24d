//! What every case is given: a server, and the programs to use with it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use sotto_testkit::ca::Authority;
use sotto_testkit::rpc::{Failure, Program, Step};
use tempfile::TempDir;

use crate::peer::Peer;
use crate::server::{Kind, Options, Server};
use crate::sotto::Sotto;

/// The password of every account that the suite makes.
pub const PASSWORD: &str = "correct horse 7 battery";

/// Programs, the authority that they trust, and a folder that is removed at the end.
pub struct Tools {
    /// How to run `sotto-cli`.
    pub program: Program,
    /// A Python that has slixmpp.
    pub python: PathBuf,
    /// Vouches for the servers.
    pub authority: Authority,
    /// Its certificate as a file.
    pub ca: PathBuf,
    folder: TempDir,
}

impl Tools {
    /// Finds the programs beside this one, unless `SOTTO_CLI` and `SOTTO_PYTHON` name others.
    ///
    /// # Errors
    /// When one of them is missing: a suite that could not run has not passed.
    pub fn find() -> Step<Self> {
        let here = std::env::current_exe()?;
        let built = here.parent().unwrap_or(Path::new("."));
        let binary = named(
            "SOTTO_CLI",
            built.join("sotto-cli"),
            "cargo build -p sotto-cli",
        )?;
        let target = built.parent().unwrap_or(Path::new("."));
        let python = named(
            "SOTTO_PYTHON",
            target.join("live-venv/bin/python"),
            "make live-venv",
        )?;
        let folder = target.join("tmp");
        std::fs::create_dir_all(&folder)?;
        let folder = tempfile::Builder::new()
            .prefix("live-")
            .tempdir_in(folder)?;
        let authority = Authority::new()?;
        let ca = authority.write(folder.path())?;
        let environment = vec![("SSL_CERT_FILE".to_owned(), ca.display().to_string())];
        Ok(Self {
            program: Program {
                binary,
                environment,
            },
            python,
            authority,
            ca,
            folder,
        })
    }

    /// The libotr driver beside this program, unless `SOTTO_LIBOTR` names another.
    ///
    /// # Errors
    /// When it is missing.
    pub fn libotr(&self) -> Step<PathBuf> {
        let here = std::env::current_exe()?;
        let built = here.parent().unwrap_or(Path::new("."));
        named(
            "SOTTO_LIBOTR",
            built.join("libotr-driver"),
            "make live-programs",
        )
    }

    /// Starts a server of one's own.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn server(&self, kind: Kind, options: Options, authority: &Authority) -> Step<Server> {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = self.folder.path().join(format!("{}-{number}", kind.name()));
        Server::start(kind, options, authority, &folder)
    }

    /// Leaves the servers' folders where they are, to look into after a failure.
    pub fn keep(&mut self) -> PathBuf {
        self.folder.disable_cleanup(true);
        self.folder.path().to_owned()
    }
}

/// What a case is given.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// Programs.
    pub tools: &'a Tools,
    /// The kind of server under test.
    pub kind: Kind,
    /// The suite's server of that kind, shared with other cases.
    pub server: &'a Server,
    /// The seed of everything that is left to chance.
    pub seed: u64,
}

impl World<'_> {
    /// A name that no other case uses.
    pub fn name(&self, start: &str) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        format!("{start}{}", COUNT.fetch_add(1, Ordering::Relaxed))
    }

    /// A fresh account on the shared server: its bare address.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn account(&self, start: &str) -> Step<String> {
        self.account_at(self.server, start)
    }

    /// A fresh account on a server.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn account_at(&self, server: &Server, start: &str) -> Step<String> {
        let name = self.name(start);
        server.add_account(&name, PASSWORD)?;
        Ok(format!("{name}@{}", server.domain))
    }

    /// A Sotto with an open profile and no account.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn sotto(&self, name: &str) -> Step<Sotto> {
        Sotto::start(&self.tools.program, name)
    }

    /// A Sotto that is signed in with a fresh account on the shared server, by STARTTLS.
    ///
    /// # Errors
    /// When it does not get online.
    pub fn signed_in(&self, name: &str) -> Step<Sotto> {
        let address = self.account(name)?;
        let mut sotto = self.sotto(name)?;
        sotto.sign_in(&address, PASSWORD, self.server.by_starttls())?;
        Ok(sotto)
    }

    /// A slixmpp that is signed in with a fresh account on the shared server.
    ///
    /// # Errors
    /// When it does not get online.
    pub fn peer(&self, start: &str) -> Step<Peer> {
        let name = self.name(start);
        self.server.add_account(&name, PASSWORD)?;
        Peer::start(
            &self.tools.python,
            &self.tools.ca,
            self.server,
            &name,
            PASSWORD,
        )
    }
}

fn named(variable: &str, usual: PathBuf, made_by: &str) -> Step<PathBuf> {
    let path = std::env::var_os(variable).map_or(usual, PathBuf::from);
    if path.exists() {
        Ok(path)
    } else {
        Err(Failure::new(format!(
            "{} is missing; make it with: {made_by}",
            path.display()
        )))
    }
}
