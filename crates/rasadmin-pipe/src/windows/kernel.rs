//! Windows' functions for named pipes. Everything is overlapped, so that each wait can end.
#![allow(unsafe_code)] // Windows' own functions for it.

use crate::patience::Patience;
use rasadmin_rights::account::Descriptor;
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr::{null, null_mut};
use std::time::Duration;
use windows_sys::Win32::Foundation::{
    ERROR_IO_PENDING, ERROR_OPERATION_ABORTED, ERROR_PIPE_CONNECTED, HANDLE, INVALID_HANDLE_VALUE, WAIT_TIMEOUT,
};
use windows_sys::Win32::Security::{RevertToSelf, TOKEN_QUERY};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, FILE_GENERIC_READ, FILE_WRITE_DATA,
    OPEN_EXISTING, PIPE_ACCESS_DUPLEX, ReadFile, SECURITY_IDENTIFICATION, SECURITY_SQOS_PRESENT, WriteFile,
};
use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Pipes::{
    ConnectNamedPipe, CreateNamedPipeW, DisconnectNamedPipe, ImpersonateNamedPipeClient, PIPE_READMODE_BYTE,
    PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE, PIPE_UNLIMITED_INSTANCES, PIPE_WAIT, WaitNamedPipeW,
};
use windows_sys::Win32::System::Threading::{CreateEventW, GetCurrentThread, OpenThreadToken, WaitForSingleObject};
use windows_sys::core::BOOL;

/// The size of the buffers that Windows keeps for each direction. It is a hint.
const BUFFER: u32 = 64 << 10;

/// One end of an instance of a pipe.
pub struct Pipe {
    handle: OwnedHandle,
    /// It is set when an operation has ended.
    ended: OwnedHandle,
}

/// The handle of a file or pipe that was just opened, or why it was not.
fn opened(handle: HANDLE) -> io::Result<OwnedHandle> {
    if handle == INVALID_HANDLE_VALUE || handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was just opened, and nobody else has it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle.cast()) })
}

impl Pipe {
    fn new(handle: OwnedHandle) -> io::Result<Self> {
        // SAFETY: an event of our own, without a name, that is reset by hand.
        let ended = opened(unsafe { CreateEventW(null(), 1, 0, null()) })?;
        Ok(Self { handle, ended })
    }

    /// Creates an instance for clients of this computer. `first`: only if there is none yet. The name is terminated.
    pub fn create(name: &[u16], first: bool, descriptor: &Descriptor) -> io::Result<Self> {
        debug_assert_eq!(name.last(), Some(&0));
        let first = if first { FILE_FLAG_FIRST_PIPE_INSTANCE } else { 0 };
        // SAFETY: a terminated name, and attributes whose descriptor lives until after the call.
        let handle = unsafe {
            CreateNamedPipeW(
                name.as_ptr(),
                PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | first,
                PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
                PIPE_UNLIMITED_INSTANCES,
                BUFFER,
                BUFFER,
                0,
                &descriptor.attributes(),
            )
        };
        Self::new(opened(handle)?)
    }

    /// Opens a pipe as a client. Its server can find out who this is, but not act in this account's name. The name is
    /// terminated.
    pub fn open(name: &[u16]) -> io::Result<Self> {
        debug_assert_eq!(name.last(), Some(&0));
        // Not FILE_GENERIC_WRITE, which has the right to create further instances.
        let rights = FILE_GENERIC_READ | FILE_WRITE_DATA;
        let how = FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION;
        // SAFETY: a terminated name; no attributes, no template.
        let handle = unsafe { CreateFileW(name.as_ptr(), rights, 0, null(), OPEN_EXISTING, how, null_mut()) };
        Self::new(opened(handle)?)
    }

    fn raw(&self) -> HANDLE {
        self.handle.as_raw_handle().cast()
    }

    /// Waits for a client.
    pub fn accept(&mut self, patience: &Patience<'_>) -> io::Result<()> {
        let pipe = self.raw();
        // SAFETY: an open pipe; `run` keeps the structure until the operation has ended. `&mut self`: no other operation
        // uses the event.
        let done = self.run(patience, |overlapped| unsafe { ConnectNamedPipe(pipe, overlapped) });
        match done {
            Err(e) if e.raw_os_error() == Some(ERROR_PIPE_CONNECTED as i32) => Ok(()),
            done => done.map(drop),
        }
    }

