//! Where messages go: to the system's log, and to the console of `rasadmin service run` or the file that replaces it.

use rasadmin_messages::{Message, Severity};
use rasadmin_system::system_log::SystemLog;
use rasadmin_text::printable;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Gets each line.
type Console = Box<dyn FnMut(&str) + Send>;

/// The service's log.
pub struct Log {
    system: Option<SystemLog>,
    console: Mutex<Console>,
}

impl Log {
    /// To the system's log, if there is one, and to a console that gets lines.
    pub fn new(system: Option<SystemLog>, console: impl FnMut(&str) + Send + 'static) -> Self {
        Self { system, console: Mutex::new(Box::new(console)) }
    }

    /// A message of the catalogue.
    pub fn emit(&self, message: &Message<'_>) {
        let inserts: Vec<String> = message.inserts().iter().map(|text| printable(text).into_owned()).collect();
        if let Some(system) = &self.system {
            system.write(message.id(), &inserts, Instant::now());
        }
        let row = message.id().row();
        let severity = match row.severity {
            Severity::Information => String::new(),
            severity => format!("{}: ", severity.name()),
        };
        self.line(&format!("{severity}{}", row.fill(&inserts)));
    }

    /// A line for the console only. It must have no text from outside.
    pub fn line(&self, line: &str) {
        (self.console.lock().unwrap_or_else(PoisonError::into_inner))(line);
    }

    /// What was left out in a flood is reported later: call this now and then.
    pub(crate) fn look(&self) {
        if let Some(system) = &self.system {
            system.look(Instant::now());
        }
    }
}
