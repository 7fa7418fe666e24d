//! The conversation side: header, messages, field.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use slint::{ComponentHandle, ModelRc, StyledText, Timer, TimerMode};
use sotto_api::view::{ContactView, ConversationView, Delivery, Direction, MessageView, Privacy};
use sotto_api::{ConversationId, MessageId, Reply, Request};

use super::{Shell, WindowWords, list, sheets, with_shell};
use crate::lines::Lines;
use crate::model::{
    PersonLine, TalkContext, TalkLine, contact_key, copy_text, isolate, lines, markdown, one_line,
};
use crate::ui::{self, AppWindow, PrivacyState, SendState, TalkKind, TalkRow};

/// How many messages are read at once.
const PAGE: u32 = 60;
/// A draft is kept this long after the last key.
const DRAFT_DELAY: Duration = Duration::from_millis(800);
/// Writing has stopped when nothing was typed for so long (XEP-0085 §5.1 suggests 5 s or more).
const TYPING_PAUSE: Duration = Duration::from_secs(5);

#[derive(Default)]
pub(super) struct State {
    pub(super) view: Option<ConversationView>,
    pub(super) messages: Vec<MessageView>,
    older: bool,
    newer: bool,
    loading: bool,
    first_unread: Option<MessageId>,
    pub(super) selected: HashSet<MessageId>,
    anchor: Option<MessageId>,
    expanded: HashSet<MessageId>,
    /// The message under correction, and what was in the field before.
    correcting: Option<(MessageId, String)>,
    /// What the store has as draft.
    kept: String,
    /// What is in the field.
    field: String,
    typing: bool,
}

pub(super) struct Talk {
    pub(super) state: RefCell<State>,
    rows: Rc<Lines<TalkLine, TalkRow>>,
    /// Raised when another conversation is opened, so that late answers are dropped.
    round: Cell<u64>,
    draft_timer: Timer,
    typing_timer: Timer,
    pub(super) menu_message: Cell<Option<MessageId>>,
}

impl Talk {
    pub(super) fn new(window: &AppWindow) -> Self {
        let rows = Rc::new(Lines::new(row));
        window
            .global::<ui::Talk>()
            .set_rows(ModelRc::from(rows.clone()));
        Self {
            state: RefCell::default(),
            rows,
            round: Cell::new(0),
            draft_timer: Timer::default(),
            typing_timer: Timer::default(),
            menu_message: Cell::new(None),
        }
    }

    pub(super) fn conversation(&self) -> Option<ConversationId> {
        self.state.borrow().view.as_ref().map(|view| view.id)
    }

    pub(super) fn view(&self) -> Option<ConversationView> {
        self.state.borrow().view.clone()
    }

    pub(super) fn message(&self, id: MessageId) -> Option<MessageView> {
        self.state
            .borrow()
            .messages
            .iter()
            .find(|message| message.id == id)
            .cloned()
    }

    fn message_at(&self, index: i32) -> Option<MessageId> {
        let index = usize::try_from(index).ok()?;
        self.rows.with(|rows| match rows.get(index) {
            Some(TalkLine::Message(bubble)) => Some(bubble.id),
            _ => None,
        })
    }
}

pub(super) fn privacy(privacy: Privacy) -> PrivacyState {
    match privacy {
        Privacy::Verified => PrivacyState::Verified,
        Privacy::Encrypted => PrivacyState::Encrypted,
        Privacy::ServerOnly => PrivacyState::ServerOnly,
        Privacy::None => PrivacyState::None,
    }
}

