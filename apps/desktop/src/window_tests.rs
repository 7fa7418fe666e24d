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
    shell.part::<ui::Talk>().invoke_page_older();
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
    assert_eq!(before.len(), 10, "as many as the settings say");
    shell.part::<ui::Talk>().invoke_page_older();
    let after = said(&shell);
    assert_eq!(after.len(), 70);
    assert_eq!(after[60..], before);
}

#[test]
fn a_conversation_that_shows_nothing_at_first_pages_back() {
    let (shell, _) = open(Scene {
        messages: 200,
        ..Scene::default()
    });
    let mut settings = shell.settings();
    settings.history_shown = 0;
    shell.set_settings(settings);
    shell.part::<ui::People>().invoke_activated(1);
    assert!(said(&shell).is_empty());
    assert!(shell.part::<ui::Talk>().get_older());
    shell.part::<ui::Talk>().invoke_page_older();
    assert_eq!(said(&shell).len(), 60);
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

#[test]
fn lowering_what_is_required_for_everyone_is_asked_about_once_more() {
    let (shell, demo) = open(Scene::default());
    crate::pages::Pages::act("security");
    let codes = shell.part::<ui::Codes>();
    assert_eq!(codes.get_policy(), 2);
    codes.invoke_policy_chosen(0);
    let dialogs = shell.part::<ui::Dialogs>();
    assert_eq!(dialogs.get_kind(), ui::DialogKind::Question);
    assert!(dialogs.get_risky());
    dialogs.invoke_escaped();
    assert!(!demo.asked().contains(&"PolicySet".to_owned()));
    assert_eq!(codes.get_policy(), 2);
    codes.invoke_policy_chosen(0);
    dialogs.invoke_accept();
    assert!(demo.asked().contains(&"PolicySet".to_owned()));
}

#[test]
fn lowering_what_is_required_on_an_account_is_asked_about_once_more() {
    let (shell, demo) = open(Scene::default());
    crate::pages::Pages::act("security");
    let codes = shell.part::<ui::Codes>();
    // From as for everyone, which is required, to off.
    codes.invoke_account_policy(0, 1);
    assert!(shell.part::<ui::Dialogs>().get_risky());
    assert!(!demo.asked().contains(&"PolicySet".to_owned()));
    shell.part::<ui::Dialogs>().invoke_escaped();
    // Required stays required.
    codes.invoke_account_policy(0, 3);
    assert!(demo.asked().contains(&"PolicySet".to_owned()));
}

#[test]
fn the_history_of_a_person_is_found_by_word_and_by_day() {
    let (shell, _) = open(Scene {
        messages: 40,
        ..Scene::default()
    });
    shell.part::<ui::People>().invoke_activated(1);
    shell.act("history");
    assert_eq!(shell.part::<ui::App>().get_page(), Page::History);
    let history = shell.part::<ui::History>();
    assert_eq!(history.get_count(), "47 messages, sealed");
    assert!(history.get_days().row_count() >= 2);
    history.set_query("café".into());
    history.invoke_searched("café".into());
    assert_eq!(history.get_place(), "1 of 1");
    let found: Vec<_> = history.get_rows().iter().filter(|row| row.found).collect();
    assert_eq!(found.len(), 1);
    assert!(found[0].text.contains("café"));
    history.invoke_scope_chosen(1);
    assert_eq!(history.get_rows().iter().filter(|row| !row.day).count(), 1);
}

#[test]
fn the_history_of_all_shows_a_day_and_whom_own_words_were_for() {
    let (shell, _) = open(Scene {
        messages: 40,
        ..Scene::default()
    });
    shell.act("history-all");
    let history = shell.part::<ui::History>();
    assert_eq!(history.get_length(), 0);
    history.invoke_day_chosen(0);
    let lines: Vec<_> = history.get_rows().iter().filter(|row| !row.day).collect();
    let own = lines
        .iter()
        .find(|row| row.who.starts_with("You, to "))
        .expect("own words say whom they were for");
    assert!(own.spoken.starts_with(own.who.as_str()));
    assert!(lines.iter().any(|row| !row.who.starts_with("You")));
    // The keyboard goes from message to message, and nowhere else.
    history.invoke_moved(1);
    assert_eq!(history.get_current(), 1);
    assert!(history.get_marked());
    history.invoke_moved(-1);
    assert_eq!(history.get_current(), 1);
}

#[test]
fn a_history_that_was_open_is_open_again_after_a_lock() {
    let (shell, _) = open(Scene::default());
    shell.part::<ui::People>().invoke_activated(1);
    shell.act("history");
    shell.act("lock");
    let app = shell.part::<ui::App>();
    assert_eq!(app.get_page(), Page::Unlock);
    let history = shell.part::<ui::History>();
    assert_eq!(history.get_name(), "");
    assert_eq!(history.get_length(), 0);
    let unlock = shell.part::<ui::Unlock>();
    unlock.set_passphrase("lantern copper quiet harbour".into());
    unlock.invoke_accept();
    shell.handle(&Event::ProfileChanged);
    assert_eq!(app.get_page(), Page::History);
    assert!(history.get_name().contains("Leila"));
    assert!(history.get_length() > 0);
}

#[test]
fn erasing_says_how_much_it_is_and_asks() {
    let (shell, demo) = open(Scene::default());
    shell.part::<ui::People>().invoke_activated(1);
    shell.act("history");
    shell.act("history-erase-person");
    let dialogs = shell.part::<ui::Dialogs>();
    assert!(dialogs.get_title().starts_with("Erase everything with"));
    assert!(dialogs.get_lead().starts_with("7 messages"));
    assert!(dialogs.get_danger());
    dialogs.invoke_escaped();
    assert!(!demo.asked().contains(&"HistoryErase".to_owned()));
    shell.act("history-erase-person");
    dialogs.invoke_accept();
    assert!(demo.asked().contains(&"HistoryErase".to_owned()));
    assert_eq!(shell.part::<ui::History>().get_length(), 0);
}

#[test]
fn s_store_17_a_readable_copy_is_written_only_after_a_warning() {
    let (shell, _) = open(Scene::default());
    shell.part::<ui::People>().invoke_activated(1);
    shell.act("history");
    shell.part::<ui::History>().invoke_save();
    let dialogs = shell.part::<ui::Dialogs>();
    assert_eq!(dialogs.get_kind(), ui::DialogKind::Save);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("history.txt");
    dialogs.set_text(file.to_string_lossy().as_ref().into());
    dialogs.invoke_accept();
    let text = std::fs::read_to_string(&file).expect("it is written");
    assert!(text.starts_with("Leila Haddad") && text.ends_with("at six.\n"));
    // What lies there is not overwritten.
    shell.part::<ui::History>().invoke_save();
    dialogs.set_text(file.to_string_lossy().as_ref().into());
    dialogs.invoke_accept();
    assert!(!dialogs.get_error().is_empty());
    assert_eq!(std::fs::read_to_string(&file).expect("it is there"), text);
}

/// Every text that the window could show or say.
fn everything_said(shell: &Rc<Shell>) -> String {
    let mut said = String::new();
    ElementQuery::from_root(shell.window())
        .match_descendants()
        .find_all()
        .into_iter()
        .for_each(|element| {
            for text in [
                element.accessible_label(),
                element.accessible_value(),
                element.accessible_description(),
            ]
            .into_iter()
            .flatten()
            {
                said.push_str(&text);
                said.push('\n');
            }
        });
    said.push_str(&shell.window().get_heading());
    said
}

#[test]
fn s_ui_09_a_locked_window_shows_nothing_and_an_opened_one_is_where_it_was() {
    let (shell, demo) = standing(Stand::Verified);
    shell.act("verify");
    let private = shell.part::<ui::Private>();
    private.set_secret("under the tram bridge".into());
    assert!(everything_said(&shell).contains("Leila"));
    shell.act("lock");
    let app = shell.part::<ui::App>();
    assert_eq!(app.get_page(), Page::Unlock);
    assert_eq!(app.get_sheet(), Sheet::None);
    let said = everything_said(&shell);
    for word in ["Leila", "Omar", "riverside", "café", "5F2C"] {
        assert!(!said.contains(word), "{word} in {said}");
    }
    assert!(shell.part::<ui::Unlock>().get_locked());
    assert_eq!(private.get_secret(), "");
    assert_eq!(private.get_code(), "");
    assert_eq!(shell.part::<ui::Talk>().get_name(), "");
    assert!(shell.rows().is_empty());

    let unlock = shell.part::<ui::Unlock>();
    unlock.set_passphrase("wrong".into());
    unlock.invoke_accept();
    assert!(unlock.get_error().contains("does not open it"));
    assert_eq!(app.get_page(), Page::Unlock);
    unlock.set_passphrase("lantern copper quiet harbour".into());
    unlock.invoke_accept();
    shell.handle(&Event::ProfileChanged);
    assert_eq!(app.get_page(), Page::Main);
    assert_eq!(shell.part::<ui::Talk>().get_name(), "Leila Haddad");
    assert!(demo.asked().contains(&"ProfileLock".to_owned()));
}

#[test]
fn a_kept_password_is_shown_only_for_the_passphrase() {
    let (shell, _) = open(Scene::default());
    crate::pages::Pages::act("security");
    let passwords = shell.part::<ui::Passwords>();
    passwords.invoke_show_list();
    assert_eq!(passwords.get_saved().row_count(), 2);
    passwords.invoke_show(0);
    let dialogs = shell.part::<ui::Dialogs>();
    dialogs.set_text("wrong".into());
    dialogs.invoke_accept();
    assert!(dialogs.get_error().contains("does not open it"));
    assert_eq!(dialogs.get_note(), "");
    dialogs.set_text("lantern copper quiet harbour".into());
    dialogs.invoke_accept();
    assert_eq!(dialogs.get_note(), "a quiet password 17");
    dialogs.invoke_escaped();
    assert_eq!(dialogs.get_note(), "");
    passwords.invoke_remove(1);
    dialogs.invoke_accept();
    assert_eq!(passwords.get_saved().row_count(), 1);
}

#[test]
fn a_shorter_time_is_asked_about_and_a_wrong_figure_is_not_kept() {
    let (shell, demo) = open(Scene::default());
    crate::pages::Pages::act("options");
    let keeping = shell.part::<ui::Keeping>();
    keeping.invoke_expiry_chosen(3);
    let dialogs = shell.part::<ui::Dialogs>();
    assert!(dialogs.get_danger());
    assert!(!demo.asked().contains(&"SettingsSet".to_owned()));
    dialogs.invoke_escaped();
    assert_eq!(keeping.get_expiry(), 0);
    keeping.invoke_shown_edited("141".into());
    assert!(keeping.get_shown_error().contains("140"));
    assert!(!demo.asked().contains(&"SettingsSet".to_owned()));
    keeping.invoke_shown_edited("140".into());
    assert_eq!(keeping.get_shown_error(), "");
    assert!(demo.asked().contains(&"SettingsSet".to_owned()));
}

#[test]
fn s_store_16_recording_is_said_over_every_page_until_it_stops() {
    let (shell, _) = open(Scene::default());
    crate::pages::Pages::act("advanced");
    let records = shell.part::<ui::Records>();
    let app = shell.part::<ui::App>();
    records.invoke_stanzas_chosen(2);
    assert!(shell.part::<ui::Dialogs>().get_risky());
    shell.part::<ui::Dialogs>().invoke_escaped();
    assert_eq!(records.get_stanzas(), 0);
    records.invoke_stanzas_chosen(1);
    shell.handle(&Event::RecordsChanged);
    assert!(app.get_recording().contains("recorded"));
    app.set_page(Page::Main);
    press(&shell, "Stop recording");
    shell.handle(&Event::RecordsChanged);
    assert_eq!(app.get_recording(), "");
}

#[test]
fn moving_in_shows_what_was_found_before_anything_is_done() {
    let (shell, demo) = open(Scene::default());
    crate::pages::Pages::act("move-in");
    let moving = shell.part::<ui::Moving>();
    moving.invoke_look();
    assert_eq!(moving.get_step(), ui::MoveStep::Found);
    assert!(moving.get_history_text().contains("8412"));
    assert!(!demo.asked().contains(&"ImportRun".to_owned()));
    moving.invoke_run();
    assert_eq!(moving.get_step(), ui::MoveStep::Done);
    assert!(moving.get_shred_text().contains("SSD"));
    moving.invoke_shred();
    assert!(!demo.asked().contains(&"ImportShred".to_owned()));
    shell.part::<ui::Dialogs>().invoke_accept();
    assert_eq!(moving.get_step(), ui::MoveStep::Shredded);
}

#[test]
fn where_the_history_is_off_moving_in_takes_no_messages_and_the_recording_page_says_more() {
    let (shell, _) = open(Scene::default());
    crate::pages::Pages::act("options");
    shell.part::<ui::Keeping>().invoke_keep_chosen(false);
    crate::pages::Pages::act("move-in");
    let moving = shell.part::<ui::Moving>();
    moving.invoke_look();
    assert!(!moving.get_has_history());
    assert!(moving.get_history_text().contains("switched off"));
    assert!(!shell.part::<ui::Keeping>().get_recorded());
    shell.part::<ui::Records>().invoke_stanzas_chosen(1);
    assert!(shell.part::<ui::Keeping>().get_recorded());
    assert!(shell.part::<ui::Records>().get_history_off());
}

#[test]
fn messages_older_than_messages_are_kept_are_said_to_go_before_they_are_brought_over() {
    let (shell, _) = open(Scene::default());
    crate::pages::Pages::act("options");
    shell.part::<ui::Keeping>().invoke_expiry_chosen(3);
    shell.part::<ui::Dialogs>().invoke_accept();
    crate::pages::Pages::act("move-in");
    let moving = shell.part::<ui::Moving>();
    moving.invoke_look();
    assert!(moving.get_age_text().contains("For a week"));
}

#[test]
fn a_profile_is_destroyed_only_when_the_word_is_typed() {
    let (shell, demo) = open(Scene::default());
    crate::pages::Pages::act("profile-destroy");
    let dialogs = shell.part::<ui::Dialogs>();
    assert_eq!(dialogs.get_kind(), ui::DialogKind::Destroy);
    dialogs.set_text3("destory".into());
    dialogs.invoke_accept();
    assert!(dialogs.get_error2().contains("destroy"));
    assert!(!demo.asked().contains(&"ProfileDestroy".to_owned()));
    dialogs.set_text3("destroy".into());
    dialogs.invoke_accept();
    assert!(demo.asked().contains(&"ProfileDestroy".to_owned()));
}
