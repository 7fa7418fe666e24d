//! The window driven as a screen reader does, over the scripted engine; no display is needed.

use std::rc::Rc;
use std::sync::Arc;

use i_slint_backend_testing::{ElementHandle, ElementQuery};
use slint::{ComponentHandle, Model};
use sotto_api::view::Settings;
use sotto_api::{ConversationId, Event};

use crate::Shell;
use crate::demo::{Demo, Scene, Stand};
use crate::ui::{self, Page, Sheet, TalkKind};

const NOW: i64 = 1_795_617_000_000;

fn open(scene: Scene) -> (Rc<Shell>, Arc<Demo>) {
    i_slint_backend_testing::init_no_event_loop();
    let shell = Shell::new().expect("the testing backend has a window");
    // What has no place in the window is not found by its name.
    shell.window().show().expect("it can be shown");
    shell
        .window()
        .window()
        .set_size(slint::PhysicalSize::new(1280, 800));
    let demo = Arc::new(Demo::new(
        scene,
        NOW,
        Settings {
            language: "en".into(),
            ..Settings::default()
        },
    ));
    shell.attach(demo.clone());
    shell.part::<ui::App>().set_page(Page::Main);
    (shell, demo)
}

/// What the window calls so. A dialog measures itself once its parts are there, as before it is drawn.
fn find(shell: &Rc<Shell>, label: &str) -> Option<ElementHandle> {
    let look = || ElementHandle::find_by_accessible_label(shell.window(), label).next();
    look().or_else(|| {
        slint::platform::update_timers_and_animations();
        look()
    })
}

fn press(shell: &Rc<Shell>, label: &str) {
    find(shell, label)
        .unwrap_or_else(|| panic!("nothing is called {label:?}"))
        .invoke_accessible_default_action();
}

fn said(shell: &Rc<Shell>) -> Vec<String> {
    let rows = shell.part::<ui::Talk>().get_rows();
    rows.iter()
        .filter(|row| row.kind == TalkKind::Message)
        .map(|row| row.text.to_string())
        .collect()
}

#[test]
fn a_row_opens_its_conversation() {
    let (shell, _) = open(Scene::default());
    let row = shell
        .rows()
        .into_iter()
        .find(|row| row.name == "Omar Mansour")
        .expect("Omar is listed");
    press(&shell, &row.spoken);
    let talk = shell.part::<ui::Talk>();
    assert!(talk.get_open());
    assert_eq!(talk.get_name(), "Omar Mansour");
    assert_eq!(shell.part::<ui::People>().get_selected(), row.key);
}

#[test]
fn what_is_sent_stands_at_the_end_and_the_field_is_empty() {
    let (shell, demo) = open(Scene::default());
    shell.part::<ui::People>().invoke_activated(1);
    let talk = shell.part::<ui::Talk>();
    talk.invoke_edited("On my way".into());
    talk.invoke_send("On my way\n".into());
    assert_eq!(said(&shell).last().map(String::as_str), Some("On my way"));
    assert_eq!(talk.get_draft(), "");
    assert!(demo.asked().contains(&"Typing".to_owned()));
}

#[test]
fn up_corrects_the_last_message_and_brings_back_what_was_there() {
    let (shell, _) = open(Scene::default());
    shell.part::<ui::People>().invoke_activated(1);
    let talk = shell.part::<ui::Talk>();
    talk.invoke_send("Teh river".into());
    shell.handle(&Event::ConversationChanged {
        conversation: ConversationId(1),
    });
    talk.invoke_correct_last();
    assert!(talk.get_correcting());
    assert_eq!(talk.get_draft(), "Teh river");
    talk.invoke_send("The river".into());
    assert_eq!(said(&shell).last().map(String::as_str), Some("The river"));
    assert!(!talk.get_correcting());
}

#[test]
fn s_ui_02_a_link_shows_its_true_target_before_anything_opens() {
    let (shell, _) = open(Scene::default());
    shell.part::<ui::People>().invoke_activated(2);
    shell
        .part::<ui::Talk>()
        .invoke_link("m500000".into(), "1".into());
    assert_eq!(shell.part::<ui::App>().get_sheet(), Sheet::Link);
    let ask = shell.part::<ui::Ask>();
    assert!(
        ask.get_address().starts_with("https://riverxn--ide"),
        "{}",
        ask.get_address()
    );
    assert!(!ask.get_warning().is_empty());
    press(&shell, "Do not open");
    assert_eq!(shell.part::<ui::App>().get_sheet(), Sheet::None);
}

#[test]
fn older_messages_come_in_pages_and_in_order() {
    let (shell, _) = open(Scene {
        messages: 200,
        ..Scene::default()
    });
    shell.part::<ui::People>().invoke_activated(1);
    let before = said(&shell);
    assert_eq!(before.len(), 60);
    shell.part::<ui::Talk>().invoke_page_older();
    let after = said(&shell);
    assert_eq!(after.len(), 120);
    assert_eq!(after[60..], before);
}

#[test]
fn searching_lists_people_and_messages() {
    let (shell, _) = open(Scene::default());
    let people = shell.part::<ui::People>();
    people.set_filter("café".into());
    people.invoke_searched("café".into());
    let rows = shell.rows();
    assert!(
        rows.iter()
            .any(|row| row.kind == ui::PersonKind::Found && row.preview.contains("café"))
    );
    assert!(!rows.iter().any(|row| row.name == "Jonas Vik"));
}