fn row(line: &TalkLine) -> TalkRow {
    match line {
        TalkLine::Day { key, text } => TalkRow {
            kind: TalkKind::Day,
            key: key.into(),
            text: text.into(),
            spoken: text.into(),
            ..TalkRow::default()
        },
        TalkLine::Fresh { text } => TalkRow {
            kind: TalkKind::Fresh,
            key: "fresh".into(),
            text: text.into(),
            spoken: text.into(),
            ..TalkRow::default()
        },
        TalkLine::System { key, text } => TalkRow {
            kind: TalkKind::System,
            key: key.into(),
            text: text.into(),
            spoken: text.into(),
            ..TalkRow::default()
        },
        TalkLine::Message(bubble) => TalkRow {
            kind: TalkKind::Message,
            key: bubble.key.as_str().into(),
            mine: bubble.mine,
            text: bubble.text.as_str().into(),
            cut: bubble.cut,
            rich: !bubble.links.is_empty(),
            styled: if bubble.links.is_empty() {
                StyledText::default()
            } else {
                StyledText::from_markdown(&markdown(&bubble.text, &bubble.links))
                    .unwrap_or_else(|_| StyledText::from_plain_text(&bubble.text))
            },
            action: bubble.action,
            right_to_left: bubble.right_to_left,
            joined_above: bubble.joined.0,
            joined_below: bubble.joined.1,
            private: bubble.private,
            foot: bubble.foot,
            time: bubble.time.as_str().into(),
            state: match bubble.delivery {
                None => SendState::None,
                Some(Delivery::Waiting) => SendState::Waiting,
                Some(Delivery::Sent) => SendState::Sent,
                Some(Delivery::Delivered) => SendState::Delivered,
                Some(Delivery::Seen) => SendState::Seen,
                Some(Delivery::Failed) => SendState::Failed,
            },
            state_text: bubble.delivery_text.as_str().into(),
            state_word: bubble.state_word,
            failure: bubble.failure.as_str().into(),
            edited: bubble.edited,
            note: bubble.note.as_str().into(),
            open: bubble.open,
            spoken: bubble.spoken.as_str().into(),
            selected: bubble.selected,
        },
    }
}

pub(super) fn wire(shell: &Rc<Shell>) {
    let talk = shell.part::<ui::Talk>();
    talk.on_edited(|text| with_shell(|shell| edited(shell, &text)));
    talk.on_send(|text| with_shell(|shell| send(shell, &text)));
    talk.on_correct_last(|| with_shell(correct_last));
    talk.on_correct_cancel(|| with_shell(correct_cancel));
    talk.on_page_older(|| with_shell(page_older));
    talk.on_page_newer(|| with_shell(page_newer));
    talk.on_to_newest(|| with_shell(to_newest));
    talk.on_retry(|key| {
        with_shell(|shell| {
            if let Some(id) = key.strip_prefix('m').and_then(|id| id.parse().ok()) {
                shell.tell(Request::MessageRetry {
                    message: MessageId(id),
                });
            }
        });
    });
    talk.on_more(|key| {
        with_shell(|shell| {
            if let Some(id) = key.strip_prefix('m').and_then(|id| id.parse().ok()) {
                shell.talk.state.borrow_mut().expanded.insert(MessageId(id));
                show(shell);
            }
        });
    });
    talk.on_link(|key, number| {
        with_shell(|shell| {
            let message = key
                .strip_prefix('m')
                .and_then(|id| id.parse().ok())
                .map(MessageId);
            if let (Some(message), Ok(number)) = (message, number.parse()) {
                sheets::ask_link(shell, message, number);
            }
        });
    });
    talk.on_menu(|index, x, y| with_shell(|shell| menu(shell, index, x, y)));
    talk.on_pick(|index, extend, add| with_shell(|shell| pick(shell, index, extend, add)));
    talk.on_copy_selected(|| with_shell(copy_selected));
    talk.on_back(|| with_shell(close));
}

/// Opens what a line of the list stands for; `enter` also moves the keyboard to the field.
pub(super) fn open_line(shell: &Rc<Shell>, line: &PersonLine, enter: bool) {
    match line {
        PersonLine::Group { .. } => {}
        PersonLine::Person { contact, .. } => open_contact(shell, contact, enter),
        PersonLine::Found {
            conversation,
            message,
            ..
        } => {
            open_conversation(shell, *conversation, Some(*message), enter);
        }
    }
}

fn open_contact(shell: &Rc<Shell>, contact: &ContactView, enter: bool) {
    if let Some(conversation) = contact.conversation {
        open_conversation(shell, conversation, None, enter);
    } else if let Some(address) = contact.addresses.first() {
        shell.ask(
            Request::ConversationOpen {
                account: address.account,
                address: address.address.clone(),
            },
            move |shell, answer| match answer {
                Ok(Reply::Conversation(view)) => show_conversation(shell, view, None, enter),
                Ok(_) => {}
                Err(error) => shell.toast(&error.message),
            },
        );
    }
}

