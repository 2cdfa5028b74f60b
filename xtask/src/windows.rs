//! The Windows build on Linux, and Wine to run it.
//!
//! rustup cannot be relied on for a Windows target whose programs start under Debian's Wine, so std is built from
//! Debian's rust-web-src; docs/architecture.md says why each flag is there.

use crate::Result;
use crate::packages::{self, WindowsRust};
use crate::shell::{cargo, copy_into, create, output, root, run, step, target};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The target.
pub const TRIPLE: &str = "x86_64-win7-windows-gnu";

/// A command of cargo's for the Windows target: on Windows the ordinary one.
pub fn command(subcommand: &str) -> Result<Command> {
    if cfg!(windows) {
        let mut command = cargo();
        command.arg(subcommand);
        return Ok(command);
    }
    let mut command = match packages::windows_rust()? {
        WindowsRust::Rustup => cargo(),
        // Called directly: `cargo clippy` would find rustup's.
        WindowsRust::Debian if subcommand == "clippy" => Command::new("/usr/bin/cargo-clippy"),
        WindowsRust::Debian => Command::new("/usr/bin/cargo"),
    };
    if packages::windows_rust()? == WindowsRust::Debian {
        debian_environment(&mut command);
    }
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Zhas-thread-local=yes")
        .env("CARGO_TARGET_DIR", target().join("win-build"))
        .env("CARGO_TARGET_X86_64_WIN7_WINDOWS_GNU_LINKER", crate::linker::install()?)
        // Build scripts would guess the C compiler from the linker's name.
        .env("CC_x86_64_win7_windows_gnu", "x86_64-w64-mingw32-gcc")
        .env("AR_x86_64_win7_windows_gnu", "x86_64-w64-mingw32-ar")
        .env("CARGO_TARGET_X86_64_WIN7_WINDOWS_GNU_RUNNER", "wine");
    wine_environment(&mut command);
    command.args([subcommand, "-Z", "build-std=std,panic_unwind", "--target", TRIPLE]);
    Ok(command)
}

/// The environment in which Debian's toolchain is found.
fn debian_environment(command: &mut Command) {
    let path = std::env::var("PATH").unwrap_or_default();
    // A toolchain of rustup's, or its flags, must not leak into the build by Debian's.
    for variable in ["RUSTUP_TOOLCHAIN", "CARGO_ENCODED_RUSTFLAGS", "CARGO", "RUSTC_WRAPPER", "CARGO_BUILD_TARGET"] {
        command.env_remove(variable);
    }
    command.env("PATH", format!("/usr/bin:{path}")).env("RUSTC", "/usr/bin/rustc");
}

/// Where Wine finds its prefix, and keeps quiet.
pub fn wine_environment(command: &mut Command) {
    command
        .env("WINEPREFIX", prefix())
        .env("WINEDEBUG", "-all")
        .env("WINEDLLOVERRIDES", "mscoree,mshtml=")
        .env_remove("DISPLAY");
}

fn prefix() -> PathBuf {
    target().join("wine")
}

/// A program for Windows: under Wine, but on Windows as it is.
pub fn program(path: &str) -> Command {
    if cfg!(windows) {
        return Command::new(path);
    }
    let mut command = Command::new("wine");
    command.arg(path);
    wine_environment(&mut command);
    command
}

/// Where the Windows build leaves its files.
pub fn built() -> PathBuf {
    if cfg!(windows) { target().join("release") } else { target().join("win-build").join(TRIPLE).join("release") }
}

/// Builds target/windows/rasadmin.dll and rasadmin.exe, with the example DLLs beside them in examples/.
pub fn product() -> Result<PathBuf> {
    packages::need(packages::WINDOWS)?;
    step("building for Windows (the first time std too: some minutes)", || {
        run(command("build")?.args(["--release", "--quiet", "--workspace", "--exclude", "xtask"]))
    })?;
    let folder = target().join("windows");
    copy_into(&built().join("rasadmin.dll"), &folder)?;
    copy_into(&built().join("rasadmin.exe"), &folder)?;
    for example in ["audit_log", "static_address", "recorder", "reject"] {
        copy_into(&built().join(format!("{example}.dll")), &folder.join("examples"))?;
    }
    Ok(folder)
}

/// Makes the Wine prefix, once.
pub fn wine() -> Result {
    if cfg!(windows) || prefix().join("ready").exists() {
        return Ok(());
    }
    packages::need(packages::WINDOWS)?;
    step("preparing Wine", || {
        create(&prefix())?;
        // A crashed child must end at once, without a debugger that asks.
        const AEDEBUG: &str = r"HKLM\Software\Microsoft\Windows NT\CurrentVersion\AeDebug";
        let debugger: &[&str] = &["wine", "reg", "add", AEDEBUG, "/v", "Debugger", "/d", "false", "/f"];
        for words in [&["wineboot", "-i"][..], &["winecfg", "-v", "win10"], debugger] {
            let mut command = Command::new(words[0]);
            wine_environment(&mut command);
            run(command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()))?;
        }
        std::fs::write(prefix().join("ready"), "").map_err(|e| format!("cannot write to the Wine prefix: {e}"))
    })
}

/// Ends Wine's server, which would hold our output open.
pub fn end_wine() {
    if !cfg!(windows) && prefix().exists() {
        let mut command = Command::new("wineserver");
        wine_environment(&mut command);
        let _ = command.arg("-k").current_dir(root()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

/// The version of Wine, for the demo's heading.
pub fn version() -> String {
    output(Command::new("wine").arg("--version")).map(|v| v.trim().to_owned()).unwrap_or_else(|_| "Windows".into())
}
