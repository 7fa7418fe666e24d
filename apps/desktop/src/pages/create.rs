//! Making an XMPP account from inside: a server, its form, and what it says.

use slint::{ComponentHandle, Image, SharedString};
use sotto_api::view::{
    FieldKind, FormView, ProblemView, RegistrationState, RegistrationView, ServerView,
};
use sotto_api::{Problem, RegistrationId, Reply, Request, Secret};

use super::form::{Form, Missing, other_names};
use super::{Pages, change, dialogs, model, passphrase, sign_in, with};
use crate::{App, AppWindow, Create, FormRow, Page, PageWords, ServerRow};

#[derive(Default)]
pub(super) struct CreateState {
    servers: Vec<ServerView>,
    form: Form,
    registration: Option<RegistrationId>,
}

pub(super) fn wire(ui: &AppWindow) {
    let page = ui.global::<Create>();
    page.on_choose(|index| with(|pages| choose(pages, index)));
    page.on_choose_other(|domain| {
        with(|pages| {
            if let Some(ui) = pages.ui() {
                ui.global::<Create>().set_chosen(-1);
            }
            begin(pages, domain.trim());
        });
    });
    page.on_edited(|text| {
        with(|pages| {
            passphrase::measure(pages, &text, |ui, view| {
                let page = ui.global::<Create>();
                page.set_steps(i32::from(view.steps));
                page.set_word(view.word.into());
            });
        });
    });
    page.on_row_edited(|index, value| with(|pages| row_edited(pages, index, &value)));
    page.on_accept(|| with(submit));
    page.on_open_page(|| with(open_page));
    page.on_leave(|| with(leave));
}

/// Nothing that was typed stays behind the page: the profile is locked.
pub(super) fn forget(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<Create>();
    for set in [
        Create::set_name,
        Create::set_password,
        Create::set_again,
        Create::set_instructions,
    ] {
        set(&page, "".into());
    }
    page.set_rows(model(Vec::new()));
}

pub(super) fn show(pages: &Pages) {
    pages.ask(Request::ServerList {}, |pages, result| {
        let (Ok(Reply::Servers(servers)), Some(ui)) = (result, pages.ui()) else {
            return;
        };
        let page = ui.global::<Create>();
        let rows = servers
            .iter()
            .map(|s| ServerRow {
                domain: s.domain.as_str().into(),
                about: s.about.as_str().into(),
            })
            .collect();
        page.set_servers(model(rows));
        page.set_chosen(-2);
        page.set_domain("".into());
        clear(&page);
        pages.state.borrow_mut().create = CreateState {
            servers,
            ..CreateState::default()
        };
        pages.show(Page::CreateAccount);
    });
}

/// Forgets what belongs to one server; name and password stay typed.
fn clear(page: &Create<'_>) {
    page.set_step("choose".into());
    page.set_foot("".into());
    page.set_foot_good(false);
    page.set_instructions("".into());
    page.set_page("".into());
    page.set_rows(model(Vec::new()));
    page.set_problem_title("".into());
    page.set_problem_text("".into());
    page.set_server_error("".into());
    page.set_name_error("".into());
    page.set_suggestions(model(Vec::new()));
}

fn choose(pages: &Pages, index: i32) {
    let domain = usize::try_from(index).ok().and_then(|i| {
        pages
            .state
            .borrow()
            .create
            .servers
            .get(i)
            .map(|s| s.domain.clone())
    });
    let (Some(domain), Some(ui)) = (domain, pages.ui()) else {
        return;
    };
    ui.global::<Create>().set_chosen(index);
    begin(pages, &domain);
}

