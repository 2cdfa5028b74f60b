//! Security descriptors, as text: read, given to a new folder or another new object, and set.
#![allow(unsafe_code)] // Windows' own functions for it.

use crate::accounts;
use crate::local_memory::Local;
use crate::sddl;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{AsRawHandle, BorrowedHandle};
use std::path::Path;
use std::ptr::null_mut;
use windows_sys::Win32::Foundation::ERROR_SUCCESS;
use windows_sys::Win32::Security::Authorization::{
    ConvertSecurityDescriptorToStringSecurityDescriptorW, ConvertStringSecurityDescriptorToSecurityDescriptorW,
    GetNamedSecurityInfoW, GetSecurityInfo, SDDL_REVISION_1, SE_FILE_OBJECT, SE_KERNEL_OBJECT, SetNamedSecurityInfoW,
};
use windows_sys::Win32::Security::{
    DACL_SECURITY_INFORMATION, GetSecurityDescriptorDacl, GetSecurityDescriptorOwner, OWNER_SECURITY_INFORMATION,
    PROTECTED_DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, PSID, SECURITY_ATTRIBUTES,
    UNPROTECTED_DACL_SECURITY_INFORMATION,
};
use windows_sys::Win32::Storage::FileSystem::CreateDirectoryW;

fn wide(path: &Path) -> io::Result<Vec<u16>> {
    let wide: Vec<u16> = path.as_os_str().encode_wide().collect();
    if wide.contains(&0) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path has a NUL in it"));
    }
    Ok(wide.into_iter().chain([0]).collect())
}

