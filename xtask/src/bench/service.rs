//! `cargo xtask bench --service`: how long the DLL's calls take beside a busy service, and what the service needs.

use crate::Result;
use crate::beside::{Beside, logged};
use crate::shell::{cargo, create, relative, run, target};
use crate::timing::step;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Sessions that stay.
const SESSIONS: usize = 5_000;
/// So many begin in a second, at first.
const A_SECOND: usize = 40;
/// For so many seconds, others come and go after that.
const SECONDS: usize = 60;
/// So many of them in a second.
const GUESTS: usize = 10;

/// Two rules that hold for live sessions, so that every look at RRAS evaluates them.
const RULES: &str = r#"
time_zone = "UTC"
default_domain = "CORP"
default.action = "allow"
addresses.pool = "staff"
[pools.staff]
addresses = ["10.20.0.0/16"]
[service.disconnect]
mode = "report"
[[rules]]
name = "quota"
action = "deny"
disconnect_active = true
users = ["*"]
octets = { per = "month", at_least = "500 GB" }
[[rules]]
name = "ten hours"
action = "deny"
disconnect_active = true
users = ["*"]
session_time = "10h"
"#;

/// How long the calls of one function took, in microseconds.
struct Times {
    function: String,
    p50: u64,
    p99: u64,
}

/// What the service needed.
struct Needed {
    /// Seconds of the processor.
    processor: f64,
    /// For how long it ran, in seconds.
    seconds: f64,
}

/// Plays the same day alone and beside the service.
pub fn bench() -> Result {
    if !cfg!(target_os = "linux") {
        return Err("the day beside a service is measured on Linux only".to_owned());
    }
    step("building the product", || {
        run(cargo().args(["build", "--release", "--quiet", "-p", "rasadmin-dll", "-p", "rasadmin-cli"]))
    })?;
    let folder = target().join("bench").join("service");
    let _ = std::fs::remove_dir_all(&folder);
    create(&folder)?;
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).map(|()| path.clone()).map_err(|e| format!("{}: {e}", path.display()))
    };
    let (rules, day) = (write("rules.toml", RULES)?, write("day.scenario", &scenario())?);
    let (alone, _) = step("the day alone", || play(&folder.join("alone"), &rules, &day, false))?;
    let (beside, service) = step("the day beside the service", || play(&folder.join("beside"), &rules, &day, true))?;
    println!("\n{}", table(&alone, &beside)?);
    if let Some(Needed { processor, seconds }) = service {
        let share = 100.0 * processor / seconds;
        println!("the service needed {processor:.1} s of a processor in {seconds:.0} s: {share:.1} % of one");
    }
    Ok(())
}

/// Sessions that stay, then others that come and go.
fn scenario() -> String {
    let mut text =
        "server VPN1\nday 2026-11-23T00:00:00Z\nserver-address 10.30.0.1\npool 10.30.0.2-10.30.255.254\n".to_owned();
    let time = |second: usize| {
        let second = 9 * 3_600 + second;
        format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
    };
    let mut connect = |second: usize, name: &str, number: usize, until: &str| {
        let tunnel = if number.is_multiple_of(2) { "sstp" } else { "ikev2" };
        let from = format!("198.18.{}.{}", number / 250 % 250, number % 250 + 1);
        let _ = writeln!(
            text,
            "{} connect {name} user=CORP\\{name} tunnel={tunnel} from={from}{until} received=900000000 sent=900000000",
            time(second)
        );
    };
    for number in 0..SESSIONS {
        connect(number / A_SECOND, &format!("user{number}"), number, "");
    }
    let begins = SESSIONS.div_ceil(A_SECOND) + 5;
    for number in 0..SECONDS * GUESTS {
        let second = begins + number / GUESTS;
        connect(second, &format!("guest{number}"), number, &format!(" until={}", time(second + 3)));
    }
    text
}

