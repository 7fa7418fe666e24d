//! The private conversation: what stands of it in the window, and what the person asks for.

use std::cell::RefCell;
use std::rc::Rc;

use slint::{Model, ModelRc, SharedString, VecModel};
use sotto_api::view::{
    AlertAct, AlertKind, ConversationView, Policy, PolicyScope, PrivateState, Trust,
    VerificationState,
};
use sotto_api::{ConversationId, PeerKeyId, Reply, Request, Secret};

use super::conversation_changed;
use crate::model::{Comparison, compare_codes, isolate, one_line, question_parts, spell_code};
use crate::pages::Pages;
use crate::shell::{Shell, with_shell};
use crate::ui::{self, ChoiceRow, DeviceRow, KeyTrust, PrivateStand, Sheet, VerifyStand};

/// What the open dialogs are about, as it was when they opened: a change of conversation or key
/// meanwhile must not turn the answer to another.
#[derive(Default)]
pub(in crate::shell) struct Subject {
    verified: RefCell<Option<(ConversationId, Option<PeerKeyId>)>>,
    risk: RefCell<Option<Request>>,
}

pub(super) fn wire(shell: &Rc<Shell>) {
    let private = shell.part::<ui::Private>();
    private.on_choose(|index| with_shell(|shell| choose(shell, index)));
    private.on_device(|index| with_shell(|shell| device(shell, index)));
    private.on_policy_chosen(|index| with_shell(|shell| policy(shell, index)));
    private.on_compared(|text| with_shell(|shell| compared(shell, &text)));
    private.on_judged(|matches| with_shell(|shell| judged(shell, matches)));
    private.on_ask(|| with_shell(ask));
    private.on_answer(|| with_shell(answer));
    private.on_stop(|| with_shell(stop));
    private.on_risk_taken(|| with_shell(risk_taken));
    private.on_line_link(|key| with_shell(|shell| line_link(shell, &key)));
}

fn model<T: Clone + 'static>(rows: Vec<T>) -> ModelRc<T> {
    ModelRc::new(VecModel::from(rows))
}

fn policy_words(shell: &Rc<Shell>) -> [SharedString; 3] {
    let words = shell.part::<ui::Words>();
    [
        words.get_policy_off(),
        words.get_policy_preferred(),
        words.get_policy_required(),
    ]
}

/// Shows how the private conversation of `view` stands.
pub(super) fn show(shell: &Rc<Shell>, view: Option<&ConversationView>) {
    let part = shell.part::<ui::Private>();
    let Some(view) = view else {
        part.set_stand(PrivateStand::None);
        part.set_can_send(true);
        part.set_policy_text(SharedString::default());
        part.set_alert_title(SharedString::default());
        part.set_verification(VerifyStand::None);
        return;
    };
    let private = &view.private;
    part.set_stand(match private.state {
        PrivateState::None => PrivateStand::None,
        PrivateState::Starting => PrivateStand::Starting,
        PrivateState::Private => PrivateStand::Private,
        PrivateState::Ended => PrivateStand::Ended,
    });
    part.set_trust(match private.trust {
        None => KeyTrust::Unknown,
        Some(Trust::New) => KeyTrust::Fresh,
        Some(Trust::Verified) => KeyTrust::Verified,
        Some(Trust::Changed) => KeyTrust::Changed,
        Some(Trust::Distrusted) => KeyTrust::Distrusted,
    });
    part.set_can_send(private.can_send);
    part.set_policy_text(private.policy_text.as_str().into());
    let own = matches!(private.policy_scope, PolicyScope::Conversation { .. });
    let at = match private.policy {
        Policy::Off => 0,
        Policy::Preferred => 1,
        Policy::Required => 2,
    };
    let [off, preferred, required] = policy_words(shell);
    let everyone = if own {
        SharedString::default()
    } else {
        [&off, &preferred, &required][usize::try_from(at).unwrap_or_default()].clone()
    };
    let everyone = shell.part::<ui::Words>().invoke_policy_everyone(everyone);
    part.set_policies(model(vec![everyone, off, preferred, required]));
    part.set_policy(if own { at + 1 } else { 0 });
    part.set_devices(model(
        private
            .devices
            .iter()
            .map(|device| DeviceRow {
                id: device.id.as_str().into(),
                name: one_line(&device.name).into(),
                privacy: shell
                    .part::<ui::Words>()
                    .invoke_privacy(super::privacy(device.privacy)),
                chosen: device.chosen,
            })
            .collect(),
    ));
    part.set_code(private.code.as_str().into());
    part.set_code_spoken(spell_code(&private.code).into());
    part.set_own_code(private.own_code.as_str().into());
    part.set_own_code_spoken(spell_code(&private.own_code).into());
    show_alert(shell, view);

    let verification = &private.verification;
    part.set_verification(match verification.state {
        VerificationState::None => VerifyStand::None,
        VerificationState::Asked => VerifyStand::Asked,
        VerificationState::Waiting => VerifyStand::Waiting,
        VerificationState::Succeeded => VerifyStand::Succeeded,
        VerificationState::Failed => VerifyStand::Failed,
        VerificationState::Stopped => VerifyStand::Stopped,
    });
    part.set_verify_text(verification.text.as_str().into());
    part.set_question(one_line(&verification.question).into());
    part.set_step(i32::from(verification.step));

    let sheet = shell.part::<ui::App>().get_sheet();
    let gone = match sheet {
        Sheet::Answer => verification.state != VerificationState::Asked,
        Sheet::Verify => private.state != PrivateState::Private,
        _ => false,
    };
    if gone {
        close(shell);
    }
}

