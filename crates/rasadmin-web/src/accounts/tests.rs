#![allow(clippy::unwrap_used)]
use super::*;
use std::fs;

const PASSWORD: &str = "correct horse battery";

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dashboard-users.toml");
    (folder, file)
}

fn names(file: &Path) -> Vec<String> {
    list(file).unwrap().into_iter().map(|one| one.name).collect()
}

#[test]
fn users_are_added_verified_and_removed() {
    let (_folder, file) = folder();
    assert_eq!(list(&file).unwrap(), [], "no file, no users");
    add(&file, "alice", Role::Operator, PASSWORD).unwrap();
    add(&file, "bob", Role::Viewer, "another password").unwrap();
    assert_eq!(list(&file).unwrap()[1], Listed { name: "bob".into(), role: Role::Viewer });
    let accounts = Accounts::new(&file);
    let (who, hash) = accounts.verify("Alice", PASSWORD).unwrap().unwrap();
    assert_eq!((who.name.as_str(), who.role), ("alice", Role::Operator));
    assert_eq!(accounts.role("alice", &hash).unwrap(), Some(Role::Operator));
    for (name, password) in [("alice", "another password"), ("bob", PASSWORD), ("carol", PASSWORD), ("", "")] {
        assert!(accounts.verify(name, password).unwrap().is_none(), "{name}");
    }
    remove(&file, "ALICE").unwrap();
    assert_eq!(names(&file), ["bob"]);
    assert_eq!(accounts.role("alice", &hash).unwrap(), None, "read again");
    assert!(accounts.verify("alice", PASSWORD).unwrap().is_none());
    assert!(matches!(remove(&file, "alice"), Err(AccountsFault::Unknown { .. })));
}

#[test]
fn another_password_or_role_is_noticed() {
    let (_folder, file) = folder();
    add(&file, "alice", Role::Operator, PASSWORD).unwrap();
    let accounts = Accounts::new(&file);
    let (_, hash) = accounts.verify("alice", PASSWORD).unwrap().unwrap();
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("operator", "viewer")).unwrap();
    assert_eq!(accounts.role("alice", &hash).unwrap(), Some(Role::Viewer));
    remove(&file, "alice").unwrap();
    add(&file, "alice", Role::Operator, PASSWORD).unwrap();
    assert_eq!(accounts.role("alice", &hash).unwrap(), None, "the same password has another salt");
}

#[test]
fn passwords_are_kept_as_argon2id_only() {
    let (_folder, file) = folder();
    add(&file, "alice", Role::Viewer, PASSWORD).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("password = \"$argon2id$v=19$m=19456,t=2,p=1$"), "{text}");
    assert!(!text.contains(PASSWORD));
    let short = add(&file, "bob", Role::Viewer, "eleven char").unwrap_err().to_string();
    assert!(short.contains("fewer than 12 characters"), "{short}");
}

#[test]
fn names_that_mislead_are_refused() {
    let (_folder, file) = folder();
    for name in ["", " alice", "alice ", "a\nb", "a\u{1b}[2J", "a\u{202e}b", "root (dashboard", "a, b", &"x".repeat(65)]
    {
        let fault = add(&file, name, Role::Viewer, PASSWORD).unwrap_err();
        assert!(matches!(fault, AccountsFault::Name { .. }), "{name:?}");
        assert!(!fault.to_string().contains(rasadmin_text::is_unsafe), "{fault}");
    }
    add(&file, "CORP\\al \"ice\" <b>", Role::Viewer, PASSWORD).unwrap();
    assert_eq!(names(&file), ["CORP\\al \"ice\" <b>"]);
    let twice = add(&file, "corp\\AL \"ice\" <b>", Role::Viewer, PASSWORD).unwrap_err();
    assert!(twice.to_string().contains("there is a user `CORP\\al"), "{twice}");
}

