//! Checks that count the threads, handles, TLS indexes and memory that a DLL leaves behind.

use super::arguments::ordinary_call;
use super::job::Job;
use super::loaded::LoadedDll;
use super::progress::{ChildResult, Line, Progress, Start};
use crate::counters;
use crate::image::Image;
use rasadmin_host::module::Module;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a DLL's threads may take to end after MprAdminTerminateDll has returned.
const THREADS_END: Duration = Duration::from_secs(2);
/// The number of sessions between two counts of handles.
const SESSIONS: u32 = 100;
/// The number of handles that a DLL may gain without leaking one per session.
const FEW_HANDLES: usize = 10;

fn uncountable(error: &io::Error) -> ChildResult {
    ChildResult::skipped(format!("this platform cannot count it: {error}"))
}

/// Calls every function once, as for a user who connects and disconnects.
fn one_user(dll: &mut LoadedDll<'_>, n: u32) {
    for id in dll.functions() {
        dll.call(id, "", &mut ordinary_call(id, n));
    }
}

/// Waits until `count` is down to `allowed`, and returns the last count.
fn settle(allowed: usize, count: impl Fn() -> io::Result<usize>) -> io::Result<usize> {
    let step = Duration::from_millis(20);
    for _ in 0..THREADS_END.as_millis() / step.as_millis() {
        if count()? <= allowed {
            break;
        }
        std::thread::sleep(step);
    }
    count()
}

pub(super) fn threads_after_terminate(mut dll: LoadedDll<'_>) -> ChildResult {
    let result = threads(&mut dll);
    std::mem::forget(dll.admin_dll);
    result.unwrap_or_else(|e| uncountable(&e))
}

fn threads(dll: &mut LoadedDll<'_>) -> io::Result<ChildResult> {
    let now = counters::threads()?;
    one_user(dll, 1);
    dll.call_terminate();
    let allowed = dll.threads_before;
    let left = settle(allowed, counters::threads)?;
    Ok(if left > allowed {
        let n = left - allowed;
        ChildResult::fail(
            format!("{n} thread{} left after MprAdminTerminateDll", if n == 1 { " is" } else { "s are" }),
            format!("{allowed} ran when it was loaded, {now} when it was initialised, {left} after it was terminated."),
        )
    } else {
        ChildResult::pass("none is left")
    })
}

pub(super) fn handles_per_call(dll: &mut LoadedDll<'_>) -> ChildResult {
    handles(dll).unwrap_or_else(|e| uncountable(&e))
}

fn handles(dll: &mut LoadedDll<'_>) -> io::Result<ChildResult> {
    if dll.functions().is_empty() {
        return Ok(ChildResult::pass("it has no function to which this applies"));
    }
    let mut done = 0;
    let mut sessions = |dll: &mut LoadedDll<'_>| {
        for n in 0..SESSIONS {
            if !dll.in_time() {
                return Err(dll.late(done, 2 * SESSIONS as usize, "sessions"));
            }
            one_user(dll, n);
            done += 1;
        }
        Ok(())
    };
    // In the first round the DLL opens the handles that it keeps.
    if let Err(late) = sessions(dll) {
        return Ok(late);
    }
    let before = counters::handles()?;
    if let Err(late) = sessions(dll) {
        return Ok(late);
    }
    let after = counters::handles()?;
    let grown = after.saturating_sub(before);
    Ok(if grown > FEW_HANDLES {
        ChildResult::fail(
            format!("{SESSIONS} sessions leave {grown} handles open"),
            format!("The process held {before} handles before them and {after} after."),
        )
    } else {
        ChildResult::pass(format!("{SESSIONS} sessions leave none open"))
    })
}

pub(super) fn load_cycles(job: &Job, progress: &mut Progress) -> ChildResult {
    cycles(job, progress).unwrap_or_else(|e| uncountable(&e))
}

struct ProcessCounts {
    threads: usize,
    handles: usize,
    tls: usize,
}

impl ProcessCounts {
    fn now() -> io::Result<Self> {
        Ok(Self { threads: counters::threads()?, handles: counters::handles()?, tls: counters::free_tls_indexes() })
    }
}

/// Starts the DLL, serves one user, terminates and unloads it, and starts it again.
pub(super) fn start_again(job: &Job, progress: &mut Progress) -> ChildResult {
    let dll = match one_cycle(job, progress) {
        Ok(dll) => dll,
        Err(start) => return ChildResult::NotStarted(start),
    };
    progress.write(&Line::Unloading);
    if let Err(why) = dll.unload() {
        return ChildResult::skipped(format!("it cannot be unloaded: {why}"));
    }
    progress.step("unloaded");
    match one_cycle(job, progress) {
        Ok(dll) => {
            std::mem::forget(dll);
            ChildResult::pass("it starts again after it was terminated and unloaded")
        }
        Err(start) => not_again(&start, "it was terminated and unloaded, and then loaded again into the same process"),
    }
}

/// The finding about a DLL that does not start again.
pub(super) fn not_again(start: &Start, when: &str) -> ChildResult {
    let failure = start.failure().unwrap_or_else(|| "it does not initialise".into());
    ChildResult::fail(
        format!("the service does not start a second time: {failure}"),
        format!("The first time, it started; {when}."),
    )
}

/// Loads the libraries that the DLL depends on, to keep them loaded through all cycles. In RRAS's process they stay
/// loaded, and the DLL is not to blame for what they leak when they are loaded again (in Wine, ws2_32, advapi32 and
/// userenv leak 330 bytes).
fn dependents(image: Option<&Image>) -> Vec<Module> {
    let imports = image.map(|image| image.imports.as_slice()).unwrap_or_default();
    let needed = imports.iter().filter(|import| !import.delayed && !import.library.is_empty());
    needed.filter_map(|import| Module::load(Path::new(&import.library)).ok()).collect()
}