/// Plays the day; with the service, also the processor's time that it needed, and for how long it ran.
fn play(folder: &Path, rules: &Path, day: &Path, with_service: bool) -> Result<(Vec<Times>, Option<Needed>)> {
    create(folder)?;
    let (kept, socket, report) = (folder.join("kept"), folder.join("rras.sock"), folder.join("report.json"));
    let dll = release(&format!("{}rasadmin{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX));
    let mut host = Command::new(release("rasadmin"));
    host.args(["host", "run", "--json", "--speed", "1", "--config"]).arg(rules).arg("--keep").arg(&kept);
    host.arg("--dll").arg(dll).arg("--serve-rras").arg(&socket).arg(day);
    let mut host = logged(host, &report)?;
    let failed = || format!("the day failed: {} says why", relative(&report));
    let clock = kept.join("clock");
    while !clock.exists() {
        if host.0.try_wait().ok().flatten().is_some() {
            return Err(failed());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let begun = Instant::now();
    let service = with_service.then(|| {
        let mut service = Command::new(release("rasadmin"));
        service.args(["service", "run", "--speed", "1", "--config"]).arg(kept.join("rasadmin.toml"));
        service.arg("--rras").arg(&socket).env("RASADMIN_CLOCK", &clock).env("RASADMIN_SYSTEM_LOG", "off");
        logged(service, &folder.join("service.log"))
    });
    let service = service.transpose()?;
    if !host.0.wait().is_ok_and(|status| status.success()) {
        return Err(failed());
    }
    let needed = |processor| Needed { processor, seconds: begun.elapsed().as_secs_f64() };
    let needed = service.as_ref().map(processor_time).transpose()?.map(needed);
    let text = std::fs::read_to_string(&report).map_err(|e| format!("{}: {e}", report.display()))?;
    Ok((times(&text)?, needed))
}

fn release(name: &str) -> PathBuf {
    target().join("release").join(name)
}

/// The seconds of the processor that a process has needed so far.
fn processor_time(process: &Beside) -> Result<f64> {
    /// Linux counts in hundredths of a second for programs, whatever it uses itself.
    const TICKS: f64 = 100.0;
    let path = format!("/proc/{}/stat", process.0.id());
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
    // The program's name, in brackets, may have anything in it. User and system time are the 12th and 13th after it.
    let fields = text.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect::<Vec<_>>()).unwrap_or_default();
    let ticks =
        fields.get(11..13).and_then(|both| both.iter().map(|field| field.parse::<f64>().ok()).sum::<Option<f64>>());
    ticks.map(|ticks| ticks / TICKS).ok_or_else(|| format!("{path}: two times should be there, not {text:?}"))
}

/// The functions' times of a report.
fn times(report: &str) -> Result<Vec<Times>> {
    let pattern = r#""function":\s*"(\w+)",\s*"calls":\s*\d+,\s*"p50_ns":\s*(\d+),\s*"p99_ns":\s*(\d+)"#;
    let pattern = regex_lite::Regex::new(pattern).map_err(|e| e.to_string())?;
    let microseconds = |text: &str| text.parse::<u64>().unwrap_or(0) / 1_000;
    let all: Vec<_> = pattern
        .captures_iter(report)
        .map(|found| Times {
            function: found[1].to_owned(),
            p50: microseconds(&found[2]),
            p99: microseconds(&found[3]),
        })
        .collect();
    if all.is_empty() { Err("the report has no function's times".to_owned()) } else { Ok(all) }
}

/// Both side by side, of the functions that users wait for.
fn table(alone: &[Times], beside: &[Times]) -> Result<String> {
    const CALLS: [&str; 5] = [
        "MprAdminAcceptNewConnectionEx",
        "MprAdminAcceptNewLink",
        "MprAdminGetIpAddressForUser",
        "MprAdminReleaseIpAddress",
        "MprAdminConnectionHangupNotificationEx",
    ];
    let mut text = format!("{:42} {:>16} {:>16} {:>10}\n", "p50 / p99, us", "alone", "beside", "ratio p99");
    for function in CALLS {
        let of = |times: &[Times]| {
            let found = times.iter().find(|times| function.ends_with(&times.function));
            found.map(|times| (times.p50, times.p99)).ok_or_else(|| format!("the report has no {function}"))
        };
        let ((p50, p99), (p50_beside, p99_beside)) = (of(alone)?, of(beside)?);
        let ratio = p99_beside as f64 / p99.max(1) as f64;
        let [alone, beside] = [format!("{p50} / {p99}"), format!("{p50_beside} / {p99_beside}")];
        let _ = writeln!(text, "{function:42} {alone:>16} {beside:>16} {ratio:>10.2}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_has_all_sessions_and_guests_in_order() {
        let day = scenario();
        let connects: Vec<&str> = day.lines().filter(|line| line.contains(" connect ")).collect();
        assert_eq!(connects.len(), SESSIONS + SECONDS * GUESTS);
        assert!(connects.is_sorted_by_key(|line| &line[..8]));
        assert_eq!(connects.iter().filter(|line| line.contains("until=")).count(), SECONDS * GUESTS);
    }

    #[test]
    fn times_are_read_from_a_report_and_compared() {
        let report = |p99: u64| {
            let functions = ["AcceptNewConnectionEx", "AcceptNewLink", "GetIpAddressForUser", "ReleaseIpAddress"];
            let functions = functions.into_iter().chain(["ConnectionHangupNotificationEx"]);
            let one = |name| {
                format!("{{\"function\": \"MprAdmin{name}\", \"calls\": 7, \"p50_ns\": 5000, \"p99_ns\": {p99}}}")
            };
            functions.map(one).collect::<Vec<_>>().join(",")
        };
        let table = table(&times(&report(20_000)).unwrap(), &times(&report(30_000)).unwrap()).unwrap();
        assert_eq!(table.matches("1.50").count(), 5, "{table}");
        assert!(times("{}").is_err());
    }
}
