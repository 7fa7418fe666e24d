//! Every sentence of the engine's that a person sees; look.md §9 says how they sound.
//!
//! One place, so that they can be read through and later translated. Names and addresses in them were
//! written by others: they pass [`crate::text::isolate`] here, and the callers pass them as they are.

mod error;
mod history;
pub mod import;
mod message;
mod people;
pub mod private;
mod problem;
mod profile;
mod record;
mod refusal;
mod time;
mod unreadable;

pub use error::{
    already_there, bare_name, closing, contact_itself, empty_group, internal, invalid_address,
    locked, no_message_text, no_profile, no_such_status, not_correctable, not_found, not_yet,
    offline, out_of_range, picture, profile_exists, server_refused, server_without, store,
    too_long, too_many_groups, withdrawn, wrong_passphrase,
};
pub use history::{
    EDITED, NOT_ENCRYPTED, NOT_SENT, TAKEN_BACK, export_heading, export_name, history,
    history_erased, history_to_erase, lost_at_end, no_passphrase_to_ask, no_saved_password,
    not_a_day, notice_not_kept, unknown_zone,
};
pub use message::{
    YOU, delivery, failure, link_lookalike, link_userinfo, notice_offline, notice_waiting, privacy,
    spoken_message, typing,
};
pub use people::{availability, preview_request, spoken_contact, subtitle, unknown_author};
pub use problem::{
    ProblemContext, account_state, certificate_reason, empty_field, empty_password, form_label,
    invalid_server, made_not_added, made_not_added_title, password_change_off,
    password_changed_not_stored, password_in_doubt, password_rejected, problem, registration_busy,
    too_many_registrations,
};
pub use profile::{
    backup, backup_under_way, damaged_store, full_path, lock_needs_passphrase, profile_warning,
    put_back, salvage_failed, salvaged, strength, strength_meaning,
};
pub use record::{nothing_recorded, record_failed, record_not_done, records_warning};
pub use refusal::{
    already_sent, bad_resource, before_and_after, busy_with_key, empty_host, key,
    scale_out_of_range, wait_with_passphrase,
};
pub use time::span;
pub use unreadable::unreadable;

#[cfg(test)]
mod tests;