fn begin(pages: &Pages, domain: &str) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<Create>();
    if domain.is_empty() {
        page.set_server_error(ui.global::<PageWords>().get_bad_host());
        return;
    }
    cancel(pages);
    clear(&page);
    page.set_domain(domain.into());
    page.set_step("connecting".into());
    page.set_foot(ui.global::<PageWords>().get_connecting());
    let settings = pages.state.borrow().sign_in.settings.clone();
    pages.ask(
        Request::RegistrationStart {
            server: domain.to_owned(),
            settings,
        },
        |pages, result| match result {
            Ok(Reply::Registration(view)) => {
                pages.state.borrow_mut().create.registration = Some(view.id);
                registration_is(pages, view);
            }
            Ok(_) => {}
            Err(error) => {
                let Some(ui) = pages.ui() else { return };
                let page = ui.global::<Create>();
                page.set_step("choose".into());
                page.set_foot("".into());
                page.set_server_error(error.message.into());
            }
        },
    );
}

/// Something changed in a registration; only the one on the page matters.
pub(super) fn read(pages: &Pages, registration: RegistrationId) {
    if pages.state.borrow().create.registration != Some(registration) {
        return;
    }
    pages.ask(
        Request::RegistrationView { registration },
        |pages, result| {
            if let Ok(Reply::Registration(view)) = result {
                registration_is(pages, view);
            }
        },
    );
}

fn registration_is(pages: &Pages, view: RegistrationView) {
    if pages.state.borrow().create.registration != Some(view.id) {
        return;
    }
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<Create>();
    let words = ui.global::<PageWords>();
    match view.state {
        RegistrationState::Connecting => page.set_step("connecting".into()),
        RegistrationState::Submitting => {
            page.set_step("submitting".into());
            page.set_foot(words.get_creating());
        }
        RegistrationState::Form { form } => {
            page.set_step("form".into());
            page.set_foot(words.invoke_answered(view.server.into()));
            page.set_foot_good(true);
            show_form(pages, &page, &form);
        }
        RegistrationState::Done { .. } => {
            pages.state.borrow_mut().create = CreateState::default();
            page.set_password("".into());
            page.set_again("".into());
            page.set_name("".into());
            pages.read_accounts(|pages| pages.show(Page::Main));
            return;
        }
        RegistrationState::Failed => {
            page.set_step("choose".into());
            page.set_foot("".into());
            page.set_foot_good(false);
        }
    }
    show_problem(&page, view.problem.as_ref());
}

fn show_form(pages: &Pages, page: &Create<'_>, form: &FormView) {
    let mut state = pages.state.borrow_mut();
    state.create.form.show(form);
    let rows = state
        .create
        .form
        .rows()
        .iter()
        .map(|row| {
            let picture = row
                .media
                .as_ref()
                .filter(|m| m.0.starts_with("image/"))
                .and_then(|m| picture(&m.1));
            FormRow {
                label: row.label.as_str().into(),
                kind: kind(row.kind).into(),
                value: row.value.as_str().into(),
                options: model(
                    row.options
                        .iter()
                        .map(|o| SharedString::from(o.1.as_str()))
                        .collect(),
                ),
                chosen: row
                    .options
                    .iter()
                    .position(|o| o.0 == row.value)
                    .and_then(|i| i32::try_from(i).ok())
                    .unwrap_or(-1),
                has_picture: picture.is_some(),
                picture: picture.unwrap_or_default(),
                error: "".into(),
            }
        })
        .collect();
    page.set_rows(model(rows));
    page.set_instructions(form.instructions.as_str().into());
    page.set_page(form.page.clone().unwrap_or_default().into());
}

/// A CAPTCHA's picture, decoded in memory: nothing of it touches the disk.
fn picture(base64: &str) -> Option<Image> {
    crate::picture::decode(base64)
}

fn kind(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Private | FieldKind::Password => "private",
        FieldKind::Multi | FieldKind::ListMulti => "multi",
        FieldKind::Boolean => "boolean",
        FieldKind::List => "list",
        FieldKind::Fixed => "fixed",
        FieldKind::Text | FieldKind::Username | FieldKind::Hidden => "text",
    }
}

