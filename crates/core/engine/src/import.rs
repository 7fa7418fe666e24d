//! Moving in from another program: looked at first, then taken over in slices, in the end perhaps shredded.
//!
//! Files are read in [`WorkJob`]s away from the engine's thread; each slice that comes back is stored in a transaction
//! of its own. Nothing comes twice ([`sotto_import::Message::key`]), so an import that was interrupted is run again.
//! One at a time; nothing of it outlives the program or a lock of the profile, besides what it stored.

mod feed;
mod take;
mod view;

use std::path::PathBuf;
use std::sync::Arc;

use sotto_api::view::{ImportParts, ImportProgram, ImportState};
use sotto_api::{ApiError, ImportId, Reply, Request, Secret};
use sotto_import::{Found, Program, ScanError, Shredder, SourceFile, usual_folder};

use self::feed::{Batch, Feed};
use self::take::Progress;
pub(crate) use self::take::Taken;
use crate::account::Accounts;
use crate::context::{Answer, Context, ReplyTo};
use crate::error::Fault;
use crate::io::{WorkId, WorkJob, WorkResult};
use crate::words::{self, import as say};
use crate::work::Done;

/// Files that are shredded by one job, and after how many bytes it takes no further one.
const SHRED_FILES: usize = 64;
const SHRED_BYTES: u64 = 64 * 1024 * 1024;

/// What a job of an import brought.
pub(crate) enum Step {
    /// A folder was looked at; absent: the program's usual folder is not there.
    Looked(Option<Result<Box<Found>, ScanError>>),
    /// A slice was read.
    Read(Box<Feed>, Batch),
    /// Files were shredded; whether there are more.
    Shredded(Box<Shredder>, bool),
}

/// The import of the open profile, if there is one.
#[derive(Default)]
pub(crate) struct Imports {
    last: i64,
    current: Option<Import>,
}

struct Import {
    id: ImportId,
    program: ImportProgram,
    stage: Stage,
    /// Whoever waits for the end of what is being done.
    waiting: Option<ReplyTo>,
    work: Option<WorkId>,
    found: Option<Arc<Found>>,
    progress: Progress,
    /// A run that begins when the transaction under way is committed, and who waits for its end.
    begins: Option<(Progress, ReplyTo)>,
    /// What the transaction under way leads to, once it is committed.
    next: Option<Next>,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Looking,
    Found,
    Running,
    Done,
    Shredding,
    Shredded,
}

/// What follows a committed slice.
enum Next {
    Read(Box<Feed>),
    End,
}

impl Imports {
    /// `ImportScan`, `ImportRun`, `ImportView`, `ImportShred`, `ImportClose`.
    pub fn handle_request(
        &mut self,
        cx: &mut Context,
        accounts: &mut Accounts,
        to: ReplyTo,
        request: Request,
    ) -> Answer {
        match request {
            Request::ImportScan {
                program,
                folder,
                master,
            } => self.scan(cx, to, program, folder, master),
            Request::ImportRun { import, parts } => {
                let import = self.find(import)?;
                import.run(cx, accounts, to, parts)?;
                Ok(None)
            }
            Request::ImportView { import } => Ok(Some(Reply::Import(self.find(import)?.view()))),
            Request::ImportShred { import } => {
                self.find(import)?.shred(cx, to)?;
                Ok(None)
            }
            Request::ImportClose { import } => {
                self.find(import)?;
                self.close(cx);
                Ok(Some(Reply::Done))
            }
            _ => Err(words::internal()),
        }
    }

    fn scan(
        &mut self,
        cx: &mut Context,
        to: ReplyTo,
        program: ImportProgram,
        folder: Option<String>,
        master: Option<Secret>,
    ) -> Answer {
        if self.current.as_ref().is_some_and(Import::is_busy) {
            return Err(say::busy());
        }
        let folder = folder.map(PathBuf::from);
        if folder.as_ref().is_some_and(|folder| !folder.is_absolute()) {
            return Err(words::full_path());
        }
        let master = master.filter(|master| !master.is_empty());
        let kind = program_of(program);
        let work = cx.effects.work(WorkJob::new(move || {
            let found = folder.or_else(|| usual_folder(kind)).map(|folder| {
                let zone = jiff::tz::TimeZone::system();
                let master = master.as_ref().map(Secret::expose);
                sotto_import::scan(kind, &folder, master, &zone).map(Box::new)
            });
            WorkResult(Done::Import(Step::Looked(found)))
        }));
        self.last += 1;
        self.current = Some(Import {
            id: ImportId(self.last),
            program,
            stage: Stage::Looking,
            waiting: Some(to),
            work: Some(work),
            found: None,
            progress: Progress::default(),
            begins: None,
            next: None,
            text: String::new(),
        });
        Ok(None)
    }

