//! The rasadmin service, which runs beside RRAS: whether it runs, and how its duties are doing.

use super::facts::{Facts, Mark, rfc3339};
use crate::format::{count, grouped, records};
use crate::times;
use rasadmin_policy::Millis;
use rasadmin_policy::config::{Config, DisconnectMode};
use rasadmin_service::state::{
    Deleted, DisconnectReport, DutyState, FollowReport, MetricsReport, MonitorReport, PipeReport, Report,
    RetentionReport, State,
};
use rasadmin_service::state_file;
use schemars::JsonSchema;
use serde::Serialize;

/// The rasadmin service.
#[derive(Serialize, JsonSchema)]
pub struct RasadminService {
    /// Whether it runs now.
    running: bool,
    /// The number of its process, if it runs.
    process: Option<u32>,
    /// When it last started: UTC, as RFC 3339 writes it; null if that is not known.
    started: Option<String>,
    /// When it stopped: UTC, as RFC 3339 writes it; null if it runs, or ended abnormally.
    stopped: Option<String>,
    /// What is wrong with the configuration's file, so that the service uses an earlier one; null if nothing is.
    configuration_fault: Option<String>,
    /// Its duties, as they last were.
    duties: Vec<Duty>,
}

impl RasadminService {
    /// Whether it runs now.
    pub const fn is_running(&self) -> bool {
        self.running
    }
}

/// A duty of the service.
#[derive(Serialize, JsonSchema)]
struct Duty {
    /// Its name, as in the configuration.
    name: &'static str,
    /// Why it does not work; null if it does.
    fault: Option<String>,
    /// Since when it has not worked: UTC, as RFC 3339 writes it.
    fault_since: Option<String>,
    /// `follow`: the number of the last record in the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<u64>,
    /// `follow`: how many records the ledger lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    behind: Option<u64>,
    /// `monitor`: when it last looked at RRAS's connections: UTC, as RFC 3339 writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    looked_at: Option<String>,
    /// `monitor`: how many connections RRAS has.
    #[serde(skip_serializing_if = "Option::is_none")]
    connections: Option<usize>,
    /// `monitor`: how many of these connections are clients without a session on record.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<usize>,
    /// `monitor`: how many live sessions RRAS does not list.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_listed: Option<usize>,
    /// `disconnect`: its mode, `report` or `enforce`.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
    /// `disconnect`: how many sessions it was to disconnect, and told RRAS so.
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnected: Option<u64>,
    /// `disconnect`: how many sessions it only reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    reported: Option<u64>,
    /// `disconnect`: rules that end nothing until `rasadmin disconnect resume`.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<Vec<String>>,
    /// `retention`: when it last deleted old data: UTC, as RFC 3339 writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
    /// `retention`: how many rows it deleted then.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted: Option<u64>,
    /// `retention`: the last backup of the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    backup: Option<String>,
    /// `retention`: when the next run is due: UTC, as RFC 3339 writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// `pipe`: how many requests it has answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    answered: Option<u64>,
    /// `pipe`: how many requests it has refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<u64>,
    /// `metrics`: the file that it writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// `metrics`: when it last wrote the file: UTC, as RFC 3339 writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    written: Option<String>,
}

/// The subject of the facts about the service itself: `service` alone is Remote Access.
const ABOUT: &str = "beside RRAS";

/// How the service is doing. `None`: it never ran here, and the configuration does not mention it.
pub fn check(facts: &mut Facts, config: &Config) -> Option<RasadminService> {
    let holder = rasadmin_journal::service_of(&config.journal).unwrap_or_else(|error| {
        facts.add(Mark::Attention, ABOUT, error.to_string());
        None
    });
    let state = state_file::read(&config.journal);
    let time = |time| times::show(time, &config.zone);
    let Some(holder) = holder else {
        let state = not_running(facts, config, state, &time)?;
        return Some(answer(false, None, &state));
    };
    // Just after the start, the state is that of the process before it.
    let state = state.filter(|state| holder.process.is_none_or(|process| process == state.process));
    let process = holder.process.map(|process| format!(", process {process}")).unwrap_or_default();
    let Some(state) = state else {
        facts.add(Mark::Ok, ABOUT, format!("the rasadmin service is starting{process}"));
        return Some(answer(true, holder.process, &State::default()));
    };
    facts.add(Mark::Ok, ABOUT, format!("the rasadmin service has been running since {}{process}", time(state.started)));
    for duty in &state.duties {
        add_duty(facts, duty, &time);
    }
    Some(answer(true, holder.process, &state))
}

