//! What the pages' facts come from: the ledger, the configuration, and the rasadmin service.

mod readers;
pub mod turns;

use crate::fault::Fault;
use crate::heavy::AllHeavy;
use rasadmin_ledger::report::Reader;
use rasadmin_pipe::{Request, ask};
use rasadmin_policy::config::{self, Config, Watch};
use rasadmin_policy::{Millis, Name};
use rasadmin_service::blocks_in_force::BlocksInForce;
use rasadmin_service::live_table::{self, LiveTable};
use rasadmin_service::{Current, pipe};
use rasadmin_system::clock::Clock;
use readers::Readers;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use turns::{Turn, Turns};

/// How long the service may take to answer a page.
const PATIENCE: Duration = Duration::from_secs(3);

/// A look of the service that is older says nothing about now.
const CURRENT: Millis = 120_000;

/// The ledger, the configuration and the service of one server.
pub struct Source {
    file: PathBuf,
    current: Current,
    watch: Mutex<Watched>,
    readers: Readers,
    /// Answers that take long.
    pub(crate) heavy: AllHeavy,
    /// Answers that may be made at once.
    turns: Turns,
    clock: Clock,
}

struct Watched {
    watch: Watch,
    /// What is wrong with the file, if an earlier configuration is in force.
    fault: Option<String>,
}

impl Source {
    /// The source with this configuration.
    ///
    /// # Errors
    /// If the configuration is not valid, and never was.
    pub fn open(file: &Path, computer: &Name) -> Result<Self, config::ConfigErrors> {
        let config::Started { config, problem, watch } = config::for_computer(computer).watch(file)?;
        let fault = match problem {
            Some(config::StartProblem::Broken(errors)) => Some(errors.to_string()),
            _ => None,
        };
        let (current, watch) = (Current::new(config), Mutex::new(Watched { watch, fault }));
        let (readers, heavy, turns, clock) =
            (Readers::default(), AllHeavy::default(), Turns::default(), Clock::new(true));
        Ok(Self { file: file.to_owned(), current, watch, readers, heavy, turns, clock })
    }

    /// The next turn to make an answer.
    ///
    /// # Errors
    /// If none gets free in time.
    pub(crate) async fn turn(&self) -> Result<Turn, Fault> {
        self.turns.next().await
    }

    /// Now; beside a scratch run, the time of the run.
    pub fn now(&self) -> Millis {
        self.clock.now().0
    }

    /// The configuration in force.
    pub fn config(&self) -> Arc<Config> {
        let mut watched = lock(&self.watch);
        match watched.watch.check_within(Instant::now(), usize::MAX) {
            Some(config::Change::Valid(config)) => {
                self.current.set(config);
                watched.fault = None;
            }
            Some(config::Change::Broken(errors)) => watched.fault = Some(errors.to_string()),
            None => {}
        }
        self.current.get()
    }

    /// The configuration's file, and what is wrong with it.
    pub fn config_fault(&self) -> (&Path, Option<String>) {
        (&self.file, lock(&self.watch).fault.clone())
    }

    /// Asks the ledger. This waits for the disk: do not call it where the server must not wait.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn ledger<T>(&self, question: impl FnMut(&Reader) -> Result<T, rasadmin_ledger::Error>) -> Result<T, Fault> {
        Ok(self.readers.ask(&self.config().ledger, question)?)
    }

    /// Readers for a thread of its own.
    pub(crate) fn readers(&self) -> Readers {
        self.readers.clone()
    }

    /// Asks the rasadmin service.
    ///
    /// # Errors
    /// If no service answers, or if it refuses.
    pub fn service<T: DeserializeOwned>(&self, request: &Request) -> Result<T, rasadmin_pipe::Error> {
        ask(&pipe::address(&self.config().journal), request, PATIENCE)
    }

    /// Who is blocked now: as the journal has it, or as the service knows it if this process may not read the journal. None
    /// if nothing was ever recorded.
    ///
    /// # Errors
    /// If neither can be asked: why the journal cannot be read.
    pub fn blocks(&self) -> Result<Option<BlocksInForce>, String> {
        let of_service = || BlocksInForce::of_answers(|request| self.service(&request)).map(Some);
        BlocksInForce::read(&self.config().journal, self.now())
            .or_else(|error| of_service().map_err(|_| error.to_string()))
    }

    /// What the service saw of live sessions at its last look, if that was lately.
    pub fn live(&self) -> LiveTable {
        // The dashboard's own service may not read the journal's folder.
        let table = live_table::read(&self.config().journal)
            .or_else(|| LiveTable::of_answers(|request| self.service(&request)).ok());
        table.filter(|table| self.now().saturating_sub(table.looked_at) < CURRENT).unwrap_or_default()
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
