//! Private conversations between our protocol crate and libotr, without a server: what each sends, the other receives.

mod check;
mod exchange;
mod lab;
mod lasting;

use super::Case;

pub(super) fn cases() -> Vec<Case> {
    let mut all = exchange::cases();
    all.extend(check::cases());
    all.extend(lasting::cases());
    all
}
