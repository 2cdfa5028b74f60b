//! Of many simultaneous accepts in two processes, exactly as many succeed as the limit allows.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::{Event, Name};
use rasadmin_recorder::{Recorder, Verdict};
use std::sync::Barrier;
use support::{Scene, connection};

const ONE: &str = r#"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    [pools.staff]
    addresses = ["10.8.0.0/16"]
    [[rules]]
    name = "one session per user"
    action = "deny"
    user_sessions = { at_least = 1 }
"#;

/// Accepts of one user in several threads, each for its own connection. Returns how many were accepted.
fn accepts(recorder: &Recorder, first: u64) -> usize {
    const THREADS: u64 = 4;
    const EACH: u64 = 125;
    let barrier = Barrier::new(THREADS as usize);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    let handles = (0..EACH).map(|n| first + thread * EACH + n);
                    let stands = |handle: &u64| {
                        recorder.accept_connection(&connection(*handle, "alice"), support::system()) == Verdict::Accept
                    };
                    handles.filter(stands).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

/// Two processes, a thousand accepts: this test runs itself twice more.
#[test]
fn of_a_thousand_simultaneous_accepts_in_two_processes_one_succeeds() {
    const CHILD: &str = "RASADMIN_ACCEPTS";
    if let Some(child) = std::env::var_os(CHILD) {
        let child = child.into_string().unwrap();
        let (first, folder) = child.split_once(' ').unwrap();
        // The parent has written it. If the children wrote it too, one could read what the other has not finished.
        let config = rasadmin_engine::config::load(&std::path::Path::new(folder).join("rasadmin.toml")).unwrap();
        let config = std::sync::Arc::new(config);
        let recorder = Recorder::start(config, &Name::new("VPN1"), support::system());
        // Both begin at once: when the other is there too.
        std::fs::write(format!("{folder}/{first}.ready"), "").unwrap();
        let began = std::time::Instant::now();
        while !["1", "1001"].iter().all(|first| std::path::Path::new(&format!("{folder}/{first}.ready")).exists()) {
            assert!(began.elapsed() < std::time::Duration::from_secs(60), "the other process does not come");
            std::thread::yield_now();
        }
        println!("accepted={}", accepts(&recorder, first.parse().unwrap()));
        recorder.stop(support::system());
        return;
    }
    let scene = Scene::new(&format!("journal.deadline_ms = 10000\n{ONE}"));
    let test = "of_a_thousand_simultaneous_accepts_in_two_processes_one_succeeds";
    let children: Vec<_> = [1, 1001]
        .map(|first| {
            let mut command = std::process::Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", test, "--nocapture"]);
            command.env(CHILD, format!("{first} {}", scene.folder.path().display()));
            command.stdout(std::process::Stdio::piped()).spawn().unwrap()
        })
        .into_iter()
        .map(|child| String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap())
        .collect();
    let accepted: Vec<usize> = children
        .iter()
        .map(|said| said.split("accepted=").nth(1).unwrap_or_else(|| panic!("{said}")).lines().next().unwrap())
        .map(|count| count.trim().parse().unwrap())
        .collect();
    assert_eq!(accepted.iter().sum::<usize>(), 1, "{accepted:?}");
    let records = scene.records();
    let asked = records.iter().filter(|record| matches!(record.event, Event::Connection(_))).count() as u64;
    let repeated = records.iter().flat_map(|record| match &record.event {
        Event::Repeated(all) => all.clone(),
        _ => Vec::new(),
    });
    assert_eq!(scene.present().live_count(), 1);
    assert_eq!(asked + repeated.map(|one| one.times).sum::<u64>(), 1000, "each is on record, alone or in a number");
}
