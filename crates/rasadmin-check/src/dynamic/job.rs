//! The job of a child process, and the command line that carries it.

use crate::check::Check;
use mprapi::{FunctionId, FunctionSet};
use std::ffi::OsString;
use std::path::PathBuf;

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
        };
        let parsed = Job::parse(job.arguments()).unwrap();
        assert_eq!(format!("{parsed:?}"), format!("{job:?}"));
        assert!(Job::parse(["x".into()]).is_none());
    }
}
