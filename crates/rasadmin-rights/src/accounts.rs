//! Accounts, as SIDs in text form: the current user and the user of a token, whether they are administrators, and who
//! the administrators are.
#![allow(unsafe_code)] // Windows' own functions for it.

use crate::account::Account;
use crate::local_memory::Local;
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr::{null, null_mut};
use windows_sys::Win32::Foundation::{FreeLibrary, HANDLE};
use windows_sys::Win32::NetworkManagement::NetManagement::{LOCALGROUP_MEMBERS_INFO_0, MAX_PREFERRED_LENGTH};
use windows_sys::Win32::Security::Authorization::ConvertSidToStringSidW;
use windows_sys::Win32::Security::{
    CheckTokenMembership, CreateWellKnownSid, GetTokenInformation, LookupAccountSidW, PSID, TOKEN_QUERY, TOKEN_USER,
    TokenUser, WinBuiltinAdministratorsSid,
};
use windows_sys::Win32::System::LibraryLoader::{GetProcAddress, LOAD_LIBRARY_SEARCH_SYSTEM32, LoadLibraryExW};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};
use windows_sys::core::{PCWSTR, s, w};

/// The longest SID has 68 bytes (SECURITY_MAX_SID_SIZE); in words, for its alignment.
type Sid = [u32; 17];

/// A SID as text, as in "S-1-5-18".
///
/// # Safety
/// It points to a SID.
pub(super) unsafe fn text(sid: PSID) -> io::Result<String> {
    let mut text = null_mut();
    // SAFETY: the caller's SID, and a place for the text, which is ours to free.
    if unsafe { ConvertSidToStringSidW(sid, &mut text) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let _text = Local(text.cast());
    // SAFETY: Windows has written a terminated text, which lives until the end of this function.
    unsafe {
        let length = (0..).take_while(|&at| *text.add(at) != 0).count();
        Ok(String::from_utf16_lossy(std::slice::from_raw_parts(text, length)))
    }
}

/// The current user's SID.
pub(super) fn own() -> io::Result<String> {
    // SAFETY: it is the SID of this process's token.
    with_user(&own_token()?.as_handle(), |sid| unsafe { text(sid) })
}

/// The current user's account, as in `CORP\alice`.
pub(super) fn own_name() -> io::Result<String> {
    user_name(&own_token()?.as_handle())
}

/// The account of a token that was taken from a client's thread.
pub(super) fn of_token(token: &BorrowedHandle<'_>) -> io::Result<Account> {
    // SAFETY: it is the SID of this token.
    let id = with_user(token, |sid| unsafe { text(sid) })?;
    // Windows cannot name an account if no domain controller answers, for example.
    let name = user_name(token).unwrap_or_else(|_| id.clone());
    let administrator = id == SYSTEM || is_member(token.as_raw_handle().cast());
    Ok(Account { id, name, administrator })
}

/// NT AUTHORITY\SYSTEM.
const SYSTEM: &str = "S-1-5-18";

/// The user of a token, as in `CORP\alice`.
fn user_name(token: &BorrowedHandle<'_>) -> io::Result<String> {
    // SAFETY: it is the SID of this token.
    let (domain, name) = with_user(token, |sid| unsafe { look_up(sid) })?;
    let (domain, name) = (String::from_utf16_lossy(&domain), String::from_utf16_lossy(&name));
    Ok(if domain.is_empty() { name } else { format!("{domain}\\{name}") })
}

/// The token of this process.
fn own_token() -> io::Result<OwnedHandle> {
    let mut token: HANDLE = null_mut();
    // SAFETY: the process's own pseudo handle, and a place for the token's.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was just opened, and nobody else has it.
    Ok(unsafe { OwnedHandle::from_raw_handle(token.cast()) })
}

/// Passes the SID of a token's user to a function.
fn with_user<T>(token: &BorrowedHandle<'_>, then: impl FnOnce(PSID) -> io::Result<T>) -> io::Result<T> {
    // A TOKEN_USER and the SID that it points to, in words for the alignment of the pointer.
    let mut user = [0_u64; 16];
    let (size, mut length) = (size_of_val(&user) as u32, 0);
    let token = token.as_raw_handle().cast();
    // SAFETY: the token is open; the buffer is as long as it says.
    if unsafe { GetTokenInformation(token, TokenUser, user.as_mut_ptr().cast(), size, &mut length) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: Windows has written a TOKEN_USER there, whose SID is in the same buffer.
    then(unsafe { (*user.as_ptr().cast::<TOKEN_USER>()).User.Sid })
}

/// BUILTIN\Administrators.
fn administrators() -> io::Result<Sid> {
    let (mut sid, mut size) = (Sid::default(), size_of::<Sid>() as u32);
    // SAFETY: a place for the longest SID; this one needs no domain.
    let made =
        unsafe { CreateWellKnownSid(WinBuiltinAdministratorsSid, null_mut(), sid.as_mut_ptr().cast(), &mut size) };
    if made == 0 { Err(io::Error::last_os_error()) } else { Ok(sid) }
}

/// Does this process have an administrator's rights?
pub(super) fn is_administrator() -> bool {
    is_member(null_mut())
}

/// Does this impersonation token, or (null) this thread, have an administrator's rights? A group that is there only to
/// deny does not count.
fn is_member(token: HANDLE) -> bool {
    let Ok(mut sid) = administrators() else { return false };
    let mut is = 0;
    // SAFETY: an open token, or null for the caller's own; a SID, and a place for the answer.
    unsafe { CheckTokenMembership(token, sid.as_mut_ptr().cast(), &mut is) != 0 && is != 0 }
}

/// Frees the library that was loaded.
struct Library(*mut core::ffi::c_void);

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: it was loaded, and is freed once.
        unsafe { FreeLibrary(self.0) };
    }
}

