//! `rasadmin dashboard token`: the tokens with which programs ask the dashboard's API.

use super::user::RoleArgument;
use super::{UsersArguments, failed};
use crate::error::{Exit, Result};
use crate::output::Output;
use crate::table::{name, text};
use clap::{Args, Subcommand};
use rasadmin_web::accounts::tokens;
use schemars::JsonSchema;
use serde::Serialize;

/// Add, remove and list the tokens of programs
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

/// Make a token for a program
///
/// Prints the token, once: only its hash is kept. The program sends it with each request to the dashboard's API, in the
/// header `Authorization: Bearer TOKEN`.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin dashboard token add prometheus
  rasadmin dashboard token add helpdesk --role operator

Exit codes: 0 the token was made; 1 there is such a token; 2 it could not be
done.")]
struct AddArguments {
    /// A name for the token, such as that of the program
    name: String,
    /// What the program may do
    #[arg(long, value_enum, default_value = "viewer")]
    role: RoleArgument,
    #[command(flatten)]
    users: UsersArguments,
}

/// Remove a token
///
/// The next request with it is refused.
#[derive(Args)]
#[command(after_long_help = "\
Example:
  rasadmin dashboard token remove prometheus

Exit codes: 0 the token was removed; 2 there is no such token, or it could not
be done.")]
struct RemoveArguments {
    /// The name
    name: String,
    #[command(flatten)]
    users: UsersArguments,
}

/// List the tokens, without their texts
#[derive(Args)]
#[command(after_long_help = "\
Example:
  rasadmin dashboard token list")]
struct ListArguments {
    #[command(flatten)]
    users: UsersArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A token of a program.
#[derive(Serialize, JsonSchema)]
pub struct TokenRow {
    /// Its name.
    name: String,
    /// What the program may do: `viewer` or `operator`.
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
    let token = tokens::add(&users.file()?, &name, role.into()).map_err(failed)?;
    // Alone on its line, for scripts; only this once.
    writeln!(out, "{token}")?;
    Ok(Exit::Success)
}

fn remove(arguments: RemoveArguments, out: &mut Output) -> Result {
    let file = arguments.users.file()?;
    tokens::remove(&file, &arguments.name).map_err(failed)?;
    writeln!(out, "{}: the token `{}` was removed", file.display(), arguments.name)?;
    Ok(Exit::Success)
}

fn list(arguments: ListArguments, out: &mut Output) -> Result {
    let all = tokens::list(&arguments.users.file()?).map_err(failed)?;
    let rows: Vec<_> = all.into_iter().map(|one| TokenRow { name: one.name, role: one.role.text() }).collect();
    if arguments.json {
        out.json(&rows)?;
    } else if rows.is_empty() {
        writeln!(out, "there are no tokens (`rasadmin dashboard token add` makes one)")?;
    } else {
        let rows = rows.into_iter().map(|row| vec![row.name, row.role.to_owned()]).collect();
        out.table(&[name("token", 0), text("role", 0)], rows)?;
    }
    Ok(Exit::Success)
}
