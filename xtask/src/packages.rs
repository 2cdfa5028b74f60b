//! What must be installed, and installing it on Debian and Ubuntu.

use crate::Result;
use crate::shell::{has, output, run};
use std::process::Command;

/// A C compiler for the native fixtures, and for crates that build C.
pub const NATIVE: &[&str] = &["gcc", "libc6-dev"];
/// The Windows build, its C fixtures, and Wine to run them.
pub const WINDOWS: &[&str] =
    &["rustc-web", "cargo-web", "rust-web-src", "gcc-mingw-w64-x86-64", "gcc-mingw-w64-i686", "wine", "wine64"];
/// Lints for the Windows code.
pub const LINT: &[&str] = &["rust-web-clippy"];

/// Installs those that are missing, naming them; on other systems says what to install.
pub fn need(packages: &[&str]) -> Result {
    if cfg!(windows) {
        return Ok(());
    }
    if !has("apt-get") || !has("dpkg-query") {
        return Err(format!(
            "this system has no apt-get. Install what these Debian packages hold, then run the command again:\n  {}\n\
             (rustc-web is Rust 1.96 with its source, for building std; wine must be 8.0 or newer)",
            packages.join(" ")
        ));
    }
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("==> installing (apt-get): {}", missing.join(" "));
    apt(&["update", "-qq"])?;
    apt(&[&["install", "-y", "-qq", "--no-install-recommends"], &missing[..]].concat())
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
    command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments).stdout(std::process::Stdio::null());
    run(&mut command)
}
