//! The Windows DLL's resources: the message texts that the Event Viewer shows, and the version, which can be read
//! without loading the DLL.

#[path = "build/resource.rs"]
mod resource;
#[path = "build/version.rs"]
mod version;

use std::path::{Path, PathBuf};
use std::process::Command;

const RT_VERSION: u16 = 16;
const RT_MESSAGETABLE: u16 = 11;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-env-changed=WINDRES");
    if let Err(error) = run() {
        println!("cargo::error={error}");
    }
}

/// An environment variable that cargo sets.
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn run() -> Result<(), String> {
    if variable("CARGO_CFG_TARGET_OS") != "windows" {
        return Ok(());
    }
    let version = version::information(&variable("CARGO_PKG_VERSION"));
    let table = rasadmin_messages::table();
    let bytes = resource::file(&[(RT_MESSAGETABLE, &table), (RT_VERSION, &version)]);
    let compiled = PathBuf::from(variable("OUT_DIR")).join("rasadmin.res");
    std::fs::write(&compiled, bytes).map_err(|e| format!("{}: {e}", compiled.display()))?;
    // Microsoft's linker accepts the resource file; GNU's needs an object file.
    let linked = if variable("CARGO_CFG_TARGET_ENV") == "msvc" { compiled } else { object(&compiled)? };
    println!("cargo::rustc-link-arg-cdylib={}", linked.display());
    Ok(())
}

/// Converts the resource file with windres, which is part of binutils.
fn object(compiled: &Path) -> Result<PathBuf, String> {
    let object = compiled.with_extension("o");
    let own = std::env::var("WINDRES").ok();
    let (prefix, format) = match variable("CARGO_CFG_TARGET_ARCH").as_str() {
        "x86" => ("i686-w64-mingw32-windres", "pe-i386"),
        "aarch64" => ("aarch64-w64-mingw32-windres", "pe-aarch64-little"),
        _ => ("x86_64-w64-mingw32-windres", "pe-x86-64"),
    };
    let names: Vec<&str> = own.as_deref().map_or_else(|| vec![prefix, "windres"], |own| vec![own]);
    for name in &names {
        let mut command = Command::new(name);
        command.args(["--input-format=res", "--output-format=coff", "--target", format]).arg(compiled).arg(&object);
        match command.output() {
            Ok(output) if output.status.success() => return Ok(object),
            Ok(output) => return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim())),
            Err(_) => {}
        }
    }
    let names = names.join(" or ");
    Err(format!("cannot run {names}; install binutils for mingw (on Debian binutils-mingw-w64), or name it in WINDRES"))
}
