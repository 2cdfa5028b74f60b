//! Why the users of the dashboard cannot be read or changed.

use rasadmin_text::{printable, printable_lines, printable_path};
use std::fmt;
use std::path::PathBuf;

/// Why the users of the dashboard cannot be read or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountsFault {
    /// The file cannot be read or written.
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        why: String,
    },
    /// Others can write the file.
    Untrusted {
        /// The file.
        file: PathBuf,
        /// Who.
        why: String,
    },
    /// The file's text is not valid.
    Broken {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Another process changes the file.
    Busy {
        /// The file that it writes.
        file: PathBuf,
    },
    /// Nobody can have this name.
    Name {
        /// The name.
        name: String,
        /// Why not.
        why: String,
    },
    /// The password is not good enough, or cannot be hashed.
    Password {
        /// Why.
        why: String,
    },
    /// There is a user of this name.
    Exists {
        /// The file.
        file: PathBuf,
        /// The name, as the file has it.
        name: String,
    },
    /// There is a token of this name.
    TokenExists {
        /// The file.
        file: PathBuf,
        /// The name, as the file has it.
        name: String,
    },
    /// There is no token of this name.
    TokenUnknown {
        /// The file.
        file: PathBuf,
        /// The name.
        name: String,
    },
    /// A token cannot be made.
    Random {
        /// Why.
        why: String,
    },
    /// There is no user of this name.
    Unknown {
        /// The file.
        file: PathBuf,
        /// The name.
        name: String,
    },
}

impl fmt::Display for AccountsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, why } => {
                write!(f, "{}: the dashboard's users cannot be read or written: {why}", printable_path(file))
            }
            Self::Untrusted { file, why } => {
                let remedy = rasadmin_rights::private_remedy(file);
                write!(
                    f,
                    "{}: the dashboard's users are not read: {why}; check them, and {remedy}",
                    printable_path(file)
                )
            }
            Self::Broken { file, why } => {
                let why = printable_lines(why);
                let why = why.trim_end();
                write!(f, "{}: the dashboard's users are not valid: {why}; correct or delete it", printable_path(file))
            }
            Self::Busy { file } => {
                write!(f, "{}: another process changes the users: try again in a minute", printable_path(file))
            }
            Self::Name { name, why } => {
                write!(f, "`{}` cannot be the name of a user or a token: {why}", printable(name))
            }
            Self::Password { why } => f.write_str(why),
            Self::Exists { file, name } => {
                let file = printable_path(file);
                write!(
                    f,
                    "{file}: there is a user `{}`; remove them first to change the role or the password",
                    printable(name)
                )
            }
            Self::TokenExists { file, name } => {
                let file = printable_path(file);
                write!(f, "{file}: there is a token `{}`; remove it first, or choose another name", printable(name))
            }
            Self::TokenUnknown { file, name } => {
                write!(f, "{}: there is no token `{}`", printable_path(file), printable(name))
            }
            Self::Random { why } => write!(f, "the system has no random numbers for a token: {why}; try again"),
            Self::Unknown { file, name } => {
                write!(f, "{}: there is no user `{}`", printable_path(file), printable(name))
            }
        }
    }
}

impl std::error::Error for AccountsFault {}