/// Owner and access list.
pub(super) fn read(path: &Path) -> io::Result<String> {
    let name = wide(path)?;
    let what = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    let mut descriptor: PSECURITY_DESCRIPTOR = null_mut();
    // SAFETY: a terminated name; the only answer asked for is the descriptor, which is ours to free.
    let code = unsafe {
        GetNamedSecurityInfoW(
            name.as_ptr(),
            SE_FILE_OBJECT,
            what,
            null_mut(),
            null_mut(),
            null_mut(),
            null_mut(),
            &mut descriptor,
        )
    };
    let descriptor = Local(descriptor);
    if code != ERROR_SUCCESS {
        return Err(io::Error::from_raw_os_error(code as i32));
    }
    let (mut text, mut length) = (null_mut(), 0);
    // SAFETY: the descriptor that Windows has just given; places for the text and its length.
    let done = unsafe {
        ConvertSecurityDescriptorToStringSecurityDescriptorW(
            descriptor.0,
            SDDL_REVISION_1,
            what,
            &mut text,
            &mut length,
        )
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    let text = Local(text.cast());
    // SAFETY: Windows has written so many units there; the memory lives as long as `text`.
    let units = unsafe { std::slice::from_raw_parts(text.0.cast::<u16>(), length as usize) };
    let end = units.iter().position(|&unit| unit == 0).unwrap_or(units.len());
    Ok(String::from_utf16_lossy(&units[..end]))
}

/// The owner's SID as text.
pub(super) fn owner(path: &Path) -> io::Result<String> {
    let name = wide(path)?;
    let (mut owner, mut descriptor): (PSID, PSECURITY_DESCRIPTOR) = (null_mut(), null_mut());
    // SAFETY: a terminated name; the owner is a part of the descriptor, which is ours to free.
    let code = unsafe {
        GetNamedSecurityInfoW(
            name.as_ptr(),
            SE_FILE_OBJECT,
            OWNER_SECURITY_INFORMATION,
            &mut owner,
            null_mut(),
            null_mut(),
            null_mut(),
            &mut descriptor,
        )
    };
    owner_in(code, owner, Local(descriptor))
}

/// The SID of the owner of an open object, such as a pipe, as text.
pub(super) fn owner_of(object: &BorrowedHandle<'_>) -> io::Result<String> {
    let (mut owner, mut descriptor): (PSID, PSECURITY_DESCRIPTOR) = (null_mut(), null_mut());
    // SAFETY: the object is open; the owner is a part of the descriptor, which is ours to free.
    let code = unsafe {
        GetSecurityInfo(
            object.as_raw_handle().cast(),
            SE_KERNEL_OBJECT,
            OWNER_SECURITY_INFORMATION,
            &mut owner,
            null_mut(),
            null_mut(),
            null_mut(),
            &mut descriptor,
        )
    };
    owner_in(code, owner, Local(descriptor))
}

/// The owner's SID as text. It is a part of the descriptor.
fn owner_in(code: u32, owner: PSID, _descriptor: Local) -> io::Result<String> {
    if code != ERROR_SUCCESS {
        return Err(io::Error::from_raw_os_error(code as i32));
    }
    if owner.is_null() {
        return Err(io::Error::other("it has no owner"));
    }
    // SAFETY: Windows has given this SID, and the descriptor that it is in lives until the end of this function.
    unsafe { accounts::text(owner) }
}

/// Gives a file or folder the access list of this text. If the list is protected, inheritance stops. With `owner`, it
/// sets the owner too.
pub(super) fn set(path: &Path, sddl: &str, owner: bool) -> io::Result<()> {
    let name = wide(path)?;
    let descriptor = parse(sddl)?;
    let (mut list, mut sid) = (null_mut(), null_mut());
    let (mut present, mut defaulted) = (0, 0);
    // SAFETY: a descriptor that Windows has made, and places for what it points to, which lives as long as it.
    let known = unsafe {
        GetSecurityDescriptorDacl(descriptor.0, &mut present, &mut list, &mut defaulted) != 0
            && GetSecurityDescriptorOwner(descriptor.0, &mut sid, &mut defaulted) != 0
    };
    if !known || present == 0 || list.is_null() {
        // Without a list everyone would be allowed everything.
        return Err(io::Error::other("the new access list is missing"));
    }
    // Windows makes inherited entries again from those of the folder above.
    let inheritance = if sddl::is_protected(sddl) {
        PROTECTED_DACL_SECURITY_INFORMATION
    } else {
        UNPROTECTED_DACL_SECURITY_INFORMATION
    };
    let what = DACL_SECURITY_INFORMATION | inheritance | if owner { OWNER_SECURITY_INFORMATION } else { 0 };
    // SAFETY: a terminated name; owner and list are parts of the descriptor, which lives until after the call.
    let code = unsafe { SetNamedSecurityInfoW(name.as_ptr(), SE_FILE_OBJECT, what, sid, null_mut(), list, null_mut()) };
    if code == ERROR_SUCCESS { Ok(()) } else { Err(io::Error::from_raw_os_error(code as i32)) }
}

/// A security descriptor for a new object.
pub struct Descriptor(Local);

impl Descriptor {
    /// From its text.
    ///
    /// # Errors
    /// If Windows does not understand the text.
    pub fn parse(sddl: &str) -> io::Result<Self> {
        parse(sddl).map(Self)
    }

    /// For the creation of an object that child processes do not inherit. The pointer in it is valid as long as this
    /// descriptor.
    pub fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: self.0.0,
            bInheritHandle: 0,
        }
    }
}

fn parse(sddl: &str) -> io::Result<Local> {
    let sddl: Vec<u16> = sddl.encode_utf16().chain([0]).collect();
    let mut descriptor: PSECURITY_DESCRIPTOR = null_mut();
    // SAFETY: a terminated text, and a place for the descriptor, which is ours to free.
    let done = unsafe {
        ConvertStringSecurityDescriptorToSecurityDescriptorW(
            sddl.as_ptr(),
            SDDL_REVISION_1,
            &mut descriptor,
            null_mut(),
        )
    };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(Local(descriptor)) }
}

/// Creates a folder that has this descriptor from the start.
pub(super) fn create_folder(path: &Path, sddl: &str) -> io::Result<()> {
    let name = wide(path)?;
    let descriptor = Descriptor::parse(sddl)?;
    // SAFETY: a terminated name, and attributes with a descriptor that lives until after the call.
    if unsafe { CreateDirectoryW(name.as_ptr(), &descriptor.attributes()) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
