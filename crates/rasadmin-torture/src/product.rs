//! Runs the model of the truth against the whole product. Each event of the model is a call of the DLL, with structures
//! as Windows fills them, and the model compares what the DLL writes to its journal.
//!
//! Besides the model's own oracles, each call must be recorded as it was made and must return what was recorded, and a
//! start from disk must give the model's state.

mod call;
mod fault;
mod outcome;
mod service;

use fault::Fault;
use outcome::CallOutcome;
use rasadmin_engine::{Context, Event, Now, State, decide};
use rasadmin_model::{Engine, Hunt, Outcome, Plan};
use service::Running;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The DLL, in its own processes.
struct Product {
    dll: PathBuf,
    /// This program, which those processes run.
    own: PathBuf,
    /// What to spoil on purpose.
    fault: Option<Fault>,
    running: Mutex<Option<Running>>,
}

impl Product {
    fn new(dll: &Path) -> Result<Self, String> {
        let dll = std::path::absolute(dll).map_err(|e| format!("{}: {e}", dll.display()))?;
        let own = std::env::current_exe().map_err(|e| e.to_string())?;
        Ok(Self { dll, own, fault: None, running: Mutex::new(None) })
    }
}

impl Engine for Product {
    fn process(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Result<Outcome, String> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(event, Event::InstanceStarted { .. }) {
            // A run begins with an empty journal.
            let service = match running.take().filter(|_| state.instance().is_some()) {
                Some(before) => {
                    before.restart(now)?;
                    before
                }
                None => Running::begin(&self.dll, &self.own, context.config, now)?,
            };
            return running.insert(service).records().map(Outcome::from);
        }
        let service = running.as_mut().ok_or("the service does not run")?;
        // What the earlier events have left on disk.
        service.compare(state)?;
        let asked = call::of(event, service.assumptions())?;
        let mut outcome = service.call(asked, now)?;
        if let Some(fault) = self.fault {
            fault.spoil(&mut outcome, service)?;
        }
        let answer = outcome.check(event, now, &decide(state, context, event, now))?;
        let CallOutcome { records, .. } = outcome;
        Ok(Outcome { records, answer })
    }
}

/// The plan of a hunt: fewer and shorter runs than for the engine, because the product is much slower.
fn hunt() -> Hunt {
    let plan = Plan::of_product;
    Hunt { steps: 20_000, minutes: None, seed: 1, length: 500, replay: None, whole: false, all: false, plan }
}

/// Runs `model DLL`, with the options of a hunt.
pub fn run(dll: &Path, options: &[&str]) -> Result<String, String> {
    hunt().with(options)?.run(&Product::new(dll)?)
}

/// Checks the checker: spoils the product's answers and records in each way, and each must be found.
pub fn control(dll: &Path) -> Result<String, String> {
    let mut product = Product::new(dll)?;
    let mut report = String::new();
    for (what, fault) in Fault::ALL {
        product.fault = Some(fault);
        let found = (1..=3).find_map(|seed| rasadmin_model::run(&product, &Plan::of_product(seed, 100), false).err());
        let Some(failure) = found else { return Err(format!("{what}, and nothing is found")) };
        report += &format!("{what}: found ({}: {})\n", failure.finding.oracle, failure.finding.what);
    }
    Ok(report + &format!("control: {} ways to spoil what the product does, all found\n", Fault::ALL.len()))
}
