//! Formats the report.

use crate::plan::{CALLBACKS, KillPoint};
use crate::rounds::{BETWEEN, Column, HITS, Report, Torture};
use std::fmt::Write;

/// Prints a line now and then.
pub fn progress(report: &Report) {
    if report.rounds.is_multiple_of(100) {
        eprintln!("    {} rounds", report.rounds);
    }
}

/// The table, and what was found.
pub fn text(torture: &Torture, report: &Report) -> String {
    let mut columns: Vec<(&str, Column)> = vec![
        ("before it", Column::At(KillPoint::Before)),
        ("lock held", Column::At(KillPoint::Locked)),
        ("appended", Column::At(KillPoint::Appended)),
        ("lock released", Column::At(KillPoint::Unlocked)),
        ("done", Column::At(KillPoint::Done)),
        ("after it", Column::At(KillPoint::After)),
        ("random time", Column::Time),
    ];
    if torture.two_processes {
        columns.push(("address process", Column::Peer));
    }
    if torture.runner.is_none() {
        columns.push(("from memory", Column::Unavailable));
    }
    let mut out = String::new();
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}"); // To a String: cannot fail.
    };
    let heads: String = columns.iter().map(|(head, _)| format!("  {head}")).collect();
    line(format!("{:40}{heads}    all", "killed"));
    for row in CALLBACKS.iter().map(|f| f.name()).chain([BETWEEN]) {
        let cells = columns.iter().map(|&(head, column)| (head.len() + 2, report.cell(row, column)));
        let all: u32 = cells.clone().map(|(_, n)| n).sum();
        let cells: String = cells.map(|(width, n)| format!("{n:>width$}")).collect();
        line(format!("{row:40}{cells}{all:>7}"));
    }
    let (rounds, seen) = (report.rounds, &report.seen);
    let kills: u32 = report.kills.values().sum();
    let mode = if torture.two_processes { ", two processes" } else { "" };
    line(format!("\n{rounds} rounds{mode}, seed {}: {kills} kills, {} not reached", torture.seed, report.survived));
    line(format!(
        "checked: {} records; acknowledged: {} accepts, {} hangups, {} addresses, {} events of commands; {} records of calls \
         that were killed before they answered; {} recorded late; {} sessions closed at a restart; {} times the pool was \
         given to its last address",
        seen.records,
        seen.accepts,
        seen.hangups,
        seen.addresses,
        seen.commands,
        seen.unanswered,
        seen.late,
        seen.closed,
        report.fills
    ));
    line(format!(
        "the ledger: {} processes were killed while they ingested the journal; {} times a session was looked up in it; {} \
         times it was compared row by row with one made from the whole journal",
        report.ingests_killed, seen.rows, seen.ledgers
    ));
    let rare: Vec<_> = CALLBACKS.iter().filter(|&&f| report.hits(f) < HITS).map(|f| f.name()).collect();
    if !rare.is_empty() {
        line(format!("hit fewer than {HITS} times, with so few rounds: {}", rare.join(", ")));
    }
    let found = &report.found;
    line(format!("{} lost, {} double, {} leaked", found.lost.len(), found.double.len(), found.leaked.len()));
    out
}
