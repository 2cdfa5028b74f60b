//! The Windows services `rasadmin` and `rasadmin-net`: how they are registered with the Service Control Manager, and
//! whether they run.

#[cfg(windows)]
mod manager;

use std::fmt;
use std::path::PathBuf;

#[cfg(windows)]
pub use manager::{query, set, start, stop};

/// One of the product's services.
#[derive(Debug, PartialEq, Eq)]
pub struct Definition {
    /// The service's name, and its display name.
    pub name: &'static str,
    /// What the Services console says about it.
    pub description: &'static str,
    /// The arguments with which the Service Control Manager starts the program. The configuration's file follows.
    pub arguments: &'static [&'static str],
    /// Its account, which an upgrade keeps.
    pub account: Account,
}

/// The account that a service gets when it is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// LocalSystem.
    System,
    /// An account of its own, `NT SERVICE\NAME`, which has no rights but those that it is given. The process has no
    /// privileges of Windows, and starts after the services that start with the computer.
    Own,
}

/// The service beside RRAS, as SYSTEM.
pub static RASADMIN: Definition = Definition {
    name: "rasadmin",
    description: "Works beside Routing and Remote Access: brings the records of rasadmin.dll into the ledger, deletes old \
                  data, and makes backups. If it is stopped, VPN users are not affected.",
    arguments: &["service", "run", "--as-service", "--config"],
    account: Account::System,
};

/// The service of the dashboard, which speaks to a network and has no rights.
pub static DASHBOARD: Definition = Definition {
    name: "rasadmin-net",
    description: "Serves the dashboard of rasadmin to browsers. It can only read, and asks the service rasadmin for \
                  everything else. If it is stopped, VPN users are not affected.",
    arguments: &["serve", "--as-service", "--config"],
    account: Account::Own,
};

impl Definition {
    /// The name of its account.
    pub fn account_name(&self) -> String {
        match self.account {
            Account::System => "SYSTEM".to_owned(),
            Account::Own => format!(r"NT SERVICE\{}", self.name),
        }
    }
}

/// When Windows starts the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// When the computer starts.
    Automatic,
    /// When somebody starts it.
    Manual,
    /// Never.
    Disabled,
}

/// What is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The program.
    pub program: PathBuf,
    /// The configuration that it is started with.
    pub config: PathBuf,
    /// When it is started.
    pub start: Start,
}

/// Whether the service runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It does not.
    Stopped,
    /// It begins to.
    Starting,
    /// It does. Nobody can pause it, so that is not a state of its own.
    Running,
    /// It is about to end.
    Stopping,
}

/// How the service ended the last time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to, or has not run since the computer started.
    Well,
    /// With this code of its own.
    Code(u32),
    /// With this error of Windows.
    Error(u32),
}

/// A registered service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// What is registered.
    pub registration: Registration,
    /// Whether it runs.
    pub state: State,
    /// Its process, if it runs.
    pub process: Option<u32>,
    /// How it ended, if it does not run.
    pub ended: Ended,
}

/// What a change has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// All of it.
    Fully,
    /// It is registered, but this Windows does not have these settings.
    Without(Vec<Lack>),
    /// It will be gone as soon as nobody has it open any more.
    MarkedForDeletion,
}

/// A setting that some versions of Windows do not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// The restart after an end with an error: it is restarted after a crash only.
    RestartAfterErrors,
    /// The limits of its privileges: it has those that every service has.
    Privileges,
    /// The late start: it starts with the other services.
    DelayedStart,
}

/// Why the Service Control Manager does not do something.
#[derive(Debug)]
pub struct Fault {
    /// The service's name.
    pub service: &'static str,
    /// Why.
    pub why: Why,
}

/// Why the Service Control Manager does not do something.
#[derive(Debug)]
pub enum Why {
    /// The service of that name has another command line: it is another product's.
    NotOurs(String),
    /// An uninstall has deleted the service, but somebody still has it open.
    MarkedForDeletion,
    /// The service ended instead of starting.
    DidNotStart(Ended),
    /// It takes too long to start or stop. The process, if it is known.
    TooSlow(Option<u32>),
    /// Windows refuses.
    System(std::io::Error),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.service;
        match &self.why {
            Why::NotOurs(line) => {
                write!(f, "a Windows service named `{name}` exists that this command did not register: {line}")
            }
            Why::MarkedForDeletion => write!(
                f,
                "the Windows service `{name}` is marked for deletion, and goes as soon as no program has it open: close \
                 the Services console and the Task Manager, or restart the computer"
            ),
            Why::DidNotStart(ended) => write!(f, "the Windows service `{name}` did not start: {ended}"),
            Why::TooSlow(process) => {
                write!(f, "the Windows service `{name}` did not start or stop within a minute")?;
                process.map_or(Ok(()), |process| write!(f, "; its process is {process}"))
            }
            Why::System(error) => write!(f, "the Service Control Manager refuses for `{name}`: {error}"),
        }
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Windows writes it if a process ends without a word.
        const ERROR_PROCESS_ABORTED: u32 = 1067;
        match self {
            Self::Well => f.write_str("it was stopped"),
            Self::Code(3) => f.write_str("error 3: another process runs the rasadmin service for this journal"),
            Self::Code(code) => write!(f, "error {code}: it could not do its work"),
            Self::Error(ERROR_PROCESS_ABORTED) => {
                write!(f, "error {ERROR_PROCESS_ABORTED}: its process ended abnormally")
            }
            Self::Error(code) => write!(f, "error {code} of Windows"),
        }
    }
}