type GetMembers =
    unsafe extern "system" fn(PCWSTR, PCWSTR, u32, *mut *mut u8, u32, *mut u32, *mut u32, *mut usize) -> u32;
/// A function as the loader finds it.
type Found = unsafe extern "system" fn() -> isize;
type Free = unsafe extern "system" fn(*const core::ffi::c_void) -> u32;

/// The direct members of BUILTIN\Administrators: users and groups. It asks this computer only. Members of a domain's
/// groups are not among them, because only a domain controller knows them.
///
/// The library is loaded for this question alone, which is rare: RRAS's process does without it otherwise.
pub(super) fn members() -> io::Result<Vec<String>> {
    let group = name(&mut administrators()?)?;
    // SAFETY: a terminated name, of a library of Windows' own folder.
    let library = unsafe { LoadLibraryExW(w!("netapi32.dll"), null_mut(), LOAD_LIBRARY_SEARCH_SYSTEM32) };
    if library.is_null() {
        return Err(io::Error::last_os_error());
    }
    let library = Library(library);
    // SAFETY: the library is loaded; terminated names.
    let found = unsafe {
        (GetProcAddress(library.0, s!("NetLocalGroupGetMembers")), GetProcAddress(library.0, s!("NetApiBufferFree")))
    };
    let (Some(get), Some(free)) = found else { return Err(io::Error::last_os_error()) };
    // SAFETY: the two functions have these types, as lmaccess.h and lmapibuf.h say.
    let (get, free) =
        unsafe { (std::mem::transmute::<Found, GetMembers>(get), std::mem::transmute::<Found, Free>(free)) };
    let (mut members, mut read, mut all) = (null_mut(), 0, 0);
    // SAFETY: a terminated name, and places for the answers; the buffer is ours to free.
    let code =
        unsafe { get(null(), group.as_ptr(), 0, &mut members, MAX_PREFERRED_LENGTH, &mut read, &mut all, null_mut()) };
    if code != 0 {
        return Err(io::Error::from_raw_os_error(code as i32));
    }
    let entries = members.cast::<LOCALGROUP_MEMBERS_INFO_0>();
    // SAFETY: so many entries were written there, each with a SID in the same buffer.
    let sids = (0..read as usize).filter_map(|at| unsafe { text((*entries.add(at)).lgrmi0_sid).ok() }).collect();
    // SAFETY: the buffer came from this library, and is freed once.
    unsafe { free(members.cast()) };
    Ok(sids)
}

/// An account's name, in this computer's language, terminated.
fn name(sid: &mut Sid) -> io::Result<Vec<u16>> {
    // SAFETY: a SID that Windows has made.
    let (_, mut name) = unsafe { look_up(sid.as_mut_ptr().cast()) }?;
    name.push(0);
    Ok(name)
}

/// An account's domain and name, in this computer's language.
///
/// # Safety
/// It points to a SID.
unsafe fn look_up(sid: PSID) -> io::Result<(Vec<u16>, Vec<u16>)> {
    let (mut name, mut domain) = ([0; 257], [0; 257]);
    let (mut length, mut domain_length, mut usage) = (name.len() as u32, domain.len() as u32, 0);
    // SAFETY: the caller's SID, and two buffers that are as long as it says.
    let found = unsafe {
        LookupAccountSidW(
            null(),
            sid,
            name.as_mut_ptr(),
            &mut length,
            domain.as_mut_ptr(),
            &mut domain_length,
            &mut usage,
        )
    };
    if found == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((domain[..domain_length as usize].to_vec(), name[..length as usize].to_vec()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn this_process_has_an_owner() {
        assert!(own().unwrap().starts_with("S-1-5-"), "{:?}", own());
        // SAFETY: the SID was made by Windows.
        assert_eq!(unsafe { text(administrators().unwrap().as_mut_ptr().cast()) }.unwrap(), "S-1-5-32-544");
        assert_eq!(name(&mut administrators().unwrap()).unwrap().last(), Some(&0));
        assert!(!own_name().unwrap().is_empty());
    }
}
