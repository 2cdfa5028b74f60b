//! Half an address pair.
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

impl AssignIpv4 for Mine {
    fn assign_ipv4(
        &self,
        request: &AddressRequest<std::net::Ipv4Addr>,
    ) -> Result<Assignment<std::net::Ipv4Addr>, Refusal> {
        Ok(Assignment::of(request.address()))
    }
}

export_admin_dll!(Mine, ipv4);

fn main() {}
