//! Required functions are required methods. LinkHangupNotification and reauthentication are missing.
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
}


export_admin_dll!(Mine);

fn main() {}
