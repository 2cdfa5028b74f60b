//! The configuration changes, breaks, vanishes and comes back, while the service runs and at its start.
#![allow(clippy::unwrap_used)]

use rasadmin_policy::config::{Change, Locations, StartProblem, Watch, find, last_good, load, start};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const ALLOW: &str = "default.action = \"allow\"\n";
const DENY: &str = "default.action = \"deny\"\n# and a comment\n";
const BROKEN: &str = "default.action = \"dney\"\n";

struct Scene {
    folder: tempfile::TempDir,
    now: Instant,
}

impl Scene {
    fn new(text: &str) -> Self {
        let scene = Self { folder: tempfile::tempdir().unwrap(), now: Instant::now() };
        scene.write(text);
        scene
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("rasadmin.toml")
    }

    fn write(&self, text: &str) {
        std::fs::write(self.path(), text).unwrap();
    }

    /// A second later.
    fn look(&mut self, watch: &mut Watch) -> String {
        self.now += Duration::from_secs(1);
        text(watch.check(self.now))
    }
}

fn text(change: Option<Change>) -> String {
    match change {
        None => "nothing".into(),
        Some(Change::Valid(config)) => format!("valid {}", config.hash),
        Some(Change::Broken(errors)) => errors.mistakes()[0].what.clone(),
    }
}

fn hash(path: &Path) -> String {
    format!("valid {}", load(path).unwrap().hash)
}

#[test]
fn a_change_is_in_force_a_mistake_is_reported_once_and_so_is_its_correction() {
    let mut scene = Scene::new(ALLOW);
    let mut watch = start(&scene.path()).unwrap().watch;
    assert_eq!(scene.look(&mut watch), "nothing");
    scene.write(DENY);
    assert_eq!(scene.look(&mut watch), hash(&scene.path()));
    scene.write(BROKEN);
    assert_eq!(scene.look(&mut watch), "`dney` is not a valid value");
    assert_eq!(scene.look(&mut watch), "nothing");
    scene.write(&format!("{BROKEN}# still\n"));
    assert_eq!(scene.look(&mut watch), "`dney` is not a valid value");
    std::fs::remove_file(scene.path()).unwrap();
    assert!(scene.look(&mut watch).starts_with("it cannot be read"));
    std::fs::create_dir(scene.path()).unwrap();
    assert_eq!(scene.look(&mut watch), "it is a directory");
    std::fs::remove_dir(scene.path()).unwrap();
    // As it was before: it says that it is good again.
    scene.write(DENY);
    assert_eq!(scene.look(&mut watch), hash(&scene.path()));
    assert_eq!(scene.look(&mut watch), "nothing");
}

#[test]
fn it_looks_at_most_once_a_second() {
    let mut scene = Scene::new(ALLOW);
    let mut watch = start(&scene.path()).unwrap().watch;
    assert_eq!(scene.look(&mut watch), "nothing");
    scene.write(DENY);
    scene.now += Duration::from_millis(999);
    assert_eq!(text(watch.check(scene.now)), "nothing");
    scene.now += Duration::from_millis(1);
    assert_eq!(text(watch.check(scene.now)), hash(&scene.path()));
}

#[test]
fn a_members_file_counts_as_part_of_it() {
    let mut scene = Scene::new(&format!("{ALLOW}groups.g.members_file = \"g.txt\"\n"));
    let members = scene.folder.path().join("g.txt");
    std::fs::write(&members, "alice\n").unwrap();
    let started = start(&scene.path()).unwrap();
    let mut watch = started.watch;
    let before = format!("valid {}", started.config.hash);
    std::fs::write(&members, "alice\nbob\n").unwrap();
    let after = scene.look(&mut watch);
    assert_eq!(after, hash(&scene.path()));
    assert_ne!(after, before);
    std::fs::remove_file(&members).unwrap();
    assert!(scene.look(&mut watch).starts_with("the members file `g.txt`: it cannot be read"));
    // The last good one has the members with it.
    let started = start(&scene.path()).unwrap();
    assert_eq!(format!("valid {}", started.config.hash), after);
    assert!(matches!(started.problem, Some(StartProblem::Broken(_))));
}

