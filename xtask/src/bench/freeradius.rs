//! FreeRADIUS with its address pool and accounting in a database, on loopback, one request at a time: what
//! administrators use today for addresses and billing. Debian's packages are unpacked, not installed: an installed
//! FreeRADIUS would start as a service.

use super::postgres;
use super::rates::Rates;
use crate::Result;
use crate::freeradius::unpack;
use crate::shell::{cargo, create, output, run, target};
use crate::timing::step;
use std::fs::File;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The server, its modules, and the libraries that a minimal system lacks.
const PACKAGES: &[&str] = &[
    "freeradius",
    "freeradius-common",
    "freeradius-config",
    "freeradius-postgresql",
    "libeatmydata1",
    "libfreeradius3",
    "libpcap0.8",
    "libpcre3",
    "libsqlite3-0",
    "libtalloc2",
];
const SECRET: &str = "bench";
const PASSWORD: &str = "bench";

/// A database below FreeRADIUS.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Database {
    /// In WAL mode, with the indexes of FreeRADIUS's own schema, one of them on the pool.
    Sqlite,
    Postgresql,
}

impl Database {
    const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgresql => "postgresql",
        }
    }
}

/// Prints how many sessions a second FreeRADIUS takes, with each database, synced and not, and how many times as many
/// rasadmin takes.
pub fn compare(ours: &Rates) -> Result {
    let folder = target().join("bench").join("freeradius");
    let root = folder.join("root");
    step("unpacking FreeRADIUS, building its client", || {
        if !root.join("usr/sbin/freeradius").is_file() {
            unpack(PACKAGES, &folder.join("packages"), &root)?;
        }
        run(cargo().args(["build", "--release", "--quiet", "-p", "xtask", "--example", "radius_sessions"]))
    })?;
    println!(
        "\nFreeRADIUS with sqlippool and radacct, one request at a time (Access-Request, Start, Stop)\n\n  {:24} {:>14} {:>22}",
        "database", "sessions/s", "rasadmin, times that"
    );
    for (synced, what, ours) in [(true, "synced", ours.synced), (false, "not synced", ours.unsynced)] {
        for database in [Database::Sqlite, Database::Postgresql] {
            let theirs = measure(&folder, &root, database, synced)?;
            println!("  {:24} {theirs:>14.0} {:>22.1}", format!("{}, {what}", database.name()), ours / theirs);
        }
    }
    Ok(())
}

/// Sessions a second.
fn measure(folder: &Path, root: &Path, database: Database, synced: bool) -> Result<f64> {
    let place = folder.join("run");
    let _ = std::fs::remove_dir_all(&place);
    create(&place)?;
    let (auth, acct) = (free_port()?, free_port()?);
    let modules = root.join("etc/freeradius/3.0/mods-config/sql");
    let schemas = ["main", "ippool"].map(|part| modules.join(part).join(database.name()).join("schema.sql"));
    let schema = [read(&schemas[0])?, read(&schemas[1])?].concat();
    let server = match database {
        Database::Sqlite => {
            write(&place.join("bootstrap.sql"), &format!("PRAGMA journal_mode = WAL;\n{schema}\n{SQLITE_POOL}"))?;
            None
        }
        Database::Postgresql => {
            let server = postgres::Server::start(synced)?;
            server.psql(&format!("{schema}\n{POSTGRESQL_POOL}"))?;
            Some(server)
        }
    };
    let queries = read(&modules.join("ippool").join(database.name()).join("queries.conf"))?;
    write(&place.join("ippool.conf"), &mended(&queries))?;
    let socket = server.as_ref().map(postgres::Server::socket);
    write(&place.join("radiusd.conf"), &configuration(&place, root, database, socket, auth, acct))?;
    let _radius = Radius::start(&place, root, database == Database::Sqlite && !synced)?;
    let client = target().join("release").join("examples").join("radius_sessions");
    let sessions = if synced { "500" } else { "1500" };
    let mut client = Command::new(client);
    let printed = output(client.args([&auth.to_string(), &acct.to_string(), SECRET, PASSWORD, sessions]))?;
    printed.trim().parse().map_err(|e| format!("radius_sessions printed {printed:?}: {e}"))
}

