//! What happens to the server, and not to a session.

use crate::scenario::line::Line;
use crate::scenario::values::step;
use crate::scenario::{Replacement, What};
use crate::service::Processes;

/// A name without a folder: only files of the run are replaced.
fn plain(name: &str) -> Result<String, String> {
    if name.contains(['/', '\\', ':']) || name.starts_with('.') {
        return Err(format!("`{name}` is not the name of a file in the run's folder: expected one like rasadmin.toml"));
    }
    Ok(name.to_owned())
}

/// Which of the service's processes live.
#[derive(Default)]
pub(super) struct Server {
    down: bool,
    address_down: bool,
    locked: bool,
}

impl Server {
    /// The event of this verb; None if it is a session's.
    pub(super) fn event(
        &mut self,
        verb: &str,
        line: &mut Line<'_>,
        two_processes: bool,
        has_a_day: bool,
    ) -> Result<Option<What>, String> {
        Ok(Some(match verb {
            "clock" => {
                if !has_a_day {
                    return Err("the clock can be stepped where the setting `day` says when the day begins".into());
                }
                What::Clock(step(line.word("a step, like +01:00:00")?)?)
            }
            "kill" | "restart" => {
                let processes = match line.next_word() {
                    None => Processes::All,
                    Some("address") if two_processes => Processes::Address,
                    Some("address") => {
                        return Err(
                            "the address functions have a process of their own with `processes two` only".into()
                        );
                    }
                    Some(other) => return Err(format!("did not expect `{other}` here: only `address`")),
                };
                if verb == "kill" { self.kill(processes)? } else { self.restart(processes)? }
            }
            "lock-journal" if self.locked => return Err("the journal is locked already".into()),
            "lock-journal" => {
                self.locked = true;
                What::LockJournal
            }
            "unlock-journal" if !self.locked => return Err("the journal is not locked: `lock-journal` does it".into()),
            "unlock-journal" => {
                self.locked = false;
                What::UnlockJournal
            }
            "replace" => What::Replace(Replacement {
                name: plain(line.word("the name of a file in the run's folder, like rasadmin.toml")?)?,
                with: line.needed("with")?.into(),
                same_time: line.flag("same-time"),
            }),
            _ => return Ok(None),
        }))
    }

    fn kill(&mut self, processes: Processes) -> Result<What, String> {
        if self.down || (processes == Processes::Address && self.address_down) {
            return Err("it is down already: `restart` starts it".into());
        }
        match processes {
            Processes::All => self.down = true,
            Processes::Address => self.address_down = true,
        }
        Ok(What::Kill(processes))
    }

    fn restart(&mut self, processes: Processes) -> Result<What, String> {
        if self.down && processes == Processes::Address {
            return Err("the whole service is down: `restart` starts it".into());
        }
        (self.down, self.address_down) = (false, false);
        Ok(What::Restart(processes))
    }

    /// Nothing happens to a session while there is no service.
    pub(super) fn must_be_up(&self) -> Result<(), String> {
        if self.down { Err("the service is down since the `kill`: `restart` it first".into()) } else { Ok(()) }
    }
}
