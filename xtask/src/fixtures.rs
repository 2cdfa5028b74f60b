//! The admin DLLs in C: fixtures/fixtures.list says which, and how each is compiled.

use crate::shell::{create, output, root, target};
use crate::{Result, packages, windows};
use std::path::{Path, PathBuf};
use std::process::Command;

const LIST: &str = "fixtures/fixtures.list";
/// Every fixture uses a part of the source: the rest of its functions are unused.
const WARNINGS: [&str; 5] = ["-O1", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function"];
const SOURCES: [&str; 2] = ["fixture.c", "script.c"];

struct Fixture {
    name: String,
    platforms: String,
    flags: Vec<String>,
}

/// Builds them all, and the C host; returns their folder.
pub fn build() -> Result<PathBuf> {
    packages::need(&[packages::NATIVE, packages::WINDOWS].concat())?;
    let folder = target().join("fixtures");
    let (native, windows) = (folder.join("native"), folder.join("windows"));
    create(&native)?;
    create(&windows)?;
    for fixture in read()? {
        match fixture.platforms.as_str() {
            "both" => {
                if cfg!(unix) {
                    compile(&fixture, "gcc", &native, "so", &["-fPIC", "-fvisibility=hidden", "-pthread"])?;
                }
                compile(&fixture, "x86_64-w64-mingw32-gcc", &windows, "dll", &MINGW)?;
            }
            "windows" => compile(&fixture, "x86_64-w64-mingw32-gcc", &windows, "dll", &MINGW)?,
            "win32" => compile(&fixture, "i686-w64-mingw32-gcc", &windows, "dll", &MINGW)?,
            other => {
                return Err(format!("{LIST}: there is no platform `{other}`: both, windows or win32"));
            }
        }
    }
    let host = windows.join("chost.exe");
    let mut command = gcc("x86_64-w64-mingw32-gcc");
    output(command.args(WARNINGS).arg("chost.c").arg("-o").arg(host))?;
    Ok(folder)
}

const MINGW: [&str; 2] = ["-static-libgcc", "-s"];

fn compile(fixture: &Fixture, compiler: &str, folder: &Path, suffix: &str, more: &[&str]) -> Result {
    let to = folder.join(format!("{}.{suffix}", fixture.name));
    let out = folder.display().to_string();
    let mut command = gcc(compiler);
    command.arg("-shared").args(WARNINGS).args(more).args(SOURCES).arg("-o").arg(&to);
    command.args(fixture.flags.iter().map(|flag| flag.replace("{out}", &out)));
    output(&mut command).map(drop)
}

/// A compiler, run in the fixtures' folder, so that the list's paths are short.
fn gcc(compiler: &str) -> Command {
    let mut command = Command::new("env");
    command.arg("-C").arg(root().join("fixtures")).arg(compiler);
    command
}

fn read() -> Result<Vec<Fixture>> {
    let text = std::fs::read_to_string(root().join(LIST)).map_err(|e| format!("{LIST}: {e}"))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| match line.split('|').map(str::trim).collect::<Vec<_>>()[..] {
            [name, platforms, flags] => Ok(Fixture {
                name: name.to_owned(),
                platforms: platforms.to_owned(),
                flags: flags.split_whitespace().map(str::to_owned).collect(),
            }),
            _ => Err(format!("{LIST}: expected `name | platforms | flags`, found `{line}`")),
        })
        .collect()
}

/// Prints the structures as the C compiler lays them out.
pub fn layout() -> Result {
    build()?;
    windows::wine()?;
    print!("{}", output(windows::program("target/fixtures/windows/chost.exe").arg("--layout"))?);
    Ok(())
}