fn show_alert(shell: &Rc<Shell>, view: &ConversationView) {
    let part = shell.part::<ui::Private>();
    let Some(alert) = &view.private.alert else {
        part.set_alert_title(SharedString::default());
        return;
    };
    part.set_alert_title(alert.title.as_str().into());
    part.set_alert_text(alert.text.as_str().into());
    part.set_alert_mild(matches!(alert.kind, AlertKind::Fault));
    part.set_alert_key(matches!(
        alert.kind,
        AlertKind::KeyChanged | AlertKind::Distrusted
    ));
    let rows = |risky: bool| {
        (0..)
            .zip(&alert.choices)
            .filter(|(_, choice)| choice.risky == risky)
            .map(|(index, choice)| ChoiceRow {
                label: choice.label.as_str().into(),
                index,
            })
            .collect()
    };
    // A button that is being pressed is not made anew for an answer that says the same.
    let same =
        |shown: ModelRc<ChoiceRow>, rows: &[ChoiceRow]| shown.iter().eq(rows.iter().cloned());
    let (safe, risky): (Vec<_>, Vec<_>) = (rows(false), rows(true));
    if !same(part.get_choices(), &safe) {
        part.set_choices(model(safe));
    }
    if !same(part.get_risks(), &risky) {
        part.set_risks(model(risky));
    }
}

/// Does what a menu, a key or a button asks for; whether it was about private conversations.
pub(in crate::shell) fn act(shell: &Rc<Shell>, act: &str) -> bool {
    let Some(view) = shell.talk.view() else {
        return false;
    };
    let conversation = view.id;
    match act {
        "private-start" => {
            close(shell);
            shell.tell(Request::PrivateStart { conversation });
        }
        "private-end" => {
            let words = shell.part::<ui::Words>();
            let name = isolate(&one_line(&view.contact.name));
            let required = view.private.policy == Policy::Required;
            ask_risk(
                shell,
                words.invoke_ends_title(name.as_str().into()),
                words.invoke_ends_text(required, name.into()),
                words.get_ends_act(),
                Request::PrivateEnd { conversation },
            );
        }
        "verify" => open_verify(shell, &view),
        "policy-follow" => policy(shell, 0),
        "policy-off" => policy(shell, 1),
        "policy-preferred" => policy(shell, 2),
        "policy-required" => policy(shell, 3),
        _ => return false,
    }
    true
}

fn open_verify(shell: &Rc<Shell>, view: &ConversationView) {
    let part = shell.part::<ui::Private>();
    part.set_error(SharedString::default());
    part.set_busy(false);
    part.set_pasted(SharedString::default());
    part.set_comparison(ui::Comparison::None);
    part.set_secret(SharedString::default());
    let before = shell
        .talk
        .subject
        .verified
        .replace(Some((view.id, view.private.key)));
    if before.is_none_or(|(conversation, _)| conversation != view.id) {
        // A question for one person is not shown beside the name of another.
        part.set_asked_question(SharedString::default());
        part.set_tab(0);
    }
    if view.private.verification.state == VerificationState::Waiting && part.get_tab() == 0 {
        // What waits is what the person wants to see.
        part.set_tab(if part.get_asked_question().is_empty() {
            2
        } else {
            1
        });
    }
    if view.private.verification.state == VerificationState::Asked {
        shell.show_sheet(Sheet::Answer);
    } else {
        shell.show_sheet(Sheet::Verify);
    }
}

