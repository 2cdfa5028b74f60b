//! The address calls, step by step as RRAS makes them.

use crate::fill::Tunnel;
use crate::invoke::Arg;
use crate::pool::{Holder, Serial};
use crate::readings::IdentifierHalf;
use crate::refused::Refused;
use crate::service::{Service, lock, value_of};
use mprapi::FunctionId;
use mprapi::abi::NO_ERROR;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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
    pub serial: Serial,
}

impl Client<'_> {
    fn as_holder(&self) -> Holder {
        Holder { serial: self.serial, who: format!("{} on {}", self.user, self.port) }
    }
}

/// What RRAS itself offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offer {
    /// As the reading `ipv4-offer` says: the lowest free address of its pool.
    #[default]
    FromPool,
    /// This one, whoever holds it: as a DHCP server may.
    This(Ipv4Addr),
    /// 0.0.0.0.
    Nothing,
}

/// What RRAS itself offers for IPv6.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdentifierOffer {
    /// As the readings `ipv6-offer` and `identifier-half` say: an identifier of its own, in the last eight bytes.
    #[default]
    Own,
    /// An identifier of its own in the first eight bytes, the last are zero.
    HighOnly,
    /// These sixteen bytes.
    This([u8; 16]),
}

/// A connection's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Given<A> {
    pub address: A,
    /// Which DLL is told when it is given back.
    pub notify: Option<usize>,
}

/// A DLL chose an address for a connection that another one holds, which is online.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldTwice {
    /// The address; of IPv6 the identifier, behind `::`.
    pub address: IpAddr,
    /// The connection that holds it: its user and its port.
    pub holder: String,
    /// The connection that it was chosen for.
    pub taker: String,
}

impl fmt::Display for HeldTwice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, holder, taker } = self;
        write!(f, "the DLL chose {address} for {taker} while {holder} was online with it")
    }
}

impl Service {
    /// The first DLL that has `function` (and `and`), whatever its revision.
    fn owner(&self, function: FunctionId, and: Option<FunctionId>) -> Option<usize> {
        self.about()
            .iter()
            .position(|dll| dll.functions.contains(function) && and.is_none_or(|other| dll.functions.contains(other)))
    }

    /// The owner of an address pair as far as it is called for this tunnel: a revision 1 DLL is not called for IKEv2,
    /// and no later DLL takes its place.
    fn asked(&self, function: FunctionId, and: Option<FunctionId>, tunnel: Tunnel) -> Option<usize> {
        self.owner(function, and).filter(|&dll| tunnel != Tunnel::Ikev2 || self.about()[dll].serves_ikev2())
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
            return match self.claim(offered, client, false) {
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
            let code = self.claim(address, client, address != offered);
            code.map(|code| Refused::Ipv4ByRras { code, dll: Some(dll) })
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
    /// connections that were given the same address at once, one is refused. What a DLL has `chosen` must be nobody's.
    fn claim(&self, address: Ipv4Addr, client: Client<'_>, chosen: bool) -> Option<u32> {
        let mut pool = lock(&self.pool);
        if address.is_unspecified() || address == pool.server {
            return Some(ERROR_USELESS_ADDRESS);
        }
        let Some(holder) = pool.holder(address).filter(|holder| holder.serial != client.serial) else {
            pool.hold(address, client.as_holder());
            return None;
        };
        if chosen {
            let (address, holder) = (address.into(), holder.who.clone());
            self.note_held_twice(HeldTwice { address, holder, taker: client.as_holder().who });
        }
        Some(ERROR_ADDRESS_HELD)
    }

    /// The DLL may give the address again as soon as it has heard of the release, so nobody holds it then.
    pub(crate) fn let_go_ipv4(&self, client: Client<'_>, given: Given<Ipv4Addr>) {
        lock(&self.pool).let_go(given.address, client.serial);
    }

    /// RRAS offers it again.
    pub(crate) fn give_back_ipv4(&self, given: Given<Ipv4Addr>) {
        lock(&self.pool).give_back(given.address);
    }

    /// ReleaseIpAddress; false if no DLL is to be told.
    pub(crate) fn tell_ipv4_release(&self, client: Client<'_>, given: Given<Ipv4Addr>) -> bool {
        let Some(dll) = given.notify else { return false };
        let mut arguments = [Arg::text(client.user), Arg::text(client.port), Arg::bytes(&given.address.octets())];
        self.call(dll, FunctionId::ReleaseIpAddress, &mut arguments).is_some()
    }

    /// The IPv6 interface identifier.
    pub(crate) fn ipv6(
        &self,
        client: Client<'_>,
        offer: [u8; 16],
        half: IdentifierHalf,
    ) -> Result<Given<[u8; 16]>, Refused> {
        let (get, release) = (FunctionId::GetIpv6AddressForUser, FunctionId::ReleaseIpv6AddressForUser);
        let Some(dll) = self.asked(get, Some(release), client.tunnel) else {
            return Ok(Given { address: offer, notify: None });
        };
        let mut arguments = [Arg::text(client.user), Arg::text(client.port), Arg::bytes(&offer), Arg::bytes(&[0; 4])];
        let code = self.call(dll, get, &mut arguments).and_then(|r| r.result).unwrap_or(NO_ERROR);
        let [_, _, address, notify] = arguments;
        let notify = (value_of::<4>(&notify) != [0; 4]).then_some(dll);
        let given = Given { address: value_of::<16>(&address), notify };
        if code != NO_ERROR {
            self.tell_ipv6_release(client, given);
            return Err(Refused::Ipv6ByDll { dll, code });
        }
        let identifier = identifier(given.address, half);
        let holder = lock(&self.pool).hold_identifier(identifier, client.as_holder());
        if let Some(holder) = holder.filter(|_| given.address != offer) {
            let address = Ipv6Addr::from_bits(u64::from_be_bytes(identifier).into()).into();
            self.note_held_twice(HeldTwice { address, holder: holder.who, taker: client.as_holder().who });
        }
        Ok(given)
    }

    /// Nobody holds the identifier.
    pub(crate) fn let_go_ipv6(&self, client: Client<'_>, given: Given<[u8; 16]>, half: IdentifierHalf) {
        lock(&self.pool).let_go_identifier(identifier(given.address, half), client.serial);
    }

    /// ReleaseIpv6AddressForUser; false if no DLL is to be told.
    pub(crate) fn tell_ipv6_release(&self, client: Client<'_>, given: Given<[u8; 16]>) -> bool {
        let Some(dll) = given.notify else { return false };
        let mut arguments = [Arg::text(client.user), Arg::text(client.port), Arg::bytes(&given.address)];
        self.call(dll, FunctionId::ReleaseIpv6AddressForUser, &mut arguments).is_some()
    }
}

/// The half of an IN6_ADDR that carries the identifier.
pub(crate) fn identifier(address: [u8; 16], half: IdentifierHalf) -> [u8; 8] {
    let (high, low) = address.split_at(8);
    let mut identifier = [0; 8];
    identifier.copy_from_slice(if half == IdentifierHalf::High { high } else { low });
    identifier
}
