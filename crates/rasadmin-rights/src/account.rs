//! The account of the process on the other side of a pipe or socket, as the operating system reports it.

#[cfg(windows)]
pub use crate::descriptor::Descriptor;
use crate::system;
#[cfg(windows)]
use std::io;
#[cfg(windows)]
use std::os::windows::io::BorrowedHandle;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its SID as text; on Unix the user's number.
    pub id: String,
    /// Its name, as in `CORP\alice`; the SID if Windows cannot name it.
    pub name: String,
    /// Does it have an administrator's rights? On Windows, SYSTEM and members of Administrators do, unless User Account
    /// Control has taken the rights away; on Unix, root and the current user do.
    pub administrator: bool,
}

/// The account of a user's number.
#[cfg(unix)]
pub fn of_user(number: u32) -> Account {
    system::account(number)
}

/// The account of a token that was taken from a thread that impersonates a client. The level at which a client can be
/// identified is enough.
///
/// # Errors
/// If Windows does not say whose token it is.
#[cfg(windows)]
pub fn of_token(token: &BorrowedHandle<'_>) -> io::Result<Account> {
    crate::accounts::of_token(token)
}

/// Returns the owner of an open object, such as a pipe, if an account owns it that is neither an administrator's nor the
/// current user's.
///
/// # Errors
/// If Windows does not say who owns it.
#[cfg(windows)]
pub fn foreign_owner(object: &BorrowedHandle<'_>) -> io::Result<Option<String>> {
    let owner = crate::descriptor::owner_of(object)?;
    Ok((!system::is_trusted_owner(&owner)).then(|| crate::sddl::name(&owner)))
}