/// Closes the dialog; what was typed as a secret does not stay behind.
fn close(shell: &Rc<Shell>) {
    shell
        .part::<ui::Private>()
        .set_secret(SharedString::default());
    shell.show_sheet(Sheet::None);
}

fn ask_risk(
    shell: &Rc<Shell>,
    title: SharedString,
    text: SharedString,
    act: SharedString,
    request: Request,
) {
    let part = shell.part::<ui::Private>();
    part.set_risk_title(title);
    part.set_risk_text(text);
    part.set_risk_act(act);
    shell.talk.subject.risk.replace(Some(request));
    shell.show_sheet(Sheet::Risk);
}

fn risk_taken(shell: &Rc<Shell>) {
    let request = shell.talk.subject.risk.borrow_mut().take();
    shell.show_sheet(Sheet::None);
    if let Some(request) = request {
        shell.tell(request);
    }
}

fn choose(shell: &Rc<Shell>, index: i32) {
    let Some(view) = shell.talk.view() else {
        return;
    };
    let choice = usize::try_from(index)
        .ok()
        .zip(view.private.alert.as_ref())
        .and_then(|(at, alert)| alert.choices.get(at));
    let Some(choice) = choice else { return };
    let conversation = view.id;
    let request = match choice.act {
        AlertAct::Start => Request::PrivateStart { conversation },
        AlertAct::Verify => return open_verify(shell, &view),
        AlertAct::Options => {
            Pages::act("security");
            return;
        }
        act => Request::PrivateContinue { conversation, act },
    };
    if choice.risky {
        let (title, text) = question_parts(&choice.question);
        let label = choice.label.trim_end_matches('…').into();
        ask_risk(shell, title.into(), text.into(), label, request);
    } else {
        shell.tell(request);
    }
}

fn device(shell: &Rc<Shell>, index: i32) {
    let Some(view) = shell.talk.view() else {
        return;
    };
    let device = usize::try_from(index)
        .ok()
        .and_then(|at| view.private.devices.get(at));
    if let Some(device) = device {
        shell.tell(Request::PrivateDevice {
            conversation: view.id,
            device: device.id.clone(),
        });
    }
}

fn policy(shell: &Rc<Shell>, index: i32) {
    let Some(view) = shell.talk.view() else {
        return;
    };
    let policy = match index {
        1 => Some(Policy::Off),
        2 => Some(Policy::Preferred),
        3 => Some(Policy::Required),
        _ => None,
    };
    let request = Request::PolicySet {
        scope: PolicyScope::Conversation {
            conversation: view.id,
        },
        policy,
        follow: false,
    };
    let own = matches!(view.private.policy_scope, PolicyScope::Conversation { .. });
    let lowers = view.private.policy == Policy::Required
        && match policy {
            Some(policy) => policy != Policy::Required,
            None => own,
        };
    if lowers {
        // The list goes back to what is in force until the person has said so.
        show(shell, Some(&view));
        let words = shell.part::<ui::Words>();
        let name = isolate(&one_line(&view.contact.name));
        ask_risk(
            shell,
            words.invoke_lower_title(name.as_str().into()),
            words.invoke_lower_text(name.into()),
            words.get_lower_act(),
            request,
        );
    } else {
        shell.tell(request);
    }
}

fn compared(shell: &Rc<Shell>, text: &str) {
    let part = shell.part::<ui::Private>();
    part.set_comparison(match compare_codes(&part.get_code(), text) {
        Comparison::Nothing => ui::Comparison::None,
        Comparison::Short => ui::Comparison::Short,
        Comparison::Same => ui::Comparison::Same,
        Comparison::Other => ui::Comparison::Other,
    });
}

fn judged(shell: &Rc<Shell>, matches: bool) {
    let subject = *shell.talk.subject.verified.borrow();
    if let Some((conversation, Some(key))) = subject {
        send(
            shell,
            Request::VerifyCode {
                conversation,
                key,
                matches,
            },
            true,
        );
    }
}

