//! The service from its start to its end.

use crate::current::Current;
use crate::log::Log;
use crate::runner::now;
use crate::service::{Beside, Service, duties};
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

/// The time between two attempts to start the duties again.
const AGAIN: Duration = Duration::from_secs(10);

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
    current: Arc<Current>,
    computer: Name,
    rras: Option<Beside>,
    watch: Watch,
    fault: Option<String>,
}

/// Runs the service until it is asked to stop. `file` is the configuration, `computer` this computer's name, `rras` what
/// answers for RRAS; without it, the duties that ask RRAS are left out. `ready` is called once, when the duties have
/// started. If the configuration changes in a way that concerns the duties, they start again with it. If they cannot, that
/// is reported and tried again: a mistake in the file does not end a service that runs.
///
/// # Errors
///
/// Why it does not run.
pub fn run(
    file: &Path,
    computer: &Name,
    rras: Option<Beside>,
    stop: &Stop,
    log: &Arc<Log>,
    ready: impl FnOnce(),
) -> Result<(), NotStarted> {
    let started = now();
    let mut configuration = Configuration::read(file, computer, rras)?;
    configuration.report(log);
    let mut settings = configuration.settings.clone();
    let mut service = Some(configuration.start(&settings, take(&settings.journal, log)?, started, log)?);
    ready();
    while let Some(mut running) = service {
        running.config_fault(configuration.fault.clone());
        let again = configuration.serve(&mut running, &settings, stop, log);
        let (late, lock) = running.stop_and_keep_lock();
        for duty in late {
            log.line(&format!("warning: {} has not stopped in time; it ends with the process", duty.name()));
        }
        let lock = Some(lock).filter(|lock| configuration.settings.journal == settings.journal && lock.is_in_place());
        service = if again { configuration.start_again(lock, started, stop, log) } else { None };
        settings = configuration.settings.clone();
    }
    log.emit(&Message::ServiceStopped {});
    Ok(())
}

fn take(journal: &Path, log: &Log) -> Result<ServiceLock, NotStarted> {
    match ServiceLock::take(journal)? {
        Taken::Ours(lock, notices) => {
            for notice in notices {
                log.line(&format!("warning: {}", rasadmin_text::printable(&notice.to_string())));
            }
            Ok(lock)
        }
        Taken::Held(by) => Err(NotStarted::Held { journal: journal.to_owned(), by }),
    }
}

impl Configuration {
    fn read(file: &Path, computer: &Name, rras: Option<Beside>) -> Result<Self, NotStarted> {
        let read = config::for_computer(computer).watch(file).map_err(NotStarted::Configuration)?;
        let Started { config, problem, watch } = read;
        let fault = match problem {
            Some(StartProblem::Broken(errors)) => Some(errors.to_string()),
            Some(StartProblem::NotKept(_)) | None => None,
        };
        let settings = Arc::new(Settings::of(&config, computer));
        let (file, current, computer) = (file.to_owned(), Arc::new(Current::new(config)), computer.clone());
        Ok(Self { file, settings, current, computer, rras, watch, fault })
    }

    fn start(
        &self,
        settings: &Arc<Settings>,
        lock: ServiceLock,
        started: Millis,
        log: &Arc<Log>,
    ) -> Result<Service, NotStarted> {
        let (journal, ledger) = (settings.journal.display(), settings.ledger.display());
        let (version, server) = (env!("CARGO_PKG_VERSION"), &settings.server);
        log.emit(&Message::ServiceStarted { version: &version, server, journal: &journal, ledger: &ledger });
        let duties = duties(settings, &self.current, self.rras.as_ref());
        let names: Vec<_> = duties.iter().map(|duty| duty.name.name()).collect();
        log.line(&format!("duties: {}", if names.is_empty() { "none".to_owned() } else { names.join(", ") }));
        Service::start(settings, lock, duties, started, log).map_err(NotStarted::Thread)
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

    /// Starts the duties again, with the lock if it is still held. Tries it until it succeeds; None if the service has to
    /// stop before that.
    fn start_again(
        &mut self,
        mut lock: Option<ServiceLock>,
        started: Millis,
        stop: &Stop,
        log: &Arc<Log>,
    ) -> Option<Service> {
        let mut reported = String::new();
        loop {
            let settings = self.settings.clone();
            let taken = lock.take().map_or_else(|| take(&settings.journal, log), Ok);
            let error = match taken.and_then(|lock| self.start(&settings, lock, started, log)) {
                Ok(service) => return Some(service),
                Err(error) => error.to_string(),
            };
            if reported != error {
                log.emit(&Message::ServiceWaits { error: &error });
                reported = error;
            }
            let failed = Instant::now();
            while failed.elapsed() < AGAIN && *self.settings == *settings {
                if stop.wait(EVERY) {
                    return None;
                }
                self.look(log);
            }
        }
    }

    fn look(&mut self, log: &Log) {
        match self.watch.check_within(Instant::now(), usize::MAX) {
            None => {}
            Some(Change::Valid(config)) => {
                self.fault = None;
                self.settings = Arc::new(Settings::of(&config, &self.computer));
                self.current.set(config.clone());
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