/// The service does not run. That matters only if somebody expects it to.
fn not_running(
    facts: &mut Facts,
    config: &Config,
    state: Option<State>,
    time: &dyn Fn(Millis) -> String,
) -> Option<State> {
    const MEANWHILE: &str = "commands bring records into the ledger when they read it";
    let last = match &state {
        Some(State { stopped: Some(stopped), .. }) => format!("has not been running since {}", time(*stopped)),
        Some(State { started, .. }) => format!("is not running; it started at {} and ended abnormally", time(*started)),
        None if config.service.configured => "is not running".to_owned(),
        None => return None,
    };
    let start = if cfg!(windows) { "rasadmin install" } else { "rasadmin service run" };
    let (mark, start) = match config.service.configured {
        true => (Mark::Notice, format!("; the configuration has [service], so start it: `{start}`")),
        false => (Mark::Note, String::new()),
    };
    facts.add(mark, ABOUT, format!("the rasadmin service {last}: {MEANWHILE}{start}"));
    Some(state.unwrap_or_default())
}

fn add_duty(facts: &mut Facts, duty: &DutyState, time: &dyn Fn(Millis) -> String) {
    let about = duty.report.duty().name();
    let (mut mark, done) = match &duty.report {
        Report::Follow(report) => (Mark::Ok, follow(report, time)),
        Report::Monitor(report) => monitor(report, duty.fault.is_some(), time),
        Report::Disconnect(report) => disconnect(report, time),
        Report::Retention(report) if report.damage.is_empty() => (Mark::Ok, retention(report, time)),
        Report::Retention(report) => {
            let damage =
                format!("the ledger is damaged; `rasadmin ledger check` says what to do\n{}", report.damage.join("\n"));
            (Mark::Attention, damage)
        }
        Report::Pipe(report) => (Mark::Ok, pipe(report, time)),
        Report::Metrics(report) => (Mark::Ok, metrics(report, time)),
    };
    let text = match &duty.fault {
        None => done,
        Some(fault) => {
            mark = Mark::Attention;
            let tries = count(fault.tries, "try");
            format!("has not worked since {} ({tries}): {}; {}\n{done}", time(fault.since), fault.what, fault.remedy)
        }
    };
    facts.add(mark, about, text);
}

fn follow(report: &FollowReport, time: &dyn Fn(Millis) -> String) -> String {
    let mut text = match (report.record, report.behind) {
        (None, _) => "nothing was brought in yet".to_owned(),
        (Some(record), 0) => format!("up to date, record {}", grouped(record)),
        (Some(record), behind) => format!("the ledger lacks {} after record {}", records(behind), grouped(record)),
    };
    if let Some((at, warning)) = &report.warning {
        text += &format!("\n{}: {warning}", time(*at));
    }
    text
}

fn monitor(report: &MonitorReport, fails: bool, time: &dyn Fn(Millis) -> String) -> (Mark, String) {
    let looked = report.looked_at.map(|at| format!("looked at {}", time(at)));
    if !report.running {
        let waits = if fails { "cannot read RRAS's list of connections" } else { "waits for Remote Access to start" };
        return (Mark::Ok, looked.map_or_else(|| waits.to_owned(), |looked| format!("{waits}; {looked}")));
    }
    let number = |number: usize, noun| count(number as u64, noun);
    let mut text = format!("RRAS has {}", number(report.connections, "connection"));
    if report.routers > 0 {
        text += &format!(", {} of them to routers", grouped(report.routers as u64));
    }
    if let Some(looked) = looked {
        text += &format!("; {looked}");
    }
    if report.unknown > 0 {
        text += &format!("\n{} without a session on record", number(report.unknown, "client"));
    }
    if report.withheld.is_empty() {
        if report.not_listed > 0 {
            text += &format!("\n{} that RRAS does not list", number(report.not_listed, "live session"));
        }
        return (Mark::Ok, text);
    }
    let many = number(report.withheld.len(), "live session");
    text += &format!(
        "\nRRAS does not list {many}: too many to close unasked; if their clients are gone, run \
         `rasadmin close --not-listed`"
    );
    (Mark::Attention, text)
}

