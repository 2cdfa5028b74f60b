//! "The address functions may run in one process and the notifications in another": `--two-processes`. And processes that
//! are killed and start again.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use support::{office_day, rasadmin, words};

/// A copy of a good DLL that logs what it is called for and answers as `script` says; and its log.
struct Scripted {
    _folder: tempfile::TempDir,
    dll: PathBuf,
}

impl Scripted {
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dll = folder.path().join(format!("good{}", std::env::consts::DLL_SUFFIX));
        let good = support::fixtures().join(format!("good-rev2{}", std::env::consts::DLL_SUFFIX));
        std::fs::copy(good, &dll).unwrap();
        let this = Self { _folder: folder, dll };
        std::fs::write(this.beside(".script"), script).unwrap();
        this
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        PathBuf::from(format!("{}{suffix}", self.dll.display()))
    }

    /// Each call with its process, numbered in the order in which they appear.
    fn calls(&self) -> Vec<(usize, String)> {
        let log = std::fs::read_to_string(self.beside(".log")).unwrap();
        let mut processes: Vec<&str> = Vec::new();
        let mut calls = Vec::new();
        for line in log.lines().filter(|line| line.starts_with('>')) {
            let pid = line.split(' ').find_map(|word| word.strip_prefix("pid=")).unwrap();
            let process = processes.iter().position(|known| *known == pid).unwrap_or_else(|| {
                processes.push(pid);
                processes.len() - 1
            });
            calls.push((process, line.split(' ').nth(1).unwrap().trim_start_matches("MprAdmin").to_owned()));
        }
        calls
    }

    /// Plays a day to it.
    fn play(&self, events: &str) -> support::Ran {
        let scenario = self.beside(".scenario");
        let head = "server-address 10.20.0.1\npool 10.20.0.2-10.20.0.9\n";
        std::fs::write(&scenario, format!("{head}{events}")).unwrap();
        rasadmin(words([&"host", &"run", &"--json", &"--dll", &self.dll, &scenario]))
    }
}

fn calls(list: &[(usize, &str)]) -> Vec<(usize, String)> {
    list.iter().map(|(process, name)| (*process, (*name).to_owned())).collect()
}

#[test]
fn a_service_that_is_killed_hears_of_nothing_and_starts_again() {
    let dll = Scripted::new("");
    let day = "08:00:00 connect a user=a tunnel=sstp from=203.0.113.1 until=17:00:00\n09:00:00 kill\n09:00:10 restart\n\
               10:00:00 connect b user=b tunnel=sstp from=203.0.113.2\n10:30:00 restart\n\
               11:00:00 connect c user=c tunnel=sstp from=203.0.113.3\nexpect c accepted address=10.20.0.2\n";
    let json = dll.play(day).ends(0).json();
    assert_eq!(json["accepted"], 3);
    let life = |process, end: &[&'static str]| {
        let begin = ["InitializeDllEx", "GetIpAddressForUser", "AcceptNewConnectionEx", "AcceptNewLink"];
        begin.iter().chain(end).map(|name| (process, *name)).collect::<Vec<_>>()
    };
    let end = ["LinkHangupNotification", "ConnectionHangupNotificationEx", "ReleaseIpAddress", "TerminateDll"];
    assert_eq!(dll.calls(), calls(&[life(0, &[]), life(1, &end), life(2, &end)].concat()));
}

#[test]
fn one_of_two_processes_is_killed() {
    let dll = Scripted::new("");
    let connect = |time: &str, who: &str| format!("{time} connect {who} user={who} tunnel=sstp from=203.0.113.1\n");
    let day = [
        "processes two\n",
        &connect("08:00:00", "a"),
        "09:00:00 kill address\n",
        &connect("09:01:00", "b"),
        "09:02:00 restart address\n",
        &connect("09:03:00", "c"),
        "expect a accepted\nexpect b refused error=1722\nexpect c accepted\n",
    ];
    dll.play(&day.concat()).ends(0);
    let calls = dll.calls();
    let processes = |function: &str| {
        calls.iter().filter(|(_, name)| name == function).map(|(process, _)| *process).collect::<Vec<_>>()
    };
    assert_eq!(processes("AcceptNewConnectionEx"), [0, 0], "its process lived on");
    assert_eq!(processes("GetIpAddressForUser"), [1, 2]);
}

#[test]
fn what_is_expected_and_is_not_is_told_with_exit_1() {
    let dll = Scripted::new("MprAdminGetIpAddressForUser address=10.20.0.9 notify=1\n");
    let day = "08:00:00 connect a user=a tunnel=sstp from=203.0.113.1\n08:01:00 connect b user=b tunnel=sstp \
               from=203.0.113.2\nexpect a accepted\nexpect b accepted\n";
    let ran = dll.play(day).ends(1);
    let json = ran.json();
    assert_eq!((&json["expectations"], json["faults"].as_array().unwrap().len()), (&2.into(), 2));
    let ran = ran.complains(":6: b: expected accepted; found refused (RRAS refused the address");
    ran.complains("the DLL chose 10.20.0.9 for b on VPN0-2 while a on VPN0-1 was online with it");
    // A DLL that has no journal has none to lock.
    let day = "08:00:00 connect a user=a tunnel=sstp from=203.0.113.1\n08:01:00 lock-journal\n";
    dll.play(day).ends(2).complains("the scenario could not be played to its end");
}

#[test]
fn the_address_functions_run_in_a_process_of_their_own() {
    let scripted = Scripted::new("MprAdminGetIpAddressForUser status=5 notify=0 user=CORP\\kurt\n");
    let run = words([&"host", &"run", &"--json", &"--two-processes", &"--dll", &scripted.dll, &office_day()]);
    let json = rasadmin(run).ends(0).json();
    assert_eq!(json["reasons"]["the DLL gave no IPv4 address (error 5)"], 1, "results come back: {}", json["reasons"]);
    assert_eq!(json["addresses"]["ipv4_given"], json["accepted"]);
    let mut processes: BTreeMap<bool, BTreeSet<usize>> = BTreeMap::new();
    for (process, function) in scripted.calls() {
        if !["InitializeDllEx", "TerminateDll"].contains(&&*function) {
            processes.entry(function.contains("Address")).or_default().insert(process);
        }
    }
    let (others, addresses) = (&processes[&false], &processes[&true]);
    assert_eq!((others.len(), addresses.len()), (1, 1));
    assert_ne!(others, addresses);
}
