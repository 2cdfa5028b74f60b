//! Service instances: which processes belong together, and whether a process of an earlier instance is still alive.
//!
//! Each process of an instance holds a shared lock on one byte of a file. The system releases the lock when the process
//! dies, for whatever reason. The lock alone is not enough, because a child process that inherited the handle can keep
//! it. So the file also lists the holders below the instance's token: one line for each process, with its number and
//! creation time. A third word is the process's name in the records. From it, the next process that joins learns whose
//! sessions are over.

use crate::error::{Context, Error};
use crate::folder;
use crate::guard::Guard;
use crate::journal::LOCK;
use crate::kernel::{self, Mode};
use crate::owner;
use crate::wait;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// The name of the file.
pub const FILE: &str = "instance.lock";

/// The byte that is locked: far behind the text, because Windows cannot read what is locked.
const BYTE: u64 = 1 << 30;

/// The most bytes that are read: no instance has so many processes.
const LONGEST: u64 = 1024 * 1024;

/// Replaces the creation time if the system does not report it. Such a process counts as alive while the lock is held.
const UNKNOWN: &str = "unknown";

/// Membership in an instance, for as long as this value lives.
#[derive(Debug)]
pub struct Instance {
    token: String,
    first: bool,
    gone: Vec<String>,
    file: File,
}

impl Instance {
    /// The token that the processes of the instance share: that of its first process.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Did this process begin the instance? Then everything that an earlier one began has ended.
    pub fn is_first(&self) -> bool {
        self.first
    }

    /// The names of processes that had joined before, and had ended when this one joined.
    pub fn gone(&self) -> &[String] {
        &self.gone
    }
}

impl Guard<'_> {
    /// Joins the live instance, or begins one with this token, which must not contain a line break. `name` is this
    /// process's name, one word. The guard prevents others from joining at the same time.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Full`].
    pub fn join_instance(&mut self, token: &str, name: &str) -> Result<Instance, Error> {
        let folder = self.inner.log.folder.clone();
        let path = folder.join(FILE);
        let mut file = folder::open_or_make(&path, &mut self.inner.notices)?;
        let alone = kernel::try_lock(&file, BYTE, Mode::Exclusive).when("lock", &path)?;
        let (mut text, mut first) = (String::new(), alone);
        if !alone {
            text = read(&mut file).when("read", &path)?;
            first = !lives(&text);
        }
        let gone = if first { Vec::new() } else { gone(&text) };
        let others = text.split_once('\n').map(|(known, _)| known.to_owned());
        let token = others.filter(|_| !first).unwrap_or_else(|| token.replace(['\n', '\r'], " "));
        // Our own line first, for readers that come while the lock changes hands.
        let own = std::process::id();
        let created = kernel::created(own).unwrap_or_else(|| UNKNOWN.to_owned());
        let line = format!("{own} {created} {}\n", name.replace(char::is_whitespace, "-"));
        if first {
            file.set_len(0).when("write", &path)?;
            text = format!("{token}\n{line}");
            file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(text.as_bytes())).when("write", &path)?;
        } else {
            file.seek(SeekFrom::End(0)).and_then(|_| file.write_all(line.as_bytes())).when("write", &path)?;
        }
        if alone {
            kernel::unlock(&file, BYTE).when("unlock", &path)?;
        }
        // Nobody takes the lock exclusively without the guard.
        kernel::try_lock(&file, BYTE, Mode::Shared).when("lock", &path)?;
        Ok(Instance { token, first, gone, file })
    }

    /// Forgets the processes that have ended, so that those that join later do not get their names again. Their lines
    /// keep their length, because others may be reading.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn forget_gone(&mut self, instance: &mut Instance) -> Result<(), Error> {
        let path = self.inner.log.folder.join(FILE);
        let file = &mut instance.file;
        let text = read(file).when("read", &path)?;
        let mut known = text.clone();
        for Member { process, created, name } in members(&text).filter(|member| !member.lives()) {
            let Some(name) = name else { continue };
            let forgotten = format!("\n{process} {created} {}\n", "-".repeat(name.len()));
            known = known.replace(&format!("\n{process} {created} {name}\n"), &forgotten);
        }
        file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(known.as_bytes())).when("write", &path)?;
        instance.gone.clear();
        Ok(())
    }

    /// Is a process of an instance alive?
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn instance_lives(&mut self) -> Result<bool, Error> {
        probe(&self.inner.log.folder.join(FILE))
    }
}

