//! The window of Sotto.
//!
//! A shell in the sense of `sotto_api`: it sends requests, hears events, and shows views. Nothing is
//! decided here.
//!
//! - [`model`]: what is shown, as plain structs made from views; tested without a window.
//! - [`shell`](Shell): takes events and answers, keeps the model, and sets what the window shows.
//! - [`Backend`]: whoever answers requests, so that a test can stand in for the engine.
//! - `ui/` (Slint): tokens, components, pages. `ui/state.slint` is the only surface between both.
//! - [`platform`]: what a desktop can do.

#![deny(unsafe_code)]

mod backend;
#[cfg(any(test, feature = "demo"))]
pub mod demo;
pub mod keys;
mod languages;
mod lines;
pub mod model;
mod pages;
mod picture;
pub mod platform;
mod shell;
pub mod start;
#[cfg(any(test, feature = "demo"))]
pub mod testing;

#[cfg(test)]
mod window_tests;

/// What the Slint compiler makes of `ui/`.
#[allow(
    missing_docs,
    unsafe_code,
    clippy::all,
    clippy::todo,
    clippy::unimplemented,
    reason = "generated"
)]
pub mod ui {
    slint::include_modules!();
}

pub use backend::{Backend, Done};
pub use shell::{Shell, post};
pub use ui::*;
