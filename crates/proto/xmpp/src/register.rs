//! In-band registration (XEP-0077): making an account, changing its password, removing it.
//!
//! The caller keeps S-XMPP-21: only over verified TLS, only to the domain of the address. Forms are
//! the server's untrusted words. Answers of the server are read for their error only: ejabberd
//! repeats the request with the password in it, and that must be kept nowhere.

mod form;
mod refusal;

use minidom::Element;

use crate::dom::{Build, el};
use crate::ns;

pub use form::{Answer, Field, FieldKind, Form, Media, MissingAnswer};
pub use refusal::{Refusal, RefusalKind};

/// The payload that asks for the form: for an iq `get` to the server's domain.
pub fn request() -> Element {
    el("query", ns::REGISTER)
}

/// The payload that changes the password of the account that is signed in (§3.3): for an iq `set`
/// to the account's domain. Only over verified TLS.
pub fn change_password(username: &str, password: &str) -> Element {
    el("query", ns::REGISTER)
        .child(el("username", ns::REGISTER).text_of(username))
        .child(el("password", ns::REGISTER).text_of(password))
}

/// The payload that removes the account that is signed in (§3.2): for an iq `set` without `to`.
pub fn remove_account() -> Element {
    el("query", ns::REGISTER).child(el("remove", ns::REGISTER))
}

#[cfg(test)]
mod tests;
