//! The Windows build on Linux, and Wine to run it.
//!
//! rustup cannot be relied on for a Windows target whose programs start under Debian's Wine, so std is built from
//! Debian's rust-web-src; docs/architecture.md says why each flag is there.

use crate::packages::{self, WindowsRust};
use crate::shell::{cargo, copy_into, create, output, root, run, target};
use crate::timing::step;
use crate::{Result, shipped};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The target.
pub const TRIPLE: &str = "x86_64-win7-windows-gnu";

/// The example DLLs.
const EXAMPLES: [&str; 4] = ["audit_log", "static_address", "recorder", "reject"];

/// A cargo command for the Windows target; on Windows, the ordinary one.
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
        // The linker strips all but the shipped files; their symbols go into debug files.
        .env("CARGO_PROFILE_RELEASE_DEBUG", "line-tables-only")
        .env("CARGO_PROFILE_RELEASE_STRIP", "none")
        // Build scripts would guess the C compiler from the linker's name.
        .env("CC_x86_64_win7_windows_gnu", "x86_64-w64-mingw32-gcc")
        .env("AR_x86_64_win7_windows_gnu", "x86_64-w64-mingw32-ar")
        .env("CARGO_TARGET_X86_64_WIN7_WINDOWS_GNU_RUNNER", "wine");
    wine_environment(&mut command);
    command.args([subcommand, "-Z", "build-std=std,panic_unwind", "--target", TRIPLE]);
    Ok(command)
}

/// Sets the environment so that cargo finds Debian's toolchain.
fn debian_environment(command: &mut Command) {
    let path = std::env::var("PATH").unwrap_or_default();
    // A toolchain of rustup's, or its flags, must not leak into the build by Debian's.
    for variable in ["RUSTUP_TOOLCHAIN", "CARGO_ENCODED_RUSTFLAGS", "CARGO", "RUSTC_WRAPPER", "CARGO_BUILD_TARGET"] {
        command.env_remove(variable);
    }
    command.env("PATH", format!("/usr/bin:{path}")).env("RUSTC", "/usr/bin/rustc");
}

/// Sets the Wine prefix, and turns its debug output off.
pub fn wine_environment(command: &mut Command) {
    command
        .env("WINEPREFIX", prefix())
        .env("WINEDEBUG", "-all")
        .env("WINEDLLOVERRIDES", "mscoree,mshtml=")
        .env_remove("DISPLAY");
}

/// The Wine prefix.
pub fn prefix() -> PathBuf {
    target().join("wine")
}

/// A copy of the Wine prefix, for programs that run beside those in the first.
fn second_prefix() -> PathBuf {
    target().join("wine-2")
}

/// Makes the second Wine prefix, anew. Nothing may be running in the first.
pub fn copy_prefix() -> Result<PathBuf> {
    let copy = second_prefix();
    match std::fs::remove_dir_all(&copy) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(format!("{}: {e}", copy.display())),
        _ => {}
    }
    // The copies of Wine's DLLs have holes.
    run(Command::new("cp").args(["-a", "--sparse=always"]).arg(prefix()).arg(&copy))?;
    Ok(copy)
}

/// Runs a program for Windows under Wine; on Windows, directly.
pub fn program(path: &str) -> Command {
    if cfg!(windows) {
        return Command::new(path);
    }
    let mut command = Command::new("wine");
    command.arg(path);
    wine_environment(&mut command);
    command
}

/// The folder of the files that the Windows build makes.
pub fn built() -> PathBuf {
    if cfg!(windows) { target().join("release") } else { folder_of("release") }
}

/// The folder of what a profile of the build on Linux makes.
fn folder_of(profile: &str) -> PathBuf {
    target().join("win-build").join(TRIPLE).join(profile)
}