fn disconnect(report: &DisconnectReport, time: &dyn Fn(Millis) -> String) -> (Mark, String) {
    let (mut mark, enforces) = (Mark::Ok, report.mode == DisconnectMode::Enforce.name());
    let mut text =
        if enforces { "enforces the rules".to_owned() } else { "only reports what the rules end".to_owned() };
    text += &format!("; disconnected {}", count(report.enforced, "session"));
    if report.reported > 0 {
        text += &format!(", reported {}", count(report.reported, "session"));
    }
    if report.waiting > 0 {
        text += &format!("\n{} held back", count(report.waiting as u64, "session"));
        text += if report.stopped.is_empty() { ", by a rule's limit or because the file has just changed" } else { "" };
    }
    for stopped in &report.stopped {
        mark = Mark::Attention;
        text += &format!(
            "\nthe rule `{}` has been stopped since {}: after a change of the file it would have disconnected {} of {} live \
             sessions; if that is right, run `rasadmin disconnect resume \"{}\"`, otherwise correct the file",
            stopped.rule,
            time(stopped.since),
            grouped(stopped.sessions as u64),
            grouped(stopped.live as u64),
            stopped.rule,
        );
    }
    for failing in &report.failing {
        mark = Mark::Attention;
        let tries = count(failing.tries, "try");
        text += &format!("\nsession {} is still connected after {tries}: {}", failing.session, failing.why);
    }
    (mark, text)
}

fn retention(report: &RetentionReport, time: &dyn Fn(Millis) -> String) -> String {
    let Deleted { sessions, leases, decisions, .. } = report.deleted;
    let mut text = match report.deleted_at {
        None => "has not run yet".to_owned(),
        Some(at) => format!(
            "ran at {}, deleted {}, {}, {}",
            time(at),
            count(sessions, "session"),
            count(leases, "lease"),
            count(decisions, "decision")
        ),
    };
    if let Some(backup) = &report.backup {
        text += &format!("; backup {backup}");
    }
    if let Some(next) = report.next {
        text += &format!("; next at {}", time(next));
    }
    text
}

fn pipe(report: &PipeReport, time: &dyn Fn(Millis) -> String) -> String {
    let mut text = format!("answered {}", count(report.answered, "request"));
    if let Some((at, why)) = &report.last_refusal {
        text += &format!(", refused {}; the last at {}: {why}", grouped(report.refused), time(*at));
    }
    text
}

fn metrics(report: &MetricsReport, time: &dyn Fn(Millis) -> String) -> String {
    match (&report.file, report.written) {
        (None, _) => "counting; `rasadmin metrics` prints the numbers".to_owned(),
        (Some(file), None) => format!("counting; {file} has not been written yet"),
        (Some(file), Some(at)) => format!("counting; wrote {file} at {}", time(at)),
    }
}

fn answer(running: bool, process: Option<u32>, state: &State) -> RasadminService {
    RasadminService {
        running,
        process,
        started: Some(state.started).filter(|started| *started > 0).map(rfc3339),
        stopped: state.stopped.map(rfc3339),
        configuration_fault: state.config_fault.clone(),
        duties: state.duties.iter().map(duty).collect(),
    }
}

