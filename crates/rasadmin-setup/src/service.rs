//! The Windows service `rasadmin`: how it is registered with the Service Control Manager, and whether it runs.

#[cfg(windows)]
mod manager;

use std::fmt;
use std::path::PathBuf;

#[cfg(windows)]
pub use manager::{query, set, start, stop};

/// The service's name, and its display name.
pub const NAME: &str = "rasadmin";

/// What the Services console says about it.
pub const DESCRIPTION: &str = "Works beside Routing and Remote Access: brings the records of rasadmin.dll into the \
     ledger, deletes old data, and makes backups. If it is stopped, VPN users are not affected.";

/// The arguments with which the Service Control Manager starts the program. The configuration's file follows.
pub const ARGUMENTS: [&str; 4] = ["service", "run", "--as-service", "--config"];

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// All of it.
    Fully,
    /// It is registered, but Windows restarts it only after a crash, not after an end with an error.
    WithoutRestartAfterErrors,
    /// It will be gone as soon as nobody has it open any more.
    MarkedForDeletion,
}

/// Why the Service Control Manager does not do something.
#[derive(Debug)]
pub enum Fault {
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
        match self {
            Self::NotOurs(line) => {
                write!(f, "a Windows service named `{NAME}` exists that this command did not register: {line}")
            }
            Self::MarkedForDeletion => write!(
                f,
                "the Windows service `{NAME}` is marked for deletion, and goes as soon as no program has it open: close \
                 the Services console and the Task Manager, or restart the computer"
            ),
            Self::DidNotStart(ended) => write!(f, "the Windows service `{NAME}` did not start: {ended}"),
            Self::TooSlow(process) => {
                write!(f, "the Windows service `{NAME}` did not start or stop within a minute")?;
                process.map_or(Ok(()), |process| write!(f, "; its process is {process}"))
            }
            Self::System(error) => write!(f, "the Service Control Manager refuses: {error}"),
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
    pub fn parse(command_line: &str, start: Start) -> Option<Self> {
        let words = words(command_line);
        let (program, rest) = words.split_first()?;
        let (config, arguments) = rest.split_last()?;
        (arguments == ARGUMENTS).then(|| Self { program: program.into(), config: config.into(), start })
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
    use super::{Changed, Fault, Registration, Service};

    fn unsupported<T>() -> Result<T, Fault> {
        Err(Fault::System(std::io::ErrorKind::Unsupported.into()))
    }

    /// There is none.
    ///
    /// # Errors
    /// None.
    pub fn query() -> Result<Option<Service>, Fault> {
        Ok(None)
    }

    /// # Errors
    /// Always.
    pub fn set(_: Option<&Registration>) -> Result<Changed, Fault> {
        unsupported()
    }

    /// # Errors
    /// Always.
    pub fn start() -> Result<(), Fault> {
        unsupported()
    }

    /// # Errors
    /// Always.
    pub fn stop() -> Result<(), Fault> {
        unsupported()
    }
}

#[cfg(not(windows))]
pub use elsewhere::{query, set, start, stop};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_of_ours_is_read_and_no_other() {
        let read = |line: &str| {
            let read = Registration::parse(line, Start::Manual)?;
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
