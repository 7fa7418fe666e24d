//! The list side: people, what is found, my own row.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use slint::{ComponentHandle, ModelRc};
use sotto_api::view::{AccountState, Availability};
use sotto_api::{AccountId, Reply, Request};

use super::{Shell, WindowWords, talk, tray, with_shell};
use crate::lines::Lines;
use crate::model::{ListInput, PersonLine, jump, list, one_line};
use crate::ui::{self, AppWindow, People, PersonKind, PersonRow, Presence};

/// How many conversations stand under *Recent*.
const RECENT: u32 = 8;
/// How many messages a search shows.
const HITS: u32 = 50;

pub(super) struct List {
    input: RefCell<ListInput>,
    lines: Rc<Lines<PersonLine, PersonRow>>,
    /// Raised with each reload, so that a late answer cannot replace a newer one.
    round: Cell<u64>,
}

impl List {
    pub(super) fn new(window: &AppWindow, shell: &Weak<Shell>) -> Self {
        let shell = shell.clone();
        let lines = Rc::new(Lines::new(move |line| row(&shell, line)));
        window
            .global::<People>()
            .set_rows(ModelRc::from(lines.clone()));
        Self {
            input: RefCell::default(),
            lines,
            round: Cell::new(0),
        }
    }

    pub(super) fn line(&self, index: i32) -> Option<PersonLine> {
        let index = usize::try_from(index).ok()?;
        self.lines.with(|lines| lines.get(index).cloned())
    }

    /// Whether anybody wrote something that was not read yet.
    pub(super) fn has_unread(&self) -> bool {
        let input = self.input.borrow();
        let contacts = input.groups.iter().flat_map(|group| &group.contacts);
        input.recent.iter().any(|talk| talk.unread > 0)
            || contacts.into_iter().any(|contact| contact.unread > 0)
    }

    pub(super) fn lines(&self) -> Vec<PersonLine> {
        self.lines.with(<[PersonLine]>::to_vec)
    }
}

/// The shape that stands for a presence.
pub(super) fn presence(availability: Availability) -> Presence {
    match availability {
        Availability::Chat | Availability::Available => Presence::Available,
        Availability::Away | Availability::ExtendedAway => Presence::Away,
        Availability::Busy => Presence::Busy,
        Availability::Offline => Presence::Offline,
        Availability::Unknown => Presence::Unknown,
    }
}

fn row(shell: &Weak<Shell>, line: &PersonLine) -> PersonRow {
    match line {
        PersonLine::Group {
            key,
            name,
            count,
            folded,
        } => PersonRow {
            kind: PersonKind::Group,
            key: key.into(),
            name: name.into(),
            count: count.into(),
            folded: *folded,
            spoken: format!("{name} {count}").trim().into(),
            ..PersonRow::default()
        },
        PersonLine::Found {
            key,
            name,
            text,
            time,
            ..
        } => PersonRow {
            kind: PersonKind::Found,
            key: key.into(),
            name: name.into(),
            preview: one_line(text).into(),
            time: time.into(),
            spoken: format!("{name}: {text}, {time}").into(),
            ..PersonRow::default()
        },
        PersonLine::Person { key, contact, time } => {
            let picture = shell
                .upgrade()
                .and_then(|shell| shell.picture(contact.avatar.as_deref()));
            PersonRow {
                kind: PersonKind::Person,
                key: key.into(),
                name: one_line(&contact.name).into(),
                initials: contact.initials.as_str().into(),
                colour: i32::from(contact.colour % 6),
                has_picture: picture.is_some(),
                picture: picture.unwrap_or_default(),
                presence: presence(contact.availability),
                preview: if contact.preview.is_empty() && !contact.status_text.is_empty() {
                    one_line(&contact.status_text).into()
                } else {
                    one_line(&contact.preview).into()
                },
                draft: contact.preview_is_draft,
                failed: contact.preview_failed,
                time: time.into(),
                unread: i32::try_from(contact.unread).unwrap_or(i32::MAX),
                blocked: contact.blocked,
                spoken: if time.is_empty() {
                    contact.spoken.as_str().into()
                } else {
                    format!("{}, {time}", contact.spoken).into()
                },
                ..PersonRow::default()
            }
        }
    }
}

