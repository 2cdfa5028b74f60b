//! The files for a server: stripped, each with a debug file of its own, which a debugger needs for a crash dump.

use crate::Result;
use crate::shell::{create, output, relative, run};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The binutils of the Windows build.
const PREFIX: &str = "x86_64-w64-mingw32-";
/// The files that are shipped.
pub const FILES: [&str; 2] = ["rasadmin.dll", "rasadmin.exe"];
/// The folder of the debug files, beside the shipped files.
const DEBUG: &str = "debug";

fn tool(name: &str) -> Command {
    Command::new(format!("{PREFIX}{name}"))
}

/// The debug file of a shipped file.
fn debug_file(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(DEBUG).join(format!("{name}.debug"))
}

/// Copies a built file into a folder without its symbols, and these into `debug/FILE.debug`, which it names.
pub fn split(built: &Path, folder: &Path) -> Result {
    let shipped = folder.join(built.file_name().unwrap_or_default());
    let debug = debug_file(&shipped);
    create(&folder.join(DEBUG))?;
    run(tool("objcopy").arg("--only-keep-debug").arg(built).arg(&debug))?;
    let mut strip = tool("objcopy");
    strip.arg("--strip-all").arg(format!("--add-gnu-debuglink={}", debug.display()));
    run(strip.arg(built).arg(&shipped))
}

/// Checks that the shipped files have no symbols, that their debug files resolve an address to a line of the source,
/// and that the stripped DLL still passes the checker.
pub fn check(folder: &Path) -> Result {
    for name in FILES {
        let file = folder.join(name);
        let symbols = output(tool("nm").arg(&file).stderr(Stdio::null())).unwrap_or_default();
        if !symbols.trim().is_empty() {
            return Err(format!("{} has a symbol table, although it is shipped", relative(&file)));
        }
        let link = format!("{name}.debug");
        let section = output(tool("objdump").args(["-s", "-j", ".gnu_debuglink"]).arg(&file))?;
        if !printed(&section).contains(&link) {
            return Err(format!("{} does not name its debug file {link}", relative(&file)));
        }
    }
    let dll = folder.join("rasadmin.dll");
    let debug = debug_file(&dll);
    let export = "MprAdminInitializeDllEx";
    let symbols = output(tool("nm").arg(&debug))?;
    let address = address(&symbols, export).ok_or_else(|| format!("{} does not have {export}", relative(&debug)))?;
    let line = output(tool("addr2line").arg("-e").arg(&debug).arg(address))?;
    if !line.contains(".rs:") || line.trim_end().ends_with('?') {
        return Err(format!("{} resolves {export} to `{}`, not to a line", relative(&debug), line.trim()));
    }
    let command = relative(&folder.join("rasadmin.exe"));
    output(crate::windows::program(&command).args(["check", "--cycles", "2"]).arg(relative(&dll))).map(drop)
}

/// The address of a symbol in what `nm` prints.
fn address<'a>(symbols: &'a str, name: &str) -> Option<&'a str> {
    symbols.lines().find_map(|line| match line.split_whitespace().collect::<Vec<_>>()[..] {
        [address, "T", symbol] if symbol == name => Some(address),
        _ => None,
    })
}

/// The characters that `objdump -s` prints beside the bytes.
fn printed(dump: &str) -> String {
    // ` 0000 72617361 646d696e 2e646c6c 2e646562  rasadmin.dll.deb`
    // A short line has spaces after its text.
    dump.lines().filter_map(|line| line.trim_end().rsplit_once("  ")).map(|(_, text)| text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_binutils_is_read() {
        let symbols = "0000000012340000 t helper\n000000036f1b2c30 T MprAdminInitializeDllEx\n";
        assert_eq!(address(symbols, "MprAdminInitializeDllEx"), Some("000000036f1b2c30"));
        assert_eq!(address(symbols, "helper"), None);
        let dump = "Contents of section .gnu_debuglink:\n 0000 72617361 646d696e 2e646c6c 2e646562  rasadmin.dll.deb\n \
                    0010 75670000 29acb1a5                    ug..)...        \n";
        assert!(printed(dump).contains("rasadmin.dll.debug"), "{}", printed(dump));
    }

    #[test]
    fn a_debug_file_is_in_a_folder_beside_the_file() {
        let debug = debug_file(Path::new("target/windows/rasadmin.dll"));
        assert_eq!(debug, Path::new("target/windows/debug/rasadmin.dll.debug"));
    }
}
