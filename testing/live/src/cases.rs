//! The cases, by subject. A case is a sentence and a function that keeps it.

use std::sync::Arc;

use sotto_testkit::rpc::{Failure, Step};

use crate::server::Kind;
use crate::world::World;

pub mod g01;

mod accounts;
mod certificates;
mod chat;
mod commands;
mod devices;
mod history;
mod links;
mod otr;
mod otr_crate;
mod otr_peers;
mod people;
mod registration;
mod sasl2;
mod slixmpp;
mod traces;

/// What a case does.
type Run = Arc<dyn Fn(&World<'_>) -> Step + Send + Sync>;

/// One case.
#[derive(Clone)]
pub struct Case {
    /// A sentence about behaviour.
    pub name: &'static str,
    /// The servers that it can be tried on.
    pub kinds: &'static [Kind],
    /// Keeps the sentence, or says why not.
    pub run: Run,
}

const BOTH: &[Kind] = &[Kind::Prosody, Kind::Ejabberd];
const PROSODY: &[Kind] = &[Kind::Prosody];

/// All cases, the long ones first so that they run beside the others.
pub fn all() -> Vec<Case> {
    let mut all = vec![g01::case(g01::Figures::SCALED)];
    all.extend(links::cases());
    all.extend(certificates::cases());
    all.extend(registration::cases());
    all.extend(accounts::cases());
    all.extend(people::cases());
    all.extend(chat::cases());
    all.extend(devices::cases());
    all.extend(history::cases());
    all.extend(slixmpp::cases());
    all.extend(sasl2::cases());
    all.extend(commands::cases());
    all.extend(traces::cases());
    all.extend(otr::cases());
    all.extend(otr_crate::cases());
    all.extend(otr_peers::cases());
    all
}

fn case(name: &'static str, kinds: &'static [Kind], run: fn(&World<'_>) -> Step) -> Case {
    Case {
        name,
        kinds,
        run: Arc::new(run),
    }
}

/// A failure unless `held`.
fn ensure(held: bool, words: impl FnOnce() -> String) -> Step {
    if held {
        Ok(())
    } else {
        Err(Failure::new(words()))
    }
}

/// A failure unless both are equal.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: &T, wanted: &T) -> Step {
    ensure(got == wanted, || {
        format!("{what}: got {got:?}, wanted {wanted:?}")
    })
}
