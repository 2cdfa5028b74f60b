//! Members files: a user who can write one must not be able to stop the VPN with it.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_policy::config::{
    Bundle, CHECK_BUDGET, Change, StartProblem, Watch, for_computer, last_good, load, parse, start,
};
use rasadmin_policy::{Identity, Name};
use std::fmt::Write;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use support::computer;

const TEXT: &str = "default.action = \"deny\"\ndefault_domain = \"CORP\"\ngroups.g.members_file = \"g.txt\"\n";

struct Scene {
    folder: tempfile::TempDir,
    now: Instant,
}

impl Scene {
    fn new(members: &str) -> Self {
        let scene = Self { folder: tempfile::tempdir().unwrap(), now: Instant::now() };
        std::fs::write(scene.config(), TEXT).unwrap();
        scene.write(members);
        scene
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("rasadmin.toml")
    }

    fn members(&self) -> PathBuf {
        self.folder.path().join("g.txt")
    }

    fn write(&self, members: &str) {
        std::fs::write(self.members(), members).unwrap();
    }

    fn journal(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    /// Beside the configuration and in the journal's folder.
    fn files(&self) -> Vec<PathBuf> {
        let folders = [self.folder.path().to_owned(), self.journal()];
        let files = folders.iter().flat_map(|folder| folder.read_dir().unwrap()).map(|file| file.unwrap().path());
        let mut files: Vec<_> = files.collect();
        files.sort();
        files
    }

    fn changed_at(&self, time: SystemTime) {
        File::options().write(true).open(self.members()).unwrap().set_modified(time).unwrap();
    }

    /// Looks once more, `later`, with this budget.
    fn look(&mut self, watch: &mut Watch, later: Duration, budget: usize) -> Option<Change> {
        self.now += later;
        watch.check_within(self.now, budget)
    }
}

const SECOND: Duration = Duration::from_secs(1);
const AT_ONCE: Duration = Duration::ZERO;

fn users(from: u32, to: u32) -> String {
    (from..to).fold(String::new(), |mut text, n| {
        writeln!(text, "CORP\\user{n}").unwrap();
        text
    })
}

fn has(change: &Change, user: &str) -> bool {
    let Change::Valid(config) = change else { panic!("{change:?}") };
    let user = config.domains.identity(&user.into(), &Name::default()).unwrap();
    !config.groups.of(&user).is_empty()
}

#[test]
fn of_any_number_of_bad_lines_twenty_are_listed() {
    for line in ["@\n", "CORP\\\n", &format!("{}*\n", "x".repeat(2_000))] {
        let text = line.repeat((1 << 19) / line.len());
        let errors = parse("rasadmin.toml", TEXT, Path::new("/f"), &mut |_| Ok(text.clone())).unwrap_err();
        assert_eq!((errors.mistakes().len(), errors.more()), (20, text.lines().count() - 20));
        for (line, mistake) in (1..).zip(errors.mistakes()) {
            assert!(mistake.what.starts_with(&format!("g.txt:{line}: ")), "{mistake:?}");
        }
        let text = errors.to_string();
        assert!(text.ends_with(&format!("\nand {} more", errors.more())), "{text}");
        assert!(text.len() < 12_000, "{} octets", text.len());
    }
}

#[test]
fn a_line_of_mebibytes_is_quoted_in_short() {
    let text = "y".repeat(1 << 20) + "@";
    let errors = parse("rasadmin.toml", TEXT, Path::new("/f"), &mut |_| Ok(text.clone())).unwrap_err();
    assert!(errors.to_string().len() < 1_000, "{errors}");
}

#[test]
fn a_file_that_is_too_large_is_refused() {
    let scene = Scene::new("");
    std::fs::write(scene.members(), vec![b'#'; (16 << 20) + 1]).unwrap();
    let mistake = load(&scene.config()).unwrap_err().mistakes()[0].clone();
    assert_eq!(mistake.what, "the members file `g.txt`: it is larger than 16 MiB");
    assert_eq!(mistake.help, "split the list over several groups, each with its own members_file");
    std::fs::write(scene.members(), vec![b'#'; 16 << 20]).unwrap();
    load(&scene.config()).unwrap();
}

#[test]
fn a_file_that_is_not_utf_8_is_reported_with_what_to_do() {
    let scene = Scene::new("");
    for (octets, what) in [(&b"\xff\xfea\0"[..], "it is UTF-16"), (b"CORP\\jos\xe9\n", "line 1 is not UTF-8")] {
        std::fs::write(scene.members(), octets).unwrap();
        let mistake = load(&scene.config()).unwrap_err().mistakes()[0].clone();
        assert_eq!(mistake.what, format!("the members file `g.txt`: {what}"));
        assert_eq!(mistake.help, "save it as UTF-8");
    }
    std::fs::remove_file(scene.members()).unwrap();
    let mistake = load(&scene.config()).unwrap_err().mistakes()[0].clone();
    assert!(mistake.help.contains("relative to the configuration's folder"), "{mistake:?}");
}

#[test]
fn a_list_cannot_be_filled_with_domains_or_patterns() {
    for (line, what) in [
        ((|n| format!("D{n}\\a\n")) as fn(u32) -> String, "there are more than 10000 domains"),
        (|n| format!("CORP\\a{n}*\n"), "there are more than 10000 prefixes of names"),
    ] {
        let text = |lines| (0..lines).map(line).collect::<String>();
        parse("f", TEXT, Path::new("/f"), &mut |_| Ok(text(10_000))).unwrap();
        let errors = parse("f", TEXT, Path::new("/f"), &mut |_| Ok(text(10_001))).unwrap_err();
        assert_eq!(errors.mistakes()[0].what, format!("g.txt:10001: {what}"));
    }
}

#[test]
fn a_reload_is_spread_over_looks_and_the_old_list_stays_meanwhile() {
    const BUDGET: usize = 32 * 1024;
    let mut scene = Scene::new("CORP\\alice\n");
    let mut watch = start(&scene.config()).unwrap().watch;
    let text = users(0, 60_000);
    scene.write(&text);
    // Each octet is read once and compiled once.
    let expected = 2 * text.len().div_ceil(BUDGET);
    let mut looks = 0;
    let change = loop {
        looks += 1;
        // The first look finds the change; the others need not wait a second for it.
        let later = if looks == 1 { SECOND } else { AT_ONCE };
        if let Some(change) = scene.look(&mut watch, later, BUDGET) {
            break change;
        }
        assert!(looks < 10 * expected, "no end");
    };
    assert!((expected - 2..expected * 5 / 4).contains(&looks), "{looks} looks, {expected} expected");
    assert!(has(&change, "user59999") && !has(&change, "alice"));
}

#[test]
fn a_large_list_is_kept_for_a_restart_in_portions() {
    let mut scene = Scene::new("CORP\\alice\n");
    let mut watch = start(&scene.config()).unwrap().watch;
    scene.write(&users(0, 100_000));
    while scene.look(&mut watch, SECOND, 10 * CHECK_BUDGET).is_none() {}
    let (first, second) = (last_good(&scene.journal()), scene.folder.path().join("rasadmin.toml.last-good.json"));
    let kept = |at: &Path| Bundle::kept(at).unwrap().lists["g.txt"].lines().count();
    let mut looks = 0;
    while kept(&second) == 1 {
        assert!(scene.look(&mut watch, AT_ONCE, CHECK_BUDGET).is_none());
        looks += 1;
    }
    assert_eq!((kept(&first), kept(&second)), (100_000, 100_000));
    assert!((8..80).contains(&looks), "{looks} looks");
    // It serves, and the watch goes on.
    scene.write("CORP\\\n");
    assert!(has(&Change::Valid(start(&scene.config()).unwrap().config), "user7"));
    scene.write("CORP\\bob\n");
    assert!(has(&scene.look(&mut watch, SECOND, CHECK_BUDGET).unwrap(), "bob"));
}

#[test]
fn what_cannot_be_kept_leaves_nothing_behind() {
    let mut scene = Scene::new("CORP\\alice\n");
    let mut watch = start(&scene.config()).unwrap().watch;
    let kept_at = last_good(&scene.journal());
    std::fs::remove_file(&kept_at).unwrap();
    std::fs::create_dir(&kept_at).unwrap();
    std::fs::write(kept_at.join("full"), "so that no system replaces it").unwrap();
    let before = scene.files();
    // A large one is kept in portions.
    for members in [users(0, 10), users(0, 100_000)] {
        scene.write(&members);
        while scene.look(&mut watch, SECOND, 10 * CHECK_BUDGET).is_none() {}
        for _ in 0..80 {
            assert!(scene.look(&mut watch, AT_ONCE, CHECK_BUDGET).is_none());
        }
        assert_eq!(scene.files(), before);
    }
    let problem = start(&scene.config()).unwrap().problem;
    assert!(matches!(&problem, Some(StartProblem::NotKept(why)) if why.contains("last-good")), "{problem:?}");
    assert_eq!(scene.files(), before);
}

/// Its path cannot be written as JSON. An empty file instead would look like a damaged one.
#[cfg(target_os = "linux")]
#[test]
fn a_large_configuration_whose_path_is_not_unicode_is_not_kept() {
    let mut scene = Scene::new("CORP\\alice\n");
    let folder = scene.folder.path().join(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"\xff"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::rename(scene.config(), folder.join("rasadmin.toml")).unwrap();
    std::fs::rename(scene.members(), folder.join("g.txt")).unwrap();
    let started = start(&folder.join("rasadmin.toml")).unwrap();
    assert!(matches!(started.problem, Some(StartProblem::NotKept(_))), "{:?}", started.problem);
    let mut watch = started.watch;
    std::fs::write(folder.join("g.txt"), users(0, 100_000)).unwrap();
    while scene.look(&mut watch, SECOND, 10 * CHECK_BUDGET).is_none() {}
    for _ in 0..40 {
        assert!(scene.look(&mut watch, AT_ONCE, CHECK_BUDGET).is_none());
    }
    assert!(!last_good(&folder.join("journal")).exists());
}

#[test]
fn a_file_that_changes_while_it_is_read_is_read_again() {
    let mut scene = Scene::new("");
    let mut watch = start(&scene.config()).unwrap().watch;
    let (old, new) = (users(0, 10_000), users(20_000, 30_000));
    scene.write(&old);
    assert!(scene.look(&mut watch, SECOND, old.len() / 2).is_none());
    scene.write(&new);
    let mut change = None;
    while change.is_none() {
        change = scene.look(&mut watch, AT_ONCE, 10 * CHECK_BUDGET);
    }
    let change = change.unwrap();
    assert!(has(&change, "user20000") && has(&change, "user29999") && !has(&change, "user0"));
}

#[test]
fn a_change_in_the_same_second_to_the_same_size_is_noticed() {
    // A little ahead, so that it is fresh however slow this machine is.
    let now = SystemTime::now() + SECOND;
    let mut scene = Scene::new("CORP\\alice\n");
    scene.changed_at(now);
    let mut watch = start(&scene.config()).unwrap().watch;
    assert!(scene.look(&mut watch, AT_ONCE, CHECK_BUDGET).is_none());
    scene.write("CORP\\carol\n");
    scene.changed_at(now);
    assert!(scene.look(&mut watch, SECOND, CHECK_BUDGET).is_none(), "it looks as before");
    let change = scene.look(&mut watch, 2 * SECOND, CHECK_BUDGET).expect("a file so fresh is read again");
    assert!(has(&change, "carol") && !has(&change, "alice"));
}

#[test]
fn a_file_that_was_not_changed_lately_is_not_read_again() {
    let old = SystemTime::now() - Duration::from_secs(3_600);
    let mut scene = Scene::new("CORP\\alice\n");
    scene.changed_at(old);
    File::options().write(true).open(scene.config()).unwrap().set_modified(old).unwrap();
    let mut watch = start(&scene.config()).unwrap().watch;
    assert!(scene.look(&mut watch, AT_ONCE, CHECK_BUDGET).is_none());
    // With that trick the change would go unnoticed; what is asserted is that nothing was read.
    scene.write("CORP\\carol\n");
    scene.changed_at(old);
    for _ in 0..5 {
        assert!(scene.look(&mut watch, SECOND, CHECK_BUDGET).is_none());
    }
}

#[test]
fn a_network_drive_is_refused() {
    let parse = |file: &str, folder: &str| {
        let text = format!("default.action = \"deny\"\ngroups.g.members_file = '{file}'\n");
        let mut read = |name: &str| if name == r"\\?\C:\g.txt" { Ok(String::new()) } else { panic!("{name} is read") };
        parse("f", &text, Path::new(folder), &mut read).map_err(|errors| errors.to_string())
    };
    for file in [r"\\nas\s\g.txt", "//nas/s/g.txt", r"\\?\UNC\nas\s\g.txt", r"\\.\pipe\g"] {
        assert!(parse(file, "/f").unwrap_err().contains("cannot be on a network drive"), "{file}");
    }
    assert!(parse("g.txt", r"\\nas\share").unwrap_err().contains("a members file cannot be on a network drive"));
    parse(r"\\?\C:\g.txt", "/f").unwrap();
}

#[cfg(unix)]
#[test]
fn a_pipe_is_no_list() {
    let scene = Scene::new("");
    std::fs::remove_file(scene.members()).unwrap();
    let made = std::process::Command::new("mkfifo").arg(scene.members()).status().unwrap();
    assert!(made.success());
    let errors = load(&scene.config()).unwrap_err();
    assert_eq!(errors.mistakes()[0].what, "the members file `g.txt`: it is not an ordinary file");
}

#[test]
fn a_configuration_names_the_files_that_it_depends_on() {
    let scene = Scene::new("alice\n");
    let mut files = load(&scene.config()).unwrap().bundle.files();
    files.sort();
    assert_eq!(files, [scene.members(), scene.config()]);
}

#[test]
fn the_computers_own_accounts_are_not_a_domains() {
    let text =
        "default.action = \"deny\"\nserver.name = \"VPN1\"\ngroups.g.users = ['SRV9\\josé', 'VPN1\\ana', '.\\léa']\n";
    let computer = Name::new("srv9");
    let config = for_computer(&computer).parse("f", text, Path::new("/f"), &mut |_| Err("none".into())).unwrap();
    let has = |config: &rasadmin_policy::config::Config, user: &str| {
        let user: Identity = config.domains.identity(&user.into(), &Name::default()).unwrap();
        !config.groups.of(&user).is_empty()
    };
    for (user, is) in [
        ("SRV9\\josé", true),
        ("srv9\\JOSÉ", true),
        ("SRV9\\jose", false),
        ("VPN1\\ana", true),
        ("VPN1\\aná", false),
        ("SRV9\\léa", true),
        ("SRV9\\lea", false),
    ] {
        assert_eq!(has(&config, user), is, "{user}");
    }
    // Kept and compiled again, it is the same: the computer's name is kept with it.
    let again = config.bundle.compile().unwrap();
    assert!(!has(&again, "SRV9\\jose") && has(&again, "SRV9\\josé"));
    assert_eq!(again.hash, config.hash);
    // For an unknown computer, it is a domain like any other.
    let elsewhere = parse("f", text, Path::new("/f"), &mut |_| Err("none".into())).unwrap();
    assert!(has(&elsewhere, "SRV9\\jose"));
}

#[test]
fn what_is_claimed_is_noted() {
    let notes = |text: &str| {
        let text = format!("default.action = \"allow\"\n{text}");
        parse("f", &text, Path::new("/f"), &mut |_| Err("none".into())).unwrap().warnings(&computer(&[])).to_string()
    };
    let limit = "[[rules]]\nname = \"one\"\naction = \"deny\"\nuser_sessions = { at_least = 1 }\n";
    assert!(notes(limit).contains("same-computer"));
    assert_eq!(notes(&format!("limits.reconnect = \"strict\"\n{limit}")), "");
    assert_eq!(notes(""), "");
}

#[test]
fn who_is_refused_while_nothing_can_be_recorded_is_noted() {
    let notes = |text: &str| {
        let config = parse("f", text, Path::new("/f"), &mut |_| Err("none".into())).unwrap();
        config.warnings(&computer(&[])).to_string()
    };
    let allow = "default.action = \"allow\"\n";
    let rule = |own: &str| format!("[[rules]]\nname = \"r\"\naction = \"allow\"\nusers = [\"a\"]\n{own}");
    assert_eq!(notes(allow), "");
    assert_eq!(notes(&format!("{allow}journal.when_unrecorded = \"allow\"\n")), "");
    let all = notes(&format!("{allow}journal.when_unrecorded = \"deny\"\n"));
    assert!(all.contains("when_unrecorded") && all.contains("new connections are denied"), "{all}");
    let some = notes(&format!("{allow}{}", rule("when_unrecorded = \"deny\"\n")));
    assert!(some.contains("the users of the rules that set it are denied"), "{some}");
    // All users who are allowed are excepted.
    let deny = "default.action = \"deny\"\njournal.when_unrecorded = \"deny\"\n";
    assert_eq!(notes(&format!("{deny}{}", rule("when_unrecorded = \"allow\"\n"))), "");
    assert!(notes(&format!("{deny}{}", rule(""))).contains("new connections are denied"));
}

#[test]
fn a_servers_name_is_one_that_a_computer_can_have() {
    let parse = |name: &str| {
        let text = format!("default.action = \"allow\"\nserver.name = \"{name}\"\n");
        parse("f", &text, Path::new("/f"), &mut |_| Err("none".into()))
            .map_err(|errors| errors.mistakes()[0].what.clone())
    };
    parse(&"v".repeat(63)).unwrap();
    assert_eq!(parse(&"v".repeat(64)).unwrap_err(), "the server's name is longer than 63 characters");
    assert_eq!(parse("vpn\\u0007").unwrap_err(), "the server's name has control characters");
}
