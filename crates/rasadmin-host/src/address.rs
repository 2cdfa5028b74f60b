//! The address calls, step by step as RRAS makes them.

use crate::fill::Tunnel;
use crate::invoke::Arg;
use crate::service::{Service, lock, value_of};
use crate::session::Refused;
use mprapi::FunctionId;
use mprapi::abi::NO_ERROR;
use std::net::Ipv4Addr;

/// ERROR_NOT_FOUND: the DLL answered 0.0.0.0 or the server's own address.
pub const ERROR_USELESS_ADDRESS: u32 = 1168;
/// ERROR_PPP_REQUIRED_ADDRESS_REJECTED: another client of this server holds the address.
pub const ERROR_ADDRESS_HELD: u32 = 735;

/// Who asks for an address.
#[derive(Clone, Copy)]
pub(crate) struct Client<'a> {
    pub user: &'a str,
    pub port: &'a str,
    pub tunnel: Tunnel,
    pub handle: u64,
}

/// What RRAS itself offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offer {
    /// The lowest free address of its pool.
    #[default]
    FromPool,
    /// This one, whoever holds it: as a DHCP server may.
    This(Ipv4Addr),
    /// 0.0.0.0.
    Nothing,
}

/// A connection's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Given<A> {
    pub address: A,
    /// Which DLL is told when it is given back.
    pub notify: Option<usize>,
}

impl Service {
    /// The first DLL that has `function` (and `and`), whatever its revision.
    fn owner(&self, function: FunctionId, and: Option<FunctionId>) -> Option<usize> {
        self.dlls.iter().position(|dll| {
            let has = dll.functions();
            has.contains(function) && and.is_none_or(|other| has.contains(other))
        })
    }

    /// The owner of an address pair as far as it is called for this tunnel: a revision 1 DLL is not called for IKEv2,
    /// and no later DLL takes its place.
    fn asked(&self, function: FunctionId, and: Option<FunctionId>, tunnel: Tunnel) -> Option<usize> {
        self.owner(function, and).filter(|&dll| tunnel != Tunnel::Ikev2 || self.dlls[dll].serves_ikev2())
    }

    /// RRAS's address for the client, then the DLL's say.
    pub(crate) fn ipv4(&self, client: Client<'_>, offer: Offer) -> Result<Given<Ipv4Addr>, Refused> {
        let (offered, taken) = {
            let mut pool = lock(&self.pool);
            match offer {
                // RRAS takes an address of its own before it asks; if that fails, the DLL is never asked.
                Offer::FromPool => (pool.take().ok_or(Refused::PoolExhausted)?, true),
                // Another connection's offer in flight is not ours to give back.
                Offer::This(address) => (address, pool.take_this(address)),
                Offer::Nothing => (Ipv4Addr::UNSPECIFIED, false),
            }
        };
        let result = self.ask_ipv4(client, offered);
        if taken && result.as_ref().map_or(true, |given| given.address != offered) {
            lock(&self.pool).give_back(offered);
        }
        result
    }

    fn ask_ipv4(&self, client: Client<'_>, offered: Ipv4Addr) -> Result<Given<Ipv4Addr>, Refused> {
        let get = FunctionId::GetIpAddressForUser;
        let Some(dll) = self.asked(get, None, client.tunnel) else {
            return match self.claim(offered, client.handle) {
                Some(code) => Err(Refused::Ipv4ByRras { code, dll: None }),
                None => Ok(Given { address: offered, notify: None }),
            };
        };
        let mut arguments =
            [Arg::text(client.user), Arg::text(client.port), Arg::bytes(&offered.octets()), Arg::bytes(&[0; 4])];
        let code = self.call(dll, get, &mut arguments).and_then(|r| r.result).unwrap_or(NO_ERROR);
        let [_, _, address, notify] = arguments;
        let address = Ipv4Addr::from(value_of::<4>(&address));
        let notify = (value_of::<4>(&notify) != [0; 4]).then_some(dll);
        let refused = if code != NO_ERROR {
            Some(Refused::Ipv4ByDll { dll, code })
        } else {
            self.claim(address, client.handle).map(|code| Refused::Ipv4ByRras { code, dll: Some(dll) })
        };
        match refused {
            None => Ok(Given { address, notify }),
            Some(refused) => {
                // Whenever it fails after the DLL set notify_release, the release is called with what it had written.
                self.tell_ipv4_release(client, Given { address, notify });
                Err(refused)
            }
        }
    }

    /// The connection holds the address from now on, or this is the code with which RRAS refuses it. One step: of two
    /// connections that were given the same address at once, one is refused.
    fn claim(&self, address: Ipv4Addr, handle: u64) -> Option<u32> {
        let mut pool = lock(&self.pool);
        if address.is_unspecified() || address == pool.server {
            Some(ERROR_USELESS_ADDRESS)
        } else if pool.holder(address).is_some_and(|holder| holder != handle) {
            Some(ERROR_ADDRESS_HELD)
        } else {
            pool.hold(address, handle);
            None
        }
    }

    pub(crate) fn release_ipv4(&self, client: Client<'_>, given: Given<Ipv4Addr>) -> bool {
        // The DLL may give the address again as soon as it has heard of the release, so nobody holds it then; RRAS offers
        // it again afterwards.
        lock(&self.pool).let_go(given.address, client.handle);
        let told = self.tell_ipv4_release(client, given);
        lock(&self.pool).give_back(given.address);
        told
    }

    fn tell_ipv4_release(&self, client: Client<'_>, given: Given<Ipv4Addr>) -> bool {
        let Some(dll) = given.notify else { return false };
        let mut arguments = [Arg::text(client.user), Arg::text(client.port), Arg::bytes(&given.address.octets())];
        self.call(dll, FunctionId::ReleaseIpAddress, &mut arguments).is_some()
    }

    /// The IPv6 interface identifier: RRAS's offer in the last eight bytes, the first eight zero.
    pub(crate) fn ipv6(&self, client: Client<'_>, offered: [u8; 8]) -> Result<Given<[u8; 16]>, Refused> {
        let mut offer = [0; 16];
        offer[8..].copy_from_slice(&offered);
        let (get, release) = (FunctionId::GetIpv6AddressForUser, FunctionId::ReleaseIpv6AddressForUser);
        let Some(dll) = self.asked(get, Some(release), client.tunnel) else {
            return Ok(Given { address: offer, notify: None });
        };
        let mut arguments = [Arg::text(client.user), Arg::text(client.port), Arg::bytes(&offer), Arg::bytes(&[0; 4])];
        let code = self.call(dll, get, &mut arguments).and_then(|r| r.result).unwrap_or(NO_ERROR);
        let [_, _, address, notify] = arguments;
        let notify = (value_of::<4>(&notify) != [0; 4]).then_some(dll);
        let given = Given { address: value_of::<16>(&address), notify };
        if code == NO_ERROR {
            return Ok(given);
        }
        self.release_ipv6(client, given);
        Err(Refused::Ipv6ByDll { dll, code })
    }

    pub(crate) fn release_ipv6(&self, client: Client<'_>, given: Given<[u8; 16]>) -> bool {
        let Some(dll) = given.notify else { return false };
        let mut arguments = [Arg::text(client.user), Arg::text(client.port), Arg::bytes(&given.address)];
        self.call(dll, FunctionId::ReleaseIpv6AddressForUser, &mut arguments).is_some()
    }
}