/// Is a process of an instance alive? For callers that have no journal open. It takes the append lock for a moment, and
/// waits up to `patience` for it. If it cannot open the files for writing or does not get the lock, it relies on the
/// processes that the file lists; one of them may be alive although it has left the instance.
///
/// # Errors
/// If the file exists and cannot be read.
pub fn lives_in(folder: &Path, patience: Duration) -> Result<bool, Error> {
    let path = folder.join(FILE);
    let (deadline, lock_path) = (Instant::now() + patience, folder.join(LOCK));
    if owner::foreign(&path).is_some() {
        // A file that another user has written does not count.
        return Ok(false);
    }
    // Neither file is created.
    if owner::foreign(&lock_path).is_none()
        && let Ok(lock) = File::options().read(true).write(true).open(&lock_path)
    {
        let locked = wait::until(deadline, || {
            let locked = kernel::try_lock(&lock, 0, Mode::Exclusive).when("lock", &lock_path)?;
            Ok(locked.then_some(()))
        });
        let lives = locked.and_then(|()| {
            let lives = probe(&path);
            let _ = kernel::unlock(&lock, 0);
            lives
        });
        if lives.is_ok() {
            return lives;
        }
    }
    match File::open(&path) {
        Ok(mut file) => Ok(lives(&read(&mut file).when("read", &path)?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::new("open", &path, error)),
    }
}

fn probe(path: &Path) -> Result<bool, Error> {
    if !std::fs::symlink_metadata(path).is_ok_and(|of| of.is_file()) || owner::foreign(path).is_some() {
        return Ok(false);
    }
    let mut file = File::options().read(true).write(true).open(path).when("open", path)?;
    if kernel::try_lock(&file, BYTE, Mode::Exclusive).when("lock", path)? {
        kernel::unlock(&file, BYTE).when("unlock", path)?;
        return Ok(false);
    }
    Ok(lives(&read(&mut file).when("read", path)?))
}

fn read(file: &mut File) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A process that the file lists.
struct Member<'t> {
    process: &'t str,
    created: &'t str,
    name: Option<&'t str>,
}

impl Member<'_> {
    fn lives(&self) -> bool {
        let now = self.process.parse().ok().and_then(kernel::created);
        self.created == UNKNOWN || now.is_some_and(|now| now == self.created)
    }
}

fn members(text: &str) -> impl Iterator<Item = Member<'_>> {
    text.lines().skip(1).filter_map(|line| {
        let mut words = line.split(' ');
        Some(Member { process: words.next()?, created: words.next()?, name: words.next() })
    })
}

/// Is one of the listed processes still alive?
fn lives(text: &str) -> bool {
    members(text).any(|member| member.lives())
}

/// The names of the listed processes that have ended.
fn gone(text: &str) -> Vec<String> {
    let names = members(text).filter(|member| !member.lives()).filter_map(|member| member.name);
    names.filter(|name| !name.starts_with('-')).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_of_the_same_creation_lives() {
        let own = std::process::id();
        let created = kernel::created(own).unwrap();
        assert!(lives(&format!("token\n1 x\n{own} {created}\n")));
        assert!(!lives(&format!("token\n{own} {created}9\n")));
        assert!(!lives(&format!("{own} {created}\n")), "the first line is the token");
        assert!(!lives("token\n\nx y\n"));
        assert!(lives(&format!("token\n{own} {created} name\n")));
        assert_eq!(
            gone(&format!("token\n{own} {created} one\n{own} {created}9 two\n1 x\n2 y three\n")),
            ["two", "three"]
        );
    }
}
