//! A name that `export_admin_dll!` does not know.
use rasadmin_sdk::*;

struct Mine;

impl AdminDll for Mine {
    fn initialize(_: &Environment) -> Result<Self, InitializeError> {
        Ok(Self)
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

export_admin_dll!(Mine, ipv5);

fn main() {}
