//! axe-core, with which the tests of the dashboard look for what keeps people from using a page. It is a tool of the
//! tests: nothing of it is in the repository or in the product.

use crate::Result;
use crate::packages;
use crate::shell::{create, has, in_folder, output, run, target};
use std::path::Path;
use std::process::Command;

/// The package on npm, in one version.
const PACKAGE: &str = "axe-core@4.14.1";
/// What npm calls its file.
const FILE: &str = "axe-core-4.14.1.tgz";
/// The SHA-256 of that file.
const DIGEST: &str = "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745";
/// The script in it.
const SCRIPT: &str = "package/axe.min.js";

/// Puts `axe.min.js` into target/axe, if this version is missing.
pub fn script() -> Result {
    let folder = target().join("axe");
    // Another version has another name, so it is fetched.
    let (file, script) = (folder.join(FILE), folder.join("axe.min.js"));
    if cfg!(windows) || (file.is_file() && script.is_file()) {
        return Ok(());
    }
    if !has("npm") {
        packages::need(packages::NPM)?;
    }
    eprintln!("==> fetching axe-core (npm pack {PACKAGE})");
    create(&folder)?;
    let _ = std::fs::remove_file(&script);
    run(in_folder("npm", &folder).args(["pack", "--silent", PACKAGE]).stdout(std::process::Stdio::null()))?;
    if let Err(error) = check(&file) {
        let _ = std::fs::remove_file(&file);
        return Err(error);
    }
    run(in_folder("tar", &folder).args(["-xzf", FILE, "--strip-components=1", SCRIPT]))
}

/// Refuses another file under this version's name.
fn check(file: &Path) -> Result {
    let printed = output(Command::new("sha256sum").arg(file))?;
    let found = printed.split_whitespace().next().unwrap_or_default();
    if found == DIGEST {
        return Ok(());
    }
    Err(format!("{} is not {PACKAGE} as we know it: its SHA-256 is {found}, and not {DIGEST}", file.display()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn another_file_of_this_name_is_refused() {
        let file = std::env::temp_dir().join(format!("xtask-axe-{}", std::process::id()));
        std::fs::write(&file, "another").unwrap();
        let refused = check(&file).unwrap_err();
        std::fs::remove_file(&file).unwrap();
        assert!(refused.contains("is not axe-core@4.14.1 as we know it"), "{refused}");
    }
}