fn show_problem(page: &Create<'_>, problem: Option<&ProblemView>) {
    page.set_problem_title("".into());
    page.set_problem_text("".into());
    let Some(problem) = problem else { return };
    match problem.problem {
        Problem::NameTaken | Problem::NameInvalid => {
            page.set_name_error(sentence(problem));
            if problem.problem == Problem::NameTaken {
                let others = other_names(&page.get_name())
                    .into_iter()
                    .map(SharedString::from)
                    .collect();
                page.set_suggestions(model(others));
            }
        }
        _ => {
            page.set_problem_title(problem.title.as_str().into());
            let text = if problem.details.is_empty() {
                problem.text.clone()
            } else {
                format!("{} ({})", problem.text, problem.details)
            };
            page.set_problem_text(text.into());
        }
    }
}

fn sentence(problem: &ProblemView) -> SharedString {
    if problem.text.is_empty() {
        problem.title.as_str().into()
    } else {
        problem.text.as_str().into()
    }
}

fn row_edited(pages: &Pages, index: i32, value: &str) {
    let Ok(index) = usize::try_from(index) else {
        return;
    };
    let mut state = pages.state.borrow_mut();
    let form = &mut state.create.form;
    let Some(row) = form.rows().get(index) else {
        return;
    };
    let value = match row.kind {
        // A list tells the index of the choice.
        FieldKind::List => value
            .parse::<usize>()
            .ok()
            .and_then(|i| row.options.get(i))
            .map(|o| o.0.clone())
            .unwrap_or_default(),
        _ => value.to_owned(),
    };
    form.type_into(index, &value);
}

fn submit(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<Create>();
    if page.get_step() != "form" {
        return;
    }
    let words = ui.global::<PageWords>();
    let state = pages.state.borrow();
    let Some(registration) = state.create.registration else {
        return;
    };
    let password = Secret::new(page.get_password().into());
    let again = Secret::new(page.get_again().into());
    match state
        .create
        .form
        .answers(&page.get_name(), &password, &again)
    {
        Ok(answers) => {
            drop(state);
            page.set_step("submitting".into());
            page.set_foot(words.get_creating());
            page.set_suggestions(model(Vec::new()));
            let remember = page.get_remember();
            pages.ask(
                Request::RegistrationSubmit {
                    registration,
                    answers,
                    remember,
                },
                |pages, result| match result {
                    Ok(Reply::Registration(view)) => registration_is(pages, view),
                    Ok(_) => {}
                    Err(error) => {
                        let Some(ui) = pages.ui() else { return };
                        let page = ui.global::<Create>();
                        page.set_step("form".into());
                        page.set_problem_title(error.message.into());
                    }
                },
            );
        }
        Err(Missing::Username) => page.set_name_error(words.get_no_name()),
        Err(Missing::Password) => page.set_password_error(words.get_no_password()),
        Err(Missing::Different) => page.set_again_error(words.get_differ()),
        Err(Missing::Row(index)) => {
            let text = words.get_no_answer();
            let rows = page.get_rows();
            let values: Vec<String> = state
                .create
                .form
                .rows()
                .iter()
                .map(|r| r.value.clone())
                .collect();
            change(&rows, index, |row| {
                row.error = text;
                row.value = values.get(index).cloned().unwrap_or_default().into();
            });
        }
    }
}

fn open_page(pages: &Pages) {
    if let Some(ui) = pages.ui() {
        let page = ui.global::<Create>();
        dialogs::ask_link(pages, &page.get_domain(), &page.get_page());
    }
}

/// Closes the connection of a registration that is not wanted any more.
fn cancel(pages: &Pages) {
    let registration = pages.state.borrow_mut().create.registration.take();
    if let Some(registration) = registration {
        pages.ask(Request::RegistrationCancel { registration }, |_, _| {});
    }
}

fn leave(pages: &Pages) {
    cancel(pages);
    if let Some(ui) = pages.ui() {
        let page = ui.global::<Create>();
        page.set_password("".into());
        page.set_again("".into());
        ui.global::<App>().set_page(Page::Opening);
    }
    sign_in::show(pages);
}
