//! The duties `pipe` and `metrics`, on a journal that a recorder writes.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::Event;
use rasadmin_engine::callback::Callback;
use rasadmin_engine::effect::{Disconnecting, Enforcement, Usage};
use rasadmin_engine::event::Disconnect;
use rasadmin_pipe::{Error, Request, Why, ask};
use rasadmin_service::metrics::Collector;
use rasadmin_service::state::{DutyName, DutyState, FollowReport, Report, State};
use rasadmin_service::{Current, Service, Settings, duties, pipe};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{Lines, PATIENCE, Scene, With as _, connection, lock, log, settings};

/// The rule's name is as hostile as the configuration allows.
const CONFIG: &str = r#"
    time_zone = "UTC"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    journal.durability = "process"
    [pools.staff]
    addresses = ["10.8.0.0/29"]
    [pools."a \"quoted\" \\ pool"]
    addresses = ["10.9.0.1-10.9.0.3"]
    [[rules]]
    name = "no \"} 9 \\ mallory"
    users = ["mallory"]
    action = "deny"
    [service]
    retention.enabled = false
"#;

struct Running {
    scene: Scene,
    service: Option<Service>,
    settings: Arc<Settings>,
    lines: Lines,
}

fn start(scene: Scene) -> Running {
    let settings = settings(&scene);
    let (log, lines) = log();
    let lock = lock(&settings.journal);
    let current = Arc::new(Current::new(scene.config.clone()));
    let service = Service::start(&settings, lock, duties(&settings, &current, None), 1_234, &log).unwrap();
    Running { scene, service: Some(service), settings, lines }
}