/// Opens a conversation, at its end or at one message.
pub(super) fn open_conversation(
    shell: &Rc<Shell>,
    id: ConversationId,
    at: Option<MessageId>,
    enter: bool,
) {
    shell.ask(
        Request::ConversationView { conversation: id },
        move |shell, answer| match answer {
            Ok(Reply::Conversation(view)) => show_conversation(shell, view, at, enter),
            Ok(_) => {}
            Err(error) => shell.toast(&error.message),
        },
    );
}

fn show_conversation(
    shell: &Rc<Shell>,
    view: ConversationView,
    at: Option<MessageId>,
    enter: bool,
) {
    let same = shell.talk.conversation() == Some(view.id);
    if same && at.is_none() {
        shell.talk.state.borrow_mut().view = Some(view);
        show_header(shell);
        if enter {
            shell.part::<ui::App>().invoke_focus_pane(2);
        }
        return;
    }
    keep_draft(shell);
    stop_typing(shell);
    let round = shell.talk.round.get() + 1;
    shell.talk.round.set(round);
    let id = view.id;
    let draft = view.draft.clone();
    shell.talk.state.replace(State {
        first_unread: view.first_unread,
        kept: draft.clone(),
        field: draft.clone(),
        view: Some(view),
        loading: true,
        ..State::default()
    });
    show_header(shell);
    set_field(shell, &draft);
    shell.part::<ui::Talk>().set_correcting(false);
    // The last conversation's bubbles must not stand under another name for a moment.
    show(shell);
    match at {
        None => load_newest(shell, id, round, PAGE),
        Some(message) => load_around(shell, id, round, message),
    }
    if enter {
        shell.part::<ui::App>().invoke_focus_pane(2);
    }
}

fn load_newest(shell: &Rc<Shell>, conversation: ConversationId, round: u64, limit: u32) {
    shell.ask(
        Request::MessagePage {
            conversation,
            before: None,
            after: None,
            limit,
        },
        move |shell, answer| {
            if let Ok(Reply::Messages(page)) = answer
                && shell.talk.round.get() == round
            {
                {
                    let mut state = shell.talk.state.borrow_mut();
                    state.messages = page.messages;
                    state.older = page.older;
                    state.newer = false;
                    state.loading = false;
                }
                show(shell);
                to_bottom(shell);
                read(shell);
            }
        },
    );
}

fn load_around(shell: &Rc<Shell>, conversation: ConversationId, round: u64, message: MessageId) {
    shell.ask(
        Request::MessagePage {
            conversation,
            before: Some(message),
            after: None,
            limit: PAGE / 2,
        },
        move |shell, answer| {
            let Ok(Reply::Messages(before)) = answer else {
                return;
            };
            shell.ask(Request::MessageView { message }, move |shell, answer| {
                let Ok(Reply::Message(found)) = answer else {
                    return;
                };
                shell.ask(
                    Request::MessagePage {
                        conversation,
                        before: None,
                        after: Some(message),
                        limit: PAGE / 2,
                    },
                    move |shell, answer| {
                        let Ok(Reply::Messages(after)) = answer else {
                            return;
                        };
                        if shell.talk.round.get() != round {
                            return;
                        }
                        {
                            let mut state = shell.talk.state.borrow_mut();
                            state.messages = before.messages;
                            state.messages.push(found);
                            state.messages.extend(after.messages);
                            state.older = before.older;
                            state.newer = after.newer;
                            state.loading = false;
                            state.selected = HashSet::from([message]);
                        }
                        show(shell);
                        reveal(shell, message);
                    },
                );
            });
        },
    );
}

fn reveal(shell: &Rc<Shell>, message: MessageId) {
    let place = shell.talk.rows.with(|rows| {
        rows.iter()
            .position(|line| matches!(line, TalkLine::Message(bubble) if bubble.id == message))
    });
    if let Some(place) = place.and_then(|at| i32::try_from(at).ok()) {
        let talk = shell.part::<ui::Talk>();
        talk.set_current(place);
        talk.set_reveal_asked(talk.get_reveal_asked() + 1);
    }
}