    fn find(&mut self, id: ImportId) -> Result<&mut Import, ApiError> {
        self.current
            .as_mut()
            .filter(|import| import.id == id && import.stage != Stage::Looking)
            .ok_or_else(words::not_found)
    }

    /// The transaction of a request came about, or did not. If it was an `ImportRun`, it goes on, or nothing of it
    /// happened.
    pub fn begin(&mut self, cx: &mut Context, request: ReplyTo, kept: bool) {
        let Some(import) = &mut self.current else {
            return;
        };
        if let Some((progress, to)) = import.begins.take()
            && to == request
            && kept
        {
            import.begin(cx, progress, to);
        }
    }

    /// Whether this work is the import's.
    pub fn awaits(&self, work: WorkId) -> bool {
        self.current
            .as_ref()
            .is_some_and(|import| import.work == Some(work))
    }

    /// Whether something is being taken over.
    pub fn is_running(&self) -> bool {
        self.current
            .as_ref()
            .is_some_and(|import| import.stage == Stage::Running)
    }

    /// Takes in what [`Imports::awaits`] brought, within a transaction; [`Imports::settle`] follows it.
    pub fn handle_work(
        &mut self,
        cx: &mut Context,
        accounts: &mut Accounts,
        done: Done,
    ) -> Result<(), Fault> {
        let Some(import) = &mut self.current else {
            return Ok(());
        };
        import.work = None;
        match done {
            Done::Import(Step::Looked(looked)) => {
                let looked = match looked {
                    None => Err(say::no_usual_folder(import.program)),
                    Some(looked) => {
                        looked.map_err(|error| say::not_scanned(import.program, &error))
                    }
                };
                self.looked(cx, looked);
                Ok(())
            }
            Done::Import(Step::Read(feed, batch)) => import.take(cx, accounts, feed, batch),
            Done::Import(Step::Shredded(shredder, more)) => {
                import.shredded(cx, shredder, more);
                Ok(())
            }
            _ => Err(Fault::Panicked),
        }
    }

    fn looked(&mut self, cx: &mut Context, looked: Result<Box<Found>, ApiError>) {
        let Some(import) = &mut self.current else {
            return;
        };
        let waiting = import.waiting.take();
        let answer = match looked {
            Ok(found) => {
                import.found = Some(Arc::from(found));
                import.stage = Stage::Found;
                Ok(Reply::Import(import.view()))
            }
            Err(error) => {
                self.current = None;
                Err(error)
            }
        };
        if let Some(to) = waiting {
            cx.answer(to, answer);
        }
    }

    /// The transaction of [`Imports::handle_work`] came about, or did not: goes on, ends, or gives up.
    pub fn settle(&mut self, cx: &mut Context, done: Result<(), Fault>) {
        let Some(import) = &mut self.current else {
            return;
        };
        match done {
            Ok(()) => {
                import.progress.keep();
                match import.next.take() {
                    Some(Next::Read(feed)) => import.read_on(cx, feed),
                    Some(Next::End) => {
                        import.stage = Stage::Done;
                        import.text = say::done(&import.progress.taken());
                        import.answer(cx, Ok(()));
                    }
                    None => {}
                }
            }
            Err(fault) => {
                import.progress.undo();
                import.next = None;
                if import.stage == Stage::Looking {
                    let waiting = import.waiting.take();
                    self.current = None;
                    if let Some(to) = waiting {
                        cx.answer(to, Err(fault.into()));
                    }
                    return;
                }
                import.stage = match import.stage {
                    Stage::Shredding => Stage::Done,
                    _ => Stage::Found,
                };
                let error = say::stopped(&fault.into());
                import.text.clone_from(&error.message);
                import.answer(cx, Err(error));
            }
        }
    }

    /// Forgets what was found; what is being done ends with what is stored so far.
    pub fn close(&mut self, cx: &mut Context) {
        if let Some(import) = self.current.take()
            && let Some(to) = import.waiting
        {
            cx.answer(to, Err(say::closed()));
        }
    }
}

fn program_of(program: ImportProgram) -> Program {
    match program {
        ImportProgram::Jitsi => Program::Jitsi,
        ImportProgram::Pidgin => Program::Pidgin,
    }
}

impl Import {
    fn is_busy(&self) -> bool {
        matches!(
            self.stage,
            Stage::Looking | Stage::Running | Stage::Shredding
        )
    }

    fn run(
        &mut self,
        cx: &mut Context,
        accounts: &mut Accounts,
        to: ReplyTo,
        parts: ImportParts,
    ) -> Result<(), ApiError> {
        match self.stage {
            Stage::Found | Stage::Done => {}
            Stage::Shredded => return Err(say::shredded_already()),
            Stage::Looking | Stage::Running | Stage::Shredding => return Err(say::busy()),
        }
        if !(parts.accounts || parts.passwords || parts.history || parts.keys) {
            return Err(say::nothing_chosen());
        }
        if parts.history && !cx.settings.keep_history {
            return Err(say::history_is_off());
        }
        let found = self.found.clone().ok_or_else(words::internal)?;
        let mut progress = Progress::new(parts);
        take::accounts(cx, accounts, &found, &mut progress)?;
        self.begins = Some((progress, to));
        Ok(())
    }

