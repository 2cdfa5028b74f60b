//! The admin DLLs in C: fixtures/fixtures.list names them and says how to compile each.

use crate::shell::{create, entries, in_folder, newer_than, output, root, target};
use crate::{Result, c_minimal, packages, stand_in, windows};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

const LIST: &str = "fixtures/fixtures.list";
/// Every fixture uses a part of the source: the rest of its functions and variables are unused.
const WARNINGS: [&str; 6] = ["-O1", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-Wno-unused-variable"];
/// The source of a fixture whose line names none. It is compiled with the line's flags.
const SOURCES: [&str; 1] = ["fixture.c"];
/// What such a fixture needs in addition. These are compiled once, unless a flag of the line begins as below.
const COMMON: [&str; 2] = ["script.c", "actions.c"];
const CHANGES_COMMON: &str = "-DDLLMAIN_";

#[derive(Clone)]
struct Fixture {
    name: String,
    platforms: String,
    flags: Vec<String>,
}

impl Fixture {
    /// Whether its line names a source in C++, which is then the only one.
    fn is_cpp(&self) -> bool {
        self.flags.iter().any(|flag| flag.ends_with(".cpp"))
    }
}

/// Builds them all, and the C host; returns their folder.
pub fn build() -> Result<PathBuf> {
    packages::need(&[packages::NATIVE, packages::WINDOWS].concat())?;
    let folder = target().join("fixtures");
    let (native, windows) = (folder.join("native"), folder.join("windows"));
    create(&native)?;
    create(&windows)?;
    let mut all = Vec::new();
    for fixture in read()? {
        let to = windows.join(format!("{}.dll", fixture.name));
        let mingw = |compiler: &'static str| Build { compiler, to: to.clone(), more: &MINGW, sources: &SOURCES };
        let mut here =
            Build { compiler: "gcc", to: native.join(format!("{}.so", fixture.name)), more: &GCC, sources: &SOURCES };
        let mut there = mingw("x86_64-w64-mingw32-gcc");
        if fixture.is_cpp() {
            here = Build { compiler: "g++", more: &GXX, sources: &[], ..here };
            there = Build { compiler: "x86_64-w64-mingw32-g++", more: &MINGW_GXX, sources: &[], ..there };
        }
        let builds = match fixture.platforms.as_str() {
            "both" if cfg!(unix) => vec![here, there],
            "both" | "windows" => vec![there],
            "win32" => vec![mingw(WIN32)],
            "alone" => vec![Build { sources: &[], ..mingw("x86_64-w64-mingw32-gcc") }],
            "program" => vec![Build { more: &PROGRAM, ..mingw("x86_64-w64-mingw32-gcc") }],
            other => {
                return Err(format!("{LIST}: there is no platform `{other}`: both, windows, win32, alone or program"));
            }
        };
        for build in builds {
            // One that others link with comes before them.
            if fixture.name == LINKED {
                create(&folder.join("objects"))?;
                compile_common(build.compiler, &folder.join("objects"))?;
                compile(&fixture, &build, &windows)?
            } else {
                all.push((fixture.clone(), build))
            }
        }
    }
    let objects = folder.join("objects");
    create(&objects)?;
    for compiler in all.iter().map(|(_, build)| build.compiler).collect::<BTreeSet<_>>() {
        if !compiler.ends_with("++") {
            compile_common(compiler, &objects)?;
        }
    }
    let next = AtomicUsize::new(0);
    let work = || -> Result {
        while let Some((fixture, build)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            compile(fixture, build, &windows)?;
        }
        Ok(())
    };
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| "a worker panicked".to_owned())?)
    })?;
    c_minimal::build()?;
    stand_in::build()?;
    let host = windows.join("chost.exe");
    if newer_than_sources(&host) {
        return Ok(folder);
    }
    let mut command = gcc("x86_64-w64-mingw32-gcc");
    output(command.args(WARNINGS).arg("chost.c").arg("-o").arg(host))?;
    Ok(folder)
}

/// The DLL that another fixture links with.
const LINKED: &str = "vendorhelper";
const GCC: [&str; 4] = ["-shared", "-fPIC", "-fvisibility=hidden", "-pthread"];
const MINGW: [&str; 3] = ["-shared", "-static-libgcc", "-s"];
/// The compiler of the only fixture for 32-bit Windows.
const WIN32: &str = "i686-w64-mingw32-gcc";
const PROGRAM: [&str; 2] = ["-static-libgcc", "-s"];
/// A library with unique symbols would never be unloaded.
const GXX: [&str; 5] = ["-shared", "-fPIC", "-fvisibility=hidden", "-pthread", "-fno-gnu-unique"];
/// With the C++ library in the file: RRAS would not find it.
const MINGW_GXX: [&str; 3] = ["-shared", "-static", "-s"];

/// How a fixture is built for one platform.
struct Build {
    compiler: &'static str,
    to: PathBuf,
    more: &'static [&'static str],
    /// Sources beside those that the fixture's flags name.
    sources: &'static [&'static str],
}

fn compile(fixture: &Fixture, build: &Build, out: &Path) -> Result {
    if newer_than_sources(&build.to) {
        return Ok(());
    }
    let out = out.display().to_string();
    let mut command = gcc(build.compiler);
    command.args(WARNINGS).args(build.more).args(build.sources);
    if !build.sources.is_empty() {
        let objects = target().join("fixtures/objects");
        let changed = fixture.flags.iter().any(|flag| flag.starts_with(CHANGES_COMMON));
        let common = |source: &str| if changed { source.into() } else { object(build.compiler, source, &objects) };
        command.args(COMMON.map(common));
    }
    command.arg("-o").arg(&build.to);
    command.args(fixture.flags.iter().map(|flag| flag.replace("{out}", &out)));
    output(&mut command).map(drop)
}

/// The object file of a common source.
fn object(compiler: &str, source: &str, objects: &Path) -> PathBuf {
    objects.join(format!("{compiler}-{source}.o"))
}

fn compile_common(compiler: &str, objects: &Path) -> Result {
    for source in COMMON {
        let to = object(compiler, source, objects);
        if newer_than_sources(&to) {
            continue;
        }
        let mut command = gcc(compiler);
        command.args(WARNINGS).args(if compiler == "gcc" { &GCC[1..] } else { &[] });
        // The structures of 32-bit Windows have other sizes.
        command.args((compiler == WIN32).then_some("-DFIXTURE_32_BIT"));
        output(command.args(["-c", source, "-o"]).arg(to))?;
    }
    Ok(())
}

/// Returns whether a file is newer than everything in fixtures/.
fn newer_than_sources(built: &Path) -> bool {
    let folder = root().join("fixtures");
    newer_than(built, entries(&folder.join("static")).chain(entries(&folder)))
}

/// A compiler, run in the fixtures' folder, so that the list's paths are short.
fn gcc(compiler: &str) -> Command {
    in_folder(compiler, &root().join("fixtures"))
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