impl Running {
    /// Asks until the answer is as expected.
    fn until<T: serde::de::DeserializeOwned + std::fmt::Debug>(
        &self,
        request: &Request,
        expected: impl Fn(&T) -> bool,
    ) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = ask::<T>(&pipe::address(&self.settings.journal), request, PATIENCE);
            match answer {
                Ok(answer) if expected(&answer) => return answer,
                Ok(_) | Err(Error::NoService(_)) if Instant::now() < deadline => {}
                other => panic!("{other:#?}\n{:#?}", self.lines.lock().unwrap()),
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The metrics once they have these lines.
    fn metrics(&self, expected: &[&str]) -> String {
        self.until(&Request::Metrics {}, |text: &String| {
            expected.iter().all(|expected| text.lines().any(|line| line == *expected))
        })
    }

    fn stop(mut self) -> Scene {
        assert_eq!(self.service.take().unwrap().stop(), []);
        self.scene
    }
}

#[test]
fn status_has_every_duty_and_counts_what_was_asked() {
    let running = start(Scene::new(CONFIG));
    let answered = |state: &State| {
        let reports = state.duties.iter().map(|duty| &duty.report);
        reports.map(|report| if let Report::Pipe(pipe) = report { pipe.answered } else { 0 }).sum::<u64>()
    };
    let state = running.until(&Request::Status {}, |state| answered(state) >= 2);
    assert_eq!((state.started, state.process, state.stopped), (1_234, std::process::id(), None));
    let names: Vec<_> = state.duties.iter().map(|duty| duty.report.duty()).collect();
    assert_eq!(names, [DutyName::Follow, DutyName::Pipe, DutyName::Metrics]);
    running.stop();
}

/// What differs between runs and computers becomes 1.
fn normalised(text: &str) -> String {
    let own = ["rasadmin_disk_free_bytes{", "rasadmin_journal_size_bytes ", "rasadmin_pipe_requests_total{"];
    let lines = text.lines().map(|line| match line.rsplit_once(' ') {
        Some((name, _)) if own.iter().any(|own| line.starts_with(own)) => format!("{name} 1\n"),
        _ => line.replace(env!("CARGO_PKG_VERSION"), "1") + "\n",
    });
    lines.collect()
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/metrics.prom")
}

fn hangup(scene: &Scene, handle: u64, user: &str, octets: [u64; 2]) {
    let [input_octets, output_octets] = octets;
    let usage = Usage { seconds: 60, input_octets, output_octets, ..Usage::default() };
    scene.recorder.hangup(&connection(handle, user).with(|event| event.usage = usage), scene.now());
}

const ONE_LIVE: [&str; 2] = ["rasadmin_live_sessions{tunnel=\"SSTP\"} 1", "rasadmin_ledger_lag_records 0"];

#[test]
fn what_happens_is_counted_from_the_start() {
    let scene = Scene::new(CONFIG);
    // Before the service starts. A live session counts; decisions and octets of the past do not.
    scene.begin(1, "alice", "VPN0-1").unwrap();
    scene.begin(9, "dora", "VPN0-9").unwrap();
    hangup(&scene, 9, "dora", [7, 7]);
    let running = start(scene);
    running.metrics(&ONE_LIVE);
    let scene = &running.scene;
    for micros in [271, 90, 7_000_000] {
        scene.recorder.call_took(Callback::AcceptNewConnection, Duration::from_micros(micros));
    }
    scene.begin(2, "bob", "VPN0-2").unwrap();
    for _ in 0..3 {
        scene.begin(3, "mallory", "VPN0-3").unwrap_err();
    }
    running.metrics(&["rasadmin_live_sessions{tunnel=\"SSTP\"} 2"]);
    let session = scene.present().by_handle(2).unwrap().id;
    let why = Disconnecting::Rule { rule: "night".to_owned(), reason: None, time_is_up: true };
    scene.record(Event::Disconnect(Disconnect { session, why, how: Enforcement::Reported, by: None }));
    scene.wait(60);
    hangup(scene, 2, "bob", [5_000_000_000, 70]);
    // Refusals that are repeated are recorded together, after a minute.
    scene.wait(120);
    let again = scene.begin(4, "bob", "VPN0-4").unwrap();
    scene.end(4, "bob", "VPN0-4", &again);
    let denied = r#"by="rule",rule="no \"} 9 \\ mallory",refusal="",outcome="deny"} 3"#;
    let text = running.until(&Request::Metrics {}, |text: &String| {
        text.contains(denied) && ONE_LIVE.iter().all(|line| text.contains(line))
    });
    let text = normalised(&text);
    if std::env::var_os("RASADMIN_BLESS").is_some() {
        std::fs::write(golden(), &text).unwrap();
    }
    let expected = std::fs::read_to_string(golden()).unwrap().replace("\r\n", "\n");
    assert_eq!(text, expected, "tests/metrics.prom differs: `cargo xtask bless`, and read the diff");
    running.stop();
}

/// RRAS may report a hangup after rasadmin has closed the session, and the octets of a session that has ended before.
#[test]
fn octets_of_a_late_hangup_count_once() {
    let running = start(Scene::new(CONFIG));
    let scene = &running.scene;
    scene.begin(1, "alice", "VPN0-1").unwrap();
    scene.wait(60);
    // The port is used again: the first session is over.
    scene.begin(2, "bob", "VPN0-1").unwrap();
    running.metrics(&ONE_LIVE);
    hangup(scene, 1, "alice", [300, 40]);
    hangup(scene, 1, "alice", [300, 40]);
    running.metrics(&["rasadmin_received_bytes_total 300", "rasadmin_sent_bytes_total 40", ONE_LIVE[0], ONE_LIVE[1]]);
    running.stop();
}

#[test]
fn the_ledgers_lag_is_how_much_it_lacks_and_for_how_long() {
    let scene = Scene::new(CONFIG);
    scene.begin(1, "alice", "VPN0-1").unwrap();
    let last = rasadmin_recorder::present::read(&scene.config.journal).unwrap().unwrap().position.number;
    let settings = settings(&scene);
    let collector = Collector::new(settings);
    let text = |record: Option<u64>, now: i64| {
        let follow = FollowReport { record, ..FollowReport::default() };
        let duties = vec![DutyState { report: Report::Follow(follow), fault: None }];
        collector.text(&State { duties, ..State::default() }, now).unwrap()
    };
    let lag = |record: u64, now: i64| {
        let text = text(Some(record), now);
        let of = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
        (of("rasadmin_ledger_lag_records "), of("rasadmin_ledger_lag_seconds "))
    };
    let expected = |records: u64, seconds: &str| (records.to_string(), seconds.to_owned());
    assert_eq!(lag(last - 2, 10_000), expected(2, "0"));
    assert_eq!(lag(last - 2, 12_500), expected(2, "2.5"));
    assert_eq!(lag(last - 1, 14_000), expected(1, "4"));
    assert_eq!(lag(last, 15_000), expected(0, "0"));
    for text in [collector.text(&State::default(), 16_000).unwrap(), text(None, 17_000)] {
        assert!(text.contains("rasadmin_live_sessions") && !text.contains("rasadmin_ledger_lag"), "{text}");
    }
}

#[test]
fn a_file_for_a_collector_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rasadmin.prom");
    let text = format!("{CONFIG}metrics.file = '{}'\n", file.display());
    let running = start(Scene::new(&text));
    running.until(&Request::Status {}, |state: &State| {
        let written = |report: &Report| matches!(report, Report::Metrics(report) if report.written.is_some());
        state.duties.iter().any(|duty| written(&duty.report))
    });
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("# HELP rasadmin_build_info") && text.ends_with('\n'), "{text}");
    running.stop();
}

