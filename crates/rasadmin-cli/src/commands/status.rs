//! `rasadmin status`: is everything as it should be?

mod beside;
mod blocks;
mod configured;
mod dashboard_service;
mod facts;
mod journal;
mod ledger;
mod log;
mod policy;
mod pools;
mod recorded;
mod refused;
mod registered;
mod rights;
mod service;
pub mod start;
mod windows_service;

use crate::context::ZoneArguments;
use crate::error::{Exit, Result};
use crate::output::Output;
use crate::setup::{config_places, registry};
use crate::times;
use clap::Args;
use facts::{Fact, Facts, Mark};
use rasadmin_ledger::report::{PoolUse, Refused};
use rasadmin_setup::service as registered_service;
use rasadmin_system::machine_policy::MachinePolicy;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::PathBuf;

/// Show whether everything on this server is as it should be
///
/// The command checks the registration, the DLL, what is known to keep Remote Access from starting, the configuration,
/// the journal, Remote Access, today's refusals, the pools, the ledger, the rasadmin service, the log, and who can write
/// them. It changes nothing and disturbs no connection. What needs attention comes first.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin status
  rasadmin status --json

Exit codes: 0 all is well; 1 something needs attention; 2 the command could not
do its work.

These need attention: the DLL is not registered, is missing, or cannot load; the
configuration is missing or broken; the journal or the ledger is damaged, or has
lost events; the disk is nearly full; Remote Access does not run, but sessions
are open; the DLL itself refused somebody today (a pool was exhausted, for
example); a pool is more than 90 % full; the rasadmin service is registered with
Windows, but does not run or is disabled; a duty of the service fails; somebody
who is not an administrator can write the files. Refusals by a rule are a
notice: they do not change the exit code.")]
pub struct Arguments {
    /// Use this configuration instead of the one that the DLL on this computer would find
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    zone: ZoneArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// For tests: a key below HKEY_CURRENT_USER instead of HKEY_LOCAL_MACHINE
    #[arg(long, hide = true)]
    registry_root: Option<String>,
}

/// The state of this server. Parts that do not exist here are absent.
#[derive(Default, Serialize, JsonSchema)]
pub struct Answer {
    /// Whether nothing needs attention.
    all_well: bool,
    /// The report as text: what is as it should be, and what is not.
    facts: Vec<Fact>,
    /// What RRAS would load; absent if RRAS is not installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    registration: Option<registered::Registration>,
    /// The policies of this machine that concern admin DLLs; only on Windows.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<policy::Policy>,
    /// What is known to keep Remote Access from starting; only on Windows.
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<start::StartCauses>,
    /// The configuration; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<configured::Configuration>,
    /// The journal; absent without a valid configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    journal: Option<journal::Journal>,
    /// The free space on the journal's disk, in bytes; absent if the journal does not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    free_bytes: Option<u64>,
    /// Remote Access with the DLL, on every server that the journal and the ledger know; this server comes first.
    #[serde(skip_serializing_if = "Option::is_none")]
    services: Option<Vec<service::Service>>,
    /// The rasadmin service beside RRAS; absent if it never ran here and the configuration does not mention it.
    #[serde(skip_serializing_if = "Option::is_none")]
    rasadmin_service: Option<beside::RasadminService>,
    /// The rasadmin service as Windows has it registered; only on Windows.
    #[serde(skip_serializing_if = "Option::is_none")]
    windows_service: Option<windows_service::WindowsService>,
    /// The Windows service `rasadmin-net`, which serves the dashboard; absent if it is not registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    dashboard_service: Option<windows_service::WindowsService>,
    /// Today's refusals by their cause, the most frequent first; absent without a valid configuration. Today is the day
    /// in the configuration's time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused_today: Option<Vec<Refused>>,
    /// How many blocks are in force on this server; absent if its journal has no records.
    #[serde(skip_serializing_if = "Option::is_none")]
    blocks: Option<usize>,
    /// How full the pools are; absent without a valid configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pools: Option<Vec<PoolUse>>,
    /// The ledger; absent if it does not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<ledger::Ledger>,
    /// Who apart from administrators controls the files outside the journal; absent if there is no configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    unsafe_permissions: Option<Vec<rights::UnsafePermission>>,
    /// What is wrong with the permissions in the journal's folder; absent if there is no configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    journal_rights: Option<Vec<rights::JournalFault>>,
    /// The DLL's log.
    log: log::Log,
}

