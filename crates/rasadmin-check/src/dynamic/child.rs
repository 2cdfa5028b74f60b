//! The child process. It runs one check of one DLL, which may crash the process.

use super::job::Job;
use super::loaded::LoadedDll;
use super::progress::{CANNOT_WRITE, ChildResult, Line, Progress, Start};
use super::{calls, leaks, shared, stray};
use crate::check::Check;
use crate::counters;
use crate::process_state::ProcessState;
use mprapi::FunctionId;
use mprapi::abi::MPRAPI_ADMIN_DLL_CALLBACKS;
use rasadmin_host::board;
use rasadmin_host::dll::AdminDll;
use rasadmin_host::guarded::Guarded;
use rasadmin_host::invoke::Arg;
use rasadmin_host::supervise::on_own_thread;
use std::ffi::OsString;
use std::mem::ManuallyDrop;
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
    if board::join().is_err() {
        return CANNOT_WRITE;
    }
    counters::quiet_crashes();
    progress.step("starting");
    let message = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let hook_message = message.clone();
    std::panic::set_hook(Box::new(move |panic| {
        if let Ok(mut message) = hook_message.lock() {
            *message = panic.to_string();
        }
    }));
    // If the DLL ends the thread that calls it, the parent sees it.
    let work = || std::panic::catch_unwind(AssertUnwindSafe(|| run(&job, &mut progress)));
    let Some(result) = on_own_thread(work) else { return 1 };
    match result {
        Ok((result, more)) => {
            let more = more.into_iter().map(|(check, result)| (check.id(), result)).collect();
            progress.write(&Line::Done { result, more });
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

/// The result of the job's check, and those of others that the same calls give.
fn run(job: &Job, progress: &mut Progress) -> (ChildResult, Vec<(Check, ChildResult)>) {
    let alone = |result| (result, Vec::new());
    match job.check {
        Check::LoadCycles => return alone(leaks::load_cycles(job, progress)),
        Check::StartsAgain => return alone(leaks::start_again(job, progress)),
        Check::Initialises => return alone(initialises(job, progress)),
        Check::WritesPastTable => return alone(writes_past_table(job, progress)),
        _ => {}
    }
    let before = ProcessState::now();
    let mut dll = match LoadedDll::start(job, progress) {
        Ok(dll) => dll,
        // In an earlier child it did initialise.
        Err(start) => return alone(ChildResult::NotStarted(start)),
    };
    let result = match job.check {
        Check::PreAuthentication => alone(calls::pre_authentication(&mut dll)),
        Check::AnswersInTime => alone(calls::ordinary(&mut dll)),
        Check::UsesTableLater | Check::KeepsPointers => alone(calls::two_sessions(&mut dll)),
        Check::WritesPastArguments => stray::stray_writes(&mut dll),
        Check::ReadsPastConnectionEx
        | Check::ReadsPastConnection
        | Check::ReadsPastPort
        | Check::ReadsPastName
        | Check::ReadsPastAddress => alone(calls::reads_past(&mut dll, job.check)),
        Check::NullPointers => alone(calls::null_pointers(&mut dll)),
        Check::UnterminatedArrays => alone(calls::unterminated(&mut dll)),
        Check::LongUserName => alone(calls::long_name(&mut dll)),
        Check::UnknownHeaders => alone(calls::unknown_headers(&mut dll)),
        Check::RandomStructures => alone(calls::random(&mut dll, job.seed)),
        Check::ReleaseAfterNotify => alone(calls::release_after_notify(&mut dll)),
        Check::ForeignHandles => shared::shared_by_all(&mut dll, before, job.result.with_extension("canary")),
        Check::HandlesPerCall => alone(leaks::handles_per_call(&mut dll)),
        Check::ThreadsAfterTerminate => return alone(leaks::threads_after_terminate(dll)),
        _ => alone(ChildResult::skipped("it is not run in a child process")),
    };
    dll.terminate();
    result
}

fn initialises(job: &Job, progress: &mut Progress) -> ChildResult {
    match LoadedDll::start(job, progress) {
        Ok(dll) => {
            let start = dll.started();
            dll.progress.write(&Line::Started(start));
            // A DLL that finds its own traces of a process that ended without this call may rightly refuse to start.
            dll.terminate();
        }
        Err(start) => progress.write(&Line::Started(start)),
    }
    ChildResult::pass("")
}

/// Calls MprAdminInitializeDllEx with marked memory after the table.
fn writes_past_table(job: &Job, progress: &mut Progress) -> ChildResult {
    const MARGIN: usize = 2048;
    const FILL: u8 = 0xA5;
    progress.write(&Line::Loading);
    let dll = match AdminDll::load(&job.file, 0) {
        Ok(dll) => ManuallyDrop::new(dll),
        Err(e) => return ChildResult::NotStarted(Start { load_error: Some((e.code, e.message)), ..Start::default() }),
    };
    let id = FunctionId::InitializeDllEx;
    let size = size_of::<MPRAPI_ADMIN_DLL_CALLBACKS>();
    let mut table = [Arg::Memory(Guarded::with_margins(&vec![0; size], MARGIN, FILL))];
    progress.write(&Line::Call { function: id.name().into(), detail: String::new() });
    dll.call_export(id, &mut table);
    progress.step("a call returned");
    let [Arg::Memory(table)] = &table else { return ChildResult::skipped("it has no callbacks table") };
    match table.margins().1.iter().rposition(|&byte| byte != FILL) {
        Some(at) => ChildResult::fail(
            format!("{id} writes up to {} bytes past the end of the callbacks table", at + 1),
            format!(
                "The table has {size} bytes: the revision and twelve pointers. The memory after it was marked, and a mark was gone."
            ),
        ),
        None => ChildResult::pass("it writes nothing past the end"),
    }
}
