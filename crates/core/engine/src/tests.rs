//! The engine as a whole, against a scripted server, on a virtual clock.

mod accounts;
mod archive;
mod conversations;
mod harness;
mod history;
mod import;
mod keys;
mod lock;
mod moving;
mod people;
mod private;
mod profile;
mod record;
mod review;
mod saved_passwords;
mod sending;
mod simulation;
mod spoofs;
