//! What tests of Sotto share: a relay that breaks links, profiles that vanish, and a driver for `sotto-cli rpc`.
//!
//! - [`relay::Relay`] stands between a program and a server and cuts, holds back or swallows bytes on command.
//! - [`ca::Authority`] vouches for servers on loopback.
//! - [`dns::DnsServer`] answers DNS questions as a test wants.
//! - `elf` reads how a program is built (Linux).
//! - `memory` looks for bytes in the memory of a process (Linux).
//! - [`profile::TempProfile`] is a profile's folder that is removed with the value.
//! - [`rpc::Rpc`] runs one `sotto-cli rpc` process: requests in, replies and events out, each wait with a deadline.
//!
//! Nothing here sleeps for a fixed time: whoever waits, waits for something, and says what it was when it does not come.
#![forbid(unsafe_code)]

pub mod ca;
pub mod dns;
#[cfg(target_os = "linux")]
pub mod elf;
#[cfg(target_os = "linux")]
pub mod memory;
pub mod profile;
pub mod relay;
pub mod rpc;
