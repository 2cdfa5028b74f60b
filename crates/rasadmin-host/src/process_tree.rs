//! A child process and all processes that it starts, which end together.
#![allow(unsafe_code)] // The system's functions for groups of processes, and for threads of others.

use std::io;
use std::process::{Child, Command};

/// A child process with its own children.
pub(crate) struct ProcessTree {
    pub child: Child,
    #[cfg(windows)]
    job: std::os::windows::io::OwnedHandle,
}

impl ProcessTree {
    /// Starts the child.
    pub(crate) fn spawn(command: &mut Command) -> io::Result<Self> {
        system::spawn(command)
    }

    /// Kills all of it, and waits for the child.
    pub(crate) fn kill(&mut self) {
        system::kill(self);
        // It fails if the child has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for ProcessTree {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether the thread of a process exists no more.
pub(crate) fn thread_is_gone(process: u32, thread: u64) -> bool {
    system::thread_is_gone(process, thread)
}

/// Ends this process and all that it has started.
pub(crate) fn end_own_tree() -> ! {
    system::end_own_tree()
}

#[cfg(unix)]
mod system {
    use super::ProcessTree;
    use std::io;
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    pub fn spawn(command: &mut Command) -> io::Result<ProcessTree> {
        command.process_group(0);
        // If whoever started this process ignores it, nobody could learn how the child ended.
        // SAFETY: the default disposition is always valid.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
        Ok(ProcessTree { child: command.spawn()? })
    }

    pub fn kill(tree: &mut ProcessTree) {
        if let Ok(group) = i32::try_from(tree.child.id()) {
            // SAFETY: it kills the group that this child leads. The child has not been waited for, or its group still has
            // processes of ours, or the call fails, so that no other group can have this number.
            unsafe { libc::kill(-group, libc::SIGKILL) };
        }
    }

    pub fn thread_is_gone(process: u32, thread: u64) -> bool {
        match std::fs::read_to_string(format!("/proc/{process}/task/{thread}/stat")) {
            // The state follows the name, which is in brackets. A main thread that has ended is a zombie.
            Ok(stat) => stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X'])),
            Err(_) => std::path::Path::new("/proc/self/task").exists(),
        }
    }

    pub fn end_own_tree() -> ! {
        // SAFETY: it kills this process's own group. Only a process that `spawn` started leads one, and comes here.
        unsafe { libc::kill(0, libc::SIGKILL) };
        std::process::abort()
    }
}

#[cfg(windows)]
mod system {
    use super::ProcessTree;
    use std::io;
    use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
    use std::process::Command;
    use windows_sys::Win32::Foundation::{CloseHandle, WAIT_OBJECT_0};
    use windows_sys::Win32::System::JobObjects::{
        AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
        JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectExtendedLimitInformation, SetInformationJobObject,
        TerminateJobObject,
    };
    use windows_sys::Win32::System::Threading::{OpenThread, THREAD_SYNCHRONIZE, WaitForSingleObject};

    pub fn spawn(command: &mut Command) -> io::Result<ProcessTree> {
        // SAFETY: the handle is checked, and owned from then on; the limits are a valid structure of the size that is given.
        let job = unsafe {
            let job = CreateJobObjectW(std::ptr::null(), std::ptr::null());
            if job.is_null() {
                return Err(io::Error::last_os_error());
            }
            let job = OwnedHandle::from_raw_handle(job);
            let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
            limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
            SetInformationJobObject(
                job.as_raw_handle(),
                JobObjectExtendedLimitInformation,
                (&raw const limits).cast(),
                size_of_val(&limits) as u32,
            );
            job
        };
        let child = command.spawn()?;
        // If this fails (a job that allows no other), the child is killed alone.
        // SAFETY: both handles are open.
        unsafe { AssignProcessToJobObject(job.as_raw_handle(), child.as_raw_handle()) };
        Ok(ProcessTree { child, job })
    }

    pub fn kill(tree: &mut ProcessTree) {
        // SAFETY: the handle is open.
        unsafe { TerminateJobObject(tree.job.as_raw_handle(), 1) };
    }

    pub fn thread_is_gone(_process: u32, thread: u64) -> bool {
        // SAFETY: the handle is checked, waited for without delay, and closed.
        unsafe {
            let handle = OpenThread(THREAD_SYNCHRONIZE, 0, thread as u32);
            if handle.is_null() {
                return true;
            }
            let gone = WaitForSingleObject(handle, 0) == WAIT_OBJECT_0;
            CloseHandle(handle);
            gone
        }
    }

    pub fn end_own_tree() -> ! {
        // The job ends what this process has started, because the process that held it is gone.
        std::process::abort()
    }
}