#[test]
fn a_broken_file_is_told_without_its_hashes() {
    let (_folder, file) = folder();
    add(&file, "alice", Role::Viewer, PASSWORD).unwrap();
    let good = fs::read_to_string(&file).unwrap();
    let block = good[good.find("[[users]]").unwrap()..].to_owned();
    let hash = block[block.find("$argon2id").unwrap()..].trim_end().trim_end_matches('"').to_owned();
    for (text, told) in [
        (good.replace("viewer", "root"), "line 5: "),
        (good.replace("role", "rule"), "line 5: "),
        (good.replace("password =", "passwort ="), "line 6: "),
        (good.replace("argon2id", "argon2i"), "is not a hash"),
        (good.replace(&hash, "secret"), "is not a hash"),
        (format!("{good}{block}"), "it has the user `alice` twice"),
        (format!("{good}{}", block.replace("alice", "ALICE")), "it has the user `ALICE` twice"),
        ("x".repeat(2 << 20), "larger than 1 MiB"),
    ] {
        fs::write(&file, text).unwrap();
        let accounts = Accounts::new(&file);
        let fault = accounts.verify("alice", PASSWORD).err().unwrap();
        let text = fault.to_string();
        assert!(text.contains(told), "{told}: {text}");
        assert!(!text.contains(&hash) && !text.contains("secret"), "{text}");
        assert!(add(&file, "bob", Role::Viewer, PASSWORD).is_err(), "a broken file is not written over");
        assert!(!file.with_file_name("dashboard-users.toml.new").exists());
    }
}

#[test]
fn two_changes_do_not_overlap() {
    let (_folder, file) = folder();
    let new = file.with_file_name("dashboard-users.toml.new");
    fs::write(&new, "").unwrap();
    let busy = add(&file, "alice", Role::Viewer, PASSWORD).unwrap_err();
    assert!(matches!(busy, AccountsFault::Busy { .. }), "{busy}");
    // A process was killed an hour ago.
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3_600);
    fs::File::options().write(true).open(&new).unwrap().set_modified(old).unwrap();
    add(&file, "alice", Role::Viewer, PASSWORD).unwrap();
    assert!(!new.exists());
}

/// Not how long it takes, but that it is done.
#[test]
fn an_unknown_name_costs_a_hash_too() {
    assert!(!password::is(PASSWORD, None));
    let known = std::time::Instant::now();
    let hash = password::hashed(PASSWORD).unwrap();
    assert!(password::is(PASSWORD, Some(&hash)));
    let known = known.elapsed() / 2;
    let unknown = std::time::Instant::now();
    for _ in 0..5 {
        assert!(!password::is(PASSWORD, None));
    }
    assert!(unknown.elapsed() > known, "five hashes take longer than half of two");
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn the_file_is_private_and_one_that_others_can_write_is_refused() {
        let (_folder, file) = folder();
        add(&file, "alice", Role::Viewer, PASSWORD).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o620)).unwrap();
        let fault = Accounts::new(&file).verify("alice", PASSWORD).err().unwrap();
        assert!(matches!(fault, AccountsFault::Untrusted { .. }), "{fault}");
        assert!(fault.to_string().contains("it can be written by"), "{fault}");
        assert!(add(&file, "bob", Role::Viewer, PASSWORD).is_err());
    }

    #[test]
    fn what_is_being_written_is_private_from_the_start() {
        let (_folder, file) = folder();
        let _change = file::Change::begin(&file).unwrap();
        let new = file.with_file_name("dashboard-users.toml.new");
        assert_eq!(fs::metadata(new).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_link_in_the_way_is_not_followed() {
        let (folder, file) = folder();
        let other = folder.path().join("other");
        fs::write(&other, "mine").unwrap();
        symlink(&other, file.with_file_name("dashboard-users.toml.new")).unwrap();
        assert!(add(&file, "alice", Role::Viewer, PASSWORD).is_err());
        assert_eq!(fs::read_to_string(&other).unwrap(), "mine");
    }
}