fn to_bottom(shell: &Rc<Shell>) {
    let talk = shell.part::<ui::Talk>();
    talk.set_bottom_asked(talk.get_bottom_asked() + 1);
}

fn to_newest(shell: &Rc<Shell>) {
    let (id, newer) = {
        let state = shell.talk.state.borrow();
        (state.view.as_ref().map(|view| view.id), state.newer)
    };
    match id {
        Some(id) if newer => load_newest(shell, id, shell.talk.round.get(), PAGE),
        _ => to_bottom(shell),
    }
}

/// Tells the engine that the person has the open conversation before their eyes.
pub(super) fn read(shell: &Rc<Shell>) {
    let unread = shell
        .talk
        .view()
        .filter(|view| view.unread > 0)
        .map(|view| view.id);
    if let Some(conversation) = unread
        && shell.window.window().is_visible()
        && shell.part::<ui::App>().get_seen()
    {
        shell.tell(Request::ConversationRead { conversation });
    }
}

fn page_older(shell: &Rc<Shell>) {
    let asked = {
        let mut state = shell.talk.state.borrow_mut();
        match (&state.view, state.messages.first()) {
            (Some(view), Some(first)) if state.older && !state.loading => {
                let asked = (view.id, first.id);
                state.loading = true;
                Some(asked)
            }
            _ => None,
        }
    };
    let Some((conversation, first)) = asked else {
        return;
    };
    let round = shell.talk.round.get();
    shell.ask(
        Request::MessagePage {
            conversation,
            before: Some(first),
            after: None,
            limit: PAGE,
        },
        move |shell, answer| {
            if shell.talk.round.get() != round {
                return;
            }
            {
                let mut state = shell.talk.state.borrow_mut();
                state.loading = false;
                let Ok(Reply::Messages(page)) = answer else {
                    return;
                };
                state.older = page.older;
                let mut messages = page.messages;
                messages.append(&mut state.messages);
                state.messages = messages;
            }
            shell.part::<ui::Talk>().set_keep_end(true);
            show(shell);
        },
    );
}

fn page_newer(shell: &Rc<Shell>) {
    let asked = {
        let mut state = shell.talk.state.borrow_mut();
        match (&state.view, state.messages.last()) {
            (Some(view), Some(last)) if state.newer && !state.loading => {
                let asked = (view.id, last.id);
                state.loading = true;
                Some(asked)
            }
            _ => None,
        }
    };
    if let Some((conversation, last)) = asked {
        append(shell, conversation, last, false);
    }
}

/// Reads what came after `last`.
fn append(shell: &Rc<Shell>, conversation: ConversationId, last: MessageId, follow: bool) {
    let round = shell.talk.round.get();
    shell.ask(
        Request::MessagePage {
            conversation,
            before: None,
            after: Some(last),
            limit: 200,
        },
        move |shell, answer| {
            let Ok(Reply::Messages(page)) = answer else {
                return;
            };
            if shell.talk.round.get() != round {
                return;
            }
            let (changed, reload) = {
                let mut state = shell.talk.state.borrow_mut();
                state.loading = false;
                if state.messages.last().map(|message| message.id) != Some(last) {
                    // Another answer was quicker.
                    (false, false)
                } else if page.messages.is_empty() {
                    // They were put elsewhere than at the end: read all of it anew.
                    (false, follow)
                } else {
                    state.newer = page.newer;
                    state.messages.extend(page.messages);
                    (true, false)
                }
            };
            if reload {
                let limit = u32::try_from(shell.talk.state.borrow().messages.len()).unwrap_or(PAGE);
                load_newest(shell, conversation, round, limit.clamp(PAGE, 500));
            }
            if changed {
                let bottom = shell.part::<ui::Talk>().get_at_bottom();
                show(shell);
                if follow && bottom {
                    to_bottom(shell);
                    read(shell);
                }
            }
        },
    );
}

pub(super) fn messages_added(shell: &Rc<Shell>, conversation: ConversationId) {
    if shell.talk.conversation() != Some(conversation) {
        return;
    }
    let last = {
        let state = shell.talk.state.borrow();
        if state.newer || (state.loading && state.messages.is_empty()) {
            return;
        }
        state.messages.last().map(|message| message.id)
    };
    match last {
        Some(last) => append(shell, conversation, last, true),
        None => load_newest(shell, conversation, shell.talk.round.get(), PAGE),
    }
}

