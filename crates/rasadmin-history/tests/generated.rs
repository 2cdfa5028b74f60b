//! The replay, held against a generator that knows the answer for every session.
//!
//! `cargo test --release -p rasadmin-history --test generated -- --nocapture` says how long it took.
#![allow(clippy::unwrap_used)]

mod generator;

use generator::{Answer, answers, config, sessions};
use rasadmin_history::simulate::{Because, simulate};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

const SESSIONS: usize = 200_000;

#[test]
fn every_answer_of_a_month_is_the_one_that_is_known() {
    let none = &mut |_: &str| Err("none".to_owned());
    let config = rasadmin_policy::config::parse("c", &config(), Path::new("/f"), none);
    let config = Arc::new(config.unwrap_or_else(|errors| panic!("{errors}")));
    assert_eq!(config.rules.len(), 50);
    let sessions = sessions(SESSIONS, 7);
    let known = answers(&sessions);
    let attempts: Vec<_> = sessions.iter().map(generator::Plain::attempt).collect();
    let (mut at, mut counts) = (0, BTreeMap::<String, u32>::new());
    let start = Instant::now();
    let report = simulate(
        &config,
        attempts,
        None,
        &mut |_, simulated, _| {
            let answer = match (simulated.accepted, Because::of(simulated)) {
                (true, Because::Rule(rule)) => Answer::Allowed(rule),
                (false, Because::Rule(rule)) => Answer::Denied(rule),
                (false, Because::PoolExhausted(pool)) if pool == "p0" => Answer::NoAddress,
                other => panic!("session {at}: {other:?}"),
            };
            assert_eq!(answer, known[at], "session {at}: {:?}\n{:#?}", sessions[at], simulated.decision);
            assert_eq!(simulated.lacking, [""; 0], "session {at}: nothing that a rule asks for is lacking");
            let kind = match answer {
                Answer::Allowed(_) => "allowed".to_owned(),
                Answer::Denied(rule) => rule.split(' ').next().unwrap().to_owned(),
                Answer::NoAddress => "no address".to_owned(),
            };
            *counts.entry(kind).or_default() += 1;
            at += 1;
        },
        &mut |_| ControlFlow::<Infallible>::Continue(()),
    );
    let ControlFlow::Continue(report) = report;
    let took = start.elapsed();
    println!("{SESSIONS} sessions replayed in {:.1} s: {counts:?}", took.as_secs_f64());
    assert_eq!(at, SESSIONS);
    // Every kind of rule has decided something, so that each was held to the answer.
    let kinds: Vec<_> = counts.keys().map(String::as_str).collect();
    let all = ["allowed", "day", "kiosk", "network", "night", "no", "no address", "octets", "one"];
    assert_eq!(kinds, all);
    let denied = known.iter().filter(|answer| !matches!(answer, Answer::Allowed(_))).count() as u64;
    assert_eq!((report.newly_refused, report.accepted_then), (denied, SESSIONS as u64));
    let by_rule: u64 = report.by_rule.iter().map(|row| row.refused).sum();
    let by_user: u64 = report.by_user.iter().map(|row| row.refused).sum();
    assert_eq!((by_rule, by_user), (denied, denied));
    let pool = report.pools.iter().find(|pool| pool.pool == "p0").unwrap();
    let refused = known.iter().filter(|answer| **answer == Answer::NoAddress).count() as u64;
    assert_eq!(pool.exhausted_times, refused);
    let first = known.iter().position(|answer| *answer == Answer::NoAddress);
    assert_eq!(pool.exhausted_first, first.map(|at| sessions[at].start * 1000));
    assert!(refused > 0 && pool.peak == pool.size);
}

#[test]
fn a_simulation_ends_where_its_progress_breaks() {
    let none = &mut |_: &str| Err("none".to_owned());
    let config = Arc::new(rasadmin_policy::config::parse("c", &config(), Path::new("/f"), none).unwrap());
    let attempts: Vec<_> = sessions(5_000, 7).iter().map(generator::Plain::attempt).collect();
    let (mut each, mut asked) = (0, 0);
    let ended = simulate(&config, attempts, None, &mut |_, _, _| each += 1, &mut |done| {
        asked += 1;
        if done >= 1_000 { ControlFlow::Break(done) } else { ControlFlow::Continue(()) }
    });
    let ControlFlow::Break(done) = ended else { panic!("it has not ended") };
    assert_eq!(each, done + 1);
    assert!(done < 1_100 && asked > 10, "{done}, {asked}");
}
