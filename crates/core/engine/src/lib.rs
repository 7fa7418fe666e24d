//! The engine of Sotto: the only owner of its state, policy and trust.
//!
//! It answers the requests of [`sotto_api`], drives the XMPP streams of all accounts, and keeps
//! everything in the store. It reads no clock, opens no socket, starts no thread; the store is the one
//! effect that it calls directly.
//!
//! Left to the caller (`sotto-runtime`): resolving, dialling, proxies, TLS, timers, slow work, the
//! decoding of pictures, and the way to the shells.
//!
//! 1. Feed every [`io::Input`] to `Engine::handle`, with the time.
//! 2. Drain `Engine::poll_output` until it is empty and carry each [`io::Output`] out.
//! 3. Call `Engine::handle_timeout` when `Engine::poll_timeout` has passed, and drain again.
//! 4. On [`io::Output::Quit`] everything is saved: end.
#![forbid(unsafe_code)]

pub mod io;
pub mod picture;

mod engine;

mod core;

mod account;
mod accounts;
mod certificates;
mod history;
mod lock;
mod messages;
mod password;
mod people;
mod profile;
mod record;
mod registration;
mod saved_passwords;
mod settings;

mod confusable;
mod import;
mod links;
mod networks;
mod private;
mod strength;
mod text;
mod words;

mod changes;
mod context;
mod error;
mod work;

#[doc(hidden)]
pub mod fuzz;

#[cfg(test)]
mod tests;

pub use engine::{Engine, EngineConfig};
