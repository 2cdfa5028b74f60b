//! Who apart from administrators controls a file or folder.

use crate::error::{CommandError, Result};
use rasadmin_rights::{Object, UnsafePermission};
use std::path::Path;

/// Adds the path's unsafe permissions, each once.
pub fn add(all: &mut Vec<UnsafePermission>, path: &Path, object: Object) -> Result<()> {
    let found = rasadmin_rights::unsafe_permissions(path, object)
        .map_err(|e| CommandError::file(path, format!("its permissions cannot be read: {e}")))?;
    for permission in found {
        if !all.contains(&permission) {
            all.push(permission);
        }
    }
    Ok(())
}

/// Refuses if there are unsafe permissions, and lists them all.
pub fn refuse(unsafe_permissions: &[UnsafePermission]) -> Result<()> {
    let Some(first) = unsafe_permissions.first() else { return Ok(()) };
    let mut text = String::from(
        "only administrators may control what decides who may connect, and what runs as SYSTEM; nothing was changed",
    );
    for permission in unsafe_permissions {
        text += &format!("\n  {permission}");
    }
    text += &format!("\n  help: {}", rasadmin_rights::remedy(&first.path));
    Err(CommandError::refused(text))
}
