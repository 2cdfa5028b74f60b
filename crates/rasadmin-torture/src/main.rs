//! Kills the product at every point, and checks what is left of its journal and of the ledger made from it.
//!
//! `cargo xtask torture` builds and runs it. A worker plays RRAS with the product, which is built with hooks around its
//! appends, and logs what every call acknowledged. Meanwhile a follower reads the journal, commands append to it, and
//! processes that are killed as well ingest it into a ledger. The worker is killed, and journal and ledger are compared
//! with the call log. The next worker starts on the same journal. With `model`, the product gets the events that the
//! model of the truth generates instead (`product`).
#![deny(unsafe_code)]

mod background;
mod call_log;
mod check;
mod control;
mod exit_status;
#[path = "../../rasadmin-dll/src/kill_process.rs"]
mod kill_process;
mod ledger;
mod paths;
mod plan;
mod product;
mod random;
mod report;
mod rounds;
mod worker;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "usage: rasadmin-torture run --rounds N --seed S --dll FILE [--two-processes] [--control] \
                    [--worker FILE --runner PROGRAM]\n       \
                    rasadmin-torture model DLL [--control] [OPTION...]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["run", ref options @ ..] => run(options),
        ["model", dll, "--control"] => product::control(Path::new(dll)).map(|text| print!("{text}")),
        ["model", dll, ref options @ ..] => product::run(Path::new(dll), options).map(|text| println!("{text}")),
        ["worker", folder, dll, seed, steps, processes, kill] => work(folder, dll, seed, steps, processes, kill),
        [ledger::INGEST, folder, after] => {
            number(after).and_then(|after| ledger::until_killed(Path::new(folder), after))
        }
        [worker::ADDRESS_PROCESS, dll, after] => {
            number(after).and_then(|after| worker::address_process(Path::new(dll), after))
        }
        _ => Err(HELP.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|e| format!("`{text}` is not a valid number: {e}"))
}

fn work(folder: &str, dll: &str, seed: &str, steps: &str, processes: &str, kill: &str) -> Result<(), String> {
    worker::run(&worker::Task {
        folder: folder.into(),
        dll: dll.into(),
        seed: number(seed)?,
        steps: number(steps)? as usize,
        two_processes: processes == "two",
        kill: kill.parse()?,
    })
}

fn run(options: &[&str]) -> Result<(), String> {
    let mut torture =
        rounds::Torture { rounds: 0, seed: 1, two_processes: false, dll: PathBuf::new(), worker: None, runner: None };
    let mut control = false;
    let mut options = options.iter();
    while let Some(&option) = options.next() {
        let mut value = || options.next().copied().ok_or_else(|| format!("{option} needs a value\n{HELP}"));
        match option {
            "--rounds" => torture.rounds = u32::try_from(number(value()?)?).map_err(|e| e.to_string())?,
            "--seed" => torture.seed = number(value()?)?,
            "--dll" => torture.dll = std::path::absolute(value()?).map_err(|e| e.to_string())?,
            "--worker" => torture.worker = Some(value()?.into()),
            "--runner" => torture.runner = Some(value()?.to_owned()),
            "--control" => control = true,
            "--two-processes" => torture.two_processes = true,
            _ => return Err(format!("unknown: {option}\n{HELP}")),
        }
    }
    if control {
        print!("{}", control::run(&torture)?);
        return Ok(());
    }
    let report = rounds::run(&torture, &report::progress)?;
    print!("{}", report::text(&torture, &report));
    Ok(())
}
