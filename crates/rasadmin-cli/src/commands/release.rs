//! `rasadmin release`.

use crate::confirm::confirm;
use crate::context::ContextArguments;
use crate::error::{CommandError, Exit, Result};
use crate::filter::user_shown;
use crate::output::Output;
use crate::{reason, record, times};
use clap::Args;
use rasadmin_engine::state::Holding;
use rasadmin_engine::{Event, Id, State};
use rasadmin_ledger::report::{LeaseRow, Reader};
use rasadmin_policy::Name;
use rasadmin_policy::addresses::Address;
use std::net::IpAddr;

/// End the lease of an address, so that it can be given again
///
/// Use this if RRAS has forgotten a connection, but the journal has not. From its next call on, the DLL can give the
/// address again. The address of a live session is released only with --force: RRAS still has it, and refuses it to the
/// next client (error 735) until that connection ends.
#[derive(Args)]
#[command(after_long_help = "\
Example:
  rasadmin release 10.20.16.9")]
pub struct Arguments {
    /// The address; for IPv6, the interface identifier, like `::a11c:e`
    #[arg(value_name = "ADDRESS")]
    address: IpAddr,
    /// On this RRAS server, if several hold it
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// Also if a live session has it
    #[arg(long)]
    force: bool,
    /// The reason, which is recorded
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    context: ContextArguments,
}

/// What happened to the address.
enum Outcome {
    Released,
    /// Somebody else released it.
    WasFree,
    /// A live session has it.
    IsInUse(Id),
}

fn look(state: &State, address: Address, force: bool, reason: Option<String>) -> (Outcome, Option<Event>) {
    match state.lease_at(address).map(|lease| lease.holding) {
        None => (Outcome::WasFree, None),
        Some(Holding::Session(session)) if !force => (Outcome::IsInUse(session), None),
        Some(_) => {
            let by = rasadmin_rights::account_name();
            (Outcome::Released, Some(Event::ReleaseAddress { address, force, by, reason }))
        }
    }
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.context.open()?;
    let address = arguments.address;
    let reason = arguments.reason.as_deref().map(reason::one_line).transpose()?;
    let reader = context.reader()?;
    let leases = reader.who_had(address, Some(times::now()), 10_000)?;
    let mut held: Vec<LeaseRow> = leases.into_iter().filter(|l| l.ended.is_none() && l.imported.is_none()).collect();
    if let Some(server) = &arguments.server {
        held.retain(|lease| lease.server.folded() == Name::new(server).folded());
    }
    let lease = match &held[..] {
        [] => {
            writeln!(out, "no live lease holds {address}: there is nothing to release")?;
            return Ok(Exit::No);
        }
        [lease] => lease.clone(),
        several => {
            let servers: Vec<_> = several.iter().map(|lease| lease.server.to_string()).collect();
            let servers = servers.join(", ");
            let several = format!("{address} is held on several servers: name one with --server: {servers}");
            return Err(CommandError::usage(several));
        }
    };
    let user = user_shown(lease.domain.as_ref(), lease.name.as_ref(), &lease.user_name);
    let mut tool = record::open(&context)?;
    record::belongs_to(&tool, &lease.server)?;
    if let (Outcome::IsInUse(session), _) = look(tool.state(), address.into(), arguments.force, None) {
        return Err(is_in_use(&reader, address, session, &user)?);
    }
    let question = format!("Release {address}, held by {user} on port {} of {}?", lease.port, lease.server);
    confirm(&question, arguments.yes, out)?;
    match record::record(&mut tool, |state, _| look(state, address.into(), arguments.force, reason))? {
        Outcome::Released => {
            record::bring_in(&context)?;
            writeln!(out, "{address} is free: it was held by {user}")?;
            Ok(Exit::Success)
        }
        Outcome::WasFree => {
            writeln!(out, "{address} has been released in the meantime")?;
            Ok(Exit::No)
        }
        // It was taken in the meantime.
        Outcome::IsInUse(session) => Err(is_in_use(&reader, address, session, &user)?),
    }
}

fn is_in_use(reader: &Reader, address: IpAddr, session: Id, user: &str) -> Result<CommandError> {
    let found = reader.session(&session.to_string())?.ok().flatten();
    let session = found.map_or_else(|| session.to_string(), |session| session.id.to_string());
    Ok(CommandError::usage(format!(
        "{address} belongs to the live session {session} of {user}: disconnect it in RRAS first; --force releases the \
         address anyway, but RRAS refuses it to others until that connection ends"
    )))
}
