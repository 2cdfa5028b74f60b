//! `rasadmin dashboard user`: the dashboard's users.

use super::{UsersArguments, failed};
use crate::error::{CommandError, Exit, Kind, OrCommandError, Result, WithContext};
use crate::hidden;
use crate::output::Output;
use crate::table::{name, text};
use clap::{Args, Subcommand, ValueEnum};
use rasadmin_web::{Role, accounts};
use schemars::JsonSchema;
use serde::Serialize;
use std::io::{BufRead, IsTerminal};

/// Add, remove and list the dashboard's users
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Add(AddArguments),
    Remove(RemoveArguments),
    List(ListArguments),
}

/// Add a user
///
/// On a terminal, it asks for the password twice, and does not show it. Otherwise the password is the first line of standard
/// input. Only its hash is kept (argon2id). A password has at least 12 characters.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin dashboard user add alice
  rasadmin dashboard user add bob --role operator < password.txt

Exit codes: 0 the user was added; 1 there is such a user; 2 it could not be
done.")]
struct AddArguments {
    /// The name
    name: String,
    /// What the user may do
    #[arg(long, value_enum, default_value = "viewer")]
    role: RoleArgument,
    #[command(flatten)]
    users: UsersArguments,
}

/// A role on the command line.
#[derive(Clone, Copy, ValueEnum)]
pub enum RoleArgument {
    /// Look
    Viewer,
    /// Look, disconnect, block, release, close, try other rules
    Operator,
}

impl From<RoleArgument> for Role {
    fn from(role: RoleArgument) -> Self {
        match role {
            RoleArgument::Viewer => Self::Viewer,
            RoleArgument::Operator => Self::Operator,
        }
    }
}

/// Remove a user
///
/// If the user is logged in, the next request is refused.
#[derive(Args)]
#[command(after_long_help = "\
Example:
  rasadmin dashboard user remove alice

Exit codes: 0 the user was removed; 2 there is no such user, or it could not be
done.")]
struct RemoveArguments {
    /// The name
    name: String,
    #[command(flatten)]
    users: UsersArguments,
}

/// List the users
#[derive(Args)]
#[command(after_long_help = "\
Example:
  rasadmin dashboard user list")]
struct ListArguments {
    #[command(flatten)]
    users: UsersArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A user of the dashboard.
#[derive(Serialize, JsonSchema)]
pub struct UserRow {
    /// The name.
    name: String,
    /// What the user may do: `viewer` or `operator`.
    role: &'static str,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    match arguments.command {
        Command::Add(arguments) => add(arguments, out),
        Command::Remove(arguments) => remove(arguments, out),
        Command::List(arguments) => list(arguments, out),
    }
}

fn add(arguments: AddArguments, out: &mut Output) -> Result {
    let AddArguments { name, role, users } = arguments;
    let file = users.file()?;
    accounts::may_add(&file, &name).map_err(failed)?;
    let role = Role::from(role);
    accounts::add(&file, &name, role, &password()?).map_err(failed)?;
    writeln!(out, "{}: `{name}` may use the dashboard as {role}", file.display())?;
    Ok(Exit::Success)
}

/// A new password, typed twice, or a line of standard input.
fn password() -> Result<String> {
    if std::io::stdin().is_terminal() {
        let first = hidden::ask("The new user's password (it is not shown):")?;
        let second = hidden::ask("The same again:")?;
        return if first == second {
            Ok(first)
        } else {
            Err(CommandError::refused("nothing was changed: the two passwords differ"))
        };
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).or_error(Kind::System).context("the password cannot be read")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn remove(arguments: RemoveArguments, out: &mut Output) -> Result {
    let file = arguments.users.file()?;
    accounts::remove(&file, &arguments.name).map_err(failed)?;
    writeln!(out, "{}: `{}` was removed", file.display(), arguments.name)?;
    Ok(Exit::Success)
}

fn list(arguments: ListArguments, out: &mut Output) -> Result {
    let file = arguments.users.file()?;
    let all = accounts::list(&file).map_err(failed)?;
    let rows: Vec<_> = all.into_iter().map(|one| UserRow { name: one.name, role: one.role.text() }).collect();
    if arguments.json {
        out.json(&rows)?;
    } else if rows.is_empty() {
        writeln!(out, "the dashboard has no users (`rasadmin dashboard user add` adds one)")?;
    } else {
        let rows = rows.into_iter().map(|row| vec![row.name, row.role.to_owned()]).collect();
        out.table(&[name("user", 0), text("role", 0)], rows)?;
    }
    Ok(Exit::Success)
}
