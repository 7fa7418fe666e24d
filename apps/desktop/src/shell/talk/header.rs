//! Header, label, and what else the window says about the open conversation.

use std::rc::Rc;

use sotto_api::view::Privacy;

use super::private;
use crate::model::{contact_key, isolate, one_line};
use crate::shell::{Shell, list};
use crate::ui::{self, PrivacyState};

pub(in crate::shell) fn privacy(privacy: Privacy) -> PrivacyState {
    match privacy {
        Privacy::Verified => PrivacyState::Verified,
        Privacy::Encrypted => PrivacyState::Encrypted,
        Privacy::ServerOnly => PrivacyState::ServerOnly,
        Privacy::None => PrivacyState::None,
    }
}

/// Header, label, notice.
pub(in crate::shell) fn show_header(shell: &Rc<Shell>) {
    let talk = shell.part::<ui::Talk>();
    let view = shell.talk.view();
    private::show(shell, view.as_ref());
    talk.set_open(view.is_some());
    let people = shell.part::<ui::People>();
    let Some(view) = view else {
        people.set_selected(Default::default());
        shell.window.set_heading("Sotto".into());
        return;
    };
    people.set_selected(contact_key(view.contact_id, Some(view.id)).into());
    shell
        .window
        .set_heading(format!("{} – Sotto", view.contact.name).into());
    let contact = &view.contact;
    talk.set_name(one_line(&contact.name).into());
    talk.set_first_name(
        isolate(&one_line(
            contact.name.split_whitespace().next().unwrap_or_default(),
        ))
        .into(),
    );
    talk.set_initials(contact.initials.as_str().into());
    talk.set_colour(i32::from(contact.colour % 6));
    let picture = shell.picture(contact.avatar.as_deref());
    talk.set_has_picture(picture.is_some());
    talk.set_picture(picture.unwrap_or_default());
    talk.set_presence(list::presence(view.availability));
    talk.set_presence_word(contact.availability_text.as_str().into());
    talk.set_subtitle(view.subtitle.as_str().into());
    talk.set_privacy(privacy(view.privacy.state));
    talk.set_privacy_label(view.privacy.label.as_str().into());
    talk.set_privacy_below(view.privacy.below.as_str().into());
    talk.set_privacy_spoken(view.privacy.spoken.as_str().into());
    talk.set_kept(view.history.text.as_str().into());
    talk.set_stranger(view.stranger);
    talk.set_known(view.contact_id.is_some());
    talk.set_blocked(contact.blocked);
    talk.set_typing(view.typing_text.as_str().into());
    talk.set_notice(view.notice.as_str().into());
}

/// Nothing of anybody stays behind the window: the profile is locked.
pub(super) fn forget(shell: &Rc<Shell>) {
    let talk = shell.part::<ui::Talk>();
    for set in [
        ui::Talk::set_name,
        ui::Talk::set_first_name,
        ui::Talk::set_initials,
        ui::Talk::set_presence_word,
        ui::Talk::set_subtitle,
        ui::Talk::set_privacy_label,
        ui::Talk::set_privacy_below,
        ui::Talk::set_privacy_spoken,
        ui::Talk::set_connection,
        ui::Talk::set_kept,
        ui::Talk::set_typing,
        ui::Talk::set_notice,
        ui::Talk::set_draft,
    ] {
        set(&talk, Default::default());
    }
    talk.set_has_picture(false);
    talk.set_picture(Default::default());
}
