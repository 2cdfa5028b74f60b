//! `cargo xtask bench --import`: how long `rasadmin import` takes for a large log, and how much memory it needs, compared
//! with a short Python script that does the same.

mod log;

use crate::Result;
use crate::shell::{cargo, create, output, relative, run, target};
use crate::timing::step;
use std::path::Path;
use std::process::Command;

/// The script, which is also what measures both.
const SCRIPT: &str = include_str!("import/baseline.py");

/// How many sessions the log has.
const SESSIONS: u64 = 1_000_000;

/// What one of the two took.
struct Cost {
    seconds: f64,
    /// Of the processor's time.
    processor: f64,
    mebibytes: f64,
    sessions: u64,
}

/// Runs both over the same log, first the script and then the command.
pub fn bench(options: &[&str]) -> Result {
    let sessions = match options {
        [] => SESSIONS,
        ["--sessions", number] => number.parse().map_err(|_| format!("--sessions: `{number}` is not a number"))?,
        _ => return Err("bench --import takes only --sessions N".to_owned()),
    };
    step("building the command", || run(cargo().args(["build", "--release", "--quiet", "-p", "rasadmin-cli"])))?;
    let folder = target().join("bench").join("import");
    create(&folder)?;
    let (script, log) = (folder.join("baseline.py"), folder.join("sessions.log"));
    std::fs::write(&script, SCRIPT).map_err(|e| format!("{}: {e}", script.display()))?;
    step("writing the log", || log::write(&log, sessions).map_err(|e| format!("{}: {e}", log.display())))?;
    let octets = std::fs::metadata(&log).map_or(0, |found| found.len());
    println!("{sessions} sessions, two records each, {} MB: {}\n", octets / 1_000_000, relative(&log));
    println!("{:<10}  {:>8}  {:>8}  {:>14}  {:>10}", "", "seconds", "of CPU", "sessions/s", "peak MiB");
    let theirs = folder.join("baseline.db");
    let words = ["python3", &text(&script), "import", &text(&log), &text(&theirs)].map(str::to_owned);
    let baseline = measured(&script, &theirs, &words)?;
    show("Python", &baseline);
    let ours = folder.join("ledger.db");
    let program = target().join("release").join(format!("rasadmin{}", std::env::consts::EXE_SUFFIX));
    let words = [&text(&program), "import", "--ledger", &text(&ours), "--create", &text(&log)].map(str::to_owned);
    let rasadmin = measured(&script, &ours, &words)?;
    show("rasadmin", &rasadmin);
    println!("\nrasadmin takes {:.2} times the script's time", rasadmin.seconds / baseline.seconds);
    for (what, cost) in [("the script", &baseline), ("rasadmin", &rasadmin)] {
        if cost.sessions != sessions {
            return Err(format!("{what} imported {} of {sessions} sessions", cost.sessions));
        }
    }
    std::fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))
}

fn show(what: &str, cost: &Cost) {
    let rate = cost.sessions as f64 / cost.seconds;
    println!("{what:<10}  {:>8.1}  {:>8.1}  {rate:>14.0}  {:>10.0}", cost.seconds, cost.processor, cost.mebibytes);
}

/// Runs a program that makes a database, and measures it.
fn measured(script: &Path, database: &Path, words: &[String]) -> Result<Cost> {
    for end in ["", "-wal", "-shm"] {
        // The last run may have left it.
        let _ = std::fs::remove_file(format!("{}{end}", database.display()));
    }
    let said = output(Command::new("python3").arg(script).arg("measure").arg(database).args(words))?;
    let words: Vec<&str> = said.split_whitespace().collect();
    let cost = match words[..] {
        [seconds, processor, mebibytes, sessions] => {
            match (seconds.parse(), processor.parse(), mebibytes.parse(), sessions.parse()) {
                (Ok(seconds), Ok(processor), Ok(mebibytes), Ok(sessions)) => {
                    Some(Cost { seconds, processor, mebibytes, sessions })
                }
                _ => None,
            }
        }
        _ => None,
    };
    cost.ok_or_else(|| format!("the script that measures says {said:?}"))
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
