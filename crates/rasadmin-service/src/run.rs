//! The service from its start to its end.

use crate::log::Log;
use crate::runner::now;
use crate::service::{Service, duties};
use crate::settings::Settings;
use crate::stop::Stop;
use rasadmin_journal::{Holder, ServiceLock, Taken};
use rasadmin_messages::Message;
use rasadmin_policy::config::{self, Change, ConfigErrors, StartProblem, Started, Watch};
use rasadmin_policy::{Millis, Name};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The time between two looks at the configuration, at the lock, and at whether the state has changed.
const EVERY: Duration = Duration::from_secs(1);

/// Why the service does not run.
#[derive(Debug)]
pub enum NotStarted {
    /// The configuration is not valid, and never was.
    Configuration(ConfigErrors),
    /// Another process serves this journal.
    Held {
        /// The journal's folder.
        journal: PathBuf,
        /// The other process.
        by: Holder,
    },
    /// The journal's folder cannot be used.
    Journal(rasadmin_journal::Error),
    /// The system starts no thread.
    Thread(std::io::Error),
}

impl fmt::Display for NotStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(errors) => write!(f, "the configuration is not valid:\n{errors}"),
            Self::Held { journal, by } => {
                write!(f, "{}: another rasadmin service runs for this journal", journal.display())?;
                by.process.map_or(Ok(()), |process| write!(f, " (process {process})"))
            }
            Self::Journal(error) => write!(f, "the journal's folder cannot be used: {error}"),
            Self::Thread(error) => write!(f, "no thread can be started: {error}"),
        }
    }
}

impl std::error::Error for NotStarted {}

impl From<rasadmin_journal::Error> for NotStarted {
    fn from(error: rasadmin_journal::Error) -> Self {
        Self::Journal(error)
    }
}

/// A configuration in force, and what is wrong with its file.
struct Configuration {
    file: PathBuf,
    settings: Arc<Settings>,
    computer: Name,
    watch: Watch,
    fault: Option<String>,
}

/// Runs the service until it is asked to stop. `file` is the configuration, `computer` this computer's name. If the
/// configuration changes in a way that concerns the duties, they start again with it. `ready` is called once, when the
/// duties have started.
///
/// # Errors
///
/// Why it does not run, or cannot go on.
pub fn run(file: &Path, computer: &Name, stop: &Stop, log: &Arc<Log>, ready: impl FnOnce()) -> Result<(), NotStarted> {
    let started = now();
    let mut ready = Some(ready);
    let mut configuration = Configuration::read(file, computer)?;
    configuration.report(log);
    loop {
        let settings = configuration.settings.clone();
        let mut service = start(&settings, started, log)?;
        if let Some(ready) = ready.take() {
            ready();
        }
        service.config_fault(configuration.fault.clone());
        let again = configuration.serve(&mut service, &settings, stop, log);
        for duty in service.stop() {
            log.line(&format!("warning: {} has not stopped in time; it ends with the process", duty.name()));
        }
        if !again {
            log.emit(&Message::ServiceStopped {});
            return Ok(());
        }
    }
}

fn start(settings: &Arc<Settings>, started: Millis, log: &Arc<Log>) -> Result<Service, NotStarted> {
    let lock = match ServiceLock::take(&settings.journal)? {
        Taken::Ours(lock, notices) => {
            for notice in notices {
                log.line(&format!("warning: {}", rasadmin_text::printable(&notice.to_string())));
            }
            lock
        }
        Taken::Held(by) => return Err(NotStarted::Held { journal: settings.journal.clone(), by }),
    };
    let (journal, ledger) = (settings.journal.display(), settings.ledger.display());
    let (version, server) = (env!("CARGO_PKG_VERSION"), &settings.server);
    log.emit(&Message::ServiceStarted { version: &version, server, journal: &journal, ledger: &ledger });
    let duties = duties(settings);
    let names: Vec<_> = duties.iter().map(|duty| duty.name.name()).collect();
    log.line(&format!("duties: {}", if names.is_empty() { "none".to_owned() } else { names.join(", ") }));
    Service::start(settings, lock, duties, started, log).map_err(NotStarted::Thread)
}

impl Configuration {
    fn read(file: &Path, computer: &Name) -> Result<Self, NotStarted> {
        let read = config::for_computer(computer).watch(file).map_err(NotStarted::Configuration)?;
        let Started { config, problem, watch } = read;
        let fault = match problem {
            Some(StartProblem::Broken(errors)) => Some(errors.to_string()),
            Some(StartProblem::NotKept(_)) | None => None,
        };
        let settings = Arc::new(Settings::of(&config, computer));
        Ok(Self { file: file.to_owned(), settings, computer: computer.clone(), watch, fault })
    }

    fn report(&self, log: &Log) {
        if let Some(fault) = &self.fault {
            let fault = rasadmin_text::printable_lines(fault);
            log.line(&format!("warning: the configuration is broken; the last good one is used instead:\n{fault}"));
        }
    }

    /// Until the service has to stop (false), or to start again (true).
    fn serve(&mut self, service: &mut Service, settings: &Settings, stop: &Stop, log: &Log) -> bool {
        while !stop.wait(EVERY) {
            service.tick();
            self.look(log);
            service.config_fault(self.fault.clone());
            if *self.settings != *settings {
                log.line("the configuration has changed: the duties start again");
                return true;
            }
            if !service.is_alone() {
                log.line("warning: the journal's folder was moved or replaced: the duties start again");
                return true;
            }
        }
        false
    }

    fn look(&mut self, log: &Log) {
        match self.watch.check_within(Instant::now(), usize::MAX) {
            None => {}
            Some(Change::Valid(config)) => {
                self.fault = None;
                self.settings = Arc::new(Settings::of(&config, &self.computer));
                let file = self.file.display().to_string();
                log.line(&format!("{} has changed ({})", rasadmin_text::printable(&file), config.hash));
            }
            Some(Change::Broken(errors)) => {
                self.fault = Some(errors.to_string());
                self.report(log);
            }
        }
    }
}
