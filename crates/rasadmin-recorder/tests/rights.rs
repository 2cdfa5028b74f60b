//! At the start of the DLL: files of other users in the journal's folder, and rights that others have.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::{Name, config};
use rasadmin_journal::{checkpoint, rights};
use rasadmin_messages::Id;
use rasadmin_recorder::Recorder;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use support::Scene;
use support::log::{exactly, messages};

const TEXT: &str = "default.action = \"allow\"\n";
const OTHER_USER: u32 = 65_534;

fn journal(scene: &Scene) -> PathBuf {
    scene.folder.path().join("journal")
}

fn give_to_another_user(path: &Path) -> Option<()> {
    let given = chown(path, Some(OTHER_USER), None);
    if given.is_err() {
        eprintln!("skipped: only root can give a file away");
    }
    given.ok()
}

fn open_to_all(path: &Path) {
    fs::set_permissions(path, Permissions::from_mode(0o777)).unwrap();
}

fn aside(folder: &Path) -> usize {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().starts_with("aside-")).count()
}

/// Enough events that the end writes a checkpoint.
fn busy(scene: &Scene) {
    for handle in 100..120 {
        let given = scene.begin(handle, "alice", "VPN2-9").unwrap();
        scene.end(handle, "alice", "VPN2-9", &given);
    }
}

#[test]
fn a_planted_checkpoint_does_not_become_the_state() {
    messages();
    let mut scene = Scene::new(TEXT);
    let folder = journal(&scene);
    busy(&scene);
    scene.recorder.stop(scene.now());
    // Another journal's state, with a session, for a position that this one has.
    let another = Scene::new(TEXT);
    busy(&another);
    another.begin(7, "mallory", "VPN2-1").unwrap();
    another.recorder.stop(another.now());
    let newest = |folder: &Path| checkpoint::read(&checkpoint::list(folder).unwrap()[0]).unwrap();
    let (ours, theirs) = (newest(&folder), newest(&journal(&another)));
    let planted = checkpoint::write(&folder, &ours.position, theirs.version, &theirs.state).unwrap();
    let later = fs::File::options().write(true).open(&planted).unwrap();
    later.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(60)).unwrap();
    let live = || rasadmin_recorder::present::read(&folder).unwrap().unwrap().state.live_count();
    assert_eq!(live(), 1, "it would be obeyed if it were ours");
    let Some(()) = give_to_another_user(&planted) else { return };
    assert_eq!(live(), 0);
    messages();
    scene.recorder = scene.beside();
    // Nor is there a session that an earlier instance had.
    let text = exactly(&[Id::JournalMended]).remove(0);
    assert!(text.contains("belongs to the user with the number 65534"), "{text}");
    assert!(!planted.exists());
    assert_eq!((aside(&folder), scene.recorder.health(scene.now()).failure), (1, None));
}

#[test]
fn the_start_mends_rights_reports_it_once_and_continues_in_any_case() {
    messages();
    let mut scene = Scene::new(TEXT);
    let folder = journal(&scene);
    assert_eq!((messages(), rights::check(&folder)), (vec![], vec![]), "nothing is wrong from the beginning");
    scene.recorder.stop(scene.now());
    let lock = folder.join(rasadmin_journal::LOCK);
    open_to_all(&folder);
    open_to_all(&lock);
    scene.recorder = scene.beside();
    let text = exactly(&[Id::JournalMended]).remove(0);
    assert!(text.contains("and 1 more were mended: it can be written by everyone"), "{text}");
    assert_eq!(rights::check(&folder), []);
    scene.restart();
    exactly(&[]);
    if give_to_another_user(&lock).is_some() {
        scene.recorder.stop(scene.now());
        scene.recorder = scene.beside();
        exactly(&[Id::JournalMended]);
        assert_eq!((fs::metadata(&lock).unwrap().uid(), scene.recorder.health(scene.now()).failure), (0, None));
    }
}

#[test]
fn a_poisoned_last_good_configuration_is_reported_and_then_moved_aside() {
    messages();
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("rasadmin.toml");
    fs::write(&file, "default.action = \"deny\"\n").unwrap();
    let good = config::start(&file).unwrap().config;
    fs::write(&file, "broken").unwrap();
    let kept = config::last_good(&good.journal);
    let poisoned = fs::read_to_string(&kept).unwrap().replace("deny", "allow");
    fs::write(&kept, poisoned).unwrap();
    open_to_all(&kept);
    let started = config::start(&file).unwrap().config;
    let text = exactly(&[Id::KeptConfigNotUsed]).remove(0);
    assert!(text.contains("last-good.json") && text.contains("written by everyone"), "{text}");
    assert_eq!(started.hash, good.hash, "the copy beside the file");
    // Were its rights mended, it would be the next start's configuration.
    let recorder = Recorder::start(started, &Name::new("VPN1"), support::system());
    let text = exactly(&[Id::JournalMended]).remove(0);
    assert!(text.contains("last-good.json") && text.contains("moved aside"), "{text}");
    recorder.stop(support::system());
    assert_eq!(config::start(&file).unwrap().config.hash, good.hash);
}