pub(super) fn message_changed(shell: &Rc<Shell>, conversation: ConversationId, message: MessageId) {
    if shell.talk.conversation() != Some(conversation) {
        return;
    }
    shell.ask(Request::MessageView { message }, |shell, answer| {
        if let Ok(Reply::Message(view)) = answer {
            put_message(shell, view);
        }
    });
}

fn put_message(shell: &Rc<Shell>, view: MessageView) {
    let found = {
        let mut state = shell.talk.state.borrow_mut();
        match state
            .messages
            .iter_mut()
            .find(|message| message.id == view.id)
        {
            Some(message) => {
                *message = view;
                true
            }
            None => false,
        }
    };
    if found {
        let bottom = shell.part::<ui::Talk>().get_at_bottom();
        show(shell);
        if bottom {
            to_bottom(shell);
        }
    }
}

pub(super) fn message_removed(shell: &Rc<Shell>, conversation: ConversationId, message: MessageId) {
    if shell.talk.conversation() == Some(conversation) {
        shell
            .talk
            .state
            .borrow_mut()
            .messages
            .retain(|known| known.id != message);
        show(shell);
    }
}

pub(super) fn conversation_changed(shell: &Rc<Shell>, conversation: ConversationId) {
    if shell.talk.conversation() != Some(conversation) {
        return;
    }
    shell.ask(
        Request::ConversationView { conversation },
        move |shell, answer| {
            if let Ok(Reply::Conversation(view)) = answer
                && shell.talk.conversation() == Some(view.id)
            {
                let relabel = shell
                    .talk
                    .view()
                    .is_some_and(|old| old.privacy.state != view.privacy.state);
                shell.talk.state.borrow_mut().view = Some(view);
                show_header(shell);
                if relabel {
                    show(shell);
                }
                if shell.part::<ui::Talk>().get_at_bottom() {
                    read(shell);
                }
            }
        },
    );
}

/// Makes the lines of the messages.
pub(super) fn show(shell: &Rc<Shell>) {
    let rows = {
        let state = shell.talk.state.borrow();
        let context = TalkContext {
            privacy: state
                .view
                .as_ref()
                .map_or(Privacy::ServerOnly, |view| view.privacy.state),
            first_unread: state.first_unread,
            selected: &state.selected,
            expanded: &state.expanded,
            now: shell.now(),
            zone: &shell.zone,
        };
        lines(&state.messages, &context, &WindowWords::of(shell.window()))
    };
    let talk = shell.part::<ui::Talk>();
    talk.set_length(i32::try_from(rows.len()).unwrap_or(i32::MAX));
    shell.talk.rows.set(rows);
    let state = shell.talk.state.borrow();
    talk.set_older(state.older);
    talk.set_newer(state.newer);
    talk.set_selected(i32::try_from(state.selected.len()).unwrap_or(i32::MAX));
    if talk.get_current() >= talk.get_length() {
        talk.set_current(-1);
    }
}

/// The words of the window have changed.
pub(super) fn refresh(shell: &Rc<Shell>) {
    show(shell);
    shell.talk.rows.refresh();
    show_header(shell);
}

/// Header, label, notice.
pub(super) fn show_header(shell: &Rc<Shell>) {
    let talk = shell.part::<ui::Talk>();
    let view = shell.talk.view();
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
    talk.set_stranger(view.stranger);
    talk.set_known(view.contact_id.is_some());
    talk.set_blocked(contact.blocked);
    talk.set_typing(view.typing_text.as_str().into());
    talk.set_notice(view.notice.as_str().into());
}

/// Puts a text into the field.
fn set_field(shell: &Rc<Shell>, text: &str) {
    shell.talk.state.borrow_mut().field = text.to_owned();
    let talk = shell.part::<ui::Talk>();
    talk.set_draft(text.into());
    talk.set_draft_asked(talk.get_draft_asked() + 1);
}

