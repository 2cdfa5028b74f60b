//! Daily backups of the ledger: one file for each day, of which the newest are kept.

use crate::duty::Fault;
use crate::settings::Settings;
use rasadmin_ledger::upkeep::Upkeep;
use rasadmin_policy::Millis;
use rasadmin_rights::private::make_folder;
use rasadmin_system::disk;
use std::path::{Path, PathBuf};

/// The extension of a backup that is not complete.
const PART: &str = "part";

/// Makes the backup of today, unless there is one, and deletes the oldest. Returns its path.
pub fn make(settings: &Settings, now: Millis) -> Result<PathBuf, Fault> {
    let of = &settings.service.retention;
    let folder = &of.backups;
    let cannot = |what: String| Fault::new(what, "check `backups` below [service.retention]");
    make_folder(folder).map_err(|e| cannot(format!("{}: the folder cannot be created: {e}", folder.display())))?;
    let names = Names::of(&settings.ledger);
    let day = jiff::Timestamp::from_millisecond(now).unwrap_or_default().to_zoned(settings.zone.clone()).date();
    let path = folder.join(names.on(&day.to_string()));
    if !path.exists() {
        has_room(settings)?;
        // Complete and checked before it gets its name. What a crash left behind is overwritten.
        let part = path.with_extension(PART);
        let _ = std::fs::remove_file(&part);
        let made = Upkeep::open(&settings.ledger).and_then(|mut ledger| ledger.backup(&part));
        if let Err(error) = made {
            let _ = std::fs::remove_file(&part);
            return Err(error.into());
        }
        std::fs::rename(&part, &path).map_err(|e| cannot(format!("{}: cannot be renamed: {e}", part.display())))?;
    }
    tidy(folder, &names, of.keep, &path).map_err(|e| cannot(format!("{}: {e}", folder.display())))?;
    Ok(path)
}

/// A backup must not fill the disk: the journal may be on it.
fn has_room(settings: &Settings) -> Result<(), Fault> {
    let folder = &settings.service.retention.backups;
    let length = std::fs::metadata(&settings.ledger).map_or(0, |of| of.len());
    let needed = length.saturating_add(disk::LOW);
    match disk::free_bytes(folder) {
        Ok(free) if free < needed => Err(Fault::new(
            format!("{}: no room for a backup: {} MiB are free, {} needed", folder.display(), free >> 20, needed >> 20),
            "make room, or name a folder on another disk as `backups` below [service.retention]",
        )),
        // If the system does not say, it is tried.
        _ => Ok(()),
    }
}

/// Deletes all but the newest backups, and unfinished ones. The one of `today` stays even if others have later days,
/// because the clock was wrong when they were made.
fn tidy(folder: &Path, names: &Names, keep: u32, today: &Path) -> std::io::Result<()> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if names.day_of(name, PART).is_some() {
            let _ = std::fs::remove_file(&path);
        } else if let Some(day) = names.day_of(name, &names.extension).filter(|_| path != today) {
            all.push((day.to_owned(), path));
        }
    }
    all.sort();
    let keep = usize::try_from(keep).unwrap_or(usize::MAX);
    for (_, path) in all.iter().rev().skip(keep.saturating_sub(1)) {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

/// The names of a ledger's backups: `rasadmin-2026-11-23.db`.
struct Names {
    stem: String,
    extension: String,
}

impl Names {
    fn of(ledger: &Path) -> Self {
        let text = |part: Option<&std::ffi::OsStr>, otherwise: &str| {
            part.map_or_else(|| otherwise.to_owned(), |part| part.to_string_lossy().into_owned())
        };
        Self { stem: text(ledger.file_stem(), "ledger"), extension: text(ledger.extension(), "db") }
    }

    fn on(&self, day: &str) -> String {
        format!("{}-{day}.{}", self.stem, self.extension)
    }

    /// The day in the name of a backup. Other files in the folder are not touched.
    fn day_of<'n>(&self, name: &'n str, extension: &str) -> Option<&'n str> {
        let day = name.strip_prefix(&self.stem)?.strip_prefix('-')?.strip_suffix(extension)?.strip_suffix('.')?;
        (day.len() == 10 && day.parse::<jiff::civil::Date>().is_ok()).then_some(day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_backups_of_this_ledger_have_a_day() {
        let names = Names::of(Path::new("/x/rasadmin.db"));
        assert_eq!(names.on("2026-11-23"), "rasadmin-2026-11-23.db");
        assert_eq!(names.day_of("rasadmin-2026-11-23.db", "db"), Some("2026-11-23"));
        assert_eq!(names.day_of("rasadmin-2026-11-23.part", PART), Some("2026-11-23"));
        for other in ["rasadmin.db", "rasadmin-2026-11-23.db-wal", "vpn2-2026-11-23.db", "rasadmin-before-update.db"] {
            assert_eq!(names.day_of(other, "db"), None, "{other}");
        }
    }

    /// What is left of these files if two backups are kept.
    fn left(there: &[&str], today: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for name in there {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        tidy(folder.path(), &Names::of(Path::new("rasadmin.db")), 2, &folder.path().join(today)).unwrap();
        let left = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut left: Vec<_> = left.map(|name| name.into_string().unwrap()).collect();
        left.sort();
        left
    }

    #[test]
    fn the_newest_stay() {
        let there = [
            "mine.db",
            "rasadmin-2026-01-31.db",
            "rasadmin-2026-02-01.db",
            "rasadmin-2026-02-02.db",
            "rasadmin-2026-02-03.part",
        ];
        let expected = ["mine.db", "rasadmin-2026-02-01.db", "rasadmin-2026-02-02.db"];
        assert_eq!(left(&there, "rasadmin-2026-02-02.db"), expected);
    }

    #[test]
    fn backups_of_later_days_do_not_push_out_that_of_today() {
        let there = ["rasadmin-2026-02-02.db", "rasadmin-2031-01-01.db", "rasadmin-2031-01-02.db"];
        assert_eq!(left(&there, "rasadmin-2026-02-02.db"), ["rasadmin-2026-02-02.db", "rasadmin-2031-01-02.db"]);
    }
}
