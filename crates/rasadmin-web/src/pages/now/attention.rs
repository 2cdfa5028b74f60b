//! What needs attention.

use super::day::midnight;
use super::health::Recorded;
use crate::fault;
use crate::parts;
use crate::source::Source;
use maud::{Markup, html};
use rasadmin_answers::show;
use rasadmin_ledger::report::{DecidedBy, PoolUse, Reader, Refused, refusal_in_words};
use rasadmin_policy::Millis;
use rasadmin_policy::config::Config;
use rasadmin_service::state::{DutyState, Report, State};
use rasadmin_system::disk;
use schemars::JsonSchema;
use serde::Serialize;

/// Something that a person should look at.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Attention {
    /// What is wrong.
    what: String,
    /// What to do about it.
    remedy: String,
}

impl Attention {
    pub fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into() }
    }
}

/// What the ledger has that may need attention.
pub struct Facts {
    /// How the DLL and the ledger are.
    pub recorded: Recorded,
    /// Today's refusals.
    pub refused: Vec<Refused>,
    /// How full the pools are.
    pub pools: Vec<PoolUse>,
}

impl Facts {
    /// Reads them.
    pub fn read(reader: &Reader, config: &Config, now: Millis) -> Result<Self, rasadmin_ledger::Error> {
        Ok(Self {
            recorded: Recorded::read(reader, config)?,
            refused: reader.refused(midnight(now, &config.zone), now.saturating_add(1))?,
            pools: PoolUse::of(&config.addresses.pools, &reader.pool_use()?),
        })
    }
}

/// Everything that needs attention, for the page and for programs. `service`: what the service has answered.
pub fn all(
    source: &Source,
    service: &Result<State, rasadmin_pipe::Error>,
    facts: &Facts,
    now: Millis,
) -> Vec<Attention> {
    let mut all = of(source, service, &facts.pools, now);
    all.extend(facts.recorded.attention());
    all.extend(of_refused(&facts.refused));
    all
}

/// What the configuration, the service and the pools need.
fn of(
    source: &Source,
    service: &Result<State, rasadmin_pipe::Error>,
    pools: &[PoolUse],
    now: Millis,
) -> Vec<Attention> {
    let mut all = Vec::new();
    // What is wrong may be a line of the file, which viewers may not see: operators see it with the rules.
    if let (file, Some(_)) = source.config_fault() {
        let what = format!("the configuration {} is broken, and the last good one is in force", file.display());
        all.push(Attention::new(what, "run `rasadmin config check`; operators see at /rules what is wrong"));
    }
    match service {
        Ok(state) => all.extend(of_service(state, now)),
        Err(error) => all.push(Attention::new(
            format!("the rasadmin service does not answer, so these pages may be out of date: {error}"),
            fault::remedy(error),
        )),
    }
    for pool in pools.iter().filter(|pool| pool.is_nearly_full()) {
        let what =
            format!("the pool {} is nearly full: {} of {} addresses are in use", pool.name, pool.held, pool.size);
        all.push(Attention::new(what, "give it a larger range in the configuration"));
    }
    all
}

/// What the DLL itself has refused, though no rule or block did: a fault of the configuration or of the server.
fn of_refused(refused: &[Refused]) -> Vec<Attention> {
    let own =
        refused.iter().filter(|one| one.decided_by == DecidedBy::Dll && one.refusal.as_deref() != Some("blocked"));
    let attention = |one: &Refused| {
        let cause = refusal_in_words(one.refusal.as_deref().unwrap_or_default());
        let reason = one.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let times = if one.times == 1 { "once".to_owned() } else { format!("{} times", one.times) };
        let what = format!("the DLL itself has refused {times} today, without a rule: {cause}{reason}");
        Attention::new(what, "the list of today's denials on the dashboard's first page leads to each of them")
    };
    own.map(attention).collect()
}

fn of_service(state: &State, now: Millis) -> Vec<Attention> {
    state.duties.iter().flat_map(|duty| of_duty(duty, now)).collect()
}

fn of_duty(duty: &DutyState, now: Millis) -> Vec<Attention> {
    let name = duty.report.duty().name();
    let fault = duty.fault.iter().map(|fault| {
        let since = show::between(fault.since, now);
        Attention::new(format!("{name} has not worked for {since}: {}", fault.what), fault.remedy.clone())
    });
    let more = match &duty.report {
        Report::Monitor(monitor) if !monitor.running => {
            vec![Attention::new("Remote Access does not run", "start it: `Start-Service RemoteAccess`")]
        }
        Report::Monitor(monitor) if !monitor.withheld.is_empty() => vec![Attention::new(
            format!("{} sessions count as connected, but RRAS does not list them", monitor.withheld.len()),
            "look at them, then close them: `rasadmin close --not-listed`",
        )],
        Report::Disconnect(disconnect) => {
            let stopped = disconnect.stopped.iter().map(|stopped| {
                let (rule, of, live) = (&stopped.rule, stopped.sessions, stopped.live);
                let what = format!("the rule {rule} would end {of} of {live} sessions, so it ends nobody");
                Attention::new(what, format!("if that is right: `rasadmin disconnect resume \"{rule}\"`"))
            });
            let failing = disconnect.failing.iter().map(|failing| {
                let what = format!("the session {} cannot be disconnected: {}", failing.session, failing.why);
                Attention::new(what, "disconnect it in the Routing and Remote Access console")
            });
            stopped.chain(failing).collect()
        }
        Report::Retention(retention) if !retention.damage.is_empty() => vec![Attention::new(
            format!("the ledger is damaged: {}", retention.damage.join("; ")),
            "make it again from the journal, or restore a backup: docs/ledger.md",
        )],
        Report::Retention(retention) => {
            let full = retention.disks.iter().filter(|disk| disk.free < disk::LOW);
            full.map(|disk| {
                let what = format!("only {} are free on the disk of {}", show::octets(disk.free), disk.folder);
                Attention::new(what, "make room, or put the journal on another disk (`[journal] folder`)")
            })
            .collect()
        }
        _ => Vec::new(),
    };
    fault.chain(more).collect()
}

/// The list; if nothing needs attention, it says so.
pub fn list(all: &[Attention]) -> Markup {
    html! {
        @if all.is_empty() {
            p.fine role="status" { span.dot aria-hidden="true" {} "Nothing needs attention." }
        } @else {
            section.attention role="status" {
                h2 { "Needs attention" }
                ul { @for one in all { li {
                    span { (parts::commands(&one.what)) }
                    span.remedy { (parts::remedy(&one.remedy)) }
                } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_dll_itself_refuses_needs_attention_but_not_what_rules_and_blocks_do() {
        let one = |rule: Option<&str>, refusal: Option<&str>, times| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            let decided_by = DecidedBy::of(rule, refusal);
            Refused { decided_by, rule: owned(rule), refusal: owned(refusal), reason: None, times, last: 0 }
        };
        let all = [one(Some("no PPTP"), None, 7), one(None, Some("blocked"), 2), one(None, Some("exhausted"), 3)];
        let found = of_refused(&all);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].what, "the DLL itself has refused 3 times today, without a rule: pool exhausted");
    }
}