fn edited(shell: &Rc<Shell>, text: &str) {
    let started = {
        let mut state = shell.talk.state.borrow_mut();
        state.field = text.to_owned();
        let started = !state.typing && !text.is_empty();
        state.typing = !text.is_empty();
        started
    };
    if let Some(conversation) = shell.talk.conversation() {
        if text.is_empty() {
            shell.talk.typing_timer.stop();
            shell.tell(Request::Typing {
                conversation,
                active: false,
            });
        } else {
            if started {
                shell.tell(Request::Typing {
                    conversation,
                    active: true,
                });
            }
            shell
                .talk
                .typing_timer
                .start(TimerMode::SingleShot, TYPING_PAUSE, || {
                    with_shell(stop_typing)
                });
        }
    }
    shell
        .talk
        .draft_timer
        .start(TimerMode::SingleShot, DRAFT_DELAY, || {
            with_shell(keep_draft)
        });
}

fn stop_typing(shell: &Rc<Shell>) {
    shell.talk.typing_timer.stop();
    let was = std::mem::take(&mut shell.talk.state.borrow_mut().typing);
    if let Some(conversation) = shell.talk.conversation().filter(|_| was) {
        shell.tell(Request::Typing {
            conversation,
            active: false,
        });
    }
}

/// Hands the draft to the store, if it has changed.
pub(super) fn keep_draft(shell: &Rc<Shell>) {
    shell.talk.draft_timer.stop();
    let draft = {
        let mut state = shell.talk.state.borrow_mut();
        // A correction is no draft of a new message.
        let text = match &state.correcting {
            Some((_, before)) => before.clone(),
            None => state.field.clone(),
        };
        if text == state.kept {
            None
        } else {
            state.kept.clone_from(&text);
            Some(text)
        }
    };
    if let (Some(body), Some(conversation)) = (draft, shell.talk.conversation()) {
        shell.tell(Request::DraftSet { conversation, body });
    }
}

fn send(shell: &Rc<Shell>, text: &str) {
    let body = text.trim_matches(['\n', '\r']).to_owned();
    if body.trim().is_empty() {
        return;
    }
    let Some(conversation) = shell.talk.conversation() else {
        return;
    };
    let correcting = shell.talk.state.borrow_mut().correcting.take();
    let request = match &correcting {
        Some((message, _)) => Request::MessageCorrect {
            message: *message,
            body,
        },
        None => Request::MessageSend { conversation, body },
    };
    shell.talk.draft_timer.stop();
    shell.talk.typing_timer.stop();
    {
        let mut state = shell.talk.state.borrow_mut();
        state.typing = false;
        if correcting.is_none() {
            // The engine forgets the draft with the message; nothing is left to keep.
            state.kept.clear();
        }
    }
    shell.part::<ui::Talk>().set_correcting(false);
    set_field(shell, correcting.as_ref().map_or("", |(_, before)| before));
    let typed = text.to_owned();
    shell.ask(request, move |shell, answer| match answer {
        Ok(Reply::Message(view)) => {
            if shell.talk.message(view.id).is_some() {
                put_message(shell, view);
            } else {
                messages_added(shell, conversation);
                to_newest(shell);
            }
        }
        Ok(_) => {}
        Err(error) => {
            // What could not go is not lost.
            if shell.talk.conversation() == Some(conversation)
                && shell.talk.state.borrow().field.is_empty()
            {
                set_field(shell, &typed);
            }
            shell.toast(&error.message);
        }
    });
    shell.tell(Request::DraftSet {
        conversation,
        body: correcting.map_or_else(String::new, |(_, before)| before),
    });
}

/// Puts my last message into the field, to be corrected.
pub(super) fn correct_last(shell: &Rc<Shell>) {
    let Some(message) = shell.talk.view().and_then(|view| view.correctable) else {
        let words = shell.part::<ui::Words>().get_nothing_to_correct();
        shell.toast(&words);
        return;
    };
    shell.ask(Request::MessageView { message }, |shell, answer| {
        if let Ok(Reply::Message(view)) = answer
            && shell.talk.conversation() == Some(view.conversation)
        {
            {
                let mut state = shell.talk.state.borrow_mut();
                let before = match state.correcting.take() {
                    Some((_, before)) => before,
                    None => state.field.clone(),
                };
                state.correcting = Some((view.id, before));
            }
            shell.part::<ui::Talk>().set_correcting(true);
            let body = if view.kind == sotto_api::view::MessageKind::Action {
                // The view says *Sara waves*; what was typed said /me.
                view.body
                    .strip_prefix(view.author.as_str())
                    .map_or_else(|| view.body.clone(), |rest| format!("/me{rest}"))
            } else {
                view.body.clone()
            };
            set_field(shell, &body);
            shell.part::<ui::App>().invoke_focus_pane(2);
        }
    });
}

