//! Where configuration and log are, and the server's name.

use rasadmin_engine::{Name, config};
use rasadmin_sdk::{InitializeError, abi, library};
use std::path::PathBuf;

/// No configuration was ever good: ERROR_BAD_CONFIGURATION.
pub const CONFIG_IS_BAD: u32 = 1610;

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The folder of all servers' data.
fn data_folder() -> Option<PathBuf> {
    if cfg!(windows) {
        variable("ProgramData").map(|folder| folder.join("rasadmin"))
    } else {
        Some("/etc/rasadmin".into())
    }
}

/// The log.
pub fn log_file() -> PathBuf {
    let folder = if cfg!(windows) { data_folder() } else { Some("/var/log/rasadmin".into()) };
    variable("RASADMIN_LOG").unwrap_or_else(|| folder.unwrap_or_else(std::env::temp_dir).join("rasadmin.log"))
}

/// The configuration, where [`config::find`] finds it.
pub fn config_file() -> Result<PathBuf, InitializeError> {
    let beside = library::own_path().and_then(|path| path.parent().map(PathBuf::from));
    let places = config::Places {
        variable: variable("RASADMIN_CONFIG"),
        registry: registry(),
        dll_folder: beside,
        data_folder: data_folder(),
    };
    config::find(&places).map_err(|e| InitializeError::new(abi::ERROR_FILE_NOT_FOUND, e.to_string()))
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

/// The computer's name, as Windows calls it; for a configuration that names no server.
pub fn server_name() -> Name {
    let name = std::env::var("COMPUTERNAME").ok().or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok());
    Name::new(name.as_deref().map_or("localhost", str::trim))
}
