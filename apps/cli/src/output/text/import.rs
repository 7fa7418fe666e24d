//! What another program has, as text for a terminal.

use sotto_api::view::{ImportProgram, ImportView};

use super::plain;

/// What was found, and what cannot be taken.
pub fn found(view: &ImportView) -> String {
    let program = match view.program {
        ImportProgram::Jitsi => "Jitsi",
        ImportProgram::Pidgin => "Pidgin",
    };
    let mut lines = vec![
        format!("{program} in {}", plain(&view.folder)),
        format!("  accounts:       {}", plain(&view.accounts.join(", "))),
        format!("  passwords:      {}", view.passwords),
        format!("  conversations:  {}", view.conversations),
        format!("  messages:       {}", view.messages),
        format!("  calls:          {}", view.calls),
        format!("  own keys:       {}", view.own_keys),
        format!("  verified codes: {}", view.verified_keys),
    ];
    if view.needs_master {
        lines.push("Its passwords need the master password.".to_owned());
    }
    lines.extend(problems(view));
    lines.join("\n")
}

/// What became of it, and what was left.
pub fn done(view: &ImportView) -> String {
    let mut lines = vec![plain(&view.text)];
    lines.extend(problems(view));
    lines.join("\n")
}

fn problems(view: &ImportView) -> impl Iterator<Item = String> {
    view.problems
        .iter()
        .map(|problem| format!("- {}", plain(problem)))
}
