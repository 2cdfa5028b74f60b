//! The model of the truth against the whole product: what the model's RRAS tells is a call of the DLL, with the structures
//! that Windows would fill, and what the DLL writes into its journal is what the model compares.
//!
//! Background the model's own oracles, each call must be outcome as it was meant, must return what was recorded, and whoever
//! starts from what is on disk must have the model's state.

mod call;
mod outcome;
mod service;

use outcome::{CallOutcome, Fault};
use rasadmin_engine::{Context, Event, Now, State, decide};
use rasadmin_model::{Engine, Hunt, Outcome, Plan};
use service::Running;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The DLL, in processes of its own.
struct Product {
    dll: PathBuf,
    /// This program: it is what the processes run.
    own: PathBuf,
    /// What is spoilt on purpose.
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
            // A run begins where nothing was ever recorded.
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
        // What the events before have left on disk.
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

/// How the product is hunted: far slower than the engine, so in fewer and shorter runs.
fn hunt() -> Hunt {
    let plan = Plan::of_product;
    Hunt { steps: 20_000, minutes: None, seed: 1, length: 500, replay: None, whole: false, all: false, plan }
}

/// `model DLL`, with the options of a hunt.
pub fn run(dll: &Path, options: &[&str]) -> Result<String, String> {
    hunt().with(options)?.run(&Product::new(dll)?)
}

/// Does it find what is wrong? What the product answered and recorded is spoilt, in one way after another.
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
