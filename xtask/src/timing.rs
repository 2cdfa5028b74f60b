//! How long each step took: a line when it ends, and a table at the end of a command.

use crate::Result;
use std::cell::Cell;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The steps that have ended, in the order of their beginning.
static STEPS: Mutex<Vec<Step>> = Mutex::new(Vec::new());

thread_local! {
    /// How many steps this thread is in.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

struct Step {
    what: String,
    depth: usize,
    took: Option<Duration>,
}

/// Runs a step; prints its name when it begins, and how long it took when it ends.
pub fn step<T>(what: &str, action: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("==> {what}");
    let start = Instant::now();
    let depth = DEPTH.replace(DEPTH.get() + 1);
    let index = with_steps(|steps| {
        steps.push(Step { what: what.to_owned(), depth, took: None });
        steps.len() - 1
    });
    let result = action();
    DEPTH.set(depth);
    let took = start.elapsed();
    with_steps(|steps| steps[index].took = Some(took));
    eprintln!("    {what}: {:.0} s{}", took.as_secs_f64(), if result.is_ok() { "" } else { ", failed" });
    result
}

/// The steps that took a second or more, as the lines of a table.
pub fn table() -> String {
    with_steps(|steps| {
        let long = steps.iter().filter_map(|step| step.took.map(|took| (step, took.as_secs_f64())));
        long.filter(|(_, seconds)| *seconds >= 0.95)
            .map(|(step, seconds)| format!("{seconds:>7.0} s  {}{}\n", "  ".repeat(step.depth), step.what))
            .collect()
    })
}

fn with_steps<T>(action: impl FnOnce(&mut Vec<Step>) -> T) -> T {
    action(&mut STEPS.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}
