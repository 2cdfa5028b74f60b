//! The packages that must be installed; on Debian and Ubuntu, their installation.

use crate::Result;
use crate::shell::{has, output, run};
use crate::timing::step;
use std::process::Command;
use std::sync::OnceLock;

/// A C compiler for crates that build C and, with one for C++, for the native fixtures.
pub const NATIVE: &[&str] = &["gcc", "g++", "libc6-dev"];
/// Shows the test of power cuts which files are written and synced.
pub const STRACE: &[&str] = &["strace"];
/// A database that exported sessions are loaded into.
pub const POSTGRESQL: &[&str] = &["postgresql"];
/// Its systemd-analyze checks the unit in examples.
pub const SYSTEMD: &[&str] = &["systemd"];
/// Its promtool checks the metrics.
pub const PROMETHEUS: &[&str] = &["prometheus"];
/// It fetches axe-core, if no other npm is installed.
pub const NPM: &[&str] = &["npm"];
/// It makes a folder for schemathesis.
pub const PYTHON: &[&str] = &["python3-venv"];
/// A browser for the tests of the dashboard.
const CHROMIUM: &str = "chromium";
/// A linker, windres, C and C++ compilers for Windows, and Wine to run the programs.
pub const WINDOWS: &[&str] = &[
    "binutils-mingw-w64-x86-64",
    "gcc-mingw-w64-x86-64",
    "g++-mingw-w64-x86-64",
    "gcc-mingw-w64-i686",
    "wine",
    "wine64",
];
/// Debian's Rust for building std: rustup has no target whose programs start under Debian's Wine.
const RUST: &[&str] = &["rustc-web", "cargo-web", "rust-web-src", "rust-web-clippy"];

/// Which Rust builds for Windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowsRust {
    /// Debian's, with its own source of std.
    Debian,
    /// The one that runs this program, with rustup's source of std: if apt has no rustc-web, as on Ubuntu.
    Rustup,
}

/// Installs the Rust that builds std for Windows, if it is missing, and returns which one it is.
pub fn windows_rust() -> Result<WindowsRust> {
    static FOUND: OnceLock<Result<WindowsRust>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            if installed(RUST[0]) || apt_has(RUST[0]) {
                return need(RUST).map(|()| WindowsRust::Debian);
            }
            if !has("rustup") {
                return need(RUST).map(|()| WindowsRust::Debian);
            }
            eprintln!("==> apt has no {}: using rustup's rust-src", RUST[0]);
            run(Command::new("rustup").args(["component", "add", "rust-src"])).map(|()| WindowsRust::Rustup)
        })
        .clone()
}

/// Installs a browser, unless the environment names one.
pub fn browser() -> Result {
    if cfg!(windows) || std::env::var_os("RASADMIN_BROWSER").is_some() {
        return Ok(());
    }
    if has("apt-get") && !installed(CHROMIUM) && !apt_has(CHROMIUM) {
        return Err(format!(
            "apt has no {CHROMIUM}, as on Ubuntu: install Chromium or Chrome in another way, and name the program, such as \
             RASADMIN_BROWSER=/opt/google/chrome/chrome"
        ));
    }
    need(&[CHROMIUM])
}

/// Returns whether apt knows the package; fetches its lists first if they are missing.
fn apt_has(package: &str) -> bool {
    let candidate = || {
        let policy = output(Command::new("apt-cache").args(["policy", package])).unwrap_or_default();
        policy.lines().any(|line| line.trim().strip_prefix("Candidate: ").is_some_and(|version| version != "(none)"))
    };
    has("apt-get") && (candidate() || (apt(&["update", "-qq"]).is_ok() && candidate()))
}

/// Installs the packages that are missing and names them; on other systems, says what to install.
pub fn need(packages: &[&str]) -> Result {
    if cfg!(windows) {
        return Ok(());
    }
    if !has("apt-get") || !has("dpkg-query") {
        return Err(format!(
            "this system has no apt-get. Install the contents of these Debian packages, then run the command again:\n  {}\n\
             (rustc-web is Rust 1.96 with its source, for building std; wine must be 8.0 or newer)",
            packages.join(" ")
        ));
    }
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    step(&format!("installing (apt-get): {}", missing.join(" ")), || {
        apt(&["update", "-qq"])?;
        apt(&[&["install", "-y", "-qq", "--no-install-recommends"], &missing[..]].concat())
    })
}

/// Fetches apt's lists.
pub fn update() -> Result {
    apt(&["update", "-qq"])
}

fn installed(package: &str) -> bool {
    output(Command::new("dpkg-query").args(["-W", "-f=${Status}", package])).is_ok_and(|s| s.ends_with("ok installed"))
}

fn apt(arguments: &[&str]) -> Result {
    let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let mut command = if root {
        Command::new("apt-get")
    } else if has("sudo") {
        let mut sudo = Command::new("sudo");
        sudo.args(["--preserve-env=DEBIAN_FRONTEND", "apt-get"]);
        sudo
    } else {
        return Err(format!("run this as root, or install sudo: apt-get {}", arguments.join(" ")));
    };
    // Another apt-get may be running, as on a machine that has just started: wait for its lock.
    command.args(["-o", "DPkg::Lock::Timeout=300"]);
    command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments).stdout(std::process::Stdio::null());
    run(&mut command)
}
