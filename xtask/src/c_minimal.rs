//! Builds examples/c-minimal, as its README says, beside the fixtures.

use crate::Result;
use crate::shell::{in_folder, newer_than, output, root, target};
use std::path::Path;
use std::process::Command;

/// The name of the built DLLs.
pub const NAME: &str = "c-minimal";
const FOLDER: &str = "examples/c-minimal";
const WARNINGS: [&str; 4] = ["-O2", "-Wall", "-Wextra", "-Werror"];

/// Builds it for Windows, and on Unix for this machine too.
pub fn build() -> Result {
    let out = target().join("fixtures");
    let dll = out.join("windows").join(format!("{NAME}.dll"));
    if !up_to_date(&dll) {
        let mut mingw = compiler("x86_64-w64-mingw32-gcc");
        output(mingw.args(["-static-libgcc", "-s", "minimal.c", "minimal.def", "-o"]).arg(&dll))?;
    }
    let library = out.join("native").join(format!("{NAME}.so"));
    if cfg!(unix) && !up_to_date(&library) {
        // The Windows types are those of the fixtures; the .def file's names are given to the functions themselves.
        let mut gcc = compiler("gcc");
        gcc.args(["-fPIC", "-fshort-wchar", "-DAPIENTRY=", "-DVOID=void", "-DERROR_INVALID_PARAMETER=87", "-include"]);
        gcc.arg(root().join("fixtures/admin.h")).args(exported()?).args(["minimal.c", "-o"]).arg(&library);
        output(&mut gcc)?;
    }
    Ok(())
}

fn compiler(name: &str) -> Command {
    let mut command = in_folder(name, &root().join(FOLDER));
    command.arg("-shared").args(WARNINGS);
    command
}

/// A `-D` for each `NAME = function` of the .def file.
fn exported() -> Result<Vec<String>> {
    let path = root().join(FOLDER).join("minimal.def");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let pairs = text.lines().filter(|line| !line.starts_with(';')).filter_map(|line| line.split_once('='));
    Ok(pairs.map(|(name, function)| format!("-D{}={}", function.trim(), name.trim())).collect())
}

fn up_to_date(built: &Path) -> bool {
    let sources = ["examples/c-minimal/minimal.c", "examples/c-minimal/minimal.def", "fixtures/admin.h"];
    newer_than(built, sources.map(|source| root().join(source)))
}
