//! Whole streams against scripted servers, good and hostile, on a virtual clock.

#![allow(
    clippy::disallowed_methods,
    reason = "a virtual clock begins at some instant"
)]

mod hostile;
mod login;
mod peer;
mod resume;
mod sasl2;
mod scram_server;
mod session;
