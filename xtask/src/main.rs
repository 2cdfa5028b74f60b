//! The developer's commands: `cargo xtask demo`, `test`, `windows` and the others.
#![forbid(unsafe_code)]

mod axe;
mod bench;
mod beside;
mod c_minimal;
mod demo;
mod disk;
mod fixtures;
mod freeradius;
mod linker;
mod lint;
mod packages;
mod publish;
mod schemathesis;
mod shell;
mod shipped;
mod stand_in;
mod tests;
mod timing;
mod torture;
mod windows;
mod words;

use std::process::ExitCode;

type Result<T = ()> = std::result::Result<T, String>;

const HELP: &str = "\
usage: cargo xtask COMMAND

  demo [--windows]   build the product, check it, run the office day through it
                     (--windows: the Windows DLL, under Wine on Linux)
  demo --dashboard   play the office day with the service and the dashboard beside it, and print the link
                     (--for SECONDS: and end by itself)
  test [--quick]     every test: native, and the same for Windows under Wine
                     (--quick: the native tests without the long ones, which tests/not-quick.txt lists)
  bench [--windows]  measure what a session costs, compared with six bare appends, and what its parts cost
  bench --service    measure the DLL's calls beside a busy service, and what the service needs
  bench --dashboard  every page over a ledger of a million sessions, while more arrive (--sessions N)
  bench --import     import a large log, and do the same with a script in Python (--sessions N, 1 million by default)
  torture            kill the product at every point of every callback (--rounds N, 1000 by default;
                     --two-processes; --windows; --seed S; --control: test that known faults are found)
  torture --model    play random sequences of RRAS's calls against the engine, and compare with the truth
                     (--steps N, 10 million by default; --minutes N; --seed S, the first one; --run-length N;
                     --all: continue after a failure; --replay SEED: only that run;
                     --dll: against the whole product, 20,000 steps by default; --control: test that known faults are found)
  windows            build target/windows/rasadmin.dll and rasadmin.exe, and their debug files in debug/
  fixtures           build the admin DLLs in C that the tests need
  freeradius         fetch FreeRADIUS's table definitions, into which the tests load an export
  axe                fetch axe-core, with which the tests look at the dashboard
  schemathesis       fetch schemathesis, with which the tests ask the dashboard's API
  lint               format, clippy (Windows code too), words and names, cargo deny
  screenshots        take the pictures of the dashboard in docs/images/dashboard again
  bless              regenerate the generated pages and snapshots
  layout             print the structures as the C compiler lays them out
";

fn main() -> ExitCode {
    if linker::called() {
        return linker::link();
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["demo"] => demo::native(),
        ["demo", "--windows"] => demo::windows(),
        ["demo", "--dashboard", ref options @ ..] => demo::dashboard::play(options),
        ["test"] => tests::all(),
        ["test", "--quick"] => tests::quick(),
        ["bench"] => bench::bench(false),
        ["bench", "--windows"] => bench::bench(true),
        ["bench", "--service"] => bench::service::bench(),
        ["bench", "--dashboard", ref options @ ..] => bench::dashboard(options),
        ["bench", "--import", ref options @ ..] => bench::import::bench(options),
        ["torture", ref options @ ..] => torture::command(options),
        ["windows"] => windows::product().map(|folder| println!("{}", shell::relative(&folder))),
        ["freeradius"] => freeradius::schemas(),
        ["axe"] => axe::script(),
        ["schemathesis"] => schemathesis::program(),
        ["fixtures"] => fixtures::build().map(|folder| println!("{}", shell::relative(&folder))),
        ["lint"] => lint::all(),
        ["bless"] => tests::bless(),
        ["screenshots"] => tests::screenshots(),
        ["layout"] => fixtures::layout(),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => Err(format!("unknown command\n\n{HELP}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
