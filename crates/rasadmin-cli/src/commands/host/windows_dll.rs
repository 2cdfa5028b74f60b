//! Windows DLLs on other systems: they run only under Wine.

use crate::error::{CommandError, Kind, Result};
use rasadmin_text::shell_quoted;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Returns an error with the command for Wine if one of the DLLs is for Windows and this system is not.
pub fn require_native(dlls: &[PathBuf]) -> Result<()> {
    match dlls.iter().find(|dll| !cfg!(windows) && is_for_windows(dll)) {
        None => Ok(()),
        Some(dll) => {
            let message = format!("{}: a Windows DLL runs only on Windows or under Wine", dll.display());
            let command = under_wine(std::env::args_os().skip(1));
            Err(CommandError::new(Kind::Dll, message).hint(format!("run: {command}")))
        }
    }
}

/// Every Windows program and DLL begins with `MZ`. A file that cannot be read is left to whatever loads it.
fn is_for_windows(dll: &Path) -> bool {
    // Opening a pipe would wait for its writer.
    if !dll.is_file() {
        return false;
    }
    let mut magic = [0; 2];
    File::open(dll).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == *b"MZ"
}

/// The same command, for the Windows program.
fn under_wine(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
    arguments.into_iter().fold("wine target/windows/rasadmin.exe".to_owned(), |command, argument| {
        format!("{command} {}", shell_quoted(&argument.as_ref().to_string_lossy()))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn file(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    #[test]
    fn a_windows_dll_needs_wine_on_other_systems_only() {
        let folder = tempfile::tempdir().unwrap();
        let windows = file(folder.path(), "theirs.dll", b"MZ\x90\0");
        let native = file(folder.path(), "ours.so", b"\x7fELF");
        let short = file(folder.path(), "short.dll", b"M");
        let others = [native, short, folder.path().join("missing.dll"), folder.path().to_owned()];
        require_native(&others).unwrap();
        let asked = require_native(&[others[0].clone(), windows]);
        if cfg!(windows) {
            asked.unwrap();
            return;
        }
        let error = asked.unwrap_err();
        assert_eq!(error.kind(), Kind::Dll);
        let text = error.to_string();
        assert!(text.contains("theirs.dll: a Windows DLL runs only on Windows or under Wine"), "{text}");
        assert!(text.contains("run: wine target/windows/rasadmin.exe"), "{text}");
    }

    #[test]
    fn the_command_is_the_same_and_can_be_pasted() {
        let command = under_wine(["host", "run", "--dll", "my dll's.dll", "a.scenario"]);
        assert_eq!(command, r"wine target/windows/rasadmin.exe host run --dll 'my dll'\''s.dll' a.scenario");
    }
}