pub(super) fn correct_cancel(shell: &Rc<Shell>) {
    let before = shell.talk.state.borrow_mut().correcting.take();
    if let Some((_, before)) = before {
        shell.part::<ui::Talk>().set_correcting(false);
        set_field(shell, &before);
    }
}

/// Closes the conversation, not the person.
pub(super) fn close(shell: &Rc<Shell>) {
    keep_draft(shell);
    stop_typing(shell);
    shell.talk.round.set(shell.talk.round.get() + 1);
    shell.talk.state.replace(State::default());
    show(shell);
    show_header(shell);
    shell.part::<ui::App>().invoke_focus_pane(0);
}

fn menu(shell: &Rc<Shell>, index: i32, x: f32, y: f32) {
    let Some(id) = shell.talk.message_at(index) else {
        return;
    };
    let Some(message) = shell.talk.message(id) else {
        return;
    };
    shell.talk.menu_message.set(Some(id));
    shell.part::<ui::Talk>().set_current(index);
    let entries = shell.part::<ui::MenuEntries>();
    let correctable = shell.talk.view().and_then(|view| view.correctable);
    let items = match message.delivery {
        Some(Delivery::Failed) => entries.get_message_failed(),
        Some(Delivery::Waiting) => entries.get_message_waiting(),
        _ if !message.links.is_empty() => entries.get_message_link(),
        _ if message.direction == Direction::Outgoing && correctable == Some(id) => {
            entries.get_message_last()
        }
        _ => entries.get_message(),
    };
    shell.part::<ui::Menus>().invoke_show(items, x, y);
}

/// Selects messages for copying: one more, or all up to here.
pub(super) fn pick(shell: &Rc<Shell>, index: i32, extend: bool, add: bool) {
    let Some(id) = shell.talk.message_at(index) else {
        return;
    };
    {
        let mut state = shell.talk.state.borrow_mut();
        let place = |state: &State, id| state.messages.iter().position(|message| message.id == id);
        match (extend, state.anchor) {
            (true, Some(anchor)) => {
                if let (Some(a), Some(b)) = (place(&state, anchor), place(&state, id)) {
                    let range: Vec<MessageId> = state.messages[a.min(b)..=a.max(b)]
                        .iter()
                        .map(|message| message.id)
                        .collect();
                    state.selected = range.into_iter().collect();
                }
            }
            _ => {
                if !add {
                    state.selected.clear();
                }
                if !state.selected.remove(&id) {
                    state.selected.insert(id);
                }
                state.anchor = Some(id);
            }
        }
    }
    show(shell);
}

/// Puts the selected messages on the clipboard.
pub(super) fn copy_selected(shell: &Rc<Shell>) {
    let text = {
        let state = shell.talk.state.borrow();
        copy_text(&state.messages, &state.selected, &shell.zone)
    };
    if !text.is_empty() {
        shell.part::<ui::App>().invoke_copy(text.into());
        let copied = shell.part::<ui::Words>().get_copied();
        shell.toast(&copied);
        shell.talk.state.borrow_mut().selected.clear();
        show(shell);
    }
}

/// A message that was not sent goes back into the field, before what stands there.
pub(super) fn take_back(shell: &Rc<Shell>, view: &MessageView) {
    if shell.talk.conversation() != Some(view.conversation) {
        return;
    }
    let field = shell.talk.state.borrow().field.clone();
    let text = if field.trim().is_empty() {
        view.body.clone()
    } else {
        format!("{}\n{field}", view.body)
    };
    set_field(shell, &text);
    edited(shell, &text);
    shell.part::<ui::App>().invoke_focus_pane(2);
}
