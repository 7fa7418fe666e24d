//! The conversation side: header, messages, field.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use slint::{ComponentHandle, ModelRc, Timer};
use sotto_api::view::{ContactView, ConversationView, MessageView, Privacy};
use sotto_api::{ConversationId, MessageId, Reply, Request};

use super::{Shell, WindowWords, sheets, with_shell};
use crate::lines::Lines;
use crate::model::{PersonLine, TalkContext, TalkLine, lines};
use crate::ui::{self, AppWindow, TalkRow};

mod compose;
mod header;
mod page;
mod pick;
mod private;
mod row;

use compose::{correct_cancel, edited, send, set_field, stop_typing};
pub(super) use compose::{correct_last, keep_draft, take_back};
pub(super) use header::{privacy, show_header};
use page::{load_around, load_newest, page_newer, page_older, put_message, to_newest};
pub(super) use page::{message_changed, message_removed, messages_added, read};
use pick::menu;
pub(super) use pick::{copy_selected, pick};
pub(super) use private::act as private_act;
use row::row;

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
    /// What was sent and waits for its private conversation: it comes back into the field when there is none.
    waits: Option<String>,
}

pub(super) struct Talk {
    pub(super) state: RefCell<State>,
    rows: Rc<Lines<TalkLine, TalkRow>>,
    /// Raised when another conversation is opened, so that late answers are dropped.
    round: Cell<u64>,
    draft_timer: Timer,
    typing_timer: Timer,
    pub(super) menu_message: Cell<Option<MessageId>>,
    subject: private::Subject,
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
            subject: private::Subject::default(),
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

pub(super) fn wire(shell: &Rc<Shell>) {
    private::wire(shell);
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
    let unread = view.unread;
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
        None => match first_page(shell, unread) {
            0 => {
                let mut state = shell.talk.state.borrow_mut();
                state.loading = false;
                state.older = true;
                drop(state);
                show(shell);
            }
            count => load_newest(shell, id, round, count),
        },
        Some(message) => load_around(shell, id, round, message),
    }
    if enter {
        shell.part::<ui::App>().invoke_focus_pane(2);
    }
}

/// How many messages a conversation shows when it is opened: as many as the person wants, and all that are unread.
fn first_page(shell: &Rc<Shell>, unread: u32) -> u32 {
    let wanted = u32::from(shell.settings.borrow().history_shown.min(140));
    // One more than is new, so that the line above the new ones has its place.
    let fresh = if unread == 0 { 0 } else { unread.min(199) + 1 };
    wanted.max(fresh)
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
                compose::take_waiting(shell, &view);
                shell.talk.state.borrow_mut().view = Some(view);
                show_header(shell);
                crate::shell::keeping::changed(shell);
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

/// Much of the history went: what is shown is read anew.
pub(super) fn reload(shell: &Rc<Shell>) {
    if let Some(conversation) = shell.talk.conversation() {
        load_newest(shell, conversation, shell.talk.round.get(), PAGE);
        conversation_changed(shell, conversation);
    }
}

/// Forgets the open conversation, without a word to the engine: the profile is locked.
pub(super) fn forget(shell: &Rc<Shell>) {
    shell.talk.draft_timer.stop();
    shell.talk.typing_timer.stop();
    shell.talk.round.set(shell.talk.round.get() + 1);
    shell.talk.state.replace(State::default());
    shell.talk.menu_message.set(None);
    shell.part::<ui::Talk>().set_correcting(false);
    set_field(shell, "");
    show(shell);
    show_header(shell);
    header::forget(shell);
    private::forget(shell);
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