fn cycles(job: &Job, progress: &mut Progress) -> io::Result<ChildResult> {
    let image = Image::read(&job.file).ok();
    let _held = dependents(image.as_ref());
    let begin = Instant::now();
    // In the first cycles the C library and the system open what they keep.
    let warm_up = (job.cycles / 10).clamp(2, 20);
    let mut base = ProcessCounts::now()?;
    let mut memory = Vec::with_capacity(job.cycles as usize);
    for cycle in 1..=warm_up + job.cycles {
        if begin.elapsed() >= job.time {
            return Ok(ChildResult::late(cycle as usize - 1, (warm_up + job.cycles) as usize, "cycles", job.time));
        }
        let dll = match one_cycle(job, progress) {
            Ok(dll) => dll,
            Err(start) => {
                return Ok(not_again(
                    &start,
                    &format!("after {} cycles of loading and unloading, it did not", cycle - 1),
                ));
            }
        };
        if cycle <= warm_up {
            // Handles that the first cycles open are not a leak.
            base.handles = counters::handles()?;
            if cycle == 1 {
                // The system's loader may keep worker threads. The check threads-after-terminate finds the DLL's own.
                base.threads = base.threads.max(settle(base.threads, counters::threads)?);
            }
        }
        // A thread in code that is unloaded crashes the process, so count before unloading.
        let threads = settle(base.threads, counters::threads)?;
        let handles = counters::handles()?;
        if threads > base.threads || handles > base.handles + FEW_HANDLES {
            return Ok(ChildResult::fail(
                format!("after {cycle} cycles it holds {threads} threads and {handles} handles"),
                format!("Before, the process held {} and {}.", base.threads, base.handles),
            ));
        }
        progress.write(&Line::Unloading);
        dll.unload().map_err(io::Error::other)?;
        progress.step(format!("cycle {cycle}"));
        if cycle == 1 && counters::image_is_loaded(&job.file) {
            return Ok(ChildResult::fail(
                "its code stays in memory after it is unloaded",
                "Something keeps the image mapped: a pinned module, or a thread that still has to run destructors \
                 of it.",
            ));
        }
        if cycle <= warm_up {
            base.tls = counters::free_tls_indexes();
            base.handles = counters::handles()?;
        } else {
            memory.push(counters::memory()?);
            if cycle.is_multiple_of(50) || cycle == warm_up + job.cycles {
                let lost = base.tls.saturating_sub(counters::free_tls_indexes());
                let cycles = (cycle - warm_up) as usize;
                if lost > 2 + cycles / 20 {
                    let mut cause = "The DLL takes indexes of thread-local storage when it is loaded and never frees \
                                     them; a process has about a thousand."
                        .to_owned();
                    if image.as_ref().is_some_and(|image| image.built_with_sdk) {
                        cause.push_str(" Rust for a windows-gnu target needs -Zhas-thread-local=yes.");
                    }
                    return Ok(ChildResult::fail(format!("{cycles} cycles leave {lost} TLS indexes taken"), cause));
                }
            }
        }
    }
    let grown = growth(&memory);
    Ok(if grown > GROWTH {
        let mut cause = "The process's own memory grows with every cycle.".to_owned();
        // The growth is that of eight tenths of the cycles.
        let a_cycle = grown * 10 / (u64::from(job.cycles) * 8).max(1);
        if POOL.contains(&a_cycle) {
            cause.push_str(
                " About 72 KiB a cycle is what GCC's C++ library allocates for exceptions when it is linked statically: \
                 __gnu_cxx::__freeres(), called at the end of MprAdminTerminateDll, frees it.",
            );
        }
        ChildResult::fail(format!("{} cycles leave {} KiB of memory behind", job.cycles, grown / 1024), cause)
    } else {
        ChildResult::pass(format!("{} cycles leave no thread, handle, TLS index or memory behind", job.cycles))
    })
}

/// The growth a cycle, in bytes, that comes from the pool of GCC's C++ library.
const POOL: std::ops::Range<u64> = 70 * 1024..78 * 1024;

/// Growth of memory, in bytes, that is more than noise.
const GROWTH: u64 = 256 * 1024;

/// The growth of the samples: the minimum of the last tenth less the maximum of the second tenth. A leak keeps growing; a
/// cache does not.
fn growth(samples: &[u64]) -> u64 {
    let tenth = samples.len() / 10;
    let early = samples.get(tenth..2 * tenth).unwrap_or_default().iter().max();
    let late = samples.get(samples.len() - tenth..).unwrap_or_default().iter().min();
    match (early, late) {
        (Some(early), Some(late)) => late.saturating_sub(*early),
        _ => 0,
    }
}

/// Loads and initialises the DLL, serves one user, and terminates it, all on a thread that has ended when this returns. On
/// Linux a library stays mapped as long as a thread still has to run its destructors.
fn one_cycle(job: &Job, progress: &mut Progress) -> Result<rasadmin_host::dll::AdminDll, Start> {
    let joined = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let mut dll = LoadedDll::start(job, progress)?;
            one_user(&mut dll, 1);
            dll.call_terminate();
            Ok(dll.admin_dll)
        });
        thread.join()
    });
    joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leak_grows_and_a_cache_does_not() {
        let leak: Vec<u64> = (0..200).map(|n| 1_000_000 + n * 4096).collect();
        assert!(growth(&leak) > GROWTH);
        let cache: Vec<u64> = (0..200).map(|n| 1_000_000 + n.min(10) * 65_536).collect();
        assert_eq!(growth(&cache), 0);
        assert_eq!(growth(&[]), 0);
    }
}