/// Puts the product beside the test programs, which look for it there: they are built without optimisation, which takes
/// half the time, and drive what is shipped.
pub fn product_beside_tests(product: &Path) -> Result {
    let tests = folder_of("debug");
    let shipped = shipped::FILES.iter().map(|file| product.join(file));
    let examples = EXAMPLES.iter().map(|name| product.join("examples").join(format!("{name}.dll")));
    for file in shipped.chain(examples) {
        let place = tests.join(file.file_name().unwrap_or_default());
        // Cargo's file there is a second name of the one that it keeps, which a copy would overwrite.
        match std::fs::remove_file(&place) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(format!("{}: {e}", place.display())),
            _ => copy_into(&file, &tests)?,
        }
    }
    Ok(())
}

/// Builds target/windows/rasadmin.dll and rasadmin.exe, with the example DLLs in examples/ and the debug files in debug/
/// beside them.
pub fn product() -> Result<PathBuf> {
    packages::need(packages::WINDOWS)?;
    step("building for Windows (the first time std too: some minutes)", || {
        let examples = EXAMPLES.iter().map(|name| name.replace('_', "-"));
        let packages = ["rasadmin-cli", "rasadmin-dll"].map(str::to_owned).into_iter().chain(examples);
        run(command("build")?.args(["--release", "--quiet"]).args(packages.flat_map(|name| ["--package".into(), name])))
    })?;
    let folder = target().join("windows");
    for file in shipped::FILES {
        if cfg!(windows) {
            copy_into(&built().join(file), &folder)?
        } else {
            shipped::split(&built().join(file), &folder)?
        }
    }
    for example in EXAMPLES {
        copy_into(&built().join(format!("{example}.dll")), &folder.join("examples"))?;
    }
    Ok(folder)
}

/// Makes the Wine prefix, if it is missing.
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
        end_wine();
        shrink(&prefix().join("drive_c").join("windows"))?;
        std::fs::write(prefix().join("ready"), "").map_err(|e| format!("cannot write to the Wine prefix: {e}"))
    })
}

/// The folder of Debian's Wine with its own DLLs.
const WINES_OWN: &str = "/usr/lib/x86_64-linux-gnu/wine/x86_64-windows";
/// The bytes that Wine reads of a copy in the prefix: the headers, which say that it loads its own file instead.
const HEADERS: u64 = 4096;
/// The checker reads the exports of this one, to follow a forwarded export.
const KEPT_WHOLE: &str = "kernel32.dll";

/// Replaces everything after the headers of the copies of Wine's own DLLs by holes: 0.7 GB that Wine never reads.
fn shrink(folder: &Path) -> Result {
    let at = |e: std::io::Error| format!("{}: {e}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(at)? {
        let entry = entry.map_err(at)?;
        let (path, own) = (entry.path(), Path::new(WINES_OWN).join(entry.file_name()));
        let kind = entry.file_type().map_err(at)?;
        if kind.is_dir() {
            shrink(&path)?;
        } else if kind.is_file()
            && entry.file_name() != KEPT_WHOLE
            && own.is_file()
            && std::fs::read(&path).map_err(at)? == std::fs::read(&own).map_err(at)?
        {
            let file = std::fs::OpenOptions::new().write(true).open(&path).map_err(at)?;
            let size = file.metadata().map_err(at)?.len();
            file.set_len(HEADERS.min(size)).and_then(|()| file.set_len(size)).map_err(at)?;
        }
    }
    Ok(())
}

/// Removes the files that killed tests left in the Windows folder for temporary files.
pub fn clear_temporary() {
    for prefix in [prefix(), second_prefix()] {
        for user in std::fs::read_dir(prefix.join("drive_c").join("users")).into_iter().flatten().flatten() {
            for entry in std::fs::read_dir(user.path().join("Temp")).into_iter().flatten().flatten() {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// Ends Wine's servers, which would keep our output open.
pub fn end_wine() {
    for prefix in [prefix(), second_prefix()].iter().filter(|prefix| !cfg!(windows) && prefix.exists()) {
        let mut command = Command::new("wineserver");
        wine_environment(&mut command);
        command.env("WINEPREFIX", prefix).arg("-k").current_dir(root());
        let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

/// The version of Wine, for the demo's heading.
pub fn version() -> String {
    output(Command::new("wine").arg("--version")).map(|v| v.trim().to_owned()).unwrap_or_else(|_| "Windows".into())
}
