//! `rasadmin dashboard`: who may use the dashboard that `rasadmin serve` serves.

pub mod token;
pub mod user;

use crate::context::{ContextArguments, absolute};
use crate::error::{CommandError, Kind, Result};
use crate::output::Output;
use clap::{Args, Subcommand};
use rasadmin_policy::config;
use rasadmin_web::accounts::AccountsFault;
use std::path::PathBuf;

/// Say who may use the dashboard
///
/// `rasadmin serve` serves the dashboard.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    User(user::Arguments),
    Token(token::Arguments),
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    match arguments.command {
        Command::User(arguments) => user::run(arguments, out),
        Command::Token(arguments) => token::run(arguments, out),
    }
}

/// The options that name the file of the dashboard's users and tokens.
#[derive(Args)]
pub struct UsersArguments {
    /// Use this file of users [default: that of the configuration, else dashboard-users.toml beside it]
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// The users' file is that of this configuration, not of the one that the DLL on this computer would find
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl UsersArguments {
    /// The file.
    fn file(&self) -> Result<PathBuf> {
        match &self.users {
            Some(users) => absolute(users),
            None => {
                let config = ContextArguments { config: self.config.clone(), ..ContextArguments::default() };
                Ok(config::read(&config.file()?)?.0.dashboard.users)
            }
        }
    }
}

/// The users' file cannot be used, or not so.
pub fn failed(fault: AccountsFault) -> CommandError {
    let kind = match fault {
        AccountsFault::File { .. } | AccountsFault::Broken { .. } => Kind::File,
        AccountsFault::Untrusted { .. } | AccountsFault::Exists { .. } | AccountsFault::TokenExists { .. } => {
            Kind::Refused
        }
        AccountsFault::Busy { .. } => Kind::AlreadyRunning,
        AccountsFault::Name { .. } | AccountsFault::Password { .. } => Kind::Usage,
        AccountsFault::Unknown { .. } | AccountsFault::TokenUnknown { .. } => Kind::NotFound,
        AccountsFault::Random { .. } => Kind::System,
    };
    CommandError::new(kind, fault)
}
