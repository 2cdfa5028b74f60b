//! Pre-authentication is a trait of its own. If it is named, the pointer is set.
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

impl ValidatePreAuthenticated for Mine {
    fn admit_without_authentication(&self, client: &PreAuthentication) -> bool {
        client.user().eq_ignore_case("alice") && client.auth_info() == [1, 2, 3]
    }
}

export_admin_dll!(Mine, pre_authentication);

/// A client with three bytes of AuthInfo; its header says `size`.
fn ask(user: &str, size: u16, info_size: u32) -> u32 {
    let mut room = [0u64; 80];
    let auth = room.as_mut_ptr().cast::<abi::AUTH_VALIDATION_EX>();
    // SAFETY: the room is aligned and larger than the structure with its three bytes.
    unsafe {
        (*auth).Header = abi::MPRAPI_OBJECT_HEADER { revision: 1, r#type: 4, size };
        for (to, unit) in (*auth).wszUserName.iter_mut().zip(user.encode_utf16()) {
            *to = unit;
        }
        (*auth).AuthInfoSize = info_size;
        auth.cast::<[u8; 3]>().byte_add(abi::AUTH_INFO_OFFSET).write([1, 2, 3]);
        rasadmin_callbacks().0.lpfnRASValidatePreAuthenticatedConnectionEx.expect("the pointer is set")(auth)
    }
}

fn main() {
    let table = rasadmin_callbacks().0;
    assert!(table.lpfnMprAdminGetIpAddressForUser.is_none() && table.lpfnMprAdminReleaseIpAddress.is_none());
    assert!(table.lpfnMprAdminGetIpv6AddressForUser.is_none());
    assert_eq!(ask("alice", 576, 3), 0, "before initialise");
    assert_eq!(MprAdminInitializeDll(), 0);
    assert_eq!(ask("ALICE", 576, 3), 1);
    assert_eq!(ask("bob", 576, 3), 0);
    assert_eq!(ask("alice", 500, 3), 0, "a header that is too small");
    assert_eq!(ask("alice", 576, 4000), 0, "AuthInfo beyond the header");
}
