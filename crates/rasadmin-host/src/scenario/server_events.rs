//! Reads the events that concern the server, not a session.

use crate::scenario::event::{Action, Replacement};
use crate::scenario::line::Line;
use crate::scenario::values::step;
use crate::service::Processes;

/// Checks that a file's name has no folder: only files in the run's folder can be replaced.
fn file_name(name: &str) -> Result<String, String> {
    if name.contains(['/', '\\', ':']) || name.starts_with('.') {
        return Err(format!("`{name}` is not the name of a file in the run's folder: expected one like rasadmin.toml"));
    }
    Ok(name.to_owned())
}

/// The state of the server, as the lines so far describe it.
#[derive(Default)]
pub(super) struct Server {
    down: bool,
    address_down: bool,
    locked: bool,
}

impl Server {
    /// Reads the event of this verb. Returns None if the verb is one for sessions.
    pub(super) fn event(
        &mut self,
        verb: &str,
        line: &mut Line<'_>,
        two_processes: bool,
        has_day: bool,
    ) -> Result<Option<Action>, String> {
        Ok(Some(match verb {
            "clock" => {
                if !has_day {
                    return Err("`clock` needs the setting `day`, which says when the day begins".into());
                }
                Action::Clock(step(line.word("a step, like +01:00:00")?)?)
            }
            "kill" | "restart" => {
                let processes = match line.next_word() {
                    None => Processes::All,
                    Some("address") if two_processes => Processes::Address,
                    Some("address") => {
                        return Err(
                            "the address functions have a process of their own only with `processes two`".into()
                        );
                    }
                    Some(other) => return Err(format!("did not expect `{other}` here: only `address`")),
                };
                if verb == "kill" { self.kill(processes)? } else { self.restart(processes)? }
            }
            "lock-journal" if self.locked => return Err("the journal is locked already".into()),
            "lock-journal" => {
                self.locked = true;
                Action::LockJournal
            }
            "unlock-journal" if !self.locked => return Err("the journal is not locked: `lock-journal` does it".into()),
            "unlock-journal" => {
                self.locked = false;
                Action::UnlockJournal
            }
            "replace" => Action::Replace(Replacement {
                name: file_name(line.word("the name of a file in the run's folder, like rasadmin.toml")?)?,
                with: line.needed("with")?.into(),
                same_time: line.flag("same-time"),
            }),
            _ => return Ok(None),
        }))
    }

    fn kill(&mut self, processes: Processes) -> Result<Action, String> {
        if self.down || (processes == Processes::Address && self.address_down) {
            return Err("it is down already: `restart` starts it".into());
        }
        match processes {
            Processes::All => self.down = true,
            Processes::Address => self.address_down = true,
        }
        Ok(Action::Kill(processes))
    }

    fn restart(&mut self, processes: Processes) -> Result<Action, String> {
        if self.down && processes == Processes::Address {
            return Err("the whole service is down: `restart` starts it".into());
        }
        (self.down, self.address_down) = (false, false);
        Ok(Action::Restart(processes))
    }

    /// Returns an error if the service is down: then nothing can happen to a session.
    pub(super) fn must_be_up(&self) -> Result<(), String> {
        if self.down { Err("the service is down since the `kill`: `restart` it first".into()) } else { Ok(()) }
    }
}
