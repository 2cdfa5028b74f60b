//! An admin DLL that gives some users a fixed address. They are listed in the file that RASADMIN_STATIC_ADDRESSES names
//! (default: `static-addresses.toml` in the working folder):
//!
//! ```toml
//! [users]
//! 'CORP\alice' = "10.20.1.10"
//! "bob@corp.example" = "10.20.1.11"
//! ```
//!
//! Names compare without case, in the form in which RRAS passes them. All other users keep RRAS's address. A user's second
//! device also gets RRAS's address, because RRAS would refuse the address of the first (error 735).
//!
//! Try it: `rasadmin host run --dll target/release/libstatic_address.so --each examples/office-day.scenario`

use rasadmin_sdk::{
    AddressRequest, AdminDll, AssignIpv4, Assignment, Connection, Environment, InitializeError, Link, Refusal, Verdict,
    export_admin_dll, log, tracing,
};
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    users: HashMap<String, Ipv4Addr>,
}

struct StaticAddress {
    /// The addresses by the users' names in lower case.
    users: HashMap<String, Ipv4Addr>,
    held: Mutex<HashSet<Ipv4Addr>>,
}

const ERROR_BAD_CONFIGURATION: u32 = 1610;

impl StaticAddress {
    fn held(&self) -> MutexGuard<'_, HashSet<Ipv4Addr>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(path: &PathBuf) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        // The error has the line and column.
        let config: Config = toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        let mut users = HashMap::new();
        for (user, address) in config.users {
            if users.insert(user.to_lowercase(), address).is_some() {
                return Err(format!("{}: {user} is listed twice: names compare without case", path.display()));
            }
        }
        let mut taken = HashSet::new();
        match users.values().find(|&&address| address.is_unspecified() || !taken.insert(address)) {
            Some(address) => Err(format!("{}: {address} is not a valid address, or two users have it", path.display())),
            None => Ok(Self { users, held: Mutex::default() }),
        }
    }
}

impl AdminDll for StaticAddress {
    fn initialize(_: &Environment) -> Result<Self, InitializeError> {
        if let Some(path) = std::env::var_os("RASADMIN_LOG") {
            let _ = log::open(path.as_ref());
        }
        let path = std::env::var_os("RASADMIN_STATIC_ADDRESSES").unwrap_or_else(|| "static-addresses.toml".into());
        Self::read(&path.into()).map_err(|message| InitializeError::new(ERROR_BAD_CONFIGURATION, message))
    }
    fn terminate(&self) {}
    fn accept_connection(&self, _: &Connection) -> Verdict {
        Verdict::Accept
    }
    fn connection_hangup(&self, _: &Connection) {}
    fn accept_link(&self, _: &Link) -> Verdict {
        Verdict::Accept
    }
    fn link_hangup(&self, _: &Link) {}
    fn accept_reauthentication(&self, _: &Connection) -> Verdict {
        Verdict::Accept
    }
}

impl AssignIpv4 for StaticAddress {
    fn assign_ipv4(&self, request: &AddressRequest<Ipv4Addr>) -> Result<Assignment<Ipv4Addr>, Refusal> {
        let own = request.user().to_text().and_then(|user| self.users.get(&user.to_lowercase()).copied());
        match own {
            Some(address) if self.held().insert(address) => Ok(Assignment::of(address)),
            Some(address) => {
                tracing::warn!(user = ?request.user(), %address, "held by another device: using RRAS's address");
                keep(request)
            }
            None => keep(request),
        }
    }

    fn release_ipv4(&self, request: &AddressRequest<Ipv4Addr>) {
        self.held().remove(&request.address());
    }
}

fn keep(request: &AddressRequest<Ipv4Addr>) -> Result<Assignment<Ipv4Addr>, Refusal> {
    let offer =
        request.offer().ok_or_else(|| Refusal::new("RRAS offers no address, and the user has no fixed address"))?;
    Ok(Assignment::without_release(offer))
}

export_admin_dll!(StaticAddress, ipv4);