#[test]
fn the_last_good_one_serves_at_the_next_start() {
    let scene = Scene::new(DENY);
    let good = start(&scene.path()).unwrap().config.hash.clone();
    for broken in [BROKEN, "not TOML at all", "", "journal.folder = 7\n"] {
        scene.write(broken);
        let started = start(&scene.path()).unwrap();
        assert_eq!(started.config.hash, good);
        assert!(matches!(started.problem, Some(StartProblem::Broken(_))));
    }
    std::fs::remove_file(scene.path()).unwrap();
    assert_eq!(start(&scene.path()).unwrap().config.hash, good);
    // If it is damaged in the journal's folder, the copy beside the file is used. If that is damaged too, there is
    // none.
    std::fs::write(last_good(&scene.folder.path().join("journal")), "{").unwrap();
    assert_eq!(start(&scene.path()).unwrap().config.hash, good);
    std::fs::write(scene.folder.path().join("rasadmin.toml.last-good.json"), "{").unwrap();
    scene.write(BROKEN);
    assert_eq!(start(&scene.path()).unwrap_err().mistakes()[0].what, "`dney` is not a valid value");
}

#[test]
fn it_lies_in_the_journals_folder_wherever_that_is_and_beside_the_file() {
    for (named, folder) in [("", "journal"), ("journal.folder = \"elsewhere/j\"\n", "elsewhere/j")] {
        let scene = Scene::new(&format!("{named}{ALLOW}"));
        let good = start(&scene.path()).unwrap().config.hash.clone();
        let kept = scene.folder.path().join(folder).join("last-good.json");
        let beside = scene.folder.path().join("rasadmin.toml.last-good.json");
        assert_eq!(std::fs::read(&kept).unwrap(), std::fs::read(&beside).unwrap());
        scene.write(&format!("{named}{BROKEN}"));
        // Either is enough.
        for gone in [&kept, &beside] {
            let text = std::fs::read(gone).unwrap();
            std::fs::remove_file(gone).unwrap();
            assert_eq!(start(&scene.path()).unwrap().config.hash, good, "without {}", gone.display());
            std::fs::write(gone, text).unwrap();
        }
    }
}

/// If the configuration is renamed and broken at once, the old one's good copy is used, because the file names its folder.
#[test]
fn a_journals_folder_that_is_named_serves_a_file_of_another_name() {
    let named = "journal.folder = \"j\"\n";
    let scene = Scene::new(&format!("{named}{ALLOW}"));
    let good = start(&scene.path()).unwrap().config.hash.clone();
    let renamed = scene.folder.path().join("new.toml");
    std::fs::write(&renamed, format!("{named}{BROKEN}")).unwrap();
    assert_eq!(start(&renamed).unwrap().config.hash, good);
}

#[test]
fn files_that_are_no_text() {
    let scene = Scene::new("");
    for (bytes, what) in [
        (&b"\xff\xfed\0e\0"[..], "it is UTF-16"),
        (&b"# one\n# \xe4\n"[..], "line 2 is not UTF-8"),
        (&[b'#'; (16 << 20) + 1], "it is larger than 16 MiB"),
    ] {
        std::fs::write(scene.path(), bytes).unwrap();
        assert_eq!(load(&scene.path()).unwrap_err().mistakes()[0].what, what);
    }
    // Windows' Notepad begins a file with a byte order mark.
    std::fs::write(scene.path(), format!("\u{feff}{ALLOW}")).unwrap();
    load(&scene.path()).unwrap();
}

#[test]
fn the_first_place_that_has_one() {
    let folders: Vec<_> = (0..4).map(|_| tempfile::tempdir().unwrap()).collect();
    let file = |at: usize| folders[at].path().join("rasadmin.toml");
    let places = Locations {
        variable: None,
        registry: None,
        dll_folder: Some(folders[2].path().into()),
        data_folder: Some(folders[3].path().into()),
    };
    let none = find(&places).unwrap_err().to_string();
    for looked in ["RASADMIN_CONFIG", "ConfigPath", file(2).to_str().unwrap(), file(3).to_str().unwrap()] {
        assert!(none.contains(looked), "{none}");
    }
    std::fs::write(file(3), ALLOW).unwrap();
    assert_eq!(find(&places), Ok(file(3)));
    std::fs::write(file(2), ALLOW).unwrap();
    assert_eq!(find(&places), Ok(file(2)));
    // Named on purpose and not there: an error, not the next location.
    let named = Locations { registry: Some(file(1)), ..places.clone() };
    assert!(find(&named).unwrap_err().to_string().contains("the registry's ConfigPath names it"));
    std::fs::write(file(1), ALLOW).unwrap();
    assert_eq!(find(&named), Ok(file(1)));
    let named = Locations { variable: Some(file(0)), ..named };
    assert!(find(&named).unwrap_err().to_string().contains("RASADMIN_CONFIG names it"));
    std::fs::write(file(0), ALLOW).unwrap();
    assert_eq!(find(&named), Ok(file(0)));
}