/// 65,534 addresses, like the pool of `session_cost`.
const SQLITE_POOL: &str = "\
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 65534)
INSERT INTO radippool (pool_name, framedipaddress, expiry_time)
SELECT 'staff', '10.64.' || (i / 256) || '.' || (i % 256), '2000-01-01 00:00:00' FROM n;
";
const POSTGRESQL_POOL: &str = "\
INSERT INTO radippool (pool_name, framedipaddress, expiry_time)
SELECT 'staff', '10.64.0.0'::inet + i, '2000-01-01' FROM generate_series(1, 65534) AS i;
ANALYZE;
";

/// Version 3.2.1 lacks an AND in SQLite's search for an address, which then finds none.
fn mended(queries: &str) -> String {
    queries.replace("\n\texpiry_time < datetime('now')", "\n\tAND expiry_time < datetime('now')")
}

fn configuration(place: &Path, root: &Path, database: Database, socket: Option<&Path>, auth: u16, acct: u16) -> String {
    let driver = match database {
        Database::Sqlite => format!(
            "sqlite {{\n filename = \"{0}/radius.db\"\n busy_timeout = 2000\n bootstrap = \"{0}/bootstrap.sql\"\n}}",
            place.display()
        ),
        Database::Postgresql => format!(
            "postgresql {{\n send_application_name = no\n}}\nserver = \"{}\"\nlogin = \"postgres\"",
            socket.unwrap_or(place).display()
        ),
    };
    let radius_db = if database == Database::Postgresql { "postgres" } else { "radius" };
    include_str!("radiusd.conf")
        .replace("@PLACE@", &place.display().to_string())
        .replace("@ROOT@", &root.display().to_string())
        .replace("@DIALECT@", database.name())
        .replace("@DRIVER@", &driver)
        .replace("@RADIUS_DB@", radius_db)
        .replace("@AUTH@", &auth.to_string())
        .replace("@ACCT@", &acct.to_string())
        .replace("@SECRET@", SECRET)
        .replace("@PASSWORD@", PASSWORD)
}

/// A port of loopback that nobody uses at this moment.
fn free_port() -> Result<u16> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr());
    socket.map(|address| address.port()).map_err(|e| format!("no free port: {e}"))
}

/// The running server, which ends with this value.
struct Radius(Child);

impl Radius {
    /// `unsynced`: fsync does nothing in it, for a database that has no such setting.
    fn start(place: &Path, root: &Path, unsynced: bool) -> Result<Self> {
        let libraries = ["usr/lib/freeradius", "usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"];
        let libraries: Vec<PathBuf> = libraries.iter().map(|folder| root.join(folder)).collect();
        let log = place.join("log");
        let file = File::create(&log).map_err(|e| format!("{}: {e}", log.display()))?;
        let mut command = Command::new(root.join("usr/sbin/freeradius"));
        command.args(["-f", "-n", "radiusd", "-d"]).arg(place).arg("-D").arg(root.join("usr/share/freeradius"));
        command.env("LD_LIBRARY_PATH", std::env::join_paths(&libraries).map_err(|e| e.to_string())?);
        if unsynced {
            command.env("LD_PRELOAD", libraries[1].join("libeatmydata.so"));
        }
        command.stdin(Stdio::null()).stdout(file.try_clone().map_err(|e| e.to_string())?).stderr(file);
        let mut radius = Self(command.spawn().map_err(|e| format!("cannot start FreeRADIUS: {e}"))?);
        let end = Instant::now() + Duration::from_secs(30);
        while !read(&log)?.contains("Ready to process requests") {
            let over = radius.0.try_wait().map_err(|e| e.to_string())?.is_some() || Instant::now() > end;
            if over {
                return Err(format!("FreeRADIUS does not start:\n{}", read(&log)?));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(radius)
    }
}

impl Drop for Radius {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .map_err(|e| format!("{}: {e}", path.display()))
}

fn write(path: &Path, text: &str) -> Result {
    std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}