pub(super) fn wire(shell: &Rc<Shell>) {
    let people = shell.part::<People>();
    people.on_searched(|_| with_shell(reload));
    people.on_activated(|index| with_shell(|shell| activate(shell, index)));
    people.on_menu(|index, x, y| with_shell(|shell| menu(shell, index, x, y)));
    people.on_jump(|from, letter| {
        let mut found = -1;
        with_shell(|shell| {
            let from = usize::try_from(from).unwrap_or_default();
            found = shell
                .list
                .lines
                .with(|lines| jump(lines, from, &letter))
                .and_then(|at| i32::try_from(at).ok())
                .unwrap_or(-1);
        });
        found
    });
}

/// Reads the list anew, as the search field has it.
pub(super) fn reload(shell: &Rc<Shell>) {
    let filter = shell.part::<People>().get_filter().trim().to_owned();
    let round = shell.list.round.get() + 1;
    shell.list.round.set(round);
    let searching = !filter.is_empty();
    shell.ask(
        Request::ContactList {
            filter: filter.clone(),
            // Somebody who is searched for is found, online or not.
            offline: searching.then_some(true),
        },
        move |shell, answer| {
            if shell.list.round.get() == round
                && let Ok(Reply::Contacts(groups)) = answer
            {
                {
                    let mut input = shell.list.input.borrow_mut();
                    input.groups = groups;
                    if !searching {
                        input.hits.clear();
                    }
                }
                shell.part::<People>().set_loaded(true);
                show(shell);
            }
        },
    );
    if searching {
        shell.list.input.borrow_mut().recent.clear();
        shell.ask(
            Request::Search {
                query: filter,
                conversation: None,
                before: None,
                limit: HITS,
            },
            move |shell, answer| {
                if shell.list.round.get() == round
                    && let Ok(Reply::Found(page)) = answer
                {
                    shell.list.input.borrow_mut().hits = page.hits;
                    show(shell);
                }
            },
        );
    } else {
        reload_recent(shell);
    }
}

/// Reads the newest conversations anew.
pub(super) fn reload_recent(shell: &Rc<Shell>) {
    if !shell.part::<People>().get_filter().trim().is_empty() {
        return;
    }
    shell.ask(
        Request::ConversationList { limit: RECENT },
        |shell, answer| {
            if let Ok(Reply::Conversations(mut conversations)) = answer {
                if !shell.part::<People>().get_filter().trim().is_empty() {
                    return;
                }
                conversations.retain(|conversation| {
                    conversation.last_at.is_some()
                        || conversation.unread > 0
                        || !conversation.draft.is_empty()
                });
                shell.list.input.borrow_mut().recent = conversations;
                show(shell);
            }
        },
    );
}

/// Makes the lines of what was read, and moves the keyboard with the line it was on.
pub(super) fn show(shell: &Rc<Shell>) {
    tray::refresh(shell);
    let people = shell.part::<People>();
    let current = shell
        .list
        .line(people.get_current())
        .map(|line| key(&line).to_owned());
    let lines = list(
        &shell.list.input.borrow(),
        shell.now(),
        &shell.zone,
        &WindowWords::of(shell.window()),
    );
    let place = current.and_then(|current| lines.iter().position(|line| key(line) == current));
    let filtering = !people.get_filter().trim().is_empty();
    if !filtering {
        people.set_nobody(
            shell
                .list
                .input
                .borrow()
                .groups
                .iter()
                .all(|group| group.total == 0)
                && shell.list.input.borrow().recent.is_empty(),
        );
    }
    people.set_length(i32::try_from(lines.len()).unwrap_or(i32::MAX));
    // While something is searched, Enter takes the first find.
    let first = lines
        .iter()
        .position(|line| !matches!(line, PersonLine::Group { .. }))
        .filter(|_| filtering);
    shell.list.lines.set(lines);
    people.set_current(
        place
            .or(first)
            .and_then(|at| i32::try_from(at).ok())
            .unwrap_or(-1),
    );
}

