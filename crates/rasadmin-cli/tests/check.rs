//! `rasadmin check` as a person runs it.
#![allow(clippy::unwrap_used)]

mod support;

use support::{product, rasadmin, rasadmin_with, reject, root, words};

#[test]
fn the_product_passes_every_profile() {
    let check = |more: &[&str]| {
        let arguments = words([&"check", &"--require-dynamic", &product()]).into_iter();
        rasadmin(arguments.chain(more.iter().map(Into::into))).ends(0)
    };
    let text = check(&[]).prints("RRAS would start with it: every check passed");
    let page = std::fs::read_to_string(root().join("docs/host.md")).unwrap().replace("\r\n", "\n");
    let passed = text.stdout[text.stdout.find("passed (").unwrap()..].trim_end();
    assert!(page.contains(passed), "copy into docs/host.md:\n{passed}");
    let json = check(&["--profile", "nt4", "--json"]).json();
    let profiles = json["profiles"].as_array().unwrap();
    assert_eq!(profiles.len(), 3, "{json}");
    assert!(profiles.iter().all(|profile| profile["verdict"] == "starts"), "{json}");
    let findings = json["findings"].as_array().unwrap();
    assert!(findings.len() > 25 && findings.iter().all(|f| f["outcome"] == "pass"), "{json}");
}

/// "2,000 load and unload cycles in one process without growth in memory, threads, handles or TLS indexes".
#[test]
fn two_thousand_load_and_unload_cycles_stay_flat() {
    // With the system's log too: that of Windows, or a socket without a reader.
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("nobody").to_string_lossy().into_owned();
    let check = words([&"check", &"--cycles", &"2000", &"--bound", &"1200", &"--json", &product()]);
    let json = rasadmin_with(check, &[("RASADMIN_SYSTEM_LOG", &log)]).ends(0).json();
    let findings = json["findings"].as_array().unwrap();
    let cycles = findings.iter().find(|f| f["check"] == "load-cycles").unwrap();
    assert_eq!(cycles["outcome"], "pass", "{cycles}");
    assert!(cycles["message"].as_str().unwrap().starts_with("2000 cycles leave no"), "{cycles}");
}

/// Only Windows DLLs have a version resource.
#[test]
fn the_products_version_is_read_without_loading_it() {
    let expected = cfg!(windows).then(|| env!("CARGO_PKG_VERSION").to_owned());
    assert_eq!(rasadmin_check::product_version(&product()), expected);
}

#[test]
fn what_cannot_be_checked_is_one_line_with_exit_2() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("none.dll"), folder.path().to_owned()] {
        let ran = rasadmin(words([&"check", &path])).ends(2);
        assert_eq!(ran.stderr.trim_end().lines().count(), 1, "{}", ran.stderr);
        assert!(ran.stderr.contains(&*path.to_string_lossy()) && ran.stdout.is_empty(), "{}", ran.stderr);
    }
    // The other files are checked and reported.
    let ran = rasadmin(words([&"check", &"--static-only", &"none.dll", &product()])).ends(2);
    ran.prints("19 functions of the contract").complains("none.dll: the file does not exist");
    rasadmin(words([&"check", &"--profile", &"windows11", &product()])).ends(2).complains("there is no profile");
    rasadmin(words([&"check"])).ends(2).complains("<FILE>");
}

/// It is known how RRAS answers to a file that is not a DLL.
#[test]
fn what_is_no_dll_fails_with_exit_1() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(product()).unwrap();
    for (name, bytes) in [("empty.dll", &b""[..]), ("text.dll", b"this is no library"), ("cut.dll", &whole[..300])] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let ran = rasadmin(words([&"check", &path])).ends(1).prints("RRAS would NOT start with it: 1 check failed.");
        assert!(ran.stdout.contains("error 193 (RRAS writes event 20204)"), "{}", ran.stdout);
        assert!(ran.stderr.is_empty(), "{}", ran.stderr);
    }
}

#[test]
fn a_list_says_whose_addresses_win_and_what_never_loads() {
    let list = format!("{};{}; {}", reject().display(), product().display(), reject().display());
    let check = |more: &str| rasadmin(words([&"check", &"--static-only", &more, &"--dll-path", &list])).ends(0);
    let json = check("--json").json();
    // The first DLL of the list has no address pairs.
    let winner = product().to_string_lossy().into_owned();
    assert_eq!((json["ipv4_from"].as_str(), json["ipv6_from"].as_str()), (Some(&*winner), Some(&*winner)));
    assert_eq!(json["never_loaded"].as_array().unwrap().len(), 1);
    assert!(json["warnings"][0].as_str().unwrap().contains("begins with a space"), "{json}");
    check("--profile=shipping").prints("IPv4 addresses from").prints("warning  The entry");
}

/// On Linux a Windows DLL gets the static checks, and the Wine command that runs the rest.
#[cfg(not(windows))]
#[test]
fn a_windows_dll_on_linux_gets_the_command_for_the_rest() {
    let dll = root().join("target/fixtures/windows/good-rev2.dll");
    let ran = rasadmin(words([&"check", &dll])).ends(0);
    ran.prints("wine target/windows/rasadmin.exe check");
    rasadmin(words([&"check", &"--require-dynamic", &dll])).ends(1);
}

/// A stranger chooses the name of a file, and JSON itself does not escape what reorders the text of a terminal.
#[cfg(unix)] // Wine has such a name only in a UTF-8 locale.
#[test]
fn the_json_of_a_hostile_file_name_can_be_printed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a\u{202e}b.dll");
    std::fs::copy(product(), &file).unwrap();
    let ran = rasadmin(words([&"check", &"--static-only", &"--json", &file])).ends(0);
    assert!(!ran.stdout.contains('\u{202e}') && ran.stdout.contains("a\\u202eb.dll"), "{}", ran.stdout);
    assert!(ran.json()["file"].as_str().unwrap().ends_with("a\u{202e}b.dll"));
}
