//! Takes a service's privileges away.
#![allow(unsafe_code)] // Windows' own function for it; the crate `windows-service` has none.

use windows_service::Error;
use windows_service::service::Service;
use windows_sys::Win32::System::Services::{
    ChangeServiceConfig2W, SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, SERVICE_REQUIRED_PRIVILEGES_INFOW,
};
use windows_sys::w;

/// Leaves the service's process no privilege but to pass through folders, which every process has. Other services
/// have the one to impersonate a client, which attackers have used to become SYSTEM.
pub fn keep_none(service: &Service) -> Result<(), Error> {
    // Two zeros end a list of texts. The literal has the second.
    let privileges = w!("SeChangeNotifyPrivilege\0");
    let info = SERVICE_REQUIRED_PRIVILEGES_INFOW { pmszRequiredPrivileges: privileges.cast_mut() };
    // SAFETY: the service is open for a change of its configuration; the structure is the one of this level, and Windows
    // only reads the list in it.
    let done = unsafe {
        ChangeServiceConfig2W(service.raw_handle(), SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, (&raw const info).cast())
    };
    if done == 0 { Err(Error::Winapi(std::io::Error::last_os_error())) } else { Ok(()) }
}
