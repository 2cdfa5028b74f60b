//! Why a command could not do its work.

use rasadmin_text::printable_lines;
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt;
use std::io;
use std::path::Path;

/// What a command returns: its exit status, or why it could not do its work.
pub type Result<T = Exit> = std::result::Result<T, CommandError>;

/// How a command that did its work ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Exit code 0: all is well.
    Success,
    /// Exit code 1: the answer is no: a check failed, a user would be denied, nobody had the address, the user is
    /// unknown, something would change, or there is nothing to release or close. For an empty list, the code is 0.
    No,
    /// Another exit code, such as that of a child process that ran this command.
    Code(u8),
}

impl Exit {
    /// `No` if something was found that should not be there.
    pub const fn no_if(found: bool) -> Self {
        if found { Self::No } else { Self::Success }
    }

    /// For the operating system.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::No => 1,
            Self::Code(code) => code,
        }
    }
}

/// The kind of an error, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An option has an invalid value, or options do not fit together.
    Usage,
    /// The configuration is missing or not valid.
    Configuration,
    /// What was named does not exist: a session, a decision, a pool.
    NotFound,
    /// The journal is missing, or cannot be read or written.
    Journal,
    /// The ledger is missing, or cannot be read or written.
    Ledger,
    /// Another file or folder cannot be read or written.
    File,
    /// A RAS administration DLL cannot be checked, loaded or driven.
    Dll,
    /// The operating system refuses: the registry, the Task Scheduler, a process, a clock.
    System,
    /// It would be unsafe, or you did not confirm it, so nothing was changed.
    Refused,
    /// Standard output cannot be written: the disk is full, for example.
    Output,
    /// The reader of standard output has gone (`| head`).
    ClosedPipe,
    /// You interrupted it (Ctrl-C).
    Interrupted,
    /// Another process does it already.
    AlreadyRunning,
    /// The rasadmin service does not run, or does not answer.
    NotRunning,
}

/// Why a command could not do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandError {
    kind: Kind,
    /// From the outside in: what was attempted, and what went wrong.
    messages: Vec<String>,
    hint: Option<String>,
}

impl CommandError {
    /// An error. The message says what happened, and where.
    pub fn new(kind: Kind, message: impl fmt::Display) -> Self {
        Self { kind, messages: vec![message.to_string()], hint: None }
    }

    /// An option's value is not valid, or options do not fit together.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// What was named does not exist.
    pub fn not_found(message: impl fmt::Display) -> Self {
        Self::new(Kind::NotFound, message)
    }

    /// It must not be done, and nothing was changed.
    pub fn refused(message: impl fmt::Display) -> Self {
        Self::new(Kind::Refused, message)
    }

    /// A file or folder cannot be read or written.
    pub fn file(path: &Path, what: impl fmt::Display) -> Self {
        Self::new(Kind::File, format!("{}: {what}", path.display()))
    }

