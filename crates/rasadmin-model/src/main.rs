//! `cargo xtask torture --model`: runs one plan after another against the engine until the time or the steps are used
//! up, or a fault is found.

use rasadmin_model::{Hunt, Plan, Real};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let hunt = Hunt {
        steps: 10_000_000,
        minutes: None,
        seed: 1,
        length: 4000,
        replay: None,
        whole: false,
        all: false,
        plan: Plan::new,
    };
    match hunt.with(&words).and_then(|hunt| hunt.run(&Real)) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