    /// The accounts are stored: the first slice is read.
    fn begin(&mut self, cx: &mut Context, mut progress: Progress, to: ReplyTo) {
        let (Some(found), Some(parts)) = (self.found.clone(), progress.parts()) else {
            return;
        };
        progress.keep();
        self.progress = progress;
        self.stage = Stage::Running;
        self.text.clear();
        self.waiting = Some(to);
        self.read_on(cx, Box::new(Feed::new(found, parts)));
    }

    /// Has the next slice read.
    fn read_on(&mut self, cx: &mut Context, mut feed: Box<Feed>) {
        let pause = self.progress.is_arranging();
        self.work = Some(cx.effects.work(WorkJob::new(move || {
            let batch = if pause { Batch::Nothing } else { feed.next() };
            WorkResult(Done::Import(Step::Read(feed, batch)))
        })));
        cx.changes
            .push(sotto_api::Event::ImportChanged { import: self.id });
    }

    fn take(
        &mut self,
        cx: &mut Context,
        accounts: &mut Accounts,
        mut feed: Box<Feed>,
        batch: Batch,
    ) -> Result<(), Fault> {
        let Some(found) = self.found.clone() else {
            return Err(Fault::Panicked);
        };
        let progress = &mut self.progress;
        match batch {
            Batch::Keys { own, trust } => {
                take::keys(cx, accounts, &found, own, trust, progress)?;
            }
            Batch::Messages(slice) => {
                if !take::messages(cx, accounts, &found, slice, progress)? {
                    feed.skip_conversation();
                }
            }
            Batch::Calls { calls, whole } => take::calls(cx, accounts, &calls, whole, progress)?,
            Batch::Nothing => take::arrange(cx, progress)?,
            Batch::End => {
                take::files_of_settings(cx, accounts, &found, progress)?;
                self.next = Some(Next::End);
                return Ok(());
            }
        }
        self.next = Some(Next::Read(feed));
        Ok(())
    }

    fn shred(&mut self, cx: &mut Context, to: ReplyTo) -> Result<(), ApiError> {
        match self.stage {
            Stage::Done => {}
            Stage::Found => return Err(say::take_over_first()),
            Stage::Shredded => return Err(say::shredded_already()),
            Stage::Looking | Stage::Running | Stage::Shredding => return Err(say::busy()),
        }
        let files: Vec<SourceFile> = self.progress.taken_files().to_vec();
        if files.is_empty() {
            return Err(say::nothing_to_shred());
        }
        let root = self
            .found
            .as_ref()
            .map(|found| found.folder.clone())
            .ok_or_else(words::internal)?;
        self.waiting = Some(to);
        self.stage = Stage::Shredding;
        self.shred_on(cx, Box::new(Shredder::new(root, files)));
        Ok(())
    }

    fn shred_on(&mut self, cx: &mut Context, mut shredder: Box<Shredder>) {
        self.work = Some(cx.effects.work(WorkJob::new(move || {
            let more = shredder.step(SHRED_FILES, SHRED_BYTES);
            WorkResult(Done::Import(Step::Shredded(shredder, more)))
        })));
    }

    fn shredded(&mut self, cx: &mut Context, shredder: Box<Shredder>, more: bool) {
        if more {
            self.shred_on(cx, shredder);
            return;
        }
        self.stage = Stage::Shredded;
        let gone: u64 = self
            .progress
            .taken_files()
            .iter()
            .map(SourceFile::bytes)
            .sum();
        let left = self
            .found
            .as_ref()
            .is_some_and(|found| gone < found.bytes || !found.problems.is_empty());
        self.text = say::shredded(shredder.removed(), shredder.kept(), left);
        self.answer(cx, Ok(()));
    }

    fn answer(&mut self, cx: &mut Context, done: Result<(), ApiError>) {
        cx.changes
            .push(sotto_api::Event::ImportChanged { import: self.id });
        if let Some(to) = self.waiting.take() {
            let answer = done.map(|()| Reply::Import(self.view()));
            cx.answer(to, answer);
        }
    }

    fn state(&self) -> ImportState {
        match self.stage {
            Stage::Looking | Stage::Found => ImportState::Found,
            Stage::Running => ImportState::Running {
                messages: self.progress.taken().messages,
            },
            Stage::Done | Stage::Shredding => ImportState::Done,
            Stage::Shredded => ImportState::Shredded,
        }
    }
}
