//! FreeRADIUS's table definitions, which an export must fit, from Debian's package without installing it.

use crate::Result;
use crate::shell::{create, has, run, target};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The package, and the folder of the definitions in it.
const PACKAGE: &str = "freeradius-config";
const WITHIN: &str = "etc/freeradius/3.0/mods-config/sql/main";

/// Puts `postgresql.sql` and `sqlite.sql` into target/freeradius, if they are missing.
pub fn schemas() -> Result {
    let folder = target().join("freeradius");
    let schema = |database: &str| folder.join(format!("{database}.sql"));
    let databases = ["postgresql", "sqlite"];
    if cfg!(windows) || databases.iter().all(|database| schema(database).is_file()) {
        return Ok(());
    }
    if !has("apt-get") || !has("dpkg-deb") {
        return Err(format!(
            "put FreeRADIUS's schema.sql for PostgreSQL and SQLite (version 3.2, raddb/mods-config/sql/main) into {} as \
             postgresql.sql and sqlite.sql: this system has no apt-get to fetch the package {PACKAGE} with",
            folder.display()
        ));
    }
    eprintln!("==> fetching FreeRADIUS's table definitions (apt-get download {PACKAGE})");
    let unpacked = folder.join("package");
    unpack(&[PACKAGE], &folder, &unpacked)?;
    for database in databases {
        let from = unpacked.join(WITHIN).join(database).join("schema.sql");
        std::fs::copy(&from, schema(database)).map_err(|e| format!("{}: {e}", from.display()))?;
    }
    Ok(())
}

/// Downloads packages into a folder and unpacks them into another, without installing them.
pub fn unpack(packages: &[&str], downloads: &Path, into: &Path) -> Result {
    create(downloads)?;
    // Not `run`, which works in the repository's root: apt-get writes into the current folder.
    let download = || -> Result {
        let mut command = Command::new("apt-get");
        command.args(["download", "-qq", "-o", "APT::Sandbox::User=root"]).args(packages).current_dir(downloads);
        if command.status().is_ok_and(|status| status.success()) { Ok(()) } else { Err(format!("{command:?} failed")) }
    };
    if download().is_err() {
        crate::packages::update()?;
        download()?;
    }
    for package in packages {
        run(Command::new("dpkg-deb").arg("-x").arg(downloaded(package, downloads)?).arg(into))?;
    }
    Ok(())
}

/// The file of a package: its name, an underscore, its version.
fn downloaded(package: &str, folder: &Path) -> Result<PathBuf> {
    let files = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let prefix = format!("{package}_");
    files
        .flatten()
        .find(|file| file.file_name().to_string_lossy().starts_with(&prefix))
        .map(|file| file.path())
        .ok_or_else(|| format!("{}: apt-get has not downloaded {package}", folder.display()))
}
