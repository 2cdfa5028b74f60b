//! Where configuration and log are, and the server's name: the same for the DLL and the command.

use rasadmin_policy::{Name, config};
use std::path::PathBuf;

/// Returns the path in an environment variable; None if it is empty or missing.
pub fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Returns the default folder of configuration and ledger: `%ProgramData%\rasadmin`, or `/etc/rasadmin` on other
/// systems.
pub fn data_folder() -> Option<PathBuf> {
    if cfg!(windows) {
        variable("ProgramData").map(|folder| folder.join("rasadmin"))
    } else {
        Some("/etc/rasadmin".into())
    }
}

/// Returns the log file: RASADMIN_LOG, else `%ProgramData%\rasadmin\rasadmin.log`, or `/var/log/rasadmin/rasadmin.log`
/// on other systems.
pub fn log_file() -> PathBuf {
    let folder = if cfg!(windows) { data_folder() } else { Some("/var/log/rasadmin".into()) };
    variable("RASADMIN_LOG").unwrap_or_else(|| folder.unwrap_or_else(std::env::temp_dir).join("rasadmin.log"))
}

/// Returns the log file of the rasadmin service if it has no console: `rasadmin-service.log` beside the DLL's log.
pub fn service_log_file() -> PathBuf {
    log_file().with_file_name("rasadmin-service.log")
}

/// Returns the places that [`config::find`] searches. `dll_folder` is the folder of the DLL, if it is known.
pub fn config_places(dll_folder: Option<PathBuf>) -> config::Locations {
    config::Locations {
        variable: variable("RASADMIN_CONFIG"),
        registry: registry(),
        dll_folder,
        data_folder: data_folder(),
    }
}

/// `HKLM\SOFTWARE\rasadmin`, value `ConfigPath`.
#[cfg(windows)]
fn registry() -> Option<PathBuf> {
    let key = winreg::RegKey::predef(winreg::enums::HKEY_LOCAL_MACHINE).open_subkey("SOFTWARE\\rasadmin").ok()?;
    key.get_value::<String, _>("ConfigPath").ok().filter(|path| !path.is_empty()).map(PathBuf::from)
}

#[cfg(not(windows))]
fn registry() -> Option<PathBuf> {
    None
}

/// Returns the computer's name, for a configuration that names no server.
pub fn server_name() -> Name {
    let name = std::env::var("COMPUTERNAME").ok().or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok());
    Name::new(name.as_deref().map_or("localhost", str::trim))
}
