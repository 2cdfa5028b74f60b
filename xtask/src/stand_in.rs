//! Builds fixtures/mprapi, which stands in for mprapi.dll, beside the fixtures.

use crate::Result;
use crate::shell::{create, output, root, target};
use std::path::Path;
use std::process::Command;

const FOLDER: &str = "fixtures/mprapi";
const SOURCES: [&str; 3] = ["stand-in.c", "script.c", "memory.c"];
const WARNINGS: [&str; 4] = ["-O1", "-Wall", "-Wextra", "-Werror"];

/// Builds it for Windows, and on Unix for this machine too.
pub fn build() -> Result {
    let out = target().join("fixtures/mprapi");
    create(&out)?;
    let dll = out.join("stand-in.dll");
    if !up_to_date(&dll) {
        let mut mingw = compiler("x86_64-w64-mingw32-gcc");
        output(mingw.args(["-static-libgcc", "-s", "stand-in.def", "-o"]).arg(&dll))?;
    }
    let library = out.join("stand-in.so");
    if cfg!(unix) && !up_to_date(&library) {
        output(compiler("gcc").args(["-fPIC", "-fvisibility=hidden", "-o"]).arg(&library))?;
    }
    Ok(())
}

fn compiler(name: &str) -> Command {
    let mut command = Command::new("env");
    command.arg("-C").arg(root().join(FOLDER)).arg(name).arg("-shared").args(WARNINGS).args(SOURCES);
    command
}

/// Whether a file is newer than everything that it is made of.
fn up_to_date(built: &Path) -> bool {
    let time = |path: &Path| std::fs::metadata(path).and_then(|m| m.modified()).ok();
    let own = std::fs::read_dir(root().join(FOLDER)).into_iter().flatten().flatten().map(|entry| entry.path());
    time(built) > own.chain([root().join("fixtures/admin.h")]).filter_map(|source| time(&source)).max()
}
