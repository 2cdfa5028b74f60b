//! The job of a child process, and the command line that carries it.

use crate::check::Check;
use mprapi::{FunctionId, FunctionSet};
use rasadmin_host::guarded::Afterwards;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// The hidden subcommand that makes the program a child: see [`child_main`](crate::child_main).
pub const CHILD_SUBCOMMAND: &str = "__check-child";

/// What a child process is to do.
#[derive(Debug)]
pub(super) struct Job {
    pub check: Check,
    pub file: PathBuf,
    pub result: PathBuf,
    pub cycles: u32,
    pub seed: u64,
    /// Functions that the child must not call, because they hang or crash.
    pub except: FunctionSet,
    /// How long the child may go on making calls.
    pub time: Duration,
    pub memory: Memory,
}

/// What becomes of the memory that the child gives to the DLL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    /// Of the callbacks table, after the initialise function has returned.
    pub table: Afterwards,
    /// Of an argument, after the call has returned.
    pub arguments: Afterwards,
    /// Whether accessible memory follows the table.
    pub table_slack: bool,
}

/// The words for a command line.
const AFTERWARDS: [(Afterwards, &str); 3] =
    [(Afterwards::Unmap, "unmap"), (Afterwards::Keep, "keep"), (Afterwards::Revoke, "revoke")];

impl Memory {
    fn argument(self) -> String {
        let word = |wanted| AFTERWARDS.iter().find(|(it, _)| *it == wanted).map_or("", |(_, word)| word);
        format!("{},{},{}", word(self.table), word(self.arguments), if self.table_slack { "slack" } else { "" })
    }

    fn parse(text: &str) -> Option<Self> {
        let value = |word| AFTERWARDS.iter().find(|(_, it)| *it == word).map(|(value, _)| *value);
        match text.split(',').collect::<Vec<_>>()[..] {
            [table, arguments, slack] => {
                Some(Self { table: value(table)?, arguments: value(arguments)?, table_slack: !slack.is_empty() })
            }
            _ => None,
        }
    }
}

impl Job {
    /// The arguments after [`CHILD_SUBCOMMAND`].
    pub(super) fn arguments(&self) -> Vec<OsString> {
        let except: Vec<_> = self.except.iter().map(FunctionId::name).collect();
        vec![
            self.check.id().into(),
            self.file.clone().into(),
            self.result.clone().into(),
            self.cycles.to_string().into(),
            self.seed.to_string().into(),
            except.join(",").into(),
            self.time.as_millis().to_string().into(),
            self.memory.argument().into(),
        ]
    }

    /// The job of these arguments. None if they are not what [`Job::arguments`] makes.
    pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut arguments = arguments.into_iter();
        let mut next = || arguments.next();
        let job = Self {
            check: Check::from_id(next()?.to_str()?)?,
            file: next()?.into(),
            result: next()?.into(),
            cycles: next()?.to_str()?.parse().ok()?,
            seed: next()?.to_str()?.parse().ok()?,
            except: next()?.to_str()?.split(',').filter_map(FunctionId::from_name).collect(),
            time: Duration::from_millis(next()?.to_str()?.parse().ok()?),
            memory: Memory::parse(next()?.to_str()?)?,
        };
        next().is_none().then_some(job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_survives_its_command_line() {
        let job = Job {
            check: Check::NullPointers,
            file: "a b.dll".into(),
            result: "r".into(),
            cycles: 7,
            seed: 9,
            except: [FunctionId::AcceptNewLink, FunctionId::TerminateDll].into_iter().collect(),
            time: Duration::from_millis(1500),
            memory: Memory { table: Afterwards::Revoke, arguments: Afterwards::Keep, table_slack: true },
        };
        let parsed = Job::parse(job.arguments()).unwrap();
        assert_eq!(format!("{parsed:?}"), format!("{job:?}"));
        assert!(Job::parse(["x".into()]).is_none());
    }
}
