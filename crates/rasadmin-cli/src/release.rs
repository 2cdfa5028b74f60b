//! `rasadmin release`.

use crate::ask::confirm;
use crate::here::Here;
use crate::select::user_shown;
use crate::{change, times};
use clap::Args;
use rasadmin_engine::state::Holding;
use rasadmin_engine::{Event, Id, State};
use rasadmin_ledger::report::LeaseRow;
use rasadmin_policy::Name;
use rasadmin_policy::addresses::{Address, Family};
use std::net::{IpAddr, Ipv6Addr};

/// End the lease of an address, so that it can be given again
///
/// For an address that a ghost holds: RRAS has forgotten the connection, but the journal has not. From its next call
/// on, the DLL can give the address again. The address of a live session is released only with --force: RRAS still has
/// it, and refuses it to the next client (error 735) until that connection ends.
///
/// Example:
///   rasadmin release 10.20.16.9
#[derive(Args)]
#[command(verbatim_doc_comment)]
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
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    here: Here,
}

/// As the journal has it.
fn number(address: IpAddr) -> Address {
    match address.to_canonical() {
        IpAddr::V4(ipv4) => Address { family: Family::Ipv4, number: ipv4.to_bits().into() },
        IpAddr::V6(ipv6) => Address { family: Family::Ipv6, number: identifier(ipv6) },
    }
}

/// The low half.
fn identifier(address: Ipv6Addr) -> u64 {
    let octets = address.octets();
    u64::from_be_bytes(std::array::from_fn(|at| octets[at + 8]))
}

/// What became of it.
enum Became {
    Released,
    /// Somebody else released it.
    WasFree,
    /// A live session has it.
    IsInUse(Id),
}

fn look(state: &State, address: Address, force: bool) -> (Became, Option<Event>) {
    match state.lease_at(address).map(|lease| lease.holding) {
        None => (Became::WasFree, None),
        Some(Holding::Session(session)) if !force => (Became::IsInUse(session), None),
        Some(_) => (Became::Released, Some(Event::ReleaseAddress { address, force })),
    }
}

pub fn release(arguments: Arguments) -> Result<u8, String> {
    let place = arguments.here.open()?;
    let address = arguments.address;
    let reader = place.reader()?;
    let leases = reader.who_had(address, Some(times::now()), 10_000).map_err(|e| e.to_string())?;
    let mut held: Vec<LeaseRow> = leases.into_iter().filter(|l| l.ended.is_none() && l.imported.is_none()).collect();
    if let Some(server) = &arguments.server {
        held.retain(|lease| lease.server.folded() == Name::new(server).folded());
    }
    let lease = match &held[..] {
        [] => {
            println!("no live lease holds {address}: there is nothing to release");
            return Ok(1);
        }
        [lease] => lease.clone(),
        several => {
            let servers: Vec<_> = several.iter().map(|lease| lease.server.to_string()).collect();
            let servers = servers.join(", ");
            return Err(format!("{address} is held on several servers: name one with --server: {servers}"));
        }
    };
    let user = user_shown(lease.domain.as_ref(), lease.name.as_ref(), &lease.user_name);
    let mut tool = change::open(&place)?;
    change::is_here(&tool, &lease.server)?;
    let question = format!("Release {address}, held by {user} on port {} of {}?", lease.port, lease.server);
    if !confirm(&question, arguments.yes)? {
        println!("nothing was changed");
        return Ok(1);
    }
    match change::tell(&mut tool, |state| look(state, number(address), arguments.force))? {
        Became::Released => {
            change::bring_in(&place)?;
            println!("{address} is free: it was held by {user}");
            Ok(0)
        }
        Became::WasFree => {
            println!("{address} has been released in the meantime");
            Ok(0)
        }
        Became::IsInUse(session) => {
            let found = reader.session(&session.to_string()).map_err(|e| e.to_string())?.ok().flatten();
            let session = found.map_or_else(|| session.to_string(), |session| session.id.to_string());
            Err(format!(
                "{address} belongs to the live session {session} of {user}: disconnect it in RRAS first; --force releases \
                 the address anyway, but RRAS refuses it to others until that connection ends"
            ))
        }
    }
}