    /// Drops a client, so that the instance can wait for the next one.
    pub fn disconnect(&self) -> io::Result<()> {
        // SAFETY: an open pipe.
        if unsafe { DisconnectNamedPipe(self.raw()) } == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Reads something.
    pub fn read(&mut self, buffer: &mut [u8], patience: &Patience<'_>) -> io::Result<usize> {
        let (to, length) = (buffer.as_mut_ptr(), u32::try_from(buffer.len()).unwrap_or(u32::MAX));
        let pipe = self.raw();
        // SAFETY: an open pipe, and a buffer of that length; `run` does not return before the operation has ended. `&mut
        // self`: no other operation uses the event.
        self.run(patience, |overlapped| unsafe { ReadFile(pipe, to, length, null_mut(), overlapped) })
    }

    /// Writes something.
    pub fn write(&mut self, bytes: &[u8], patience: &Patience<'_>) -> io::Result<usize> {
        let (from, length) = (bytes.as_ptr(), u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        let pipe = self.raw();
        // SAFETY: as for reading.
        self.run(patience, |overlapped| unsafe { WriteFile(pipe, from, length, null_mut(), overlapped) })
    }

    /// Starts an operation, and waits until it has ended. If patience ends first, it is cancelled. Returns how many
    /// bytes were moved.
    fn run(&mut self, patience: &Patience<'_>, start: impl FnOnce(*mut OVERLAPPED) -> BOOL) -> io::Result<usize> {
        let mut overlapped = OVERLAPPED { hEvent: self.ended.as_raw_handle().cast(), ..OVERLAPPED::default() };
        let overlapped = &raw mut overlapped;
        let mut cancelled = false;
        if start(overlapped) == 0 {
            let error = io::Error::last_os_error();
            if error.raw_os_error() != Some(ERROR_IO_PENDING as i32) {
                return Err(error);
            }
            while !cancelled {
                let slice = match patience.next() {
                    Ok(slice) => u32::try_from(slice.as_millis()).unwrap_or(0),
                    Err(_) => {
                        // SAFETY: an open pipe, and the structure of the operation.
                        unsafe { CancelIoEx(self.raw(), overlapped) };
                        cancelled = true;
                        break;
                    }
                };
                // SAFETY: the event is open.
                if unsafe { WaitForSingleObject(self.ended.as_raw_handle().cast(), slice) } != WAIT_TIMEOUT {
                    break;
                }
            }
        }
        let mut moved = 0;
        // Windows uses the structure and the buffer until the operation has ended, also when it was cancelled.
        // SAFETY: an open pipe, the structure of the operation, and a place for the number.
        if unsafe { GetOverlappedResult(self.raw(), overlapped, &mut moved, 1) } != 0 {
            return Ok(moved as usize);
        }
        match io::Error::last_os_error() {
            error if cancelled && error.raw_os_error() == Some(ERROR_OPERATION_ABORTED as i32) => {
                Err(io::ErrorKind::TimedOut.into())
            }
            error => Err(error),
        }
    }

    /// The token of the client. Windows requires that something was read from it.
    pub fn client_token(&self) -> io::Result<OwnedHandle> {
        // SAFETY: an open pipe. From here to RevertToSelf this thread acts as the client, and does only one thing.
        if unsafe { ImpersonateNamedPipeClient(self.raw()) } == 0 {
            return Err(io::Error::last_os_error());
        }
        let mut token = null_mut();
        // SAFETY: this thread's pseudo handle, and a place for the token. The process opens it, not the client.
        let known = unsafe { OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, 1, &mut token) };
        let error = io::Error::last_os_error();
        // SAFETY: it needs nothing.
        if unsafe { RevertToSelf() } == 0 {
            // Nothing may be done in the client's name.
            std::process::abort();
        }
        if known == 0 { Err(error) } else { opened(token) }
    }
}

impl AsHandle for Pipe {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.handle.as_handle()
    }
}

/// Waits until an instance of a pipe is free for a client.
pub fn wait_for_instance(name: &[u16], wait: Duration) {
    debug_assert_eq!(name.last(), Some(&0));
    let millis = u32::try_from(wait.as_millis()).unwrap_or(1).max(1);
    // SAFETY: a terminated name. The result is not needed: the next attempt shows whether an instance is free.
    unsafe { WaitNamedPipeW(name.as_ptr(), millis) };
}