/// Checks everything, and reports it.
pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let mut facts = Facts::default();
    let mut answer = Answer::default();
    let mut zone = arguments.zone.named()?;
    let (mut started, mut in_force) = (None, None);
    let root = arguments.registry_root.as_deref();
    let registered = match registry(root) {
        Ok((_, registered)) => Some(registered),
        Err(e) if cfg!(windows) => {
            facts.add(Mark::Attention, "registered", e.to_string());
            None
        }
        Err(_) => {
            facts.add(Mark::Note, "registered", "there is no Routing and Remote Access on this system");
            None
        }
    };
    answer.registration = registered.as_ref().and_then(|registered| registered::check(&mut facts, registered));
    if cfg!(windows) {
        answer.policy = Some(policy::check(&mut facts, MachinePolicy::read(root), answer.registration.as_ref()));
    }
    // A key that replaces the machine's says nothing about the machine's service.
    let of_machine = cfg!(windows) && root.is_none();
    let windows_service = of_machine.then(|| registered_service::query(&registered_service::RASADMIN));
    let dashboard = of_machine.then(|| registered_service::query(&registered_service::DASHBOARD));
    let dll = answer.registration.as_ref().and_then(registered::Registration::dll);
    let places = config_places(dll.as_deref(), root, &registered.unwrap_or_default());
    if let Some((configuration, path, config)) = configured::check(&mut facts, &places, arguments.config.as_deref()) {
        answer.configuration = Some(configuration);
        if let Some(config) = &config {
            let in_zone = arguments.zone.or(config)?;
            let recorded = recorded::read(config, times::parse("today", &in_zone, times::now())?);
            answer.free_bytes = journal::free_bytes(&mut facts, config);
            answer.journal = Some(journal::check(&mut facts, config, &recorded));
            answer.services = Some(service::check(&mut facts, config, &recorded, dll.as_deref()));
            answer.refused_today = Some(refused::check(&mut facts, &recorded));
            answer.blocks = blocks::check(&mut facts, &recorded);
            answer.pools = Some(pools::check(&mut facts, config, &recorded));
            answer.ledger = ledger::check(&mut facts, config, &recorded);
            answer.rasadmin_service = beside::check(&mut facts, config);
            zone = Some(in_zone);
            started = service::started(config, &recorded);
        }
        let service = windows_service.as_ref().and_then(|queried| queried.as_ref().ok()?.as_ref());
        let programs = dll.into_iter().chain(service.map(|service| service.registration.program.clone()));
        let programs: Vec<PathBuf> = programs.collect();
        let (unsafe_permissions, journal_rights) = rights::check(&mut facts, &programs, &path, config.as_ref());
        answer.unsafe_permissions = Some(unsafe_permissions);
        answer.journal_rights = Some(journal_rights);
        in_force = Some(path);
    }
    if let Some(queried) = dashboard {
        let in_force = in_force.as_deref().filter(|_| arguments.config.is_none());
        answer.dashboard_service = dashboard_service::check(&mut facts, queried, in_force);
    }
    if let Some(queried) = windows_service {
        // What --config names need not be in force.
        let in_force = in_force.as_deref().filter(|_| arguments.config.is_none());
        let serves = answer.rasadmin_service.as_ref().map(beside::RasadminService::is_running);
        let serves = serves.filter(|_| in_force.is_some());
        answer.windows_service = windows_service::check(&mut facts, queried, in_force, serves);
    }
    if cfg!(windows) {
        let shown = |time| zone.as_ref().map_or_else(|| start::in_utc(time), |zone| times::show(time, zone));
        answer.start = Some(start::check(&mut facts, start::read(root), started, &shown));
    }
    answer.log = log::check(&mut facts);
    answer.all_well = !facts.need_attention();
    if arguments.json {
        answer.facts = facts.into_list();
        out.json(&answer)?;
    } else {
        write!(out, "{}", facts.text(out.width(), out.colours()))?;
        if let Some(zone) = zone {
            writeln!(out, "\n{}", times::zone_name(&zone))?;
        }
    }
    Ok(Exit::no_if(!answer.all_well))
}
