//! The child process. It runs one check of one DLL, which may crash the process.

use super::job::Job;
use super::loaded::LoadedDll;
use super::progress::{CANNOT_WRITE, ChildResult, Line, Progress};
use super::{calls, leaks};
use crate::check::Check;
use crate::counters;
use std::ffi::OsString;
use std::panic::AssertUnwindSafe;

/// Runs the hidden subcommand [`CHILD_SUBCOMMAND`](crate::CHILD_SUBCOMMAND): one check in this process, whose progress and
/// result go to a file. `arguments` are those after the subcommand's name. Returns the exit status.
///
/// Only [`crate::check()`] starts a process that calls this.
pub fn child_main(arguments: impl IntoIterator<Item = OsString>) -> i32 {
    let Some(job) = Job::parse(arguments) else {
        eprintln!("rasadmin: __check-child is for rasadmin's own use");
        return 2;
    };
    let Ok(mut progress) = Progress::create(&job.result) else {
        return CANNOT_WRITE;
    };
    counters::quiet_crashes();
    progress.step("starting");
    let message = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let hook_message = message.clone();
    std::panic::set_hook(Box::new(move |panic| {
        if let Ok(mut message) = hook_message.lock() {
            *message = panic.to_string();
        }
    }));
    match std::panic::catch_unwind(AssertUnwindSafe(|| run(&job, &mut progress))) {
        Ok(result) => {
            progress.write(&Line::Done { result });
            0
        }
        Err(payload) => {
            std::mem::forget(payload);
            let message = message.lock().map(|m| m.clone()).unwrap_or_default();
            progress.write(&Line::Panic { message });
            1
        }
    }
}

fn run(job: &Job, progress: &mut Progress) -> ChildResult {
    if job.check == Check::LoadCycles {
        return leaks::load_cycles(job, progress);
    }
    if job.check == Check::Initialises {
        return initialises(job, progress);
    }
    let mut dll = match LoadedDll::start(job, progress) {
        Ok(dll) => dll,
        // In an earlier child it did initialise.
        Err(start) => {
            return ChildResult::fail(
                format!("it did not initialise a second time: {start:?}"),
                "It initialised in the process before this one.",
            );
        }
    };
    let result = match job.check {
        Check::AnswersInTime => calls::ordinary(&mut dll),
        Check::ReadsPastConnectionEx
        | Check::ReadsPastConnection
        | Check::ReadsPastPort
        | Check::ReadsPastName
        | Check::ReadsPastAddress => calls::reads_past(&mut dll, job.check),
        Check::NullPointers => calls::null_pointers(&mut dll),
        Check::UnterminatedArrays => calls::unterminated(&mut dll),
        Check::LongUserName => calls::long_name(&mut dll),
        Check::UnknownHeaders => calls::unknown_headers(&mut dll),
        Check::RandomStructures => calls::random(&mut dll, job.seed),
        Check::ReleaseAfterNotify => calls::release_after_notify(&mut dll),
        Check::HandlesPerCall => leaks::handles_per_call(&mut dll),
        Check::ThreadsAfterTerminate => return leaks::threads_after_terminate(dll),
        _ => ChildResult::skipped("it is not run in a child process"),
    };
    dll.terminate();
    result
}

fn initialises(job: &Job, progress: &mut Progress) -> ChildResult {
    let start = match LoadedDll::start(job, progress) {
        Ok(dll) => {
            let start = dll.started();
            // MprAdminTerminateDll is not called here: another check calls it with the other functions.
            std::mem::forget(dll.admin_dll);
            start
        }
        Err(start) => start,
    };
    progress.write(&Line::Started(start));
    ChildResult::pass("")
}
