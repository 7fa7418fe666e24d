//! The one owner of a profile at work: threads, sockets, TLS, DNS, and the way in for shells.
//!
//! A shell calls [`connect`] and gets a [`Client`], whether it came to own the profile or another program owns it
//! already; both kinds answer alike.
//!
//! 1. [`connect`] takes the profile's lock, or finds the owner's socket.
//! 2. [`Client::request`], [`Client::send`] and [`Client::call`] ask; [`Client::subscribe`] hears what changed.
//! 3. When the last handle of the owner is dropped, streams are closed, everything is saved, and its threads end (at most
//!    two seconds).
//!
//! Inside: one thread for the engine, which owns all state; one for sockets (tokio); at most three for slow work; a
//! process for each foreign picture while it is decoded. A link
//! reads ahead by a bounded amount only, so a server cannot fill the memory faster than the engine takes stanzas in.
//!
//! Not here: any word of a protocol above TLS, and anything that a person reads.
#![forbid(unsafe_code)]
#![allow(
    clippy::result_large_err,
    clippy::large_enum_variant,
    reason = "a link ends once, and inputs are moved on at once: both may be large"
)]

mod certificate;
mod client;
#[cfg(target_os = "linux")]
mod confine;
mod decoder;
mod dial;
mod dns;
mod error;
mod harden;
mod hybrid;
mod line;
mod link;
mod log;
mod networks;
mod owner;
mod proxy;
mod random;
mod socket;
mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub use client::Client;
pub use decoder::{decoder_role, this_program};
pub use error::StartError;

use sotto_api::Request;
use sotto_store::{ProfileDir, StoreError};

/// How long a second start waits for an owner that is itself just starting.
const OWNER_WAIT: Duration = Duration::from_secs(5);

/// What [`connect`] needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// The profile's folder; made when there is none.
    pub profile: PathBuf,
    /// DNS servers to ask in place of the system's: for tests.
    pub nameservers: Option<Vec<SocketAddr>>,
    /// Name and version of the program, for example `Sotto 0.1.0`.
    pub software: String,
    /// The program that decodes pictures of others, in processes of its own: one whose `main` begins with
    /// [`decoder_role`], usually [`this_program`]. Absent: no picture of others is shown.
    pub decoder: Option<PathBuf>,
    /// From [`connect`] on, the whole process changes files in the profile and in these folders only (Linux, where it
    /// has Landlock), and so do programs that it starts. Absent: it may do what the person may.
    pub writes: Option<Vec<PathBuf>>,
}

/// What became of a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// This process owns the profile.
    Owner,
    /// Another one does; this is attached to it.
    Attached,
}

/// Where the profile lies unless the person says otherwise: `$XDG_DATA_HOME/sotto` or `~/.local/share/sotto`;
/// `%APPDATA%\Sotto` on Windows. Absent when the system names no such folder.
pub fn default_profile() -> Option<PathBuf> {
    let folder = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
    };
    if cfg!(windows) {
        return folder("APPDATA").map(|p| p.join("Sotto"));
    }
    folder("XDG_DATA_HOME")
        .or_else(|| folder("HOME").map(|p| p.join(".local").join("share")))
        .map(|p| p.join("sotto"))
}

/// Owns the profile, or attaches to the program that does.
///
/// # Errors
///
/// [`StartError`] when the folder cannot be used, or its owner does not answer.
pub fn connect(options: Options) -> Result<(Client, Role), StartError> {
    log::start();
    let profile = ProfileDir::open(&options.profile)?;
    #[cfg(target_os = "linux")]
    if let Some(folders) = &options.writes {
        let folders = folders.iter().map(PathBuf::as_path);
        confine::program(std::iter::once(profile.path()).chain(folders)).map_err(|cause| {
            StartError::System {
                what: "a folder to write to",
                cause,
            }
        })?;
    }
    let give_up = Instant::now() + OWNER_WAIT;
    loop {
        match profile.lock() {
            Ok(lock) => {
                harden::process();
                return Ok((owner::start(profile, lock, options)?, Role::Owner));
            }
            Err(StoreError::InUse) => {}
            Err(error) => return Err(error.into()),
        }
        // The owner may be between taking the lock and listening, or between closing its socket and ending.
        let attached = socket::attach(&profile.socket_path());
        let attached = attached.and_then(|client| {
            // An owner may be ending, or standing still: only one that answers is one.
            match client.call_within(Request::Version {}, OWNER_WAIT) {
                Some(_) if !client.is_gone() => Ok(client),
                Some(_) => Err(std::io::ErrorKind::ConnectionReset.into()),
                None => Err(std::io::ErrorKind::TimedOut.into()),
            }
        });
        match attached {
            Ok(client) => return Ok((client, Role::Attached)),
            Err(error) if Instant::now() > give_up => {
                return Err(StartError::OwnerSilent {
                    cause: error.to_string(),
                });
            }
            Err(_) => std::thread::sleep(Duration::from_millis(30)),
        }
    }
}
