//! What the window shows, as plain structs made from the engine's views: tested without a window.

mod code;
mod diff;
mod escape;
mod people;
mod talk;
mod text;
mod time;

pub use code::{Comparison, compare_codes, question_parts, spell_code};
pub use diff::{Change, Keyed, changes};
pub use escape::{markdown, marked};
pub use people::{ListInput, PersonLine, contact_key, jump, list};
pub use talk::{TalkContext, TalkLine, copy_text, lines};
pub use text::{edge, isolate, one_line, paragraph_right_to_left, right_to_left, step};
pub use time::{When, Wording, clock, day_of, when};
