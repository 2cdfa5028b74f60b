//! Builds fixtures/mprapi, which stands in for mprapi.dll and the Remote Access service, beside the fixtures.

use crate::Result;
use crate::shell::{create, entries, in_folder, newer_than, output, root, target};
use std::path::Path;
use std::process::Command;

const FOLDER: &str = "fixtures/mprapi";
const SOURCES: [&str; 4] = ["stand-in.c", "script.c", "memory.c", "asked.c"];
const WARNINGS: [&str; 4] = ["-O1", "-Wall", "-Wextra", "-Werror"];

/// Builds it for Windows, and on Unix for this machine too.
pub fn build() -> Result {
    let out = target().join("fixtures/mprapi");
    create(&out)?;
    let dll = out.join("stand-in.dll");
    if !up_to_date(&dll) {
        let mut mingw = compiler("x86_64-w64-mingw32-gcc");
        output(mingw.args(["-static-libgcc", "-s", "stand-in.def", "-o"]).arg(&dll).arg("-lws2_32"))?;
    }
    let service = out.join("remote-access.exe");
    if !up_to_date(&service) {
        let mut mingw = in_folder("x86_64-w64-mingw32-gcc", &root().join(FOLDER));
        output(mingw.args(WARNINGS).args(["-static-libgcc", "-s", "remote-access.c", "-o"]).arg(&service))?;
    }
    let library = out.join("stand-in.so");
    if cfg!(unix) && !up_to_date(&library) {
        output(compiler("gcc").args(["-fPIC", "-fvisibility=hidden", "-o"]).arg(&library))?;
    }
    Ok(())
}

fn compiler(name: &str) -> Command {
    let mut command = in_folder(name, &root().join(FOLDER));
    command.arg("-shared").args(WARNINGS).args(SOURCES);
    command
}

fn up_to_date(built: &Path) -> bool {
    newer_than(built, entries(&root().join(FOLDER)).chain([root().join("fixtures/admin.h")]))
}
