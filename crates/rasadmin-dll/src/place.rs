//! Where the configuration is: the DLL's own folder is one of the places.

use rasadmin_engine::config;
use rasadmin_messages::Message;
use rasadmin_sdk::{InitializeError, abi, library};
use rasadmin_system::places;
use std::path::PathBuf;

/// No configuration was ever good: ERROR_BAD_CONFIGURATION.
pub const CONFIG_IS_BAD: u32 = 1610;

/// The configuration, where [`config::find`] finds it.
pub fn config_file() -> Result<PathBuf, InitializeError> {
    let beside = library::own_path().and_then(|path| path.parent().map(PathBuf::from));
    config::find(&places::config_places(beside)).map_err(|details| {
        Message::ConfigNotFound { details: &details }.tell();
        InitializeError::new(abi::ERROR_FILE_NOT_FOUND, "")
    })
}