fn ask(shell: &Rc<Shell>) {
    let part = shell.part::<ui::Private>();
    let words = shell.part::<ui::Words>();
    let question = part.get_asked_question();
    let secret = part.get_secret();
    let asks = part.get_tab() == 1;
    if asks && question.trim().is_empty() {
        return part.set_error(words.get_no_question());
    }
    if secret.is_empty() {
        return part.set_error(words.get_no_secret());
    }
    let subject = *shell.talk.subject.verified.borrow();
    if let Some((conversation, _)) = subject {
        send(
            shell,
            Request::VerifyAsk {
                conversation,
                question: asks.then(|| question.trim().to_owned()),
                secret: Secret::new(secret.into()),
            },
            false,
        );
    }
}

fn answer(shell: &Rc<Shell>) {
    let part = shell.part::<ui::Private>();
    let subject = *shell.talk.subject.verified.borrow();
    if let Some((conversation, _)) = subject {
        let secret = Secret::new(part.get_secret().into());
        send(
            shell,
            Request::VerifyAnswer {
                conversation,
                secret,
            },
            true,
        );
    }
}

/// Sends what a dialog asks for: a refusal stands in it, and what was typed stays.
fn send(shell: &Rc<Shell>, request: Request, closes: bool) {
    let part = shell.part::<ui::Private>();
    part.set_busy(true);
    part.set_error(SharedString::default());
    let subject = *shell.talk.subject.verified.borrow();
    shell.ask(request, move |shell, answer| {
        if *shell.talk.subject.verified.borrow() != subject {
            return;
        }
        let part = shell.part::<ui::Private>();
        part.set_busy(false);
        match answer {
            Ok(_) if closes => close(shell),
            Ok(_) => part.set_secret(SharedString::default()),
            Err(error) if part.get_tab() == 0 => shell.toast(&error.message),
            Err(error) => part.set_error(error.message.as_str().into()),
        }
        if let Some((conversation, _)) = subject {
            conversation_changed(shell, conversation);
        }
    });
}

fn stop(shell: &Rc<Shell>) {
    if let Some(conversation) = shell.talk.conversation() {
        shell.tell(Request::VerifyStop { conversation });
    }
}

fn line_link(shell: &Rc<Shell>, key: &str) {
    use sotto_api::view::LineNotice;
    let message = key
        .strip_prefix('m')
        .and_then(|id| id.parse().ok())
        .and_then(|id| shell.talk.message(sotto_api::MessageId(id)));
    match message.and_then(|message| message.notice) {
        Some(LineNotice::NotKept) => {
            Pages::act("security");
        }
        Some(LineNotice::KeyChanged) => {
            if let Some(view) = shell.talk.view() {
                if view.private.code.is_empty() {
                    shell.act("privacy");
                } else {
                    open_verify(shell, &view);
                }
            }
        }
        _ => {}
    }
}

/// A message was refused because privacy is required: the notice says why; where none does, a word at the edge.
pub(super) fn refused(shell: &Rc<Shell>, conversation: ConversationId, words: String) {
    shell.ask(
        Request::ConversationView { conversation },
        move |shell, answer| {
            let explained = matches!(
                &answer,
                Ok(Reply::Conversation(view)) if view.private.alert.is_some()
            );
            conversation_changed(shell, conversation);
            if !explained {
                shell.toast(&words);
            }
        },
    );
}

/// Nothing of anybody stays behind the window: the profile is locked.
pub(super) fn forget(shell: &Rc<Shell>) {
    let part = shell.part::<ui::Private>();
    for set in [
        ui::Private::set_secret,
        ui::Private::set_asked_question,
        ui::Private::set_pasted,
        ui::Private::set_error,
        ui::Private::set_code,
        ui::Private::set_code_spoken,
        ui::Private::set_own_code,
        ui::Private::set_own_code_spoken,
        ui::Private::set_alert_text,
        ui::Private::set_verify_text,
        ui::Private::set_question,
        ui::Private::set_risk_title,
        ui::Private::set_risk_text,
    ] {
        set(&part, SharedString::default());
    }
    part.set_devices(ModelRc::default());
    shell.talk.subject.verified.replace(None);
    shell.talk.subject.risk.replace(None);
}