#[test]
fn an_address_that_is_none_is_refused_beside_its_field() {
    let (shell, _) = open(Scene::default());
    shell.act("person-add");
    assert_eq!(shell.part::<ui::App>().get_sheet(), Sheet::PersonAdd);
    let ask = shell.part::<ui::Ask>();
    ask.set_text("leila".into());
    press(&shell, "Add this person");
    assert_eq!(shell.part::<ui::App>().get_sheet(), Sheet::PersonAdd);
    assert!(ask.get_error().contains("leila@riverside.example"));
    assert_eq!(ask.get_text(), "leila");
}

#[test]
fn five_thousand_people_fill_the_list() {
    let (shell, _) = open(Scene {
        people: 5_000,
        ..Scene::default()
    });
    assert!(shell.part::<ui::People>().get_length() > 5_000);
}

#[test]
fn selected_messages_are_counted_and_copied_away() {
    let (shell, _) = open(Scene::default());
    shell.part::<ui::People>().invoke_activated(1);
    let talk = shell.part::<ui::Talk>();
    talk.invoke_pick(1, false, false);
    talk.invoke_pick(3, true, false);
    assert_eq!(talk.get_selected(), 3);
    talk.invoke_copy_selected();
    assert_eq!(talk.get_selected(), 0);
}

#[test]
fn everything_in_the_window_that_can_be_pressed_has_a_name() {
    let (shell, _) = open(Scene::default());
    shell.part::<ui::People>().invoke_activated(2);
    let nameless: Vec<String> = ElementQuery::from_root(shell.window())
        .match_descendants()
        .find_all()
        .into_iter()
        .filter(|element| {
            matches!(
                element.accessible_role(),
                Some(
                    i_slint_backend_testing::AccessibleRole::Button
                        | i_slint_backend_testing::AccessibleRole::ListItem
                )
            ) && element
                .accessible_label()
                .is_none_or(|label| label.is_empty())
        })
        .filter_map(|element| element.id().map(|id| id.to_string()))
        .collect();
    assert!(nameless.is_empty(), "{nameless:?}");
}

fn standing(stand: Stand) -> (Rc<Shell>, Arc<Demo>) {
    let (shell, demo) = open(Scene {
        stand,
        ..Scene::default()
    });
    shell.part::<ui::People>().invoke_activated(1);
    (shell, demo)
}

#[test]
fn what_is_refused_says_why_and_its_text_stands_in_the_field() {
    let (shell, _) = standing(Stand::Refused);
    let private = shell.part::<ui::Private>();
    assert!(!private.get_can_send());
    assert_eq!(private.get_alert_title(), "Your message was not sent");
    assert!(
        shell
            .part::<ui::Talk>()
            .get_draft()
            .starts_with("Yes, I have them")
    );
}

#[test]
fn the_risky_way_is_asked_about_once_more() {
    let (shell, demo) = standing(Stand::Ended);
    press(&shell, "Go on unencrypted…");
    assert_eq!(shell.part::<ui::App>().get_sheet(), Sheet::Risk);
    assert!(!demo.asked().contains(&"PrivateContinue".to_owned()));
    press(&shell, "Leave it as it is");
    assert!(!demo.asked().contains(&"PrivateContinue".to_owned()));
    press(&shell, "Go on unencrypted…");
    press(&shell, "Go on unencrypted");
    assert!(demo.asked().contains(&"PrivateContinue".to_owned()));
}

#[test]
fn a_question_for_one_person_is_not_shown_to_another() {
    let (shell, _) = standing(Stand::Unverified);
    shell.act("verify");
    let private = shell.part::<ui::Private>();
    private.set_tab(1);
    private.set_asked_question("Where did we shelter from the hail?".into());
    press(&shell, "Verify later");
    shell.act("verify");
    assert_eq!(private.get_tab(), 1);
    shell.act("next");
    shell.act("verify");
    assert_eq!(private.get_asked_question(), "");
    assert_eq!(private.get_tab(), 0);
}

#[test]
fn a_check_that_waits_is_shown_when_its_dialog_opens() {
    let (shell, _) = standing(Stand::Waiting);
    shell.act("verify");
    assert_ne!(shell.part::<ui::Private>().get_tab(), 0);
    press(&shell, "Stop the check");
}

#[test]
fn a_pasted_code_that_matches_says_so_and_marks_nothing() {
    let (shell, demo) = standing(Stand::Unverified);
    shell.act("verify");
    assert_eq!(shell.part::<ui::App>().get_sheet(), Sheet::Verify);
    let private = shell.part::<ui::Private>();
    private.invoke_compared(private.get_code().to_lowercase().into());
    assert_eq!(private.get_comparison(), ui::Comparison::Same);
    assert!(!demo.asked().contains(&"VerifyCode".to_owned()));
    press(&shell, "They match");
    assert!(demo.asked().contains(&"VerifyCode".to_owned()));
    assert_eq!(private.get_trust(), ui::KeyTrust::Verified);
}

#[test]
fn a_question_of_the_other_side_opens_no_dialog_by_itself() {
    let (shell, _) = standing(Stand::Asked);
    assert_eq!(shell.part::<ui::App>().get_sheet(), Sheet::None);
    shell.act("verify");
    assert_eq!(shell.part::<ui::App>().get_sheet(), Sheet::Answer);
}
