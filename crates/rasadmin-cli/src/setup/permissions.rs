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
    refuse_with(
        "only administrators may control what decides who may connect, and what runs as SYSTEM; nothing was changed",
        unsafe_permissions,
        rasadmin_rights::remedy,
    )
}

/// Refuses to run files with unsafe permissions.
pub fn refuse_to_run(unsafe_permissions: &[UnsafePermission]) -> Result<()> {
    let place = if cfg!(windows) { r"C:\Program Files\rasadmin" } else { "/usr/local/lib/rasadmin" };
    refuse_with(
        "others than administrators could have changed what this command would run now; nothing was run or changed",
        unsafe_permissions,
        |_| {
            format!(
                "unpack the release again, into a folder that only administrators can write, such as {place}, and run \
                 this command from there"
            )
        },
    )
}

fn refuse_with(
    what: &str,
    unsafe_permissions: &[UnsafePermission],
    remedy: impl FnOnce(&Path) -> String,
) -> Result<()> {
    let Some(first) = unsafe_permissions.first() else { return Ok(()) };
    let mut text = what.to_owned();
    for permission in unsafe_permissions {
        text += &format!("\n  {permission}");
    }
    Err(CommandError::refused(text).hint(remedy(&first.path)))
}
