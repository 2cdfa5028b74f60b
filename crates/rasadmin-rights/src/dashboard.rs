//! What the account of the dashboard's Windows service may read. That process speaks to a network, so it has no rights
//! but these.

use std::io;
use std::path::Path;

/// The account. Windows makes it of the service's name.
pub const ACCOUNT: &str = r"NT SERVICE\rasadmin-net";

/// Its SID. Windows makes it of the SHA-1 of the service's name in upper case, so it is the same on every computer.
pub const SID: &str = "S-1-5-80-486458400-3628221819-3193219048-547500157-3481063786";

/// The account's own folder: it writes and deletes files there, but does not delete the folder or change its rights.
/// Each entry of an access list: type, flags, rights, two fields for other objects, account.
pub const OWN_FOLDER: &str = "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)\
     (A;;0x1201bf;;;S-1-5-80-486458400-3628221819-3193219048-547500157-3481063786)\
     (A;OICIIO;0x1301bf;;;S-1-5-80-486458400-3628221819-3193219048-547500157-3481063786)";

/// What it may do with a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read this file.
    File,
    /// Read and run this program.
    Program,
    /// Read the files in this folder, also those that are made later, but not list it, and nothing in the folders within.
    FilesIn,
}

impl Access {
    /// The entry of an access list.
    pub(crate) const fn entry(self) -> &'static str {
        match self {
            Self::File => "A;;FR;;;S-1-5-80-486458400-3628221819-3193219048-547500157-3481063786",
            Self::Program => "A;;0x1200a9;;;S-1-5-80-486458400-3628221819-3193219048-547500157-3481063786",
            Self::FilesIn => "A;OINPIO;FR;;;S-1-5-80-486458400-3628221819-3193219048-547500157-3481063786",
        }
    }
}

/// Gives the account this access, and no other, to a file or folder.
///
/// # Errors
/// If that is not allowed, or not on this system.
pub fn allow(path: &Path, access: Access) -> io::Result<()> {
    crate::system::set_entry(path, SID, Some(access.entry()))
}

/// Takes the account's access away.
///
/// # Errors
/// If that is not allowed, or not on this system.
pub fn disallow(path: &Path) -> io::Result<()> {
    crate::system::set_entry(path, SID, None)
}

/// Whether the account has this access.
///
/// # Errors
/// If the rights cannot be read.
pub fn is_allowed(path: &Path, access: Access) -> io::Result<bool> {
    crate::system::has_entry(path, access.entry())
}

/// Makes the account's own folder.
///
/// # Errors
/// If it cannot be made, for example because it exists.
pub fn create_own_folder(path: &Path) -> io::Result<()> {
    crate::system::create_folder(path, OWN_FOLDER)
}