fn key(line: &PersonLine) -> &str {
    crate::model::Keyed::key(line)
}

/// Times change with the clock and words with the language; pictures arrive.
pub(super) fn refresh(shell: &Rc<Shell>) {
    show(shell);
    shell.list.lines.refresh();
    show_accounts(shell);
}

/// Forgets everybody: the profile is locked.
pub(super) fn forget(shell: &Rc<Shell>) {
    shell.list.round.set(shell.list.round.get() + 1);
    shell.list.input.replace(ListInput::default());
    let people = shell.part::<People>();
    people.set_filter(Default::default());
    people.set_selected(Default::default());
    people.set_own_address(Default::default());
    people.set_own_picture(Default::default());
    people.set_own_has_picture(false);
    people.set_warning(Default::default());
    people.set_requests(0);
    people.set_loaded(false);
    show(shell);
}

fn activate(shell: &Rc<Shell>, index: i32) {
    match shell.list.line(index) {
        Some(PersonLine::Group { key, .. }) => {
            {
                let mut input = shell.list.input.borrow_mut();
                if !input.folded.remove(&key) {
                    input.folded.insert(key);
                }
            }
            show(shell);
        }
        Some(line) => {
            talk::open_line(shell, &line, true);
        }
        None => {}
    }
}

fn menu(shell: &Rc<Shell>, index: i32, x: f32, y: f32) {
    let Some(line) = shell.list.line(index) else {
        return;
    };
    if matches!(line, PersonLine::Person { .. }) {
        // The entries speak of the open conversation: open theirs first.
        talk::open_line(shell, &line, false);
        let entries = shell.part::<ui::MenuEntries>().get_person();
        shell.part::<ui::Menus>().invoke_show(entries, x, y);
    }
}

/// My own row and the foot.
pub(super) fn show_accounts(shell: &Rc<Shell>) {
    let accounts = shell.accounts.borrow();
    let people = shell.part::<People>();
    let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    people.set_accounts(count(accounts.len()));
    people.set_online(count(
        accounts
            .iter()
            .filter(|account| account.state == AccountState::Online)
            .count(),
    ));
    let trouble = accounts.iter().find(|account| {
        account.enabled && !matches!(account.state, AccountState::Online | AccountState::Disabled)
    });
    people.set_trouble(trouble.map_or_else(Default::default, |account| {
        if accounts.len() > 1 {
            format!("{}: {}", account.address, account.state_text).into()
        } else {
            account.state_text.as_str().into()
        }
    }));
    let own = accounts
        .iter()
        .find(|account| account.state == AccountState::Online)
        .or_else(|| accounts.first());
    if let Some(own) = own {
        let availability = if own.state == AccountState::Online {
            own.availability
        } else {
            Availability::Offline
        };
        people.set_own_name(own.address.as_str().into());
        people.set_own_address(own.address.as_str().into());
        people.set_own_initials(
            own.address
                .chars()
                .next()
                .map(|c| c.to_uppercase().to_string())
                .unwrap_or_default()
                .into(),
        );
        people.set_own_colour(1);
        people.set_own_presence(presence(availability));
        let word = shell
            .part::<ui::Words>()
            .invoke_availability(availability as i32);
        people.set_own_status(if own.status_text.is_empty() {
            word
        } else {
            format!("{word} · {}", own.status_text).into()
        });
        let picture = shell.picture(own.avatar.as_deref());
        people.set_own_has_picture(picture.is_some());
        people.set_own_picture(picture.unwrap_or_default());
    } else {
        people.set_own_name(Default::default());
        people.set_own_initials(Default::default());
        people.set_own_status(Default::default());
        people.set_own_address(Default::default());
        people.set_own_has_picture(false);
        people.set_own_picture(Default::default());
    }
}

/// The account on which somebody new is added: the first that is online, else the first.
pub(super) fn default_account(shell: &Rc<Shell>) -> Option<AccountId> {
    let accounts = shell.accounts.borrow();
    accounts
        .iter()
        .find(|account| account.state == AccountState::Online)
        .or_else(|| accounts.first())
        .map(|account| account.id)
}
