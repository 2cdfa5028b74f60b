//! `cargo xtask demo --dashboard`: the office day in the browser, while it happens.

use super::{DAY, RULES};
use crate::Result;
use crate::beside::{Beside, cannot_start, logged};
use crate::shell::{cargo, create, relative, run, target};
use crate::timing::step;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How many seconds of the day pass per second: it takes eight minutes.
const SPEED: &str = "120";

/// How long the day may take to begin.
const PATIENCE: Duration = Duration::from_secs(60);

/// Plays the day with the service and the dashboard beside it, until Ctrl-C or for so many seconds.
pub fn play(options: &[&str]) -> Result {
    let time = time(options)?;
    if cfg!(windows) {
        return Err(
            "the day with a dashboard is played on Linux only: here, `rasadmin serve --open` shows a real server"
                .to_owned(),
        );
    }
    step("building the command and the DLL", || {
        run(cargo().args(["build", "--quiet", "-p", "rasadmin-cli", "-p", "rasadmin-dll"]))
    })?;
    let folder = target().join("demo-dashboard");
    let _ = std::fs::remove_dir_all(&folder);
    create(&folder)?;
    let socket = folder.join("rras.sock");
    let kept = folder.join("kept");
    let mut host = begin(&folder, &socket, &kept)?;
    let (config, clock) = (kept.join("rasadmin.toml"), kept.join("clock"));
    let _service = beside(&clock, &folder.join("service.log"), |command| {
        command.args(["service", "run", "--speed", SPEED, "--config"]).arg(&config).arg("--rras").arg(&socket)
    })?;
    println!("\nThe day is played at {SPEED} times its speed, with the service beside it. Ctrl-C ends it.");
    let mut serve = command();
    serve.args(["serve", "--open", "--listen", "127.0.0.1:0", "--config"]).arg(&config);
    let mut serve =
        Beside(serve.env("RASADMIN_CLOCK", &clock).env("RASADMIN_SYSTEM_LOG", "off").spawn().map_err(cannot_start)?);
    watch(&mut host, &mut serve, time)
}

/// How long it runs. None is until Ctrl-C.
fn time(options: &[&str]) -> Result<Option<Duration>> {
    match options {
        [] => Ok(None),
        ["--for", seconds] => {
            let not_a_number = |_| format!("`{seconds}` is not a number of seconds");
            seconds.parse().map(|seconds| Some(Duration::from_secs(seconds))).map_err(not_a_number)
        }
        _ => Err("write `cargo xtask demo --dashboard`, or add `--for SECONDS`".to_owned()),
    }
}

/// Says when the day has ended, and waits until the dashboard ends or the time is over.
fn watch(host: &mut Beside, serve: &mut Beside, time: Option<Duration>) -> Result {
    let begun = Instant::now();
    let mut is_over = false;
    loop {
        if !is_over && host.0.try_wait().ok().flatten().is_some() {
            is_over = true;
            println!("The day is over. The dashboard stays, until Ctrl-C.");
        }
        if let Some(status) = serve.0.try_wait().ok().flatten() {
            return if status.success() { Ok(()) } else { Err(format!("the dashboard has ended: {status}")) };
        }
        if time.is_some_and(|time| begun.elapsed() >= time) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Starts the day, and waits until the DLL has started in it.
fn begin(folder: &Path, socket: &Path, kept: &Path) -> Result<Beside> {
    let dll = target().join("debug").join(format!(
        "{}rasadmin{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    ));
    let mut host = command();
    host.args(["host", "run", "--json", "--config", RULES, "--speed", SPEED]);
    host.arg("--keep").arg(kept).arg("--dll").arg(dll).arg("--serve-rras").arg(socket).arg(DAY);
    let mut host = logged(host, &folder.join("host.log"))?;
    let begun = Instant::now();
    while !kept.join("clock").exists() {
        if host.0.try_wait().ok().flatten().is_some() || begun.elapsed() > PATIENCE {
            return Err(format!("the day does not begin: {} says why", relative(&folder.join("host.log"))));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(host)
}

/// Starts the command with the clock of the day.
fn beside(clock: &Path, log: &Path, with: impl FnOnce(&mut Command) -> &mut Command) -> Result<Beside> {
    let mut command = command();
    with(&mut command);
    command.env("RASADMIN_CLOCK", clock).env("RASADMIN_SYSTEM_LOG", "off");
    logged(command, log)
}

fn command() -> Command {
    let program: PathBuf = target().join("debug").join(format!("rasadmin{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new(program);
    command.current_dir(crate::shell::root());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_until_ctrl_c_or_for_so_many_seconds() {
        assert_eq!(time(&[]), Ok(None));
        assert_eq!(time(&["--for", "20"]), Ok(Some(Duration::from_secs(20))));
        assert_eq!(time(&["--for", "ever"]), Err("`ever` is not a number of seconds".to_owned()));
        assert!(time(&["--until", "noon"]).is_err());
    }
}
