//! The file that has what `rasadmin service run` prints to the console, for a service without one.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The size, in bytes, at which the file is renamed to `NAME.1`, replacing the previous one. The service writes a few
/// lines per day.
const ROLL_OVER: u64 = 4 * 1024 * 1024;

/// The log file, open.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: File,
}

impl LogFile {
    /// Opens it, and makes its folder.
    ///
    /// # Errors
    ///
    /// If the folder or the file cannot be made or opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(Self { path: path.to_owned(), file: append(path)? })
    }

    /// Writes a line. If that fails, the line is lost: the service goes on, and the system's log has what matters.
    pub fn line(&mut self, line: &str) {
        let _ = self.write(line, ROLL_OVER);
    }

    fn write(&mut self, line: &str, limit: u64) -> io::Result<()> {
        if self.file.metadata()?.len() >= limit {
            let mut old = self.path.clone().into_os_string();
            old.push(".1");
            // If it cannot be renamed, it goes on growing: better than to lose what it has.
            if std::fs::rename(&self.path, old).is_ok() {
                self.file = append(&self.path)?;
            }
        }
        self.file.write_all(format!("{line}\n").as_bytes())
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_full_file_becomes_the_old_one_and_no_line_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log/rasadmin-service.log");
        let read = |name: &str| std::fs::read_to_string(path.with_file_name(name)).unwrap();
        let mut log = LogFile::open(&path).unwrap();
        for line in ["one", "two", "three", "four", "five"] {
            log.write(line, 8).unwrap();
        }
        assert_eq!(
            (read("rasadmin-service.log.1"), read("rasadmin-service.log")),
            ("three\nfour\n".into(), "five\n".into())
        );
        drop(log);
        let mut again = LogFile::open(&path).unwrap();
        again.line("six");
        assert_eq!(read("rasadmin-service.log"), "five\nsix\n");
    }
}