/// Copies that another user could have written.
#[cfg(unix)]
mod poisoned {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

    /// A good configuration was kept in both places, and is broken now: its hash, and the places.
    fn kept() -> (Scene, String, [PathBuf; 2]) {
        let scene = Scene::new(DENY);
        let good = start(&scene.path()).unwrap().config.hash.clone();
        let journal = last_good(&scene.folder.path().join("journal"));
        let beside = scene.folder.path().join("rasadmin.toml.last-good.json");
        scene.write(BROKEN);
        (scene, good, [journal, beside])
    }

    /// What another user wants to be in force.
    fn poison(path: &Path) {
        let text = fs::read_to_string(path).unwrap();
        let poisoned = text.replace("deny", "allow");
        assert_ne!(poisoned, text);
        fs::write(path, poisoned).unwrap();
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn one_that_others_can_write_is_not_used_but_the_other_is() {
        let (scene, good, [journal, beside]) = kept();
        poison(&journal);
        assert_ne!(start(&scene.path()).unwrap().config.hash, good, "it would be obeyed");
        for mode in [0o666, 0o606, 0o660] {
            fs::set_permissions(&journal, Permissions::from_mode(mode)).unwrap();
            assert_eq!(start(&scene.path()).unwrap().config.hash, good, "{mode:o}");
        }
        fs::set_permissions(&beside, Permissions::from_mode(0o666)).unwrap();
        assert!(start(&scene.path()).is_err());
    }

    #[test]
    fn a_copy_of_another_user_is_not_used_but_the_other_is() {
        let (scene, good, [journal, beside]) = kept();
        poison(&journal);
        if chown(&journal, Some(65_534), None).is_err() {
            return eprintln!("skipped: only root can give a file away");
        }
        assert_eq!(start(&scene.path()).unwrap().config.hash, good);
        chown(&beside, Some(65_534), None).unwrap();
        assert!(start(&scene.path()).is_err());
    }

    #[test]
    fn rights_in_a_scratch_folder_do_not_matter() {
        let (scene, good, [journal, beside]) = kept();
        fs::remove_file(beside).unwrap();
        fs::set_permissions(&journal, Permissions::from_mode(0o666)).unwrap();
        fs::write(scene.folder.path().join("rasadmin-scratch"), "").unwrap();
        assert_eq!(start(&scene.path()).unwrap().config.hash, good);
    }

    #[test]
    fn they_are_ours_alone_and_take_the_place_of_what_others_can_write() {
        let (scene, _, [journal, beside]) = kept();
        scene.write(DENY);
        let planted = PathBuf::from(format!("{}.new-{}", journal.display(), std::process::id()));
        fs::write(&planted, "").unwrap();
        fs::set_permissions(&planted, Permissions::from_mode(0o666)).unwrap();
        for kept in [&journal, &beside] {
            assert_eq!(mode(kept), 0o600, "{}", kept.display());
            // The same text: only its rights are a reason to write it again.
            fs::set_permissions(kept, Permissions::from_mode(0o666)).unwrap();
        }
        start(&scene.path()).unwrap();
        assert_eq!((mode(&journal), mode(&beside), mode(journal.parent().unwrap())), (0o600, 0o600, 0o700));
    }
}

#[test]
fn a_program_beside_the_dll_sees_every_change_and_saves_nothing() {
    let mut scene = Scene::new(ALLOW);
    let computer = rasadmin_policy::Name::default();
    let of = rasadmin_policy::config::for_computer(&computer);
    let mut watch = of.watch(&scene.path()).unwrap().watch;
    scene.write(DENY);
    assert_eq!(scene.look(&mut watch), hash(&scene.path()));
    scene.write(BROKEN);
    assert_eq!(scene.look(&mut watch), "`dney` is not a valid value");
    let there: Vec<_> =
        std::fs::read_dir(scene.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(there, ["rasadmin.toml"]);
}
