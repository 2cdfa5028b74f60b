//! How fast the disks of journal, ledger and backups fill.

use crate::settings::Settings;
use crate::state::FreeSpace;
use rasadmin_policy::Millis;
use rasadmin_system::disk;
use std::path::{Path, PathBuf};

/// Fewer days than this until a disk is full are worth a message.
const SOON: u64 = 7;

/// Two looks that are closer together say nothing about a day.
const APART: Millis = 12 * 60 * 60 * 1000;

const DAY: u128 = 24 * 60 * 60 * 1000;

/// How much is free now. Folders of one disk are named once.
pub fn look(settings: &Settings, now: Millis) -> Vec<FreeSpace> {
    let ledger = settings.ledger.parent().map(Path::to_path_buf);
    let folders: [Option<PathBuf>; 3] =
        [Some(settings.journal.clone()), ledger, Some(settings.service.retention.backups.clone())];
    let mut disks = Vec::<FreeSpace>::new();
    for folder in folders.into_iter().flatten() {
        // A folder that does not exist yet.
        let Ok(free) = disk::free_bytes(&folder) else { continue };
        if disks.iter().all(|known| known.free != free) {
            disks.push(FreeSpace { folder: folder.display().to_string(), time: now, free });
        }
    }
    disks
}

/// The disks that will be full soon if the space goes on to shrink as it did between two looks, with the whole
/// days until then.
pub fn filling<'n>(before: &[FreeSpace], now: &'n [FreeSpace]) -> Vec<(&'n FreeSpace, u64)> {
    let days = |now: &FreeSpace| {
        let before = before.iter().find(|before| before.folder == now.folder)?;
        let time = now.time.saturating_sub(before.time);
        let used = before.free.checked_sub(now.free).filter(|used| *used > 0 && time >= APART)?;
        let days = u128::from(now.free) * u128::from(time.unsigned_abs()) / u128::from(used) / DAY;
        u64::try_from(days).ok().filter(|days| *days < SOON)
    };
    now.iter().filter_map(|now| days(now).map(|days| (now, days))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64, gib: u64) -> FreeSpace {
        FreeSpace { folder: "/journal".to_owned(), time: hours * 3_600_000, free: gib << 30 }
    }

    fn days(before: &FreeSpace, now: &FreeSpace) -> Option<u64> {
        filling(std::slice::from_ref(before), std::slice::from_ref(now)).first().map(|(_, days)| *days)
    }

    #[test]
    fn a_disk_that_is_full_within_a_week_is_named() {
        assert_eq!(days(&at(0, 100), &at(24, 90)), None, "nine days");
        assert_eq!(days(&at(0, 100), &at(24, 60)), Some(1));
        assert_eq!(days(&at(0, 70), &at(24, 60)), Some(6));
        assert_eq!(days(&at(0, 70), &at(48, 60)), None, "twelve days");
        assert_eq!(days(&at(0, 60), &at(24, 60)), None);
        assert_eq!(days(&at(0, 50), &at(24, 60)), None, "it was tidied up");
        assert_eq!(days(&at(0, 70), &at(1, 60)), None, "an hour is not a day");
        assert_eq!(days(&at(24, 70), &at(0, 60)), None, "the clock was set back");
        let other = FreeSpace { folder: "/ledger".to_owned(), ..at(0, 70) };
        assert_eq!(days(&other, &at(24, 60)), None, "another disk");
        assert_eq!(days(&at(0, 70), &at(24, 0)), Some(0));
    }
}
