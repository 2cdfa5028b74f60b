//! `rasadmin install` and `uninstall` with the real command, a real registry and real DLLs. (Tests that do not need RRAS
//! are in tests/status.rs.)
#![cfg(windows)]
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_host::registry::KEY;
use rasadmin_system::machine_policy::{SVCHOST_KEY, SVCHOST_VALUE};
use rasadmin_system::start_causes::{IPV6_KEY, IPV6_VALUE};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use support::{Ran, fixtures, office_day, product, program_with, rasadmin, rasadmin_with, reject, words};
use winreg::enums::{HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE, REG_DWORD, REG_EXPAND_SZ, REG_SZ, RegType};
use winreg::{RegKey, RegValue};

/// A server of one test: folders, %ProgramData%, and a key that replaces HKEY_LOCAL_MACHINE.
struct World {
    folder: tempfile::TempDir,
    root: String,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = RegKey::predef(HKEY_CURRENT_USER).delete_subkey_all(&self.root);
    }
}

type Values = (Option<(RegType, String)>, Option<String>);

fn raw(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

fn values(key: std::io::Result<RegKey>) -> Values {
    let Ok(key) = key else { return (None, None) };
    let text = |value: &RegValue<'_>| {
        let units: Vec<u16> = value.bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        String::from_utf16(&units).unwrap().strip_suffix('\0').unwrap().to_owned()
    };
    let dll_path = key.get_raw_value("DllPath").ok().map(|value| (value.vtype.clone(), text(&value)));
    (dll_path, key.get_value("DisplayName").ok())
}

impl World {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { folder, root: format!(r"Software\rasadmin-test-{}-{number}", std::process::id()) }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// A copy of a DLL.
    fn copy(&self, from: &Path, name: &str) -> String {
        let to = PathBuf::from(self.path(name));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, &to).unwrap();
        self.path(name)
    }

    /// Our DLL with another version in its mark.
    fn version(&self, version: &str, name: &str) -> String {
        let mut bytes = std::fs::read(product()).unwrap();
        let mark = format!("rasadmin-product/{}\n", env!("CARGO_PKG_VERSION"));
        let at = bytes.windows(mark.len()).position(|window| window == mark.as_bytes()).unwrap();
        let new = format!("rasadmin-product/{version}\n");
        assert_eq!(new.len(), mark.len());
        bytes[at..at + new.len()].copy_from_slice(new.as_bytes());
        let path = PathBuf::from(self.path(name));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        self.path(name)
    }

    fn vendor(&self, name: &str) -> String {
        self.copy(&fixtures().join("good-rev1-pair1.dll"), name)
    }

    fn key(&self) -> RegKey {
        RegKey::predef(HKEY_CURRENT_USER).create_subkey(format!(r"{}\{KEY}", self.root)).unwrap().0
    }

    fn set(&self, vtype: RegType, text: &str) {
        self.key().set_raw_value("DllPath", &RegValue { bytes: raw(text).into(), vtype }).unwrap();
    }

    fn values(&self) -> Values {
        values(RegKey::predef(HKEY_CURRENT_USER).open_subkey(format!(r"{}\{KEY}", self.root)))
    }

    /// The DLL in which the Event Viewer looks for the texts, and the types of events.
    fn event_source(&self) -> Option<(String, u32)> {
        let path = format!(r"{}\SYSTEM\CurrentControlSet\Services\EventLog\Application\rasadmin", self.root);
        let key = RegKey::predef(HKEY_CURRENT_USER).open_subkey(path).ok()?;
        Some((key.get_value("EventMessageFile").unwrap(), key.get_value("TypesSupported").unwrap()))
    }

    fn dll_path(&self) -> String {
        self.values().0.unwrap().1
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        // A copy, because the folder of the tests may be one that everybody can write.
        let program = PathBuf::from(self.path("rasadmin.exe"));
        if !program.exists() {
            std::fs::copy(env!("CARGO_BIN_EXE_rasadmin"), &program).unwrap();
        }
        self.run_as(&program, arguments)
    }

    fn run_as(&self, program: &Path, arguments: &[&str]) -> Ran {
        let data = self.path("data");
        let arguments = arguments.iter().copied().chain(["--registry-root", &self.root]);
        program_with(program, arguments, &[("ProgramData", &data), ("RASADMIN_LOG", ""), ("RASADMIN_CONFIG", "")])
    }

    fn install(&self, dll: &str, more: &[&str]) -> Ran {
        self.run(&[&["install", "--yes", "--dll", dll], more].concat())
    }

    /// Nothing may have changed.
    fn refuses(&self, dll: &str, code: i32, message: &str) {
        let before = self.values();
        self.install(dll, &[]).ends(code).complains(message);
        assert_eq!(self.values(), before);
        assert_eq!(std::fs::read_dir(self.path("data")).unwrap().count(), 0, "no folder, no configuration");
    }
}

