//! The way to the engine: the running owner of the profile, or this process as its owner.

use std::path::PathBuf;

use sotto_api::{ApiError, ErrorKind, Event, Reply, Request};
use sotto_runtime::{Client, Options};

use crate::failure::Failure;
use crate::rpc::{Answered, Engine};
use crate::session::Api;

/// A connection to the engine. Dropping it ends the engine, if this process owns it.
pub struct Connected(Client);

/// Attaches to the owner of the profile, or becomes it; `writes` as in [`Options`].
///
/// # Errors
/// When neither can be done.
pub fn connect(
    profile: Option<PathBuf>,
    writes: Option<Vec<PathBuf>>,
) -> Result<Connected, Failure> {
    let profile = profile
        .or_else(sotto_runtime::default_profile)
        .ok_or_else(|| {
            Failure::Usage(
                "This system names no folder for a profile. Say one with --profile DIR.".to_owned(),
            )
        })?;
    let options = Options {
        profile,
        nameservers: None,
        software: format!("Sotto {}", env!("CARGO_PKG_VERSION")),
        decoder: sotto_runtime::this_program(),
        writes,
    };
    match sotto_runtime::connect(options) {
        Ok((client, _role)) => Ok(Connected(client)),
        Err(error) => Err(Failure::Refused(ApiError::new(
            ErrorKind::InUse,
            format!("The profile cannot be used: {error}."),
        ))),
    }
}

impl Api for Connected {
    fn call(&self, request: Request) -> Result<Reply, ApiError> {
        self.0.call(request)
    }
}

impl Engine for Connected {
    fn request(&self, request: Request, done: Answered) {
        self.0.request(request, done);
    }

    fn subscribe(&self, on_event: Box<dyn Fn(Event) + Send>) {
        self.0.subscribe(on_event);
    }
}