fn duty(duty: &DutyState) -> Duty {
    let mut answer = Duty {
        name: duty.report.duty().name(),
        fault: duty.fault.as_ref().map(|fault| fault.what.clone()),
        fault_since: duty.fault.as_ref().map(|fault| rfc3339(fault.since)),
        record: None,
        behind: None,
        looked_at: None,
        connections: None,
        unknown: None,
        not_listed: None,
        mode: None,
        disconnected: None,
        reported: None,
        stopped: None,
        deleted_at: None,
        deleted: None,
        backup: None,
        next: None,
        answered: None,
        refused: None,
        file: None,
        written: None,
    };
    match &duty.report {
        Report::Follow(report) => {
            answer.record = report.record;
            answer.behind = Some(report.behind);
        }
        Report::Monitor(report) => {
            answer.looked_at = report.looked_at.map(rfc3339);
            if report.running {
                answer.connections = Some(report.connections);
                answer.unknown = Some(report.unknown);
                answer.not_listed = Some(report.not_listed);
            }
        }
        Report::Disconnect(report) => {
            answer.mode = Some(report.mode.clone());
            answer.disconnected = Some(report.enforced);
            answer.reported = Some(report.reported);
            answer.stopped = Some(report.stopped.iter().map(|stopped| stopped.rule.clone()).collect());
        }
        Report::Retention(report) => {
            let Deleted { sessions, leases, decisions, others } = report.deleted;
            answer.deleted_at = report.deleted_at.map(rfc3339);
            answer.deleted = Some(sessions + leases + decisions + others);
            answer.backup.clone_from(&report.backup);
            answer.next = report.next.map(rfc3339);
        }
        Report::Pipe(report) => {
            answer.answered = Some(report.answered);
            answer.refused = Some(report.refused);
        }
        Report::Metrics(report) => {
            answer.file.clone_from(&report.file);
            answer.written = report.written.map(rfc3339);
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use rasadmin_service::state::{Failing, FaultState, StoppedRule};

    fn text(duty: &DutyState) -> String {
        let mut facts = Facts::default();
        add_duty(&mut facts, duty, &|time| format!("<{time}>"));
        facts.text(None, false)
    }

    #[test]
    fn the_monitor_says_what_rras_has_and_what_it_lacks() {
        let report = |report: MonitorReport| text(&DutyState { report: Report::Monitor(report), fault: None });
        let waits = report(MonitorReport { looked_at: Some(7), ..MonitorReport::default() });
        assert!(waits.contains("waits for Remote Access to start; looked at <7>"), "{waits}");
        let seen = MonitorReport { running: true, looked_at: Some(7), connections: 12, ..MonitorReport::default() };
        let well = report(MonitorReport { routers: 1, unknown: 2, not_listed: 3, ..seen.clone() });
        assert!(well.starts_with("all is well"), "{well}");
        for part in [
            "RRAS has 12 connections, 1 of them to routers; looked at <7>",
            "2 clients without a session on record",
            "3 live sessions that RRAS does not list",
        ] {
            assert!(well.contains(part), "{well}");
        }
        let withheld = vec![(rasadmin_engine::Id(1), rasadmin_engine::Stamp::default()); 11];
        let lacks = report(MonitorReport { withheld, not_listed: 11, ..seen });
        assert!(lacks.starts_with("attention: monitor") && lacks.contains("`rasadmin close --not-listed`"), "{lacks}");
    }

    #[test]
    fn disconnecting_says_what_it_did_and_what_somebody_has_to_decide() {
        let report = |report: DisconnectReport| text(&DutyState { report: Report::Disconnect(report), fault: None });
        let reports = DisconnectReport { mode: "report".to_owned(), reported: 3, ..DisconnectReport::default() };
        let well = report(reports);
        assert!(well.starts_with("all is well") && well.contains("only reports what the rules end"), "{well}");
        assert!(well.contains("disconnected 0 sessions, reported 3 sessions"), "{well}");
        let enforces =
            DisconnectReport { mode: "enforce".to_owned(), enforced: 1, waiting: 2, ..DisconnectReport::default() };
        let well = report(enforces.clone());
        assert!(well.starts_with("all is well") && well.contains("enforces the rules"), "{well}");
        for part in ["disconnected 1 session\n", "2 sessions held back, by a rule's limit"] {
            assert!(well.contains(part), "{well}");
        }
        let rule = "ten hours".to_owned();
        let stopped = vec![StoppedRule { rule, sessions: 1_200, live: 1_300, since: 7 }];
        let stops = report(DisconnectReport { stopped, waiting: 1_200, ..enforces.clone() });
        assert!(stops.starts_with("attention: disconnect"), "{stops}");
        for part in
            ["has been stopped since <7>", "1,200 of 1,300 live sessions", "`rasadmin disconnect resume \"ten hours\"`"]
        {
            assert!(stops.contains(part), "{part}: {stops}");
        }
        assert!(!stops.contains("has just changed"), "{stops}");
        let failing = vec![Failing { session: rasadmin_engine::Id(1), tries: 3, why: "RRAS does not list it".into() }];
        let fails = report(DisconnectReport { failing, ..enforces });
        assert!(fails.starts_with("attention: disconnect"), "{fails}");
        assert!(fails.contains("is still connected after 3 tries: RRAS does not list it"), "{fails}");
    }

    #[test]
    fn a_duty_that_fails_needs_attention_and_says_since_when_and_what_to_do() {
        let report = Report::Follow(FollowReport { record: Some(1_204), behind: 3, warning: None });
        let well = text(&DutyState { report: report.clone(), fault: None });
        assert!(
            well.starts_with("all is well") && well.contains("the ledger lacks 3 records after record 1,204"),
            "{well}"
        );
        let (what, remedy) = ("the disk is full".to_owned(), "make room".to_owned());
        let fault = Some(FaultState { since: 7, tries: 2, what, remedy });
        let fails = text(&DutyState { report, fault });
        assert!(fails.starts_with("attention: follow"), "{fails}");
        assert!(fails.contains("has not worked since <7> (2 tries): the disk is full; make room\n"), "{fails}");
    }

    #[test]
    fn a_damaged_ledger_needs_attention() {
        let damage = vec!["page 7 is never used".to_owned()];
        let report = Report::Retention(RetentionReport { damage, ..RetentionReport::default() });
        let text = text(&DutyState { report, fault: None });
        assert!(text.starts_with("attention: retention") && text.contains("page 7 is never used"), "{text}");
    }
}