fn sz(text: &str) -> Option<(RegType, String)> {
    Some((REG_SZ, text.into()))
}

#[test]
fn from_nothing_to_a_registered_dll_and_back() {
    let world = World::new();
    let dll = world.copy(&product(), r"program files\rasadmin.dll");
    let dry = world.run(&["install", "--dry-run", "--dll", &dll]).ends(0);
    dry.prints("RRAS would start with it").prints(&format!("to    {dll} (REG_SZ)")).prints("Nothing was changed");
    assert_eq!(world.values(), (None, None));
    assert_eq!(std::fs::read_dir(world.path("data")).unwrap().count(), 0);
    world.run(&["install", "--dll", &dll]).ends(2).complains("add --yes");
    assert_eq!(world.values(), (None, None));

    let done = world.install(&dll, &[]).ends(0).prints("Done.").prints("Restart-Service RemoteAccess");
    done.prints("this cuts every connected user").prints("To undo it: rasadmin uninstall");
    assert_eq!(world.values(), (sz(&dll), Some("rasadmin".into())));
    assert_eq!(world.event_source(), Some((dll.clone(), 7)));
    let config = world.path(r"data\rasadmin\rasadmin.toml");
    assert!(Path::new(&config).is_file());
    world.install(&dll, &[]).ends(0).prints("Already installed; nothing to do");
    let status = world.run(&["status", "--json"]).ends(0).json();
    assert_eq!(status["registration"]["dll"], dll.as_str());
    assert_eq!(status["registration"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["registration"]["event_source"], dll.as_str());

    // A service with that configuration. Our host does not touch the journal of a real one.
    let mut service = std::process::Command::new(fixtures().join("chost.exe"));
    service.arg(&dll).env("RASADMIN_CONFIG", &config).env("RASADMIN_LOG", world.path("rasadmin.log"));
    assert!(service.env("RASADMIN_SYSTEM_LOG", "off").output().unwrap().status.success());
    let status = world.run(&["status", "--json"]).ends(0).json();
    assert_eq!(status["services"][0]["loaded"]["version"], env!("CARGO_PKG_VERSION"), "{status:#}");
    assert_eq!(status["services"][0]["alive"], false);

    let dry = world.run(&["uninstall", "--dry-run"]).ends(0).prints("to    (no value)");
    dry.prints("Nothing was changed");
    assert_eq!(world.dll_path(), dll);
    let done = world.run(&["uninstall", "--yes"]).ends(0).prints("RRAS keeps the DLL loaded until it is restarted");
    done.prints(&format!("The configuration stays: {config}")).prints("The ledger stays: ");
    assert_eq!((world.values(), world.event_source()), ((None, None), None));
    assert!(Path::new(&config).is_file() && Path::new(&dll).is_file());
    world.run(&["uninstall", "--yes"]).ends(0).prints("rasadmin.dll is not registered");
    world.run(&["status"]).ends(1).prints("rasadmin.dll is not registered; run `rasadmin install`");
}

#[test]
fn what_others_wrote_stays_to_the_last_character() {
    let world = World::new();
    let dll = world.copy(&product(), "rasadmin.dll");
    world.vendor(r"data\a.dll");
    let b = world.vendor("b c.dll");
    let text = format!(r"%ProgramData%\a.dll;;{b} ;");
    world.set(REG_EXPAND_SZ, &text);
    world.key().set_value("DisplayName", &"Vendor Inc.").unwrap();
    std::fs::create_dir(world.path("ours")).unwrap();
    let config = world.path(r"ours\vpn.toml");
    let ran = world.install(&dll, &["--config", &config]).ends(0).prints("b c.dll : its file shows no fault");
    ran.prints("(read, not run)");
    let expand = |text: String| Some((REG_EXPAND_SZ, text));
    assert_eq!(world.values(), (expand(format!(r"%ProgramData%\a.dll;;{b} ;{dll};")), Some("Vendor Inc.".into())));
    let own = RegKey::predef(HKEY_CURRENT_USER).open_subkey(format!(r"{}\SOFTWARE\rasadmin", world.root)).unwrap();
    assert_eq!(own.get_value::<String, _>("ConfigPath").unwrap(), config);
    world.install(&dll, &["--first"]).ends(0);
    assert_eq!(world.dll_path(), format!("{dll};{text}"));
    world.install(&dll, &["--last"]).ends(0);
    assert_eq!(world.dll_path(), format!(r"%ProgramData%\a.dll;;{b} ;{dll};"));
    let status = world.run(&["status", "--json"]).ends(0).json();
    assert_eq!(
        (&status["registration"]["position"], &status["configuration"]["file"]),
        (&3.into(), &config.as_str().into())
    );
    world.run(&["uninstall", "--yes"]).ends(0).prints("vpn.toml");
    assert_eq!(world.values(), (expand(text), Some("Vendor Inc.".into())));
}

/// Microsoft's own example has a space after the semicolon, so RRAS never loads the entries after it.
#[test]
fn a_space_is_reported_and_no_dll_wakes_without_a_confirmation() {
    let world = World::new();
    let (a, b) = (world.vendor("a.dll"), world.vendor("b.dll"));
    let dll = world.copy(&product(), "rasadmin.dll");
    world.set(REG_SZ, &format!("{a}; {b}"));
    let ran = world.install(&dll, &[]).ends(0);
    ran.prints("RRAS never loads these today").prints(&b);
    assert_eq!(world.dll_path(), format!("{a};{dll}; {b}"));
    world.run(&["status"]).ends(1).prints("ATTENTION  never loaded");
    world.run(&["uninstall", "--yes"]).ends(0);
    assert_eq!(world.dll_path(), format!("{a}; {b}"));

    // Somebody has added rasadmin.dll by hand, with a space, so RRAS never loads it and the entries after it.
    let by_hand = format!("{a}; {dll};{b}");
    world.set(REG_SZ, &by_hand);
    world.run(&["status"]).ends(1).prints("RRAS never loads it, because of a space");
    for command in [&["install", "--yes", "--dll", &dll][..], &["uninstall", "--yes"]] {
        world.run(command).ends(2).prints("would wake other vendors' DLLs").complains("confirm with --wake");
        assert_eq!(world.dll_path(), by_hand);
        world.run(&[command, &["--dry-run"]].concat()).ends(0).prints("would wake other vendors' DLLs");
    }
    world.install(&dll, &["--wake"]).ends(0);
    assert_eq!(world.dll_path(), format!("{a};{dll};{b}"));
    world.set(REG_SZ, &by_hand);
    world.run(&["uninstall", "--yes", "--wake"]).ends(0);
    assert_eq!(world.dll_path(), format!("{a};{b}"));
}

/// Its entry point is where there is no code: any program that loads it fails.
#[test]
fn another_vendors_dll_is_never_loaded() {
    let world = World::new();
    let vendor = world.vendor("vendor.dll");
    let mut bytes = std::fs::read(&vendor).unwrap();
    let header = u32::from_le_bytes(bytes[0x3c..0x40].try_into().unwrap()) as usize;
    bytes[header + 40..header + 44].copy_from_slice(&0x10_u32.to_le_bytes());
    std::fs::write(&vendor, bytes).unwrap();
    let control = rasadmin(words([&"check", &"--require-dynamic", &vendor]));
    assert_eq!(control.code, Some(1), "{}", control.stdout);
    world.set(REG_SZ, &vendor);
    let dll = world.copy(&product(), "rasadmin.dll");
    world.install(&dll, &[]).ends(0).prints("vendor.dll: its file shows no fault");
    world.run(&["status"]).ends(0).prints("vendor.dll");
    world.run(&["uninstall", "--yes"]).ends(0);
    assert_eq!(world.dll_path(), vendor);
}

#[test]
fn what_rras_would_not_start_with_is_refused_and_nothing_changes() {
    let world = World::new();
    let dll = world.copy(&product(), "rasadmin.dll");
    let half = world.copy(&fixtures().join("half-ipv4.dll"), "half.dll");
    world.set(REG_SZ, &half);
    world.refuses(&dll, 1, "half.dll: RRAS would not start with it");
    world.set(REG_SZ, &world.path("gone.dll"));
    world.refuses(&dll, 1, "gone.dll: RRAS would not start (event 20113): the file does not exist");
    world.set(REG_SZ, &world.copy(&fixtures().join("32-bit.dll"), "old.dll"));
    world.refuses(&dll, 1, "old.dll: RRAS would not start with it");
    world.key().set_value("DllPath", &7_u32).unwrap();
    world.install(&dll, &[]).ends(2).complains("it must be REG_SZ or REG_EXPAND_SZ");
    assert_eq!(world.key().get_raw_value("DllPath").unwrap().vtype, REG_DWORD);
    world.key().set_raw_value("DllPath", &RegValue { bytes: raw("a\0b").into(), vtype: REG_SZ }).unwrap();
    world.install(&dll, &[]).ends(2).complains("text after its terminator");
    world.set(REG_SZ, "");

    world.refuses(&world.copy(&product(), r"a;b\rasadmin.dll"), 1, "a path with `;` cannot be registered");
    world.refuses(&world.copy(&product(), r"a%b\rasadmin.dll"), 1, "a path with `%` cannot be registered");
    world.refuses(&world.copy(&reject(), "reject.dll"), 1, "it is not the rasadmin DLL");
    world.refuses(&world.path("none.dll"), 2, "the file does not exist");
    // rasadmin.dll, but damaged: it has our version marker, and fails when it is run.
    let broken = world.copy(&product(), r"broken\rasadmin.dll");
    let mut bytes = std::fs::read(&broken).unwrap();
    let header = u32::from_le_bytes(bytes[0x3c..0x40].try_into().unwrap()) as usize;
    bytes[header + 40..header + 44].copy_from_slice(&0x10_u32.to_le_bytes());
    std::fs::write(&broken, bytes).unwrap();
    world.refuses(&broken, 1, "RRAS would not start with it");
    assert_eq!(world.values(), (sz(""), None));
}

/// The value counts, whatever this computer's own is.
#[test]
fn a_policy_that_keeps_admin_dlls_out_is_named_before_the_question() {
    let world = World::new();
    let dll = world.copy(&product(), "rasadmin.dll");
    let user = RegKey::predef(HKEY_CURRENT_USER);
    let (key, _) = user.create_subkey(format!(r"{}\{SVCHOST_KEY}", world.root)).unwrap();
    let policy = "a policy of this machine lets RRAS load no admin DLL";
    for (value, on) in [(0_u32, false), (1, true)] {
        key.set_value(SVCHOST_VALUE, &value).unwrap();
        let ran = world.run(&["install", "--dry-run", "--dll", &dll]).ends(0);
        assert_eq!(ran.stdout.contains(&format!("warning: {policy}")), on, "{}", ran.stdout);
        let status = world.run(&["status"]);
        assert_eq!(status.stdout.contains(policy), on, "{}", status.stdout);
        let json = world.run(&["status", "--json"]).json();
        assert_eq!(json["policy"]["svchost_microsoft_only"], on, "{json}");
    }
}

#[test]
fn what_keeps_remote_access_from_starting_is_named_before_the_question() {
    let world = World::new();
    let dll = world.copy(&product(), "rasadmin.dll");
    let user = RegKey::predef(HKEY_CURRENT_USER);
    let (key, _) = user.create_subkey(format!(r"{}\{IPV6_KEY}", world.root)).unwrap();
    for (value, off) in [(0x20_u32, false), (0xff, true)] {
        key.set_value(IPV6_VALUE, &value).unwrap();
        let ran = world.run(&["install", "--dry-run", "--dll", &dll]).ends(0);
        assert_eq!(ran.stdout.contains("warning: IPv6 is switched off on this machine"), off, "{}", ran.stdout);
        let json = world.run(&["status", "--json"]).json();
        assert_eq!(json["start"]["ipv6_disabled_components"], value, "{json}");
        let facts = json["facts"].as_array().unwrap();
        assert_eq!(facts.iter().any(|fact| fact["about"] == "IPv6" && fact["mark"] == "attention"), off, "{json}");
    }
}

#[test]
fn an_upgrade_goes_beside_the_loaded_dll_and_takes_its_place_in_the_list() {
    use std::os::windows::fs::OpenOptionsExt;
    let world = World::new();
    let (a, b) = (world.vendor("a.dll"), world.vendor("b.dll"));
    let first = world.version("0.0.1", r"program\rasadmin.dll");
    world.set(REG_SZ, &format!("{a};{first};{b}"));
    // The service has it loaded: it can be read, but not written or deleted.
    const FILE_SHARE_READ: u32 = 1;
    let load = |path: &str| std::fs::OpenOptions::new().read(true).share_mode(FILE_SHARE_READ).open(path).unwrap();
    let loaded = load(&first);

    let new = world.version("0.0.2", r"new\rasadmin.dll");
    let second = world.path(r"program\rasadmin-0.0.2.dll");
    let ran = world.install(&new, &[]).ends(0).prints(&format!("copy {new} to {second}"));
    ran.prints(&format!("The earlier DLL, {first}, is in use until then"));
    assert_eq!(world.dll_path(), format!("{a};{second};{b}"));
    assert_eq!(std::fs::read(&second).unwrap(), std::fs::read(&new).unwrap());
    world.install(&new, &[]).ends(0).prints("Already installed; nothing to do");
    drop(loaded);
    let loaded = load(&second);

    // The same version with other content gets another name.
    let mut bytes = std::fs::read(&new).unwrap();
    bytes.extend(b"another build");
    std::fs::write(&new, bytes).unwrap();
    world.install(&new, &[]).ends(0);
    let third = world.dll_path().split(';').nth(1).unwrap().to_owned();
    assert!(third.starts_with(&world.path(r"program\rasadmin-0.0.2-")) && Path::new(&third).is_file(), "{third}");

    // A file that is still loaded stays until a later command. A file that no upgrade made stays for good.
    let latest = world.version("0.0.3", r"new\rasadmin.dll");
    world.install(&latest, &[]).ends(0).complains("rasadmin-0.0.2.dll: it cannot be deleted");
    assert!(Path::new(&second).is_file());
    drop(loaded);
    world.run(&["uninstall", "--yes"]).ends(0);
    assert_eq!(world.dll_path(), format!("{a};{b}"));
    assert!(!Path::new(&second).exists() && !Path::new(&third).exists());
    assert!(Path::new(&first).is_file() && Path::new(&world.path(r"program\rasadmin-0.0.3.dll")).is_file());
}

#[test]
fn a_broken_configuration_is_not_overwritten() {
    let world = World::new();
    let dll = world.copy(&product(), "rasadmin.dll");
    let config = world.path("rasadmin.toml");
    std::fs::write(&config, "default.action = \"alow\"\n").unwrap();
    world.refuses(&dll, 1, "the configuration is broken, and there is no earlier one");
    assert_eq!(std::fs::read_to_string(&config).unwrap(), "default.action = \"alow\"\n");
    // It lies beside the DLL, where the DLL looks for it first.
    std::fs::write(&config, "default.action = \"allow\"\n").unwrap();
    world.install(&dll, &[]).ends(0);
    assert!(!Path::new(&world.path(r"data\rasadmin\rasadmin.toml")).exists());
}

/// Writes the key that RRAS reads, and that the host reads here. On Windows it may be a real server's key.
#[test]
#[ignore = "it writes to HKEY_LOCAL_MACHINE: `cargo xtask test` runs it, in a Wine prefix"]
fn the_host_starts_with_what_was_registered() {
    let machine = RegKey::predef(HKEY_LOCAL_MACHINE);
    let wine = RegKey::predef(HKEY_CURRENT_USER).open_subkey(r"Software\Wine");
    assert!(wine.is_ok(), "not under Wine: HKEY_LOCAL_MACHINE is left alone");
    struct Restore(RegKey);
    impl Drop for Restore {
        fn drop(&mut self) {
            let _ = self.0.delete_subkey_all(KEY);
        }
    }
    let _restore = Restore(RegKey::predef(HKEY_LOCAL_MACHINE));
    let _ = machine.delete_subkey_all(KEY);
    let world = World::new();
    let (dll, data) = (world.copy(&product(), "rasadmin.dll"), world.path("data"));
    let environment = [("ProgramData", &*data), ("RASADMIN_LOG", ""), ("RASADMIN_CONFIG", "")];
    let install = words([&"install", &"--yes", &"--no-service", &"--dll", &dll]);
    rasadmin_with(install, &environment).ends(0).prints(r"HKLM\SOFTWARE");
    assert_eq!(values(machine.open_subkey(KEY)), (sz(&dll), Some("rasadmin".into())));
    rasadmin(words([&"host", &"run", &"--registry", &office_day()])).ends(0);
    rasadmin_with(words([&"status"]), &environment).ends(0).prints("1 of 1 that RRAS loads");
    rasadmin_with(words([&"uninstall", &"--yes"]), &environment).ends(0);
    assert_eq!(values(machine.open_subkey(KEY)), (None, None));
}

/// A folder that everybody can write: Unix has one, and Wine shows it.
const EVERYBODYS: &str = r"Z:\tmp";

/// A file in a folder that everybody can write.
struct Exposed(PathBuf);

impl Exposed {
    fn copy(from: &Path) -> Self {
        let name = format!("rasadmin-test-{}-{}", std::process::id(), from.file_name().unwrap().to_string_lossy());
        let path = Path::new(EVERYBODYS).join(name);
        std::fs::copy(from, &path).unwrap();
        Self(path)
    }
}

impl Drop for Exposed {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn what_others_could_have_changed_is_neither_run_nor_installed() {
    let world = World::new();
    let refuses = |ran: Ran, file: &Path| {
        let ran = ran.ends(1).complains("nothing was run or changed");
        let ran = ran.complains(&format!("{EVERYBODYS}: it can be written by Everyone"));
        let ran = ran.complains(r"such as C:\Program Files\rasadmin, and run this command from there");
        assert!(!ran.stdout.contains("checking it"), "{}: {}", file.display(), ran.stdout);
        assert_eq!(world.values(), (None, None));
    };
    // The DLL.
    let dll = Exposed::copy(&product());
    for more in [&["--dry-run"][..], &[]] {
        refuses(world.install(dll.0.to_str().unwrap(), more), &dll.0);
    }
    // The command, which runs itself in child processes and as the daily task.
    let command = Exposed::copy(Path::new(env!("CARGO_BIN_EXE_rasadmin")));
    let safe = world.copy(&product(), "rasadmin.dll");
    refuses(world.run_as(&command.0, &["install", "--dry-run", "--dll", &safe]), &command.0);
}

#[test]
fn the_folder_goes_on_the_path_once_and_off_it_again() {
    const ENVIRONMENT: &str = r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment";
    let world = World::new();
    let dll = world.copy(&product(), "rasadmin.dll");
    let key = RegKey::predef(HKEY_CURRENT_USER).create_subkey(format!(r"{}\{ENVIRONMENT}", world.root)).unwrap().0;
    let before = r"%SystemRoot%\system32;C:\tools";
    key.set_raw_value("Path", &RegValue { bytes: raw(before).into(), vtype: REG_EXPAND_SZ }).unwrap();
    let is = |expected: &str| {
        let value = key.get_raw_value("Path").unwrap();
        assert_eq!((value.bytes.to_vec(), value.vtype), (raw(expected), REG_EXPAND_SZ));
    };
    let folder = world.folder.path().to_str().unwrap();
    world.install(&dll, &[]).ends(0);
    is(before);
    let put = format!("put {folder} on the system's PATH");
    world.install(&dll, &["--add-to-path"]).ends(0).prints(&put);
    is(&format!("{before};{folder}"));
    world.install(&dll, &["--add-to-path"]).ends(0).prints("Already installed; nothing to do");
    world.run(&["uninstall", "--yes"]).ends(0).prints(&format!("take {folder} off the system's PATH"));
    is(before);
}