#[test]
fn metrics_that_are_switched_off_are_refused_with_the_remedy() {
    let running = start(Scene::new(&format!("{CONFIG}metrics.enabled = false\n")));
    running.until(&Request::Status {}, |state: &State| state.duties.len() == 2);
    let refused = ask::<String>(&pipe::address(&running.settings.journal), &Request::Metrics {}, PATIENCE);
    let Err(Error::Refused(refusal)) = refused else { panic!("{refused:?}") };
    assert_eq!(refusal.why, Why::Unavailable);
    assert!(refusal.text.contains("set service.metrics.enabled = true"), "{}", refusal.text);
    running.stop();
}

/// Names, types and labels of docs/metrics.md are those of the golden text.
#[test]
fn the_page_lists_every_metric() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md")).unwrap();
    let golden = std::fs::read_to_string(golden()).unwrap();
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().replace('`', "")).collect::<Vec<_>>();
    let (names, _) = page.split_once("The labels of").unwrap();
    let rows = names.lines().filter(|line| line.starts_with("| `rasadmin_")).map(cells);
    let listed: Vec<String> = rows.map(|row| format!("{} {} {}", row[1], row[2], row[3])).collect();
    let metrics = golden.lines().filter_map(|line| line.strip_prefix("# TYPE ")).map(|line| {
        let (name, kind) = line.split_once(' ').unwrap();
        let begins = [format!("{name}{{"), format!("{name}_bucket{{")];
        let sample = golden.lines().find(|line| begins.iter().any(|begin| line.starts_with(begin))).unwrap_or_default();
        let labels = sample.split(['{', ',']).skip(1).filter_map(|label| label.split_once("=\"")).map(|(name, _)| name);
        // `le` is part of the type.
        let labels: Vec<_> = labels.filter(|label| *label != "le").collect();
        format!("{name} {kind} {}", labels.join(", "))
    });
    assert_eq!(listed, metrics.collect::<Vec<_>>());
}

/// The program that comes with Prometheus reads the text, and knows the rules for names.
#[cfg(unix)]
#[test]
fn promtool_finds_nothing_wrong() {
    let file = std::fs::File::open(golden()).unwrap();
    let checked = std::process::Command::new("promtool").args(["check", "metrics"]).stdin(file).output().unwrap();
    assert!(checked.status.success() && checked.stderr.is_empty(), "{checked:?}");
}