    /// Standard output cannot be written.
    pub fn output(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(Kind::ClosedPipe, error),
            io::ErrorKind::StorageFull => {
                let error = Self::new(Kind::Output, format!("standard output cannot be written: {error}"));
                error.hint("make room on that disk, and run the command again")
            }
            _ => Self::new(Kind::Output, format!("standard output cannot be written: {error}")),
        }
    }

    /// What was attempted when it happened.
    #[must_use]
    pub fn context(mut self, attempted: impl fmt::Display) -> Self {
        self.messages.insert(0, attempted.to_string());
        self
    }

    /// What the reader can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// Its kind.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// For the operating system. A closed pipe is not a failure.
    pub const fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::ClosedPipe => 0,
            Kind::Refused => 1,
            Kind::AlreadyRunning => 3,
            // As shells have it.
            Kind::Interrupted => 130,
            _ => 2,
        }
    }

    /// For programs: an object, on one line.
    pub fn to_json(&self) -> String {
        let answer = ErrorAnswer {
            error: ErrorDetails {
                kind: self.kind,
                message: self.messages.join(": "),
                hint: self.hint.clone(),
                exit_code: self.exit_code(),
            },
        };
        let json = serde_json::to_string(&answer).unwrap_or_default(); // Of texts and numbers: cannot fail.
        rasadmin_text::printable_json(&json).into_owned()
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A message may show lines of a file; what a stranger has written must not reach the terminal as it is.
        f.write_str(&printable_lines(&self.messages.join(": ")))?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// What a command prints to standard error under `--json` if it cannot do its work.
#[derive(Serialize, JsonSchema)]
pub struct ErrorAnswer {
    /// Why.
    error: ErrorDetails,
}

/// Why a command could not do its work.
#[derive(Serialize, JsonSchema)]
struct ErrorDetails {
    /// The kind of the error. New kinds may be added.
    kind: Kind,
    /// What happened, and where.
    message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// The command's exit code.
    exit_code: u8,
}

/// Makes a command's error of another one.
pub trait OrCommandError<T> {
    /// Of this kind, with its text as the message.
    fn or_error(self, kind: Kind) -> Result<T>;
}

impl<T, E: fmt::Display> OrCommandError<T> for std::result::Result<T, E> {
    fn or_error(self, kind: Kind) -> Result<T> {
        self.map_err(|e| CommandError::new(kind, e))
    }
}

/// Adds to an error what was attempted when it happened.
pub trait WithContext<T> {
    /// `context: message`.
    fn context(self, attempted: impl fmt::Display) -> Result<T>;
}

impl<T, E: Into<CommandError>> WithContext<T> for std::result::Result<T, E> {
    fn context(self, attempted: impl fmt::Display) -> Result<T> {
        self.map_err(|e| e.into().context(attempted))
    }
}

/// An error that is of one kind wherever it happens.
macro_rules! is_of_kind {
    ($($error:ty => $kind:ident),* $(,)?) => {
        $(impl From<$error> for CommandError {
            fn from(error: $error) -> Self {
                Self::new(Kind::$kind, error)
            }
        })*
    };
}

is_of_kind! {
    rasadmin_ledger::Error => Ledger,
    rasadmin_policy::config::ConfigErrors => Configuration,
    rasadmin_check::CannotCheck => Dll,
    rasadmin_host::scratch::ScratchError => File,
    rasadmin_history::logs::Unreadable => File,
}

impl From<rasadmin_journal::Error> for CommandError {
    fn from(error: rasadmin_journal::Error) -> Self {
        let denied =
            matches!(&error, rasadmin_journal::Error::Io(of) if of.source.kind() == io::ErrorKind::PermissionDenied);
        let error = Self::new(Kind::Journal, error);
        if denied { error.hint(AS_ADMINISTRATOR) } else { error }
    }
}

/// The remedy if the system denies a right.
pub const AS_ADMINISTRATOR: &str = "run the command as an administrator";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_was_attempted_what_happened_and_what_to_do() {
        let error =
            CommandError::new(Kind::Ledger, "it is locked").context("cannot write rasadmin.db").hint("try again");
        assert_eq!(error.to_string(), "cannot write rasadmin.db: it is locked; try again");
        assert_eq!(
            error.to_json(),
            r#"{"error":{"kind":"ledger","message":"cannot write rasadmin.db: it is locked","hint":"try again","exit_code":2}}"#
        );
        assert_eq!(CommandError::usage("no").to_json(), r#"{"error":{"kind":"usage","message":"no","exit_code":2}}"#);
    }

    #[test]
    fn hostile_text_reaches_no_terminal() {
        let error = CommandError::not_found("there is no user `a\u{1b}[2J\u{202e}b`");
        assert_eq!(error.to_string(), "there is no user `a\\u{1b}[2J\\u{202e}b`");
        assert!(error.to_json().is_ascii(), "{}", error.to_json());
    }

    #[test]
    fn a_closed_pipe_is_not_a_failure_and_a_full_disk_is() {
        let closed = CommandError::output(&io::ErrorKind::BrokenPipe.into());
        assert_eq!((closed.kind(), closed.exit_code()), (Kind::ClosedPipe, 0));
        let full = CommandError::output(&io::ErrorKind::StorageFull.into());
        assert_eq!((full.kind(), full.exit_code()), (Kind::Output, 2));
        assert!(full.to_string().contains("make room"), "{full}");
        assert_eq!(CommandError::refused("it is not safe").exit_code(), 1);
    }
}