impl Registration {
    /// Reads a command line, as it is registered; None if it is not that of this service.
    pub fn parse(of: &Definition, command_line: &str, start: Start) -> Option<Self> {
        let words = words(command_line);
        let (program, rest) = words.split_first()?;
        let (config, arguments) = rest.split_last()?;
        (arguments == of.arguments).then(|| Self { program: program.into(), config: config.into(), start })
    }
}

/// The words of a command line. A word in quotes may have spaces. Names of files have no quotes, so none are escaped.
fn words(command_line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in command_line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => words.push(std::mem::take(&mut word)),
            _ => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// Other systems have no Service Control Manager.
#[cfg(not(windows))]
mod elsewhere {
    use super::{Changed, Definition, Fault, Registration, Service, Why};

    fn unsupported<T>(of: &Definition) -> Result<T, Fault> {
        Err(Fault { service: of.name, why: Why::System(std::io::ErrorKind::Unsupported.into()) })
    }

    /// There is none.
    ///
    /// # Errors
    /// None.
    pub fn query(_: &'static Definition) -> Result<Option<Service>, Fault> {
        Ok(None)
    }

    /// # Errors
    /// Always.
    pub fn set(of: &'static Definition, _: Option<&Registration>) -> Result<Changed, Fault> {
        unsupported(of)
    }

    /// # Errors
    /// Always.
    pub fn start(of: &'static Definition) -> Result<(), Fault> {
        unsupported(of)
    }

    /// # Errors
    /// Always.
    pub fn stop(of: &'static Definition) -> Result<(), Fault> {
        unsupported(of)
    }
}

#[cfg(not(windows))]
pub use elsewhere::{query, set, start, stop};

#[cfg(test)]
mod tests {
    use super::*;
    use rasadmin_rights::dashboard::ACCOUNT;

    #[test]
    fn a_command_line_of_ours_is_read_and_no_other() {
        let read = |line: &str| {
            let read = Registration::parse(&RASADMIN, line, Start::Manual)?;
            Some((read.program.to_string_lossy().into_owned(), read.config.to_string_lossy().into_owned()))
        };
        let ours = |program: &str, config: &str| Some((program.to_owned(), config.to_owned()));
        assert_eq!(
            read(r#""C:\Program Files\rasadmin\rasadmin.exe" service run --as-service --config "D:\my vpn\a.toml""#),
            ours(r"C:\Program Files\rasadmin\rasadmin.exe", r"D:\my vpn\a.toml")
        );
        assert_eq!(
            read(r"C:\rasadmin\rasadmin.exe  service run --as-service --config C:\a.toml"),
            ours(r"C:\rasadmin\rasadmin.exe", r"C:\a.toml")
        );
        for other in [
            "",
            r"C:\Vendor\rasadmin.exe",
            r"C:\Windows\System32\svchost.exe -k netsvcs",
            r"C:\rasadmin.exe service run --config C:\a.toml",
            r"C:\rasadmin.exe service run --as-service --config",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
        let dashboard = r"C:\rasadmin\rasadmin.exe serve --as-service --config C:\a.toml";
        assert_eq!(read(dashboard), None, "the other service");
        assert!(Registration::parse(&DASHBOARD, dashboard, Start::Automatic).is_some());
    }

    #[test]
    fn the_dashboards_service_has_an_account_without_rights() {
        assert_eq!((RASADMIN.account_name(), DASHBOARD.account_name()), ("SYSTEM".into(), ACCOUNT.into()));
    }

    #[test]
    fn the_end_is_explained() {
        let texts = [Ended::Well, Ended::Code(2), Ended::Code(3), Ended::Error(1067), Ended::Error(5)];
        let texts: Vec<_> = texts.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "it was stopped",
                "error 2: it could not do its work",
                "error 3: another process runs the rasadmin service for this journal",
                "error 1067: its process ended abnormally",
                "error 5 of Windows",
            ]
        );
    }
}
