//! The address calls, in the steps that RRAS takes.

use crate::address_doubt::{self, AddressDoubt};
use crate::assumptions::IdentifierHalf;
use crate::fill::Tunnel;
use crate::invoke::Arg;
use crate::pool::{AddressConflict, ConnectionId, Holder};
use crate::refusal::{Refusal, ReleaseCounts};
use crate::service::{Service, lock};
use mprapi::FunctionId;
use mprapi::abi::NO_ERROR;
use std::net::{Ipv4Addr, Ipv6Addr};

/// ERROR_NOT_FOUND: the DLL assigned 0.0.0.0 or the server's own address.
pub const ERROR_UNUSABLE_ADDRESS: u32 = 1168;
/// ERROR_PPP_REQUIRED_ADDRESS_REJECTED: another client of this server holds the address.
pub const ERROR_ADDRESS_HELD: u32 = 735;

/// The connection that needs an address.
#[derive(Clone, Copy)]
pub(crate) struct Client<'a> {
    pub user: &'a str,
    pub port: &'a str,
    pub tunnel: Tunnel,
    pub connection: ConnectionId,
}

impl Client<'_> {
    fn as_holder(&self) -> Holder {
        Holder { connection: self.connection, name: format!("{} on {}", self.user, self.port) }
    }
}

/// The IPv4 address that RRAS itself offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offer {
    /// The lowest free address of its pool, or 0.0.0.0 if the assumption `ipv4-offer` is `zero`.
    #[default]
    FromPool,
    /// This address, even if another connection holds it. A DHCP server may do so.
    This(Ipv4Addr),
    /// 0.0.0.0.
    Nothing,
}

/// The IPv6 interface identifier that RRAS itself offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdentifierOffer {
    /// An identifier that no other connection has, where the assumption `identifier-half` puts it. Zero if the assumption
    /// `ipv6-offer` is `zero`.
    #[default]
    Own,
    /// An identifier that no other connection has, in the first eight bytes. The last eight are zero.
    HighOnly,
    /// These sixteen bytes.
    This([u8; 16]),
}

/// The address that a connection got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Assigned<A> {
    pub address: A,
    /// The DLL whose release function is called at the end.
    pub notify: Option<usize>,
}

impl Service {
    /// The first DLL that has `function` and, if given, `and`. Any revision counts.
    fn owner(&self, function: FunctionId, and: Option<FunctionId>) -> Option<usize> {
        self.descriptions()
            .iter()
            .position(|dll| dll.functions.contains(function) && and.is_none_or(|other| dll.functions.contains(other)))
    }

    /// The DLL whose address pair is called for this tunnel. A revision 1 DLL is not called for IKEv2, and no later DLL
    /// takes its place.
    fn asked(&self, function: FunctionId, and: Option<FunctionId>, tunnel: Tunnel) -> Option<usize> {
        self.owner(function, and).filter(|&dll| tunnel != Tunnel::Ikev2 || self.descriptions()[dll].serves_ikev2())
    }

    /// Gets the client's IPv4 address: RRAS offers one, and the DLL keeps or replaces it.
    pub(crate) fn ipv4(
        &self,
        client: Client<'_>,
        offer: Offer,
    ) -> Result<Assigned<Ipv4Addr>, (Refusal, ReleaseCounts)> {
        let (offered, taken) = {
            let mut pool = lock(&self.pool);
            match offer {
                // RRAS takes an address of its own before it asks. If that fails, it never asks the DLL.
                Offer::FromPool => (pool.take().ok_or((Refusal::PoolExhausted, ReleaseCounts::default()))?, true),
                // If another connection has been offered the address, it is not ours to give back.
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

    fn ask_ipv4(&self, client: Client<'_>, offered: Ipv4Addr) -> Result<Assigned<Ipv4Addr>, (Refusal, ReleaseCounts)> {
        let get = FunctionId::GetIpAddressForUser;
        let Some(dll) = self.asked(get, None, client.tunnel) else {
            return match self.claim(offered, client, false) {
                Some(code) => {
                    Err((Refusal::Ipv4ByRras { code, address: offered, dll: None }, ReleaseCounts::default()))
                }
                None => Ok(Assigned { address: offered, notify: None }),
            };
        };
        let mut arguments =
            [Arg::text(client.user), Arg::text(client.port), Arg::bytes(&offered.octets()), Arg::bytes(&[0; 4])];
        let code = self.call(dll, get, &mut arguments).and_then(|r| r.result).unwrap_or(NO_ERROR);
        let [_, _, address, notify] = arguments;
        let address = Ipv4Addr::from(address.value::<4>());
        let notify = (notify.value::<4>() != [0; 4]).then_some(dll);
        let refused = if code != NO_ERROR {
            Some(Refusal::Ipv4ByDll { dll, code })
        } else {
            let code = self.claim(address, client, address != offered);
            code.map(|code| Refusal::Ipv4ByRras { code, address, dll: Some(dll) })
        };
        match refused {
            None => {
                if address != offered {
                    self.doubt(address, offered, client, dll);
                }
                Ok(Assigned { address, notify })
            }
            Some(refused) => {
                // If the DLL set notify_release, RRAS calls the release with what the DLL had written (R-IP4-8).
                let released = self.notify_ipv4_release(client, Assigned { address, notify });
                Err((refused, ReleaseCounts { ipv4: usize::from(released), ipv6: 0 }))
            }
        }
    }

    /// Notes an address that RRAS does not refuse, although no client can use it.
    fn doubt(&self, address: Ipv4Addr, offered: Ipv4Addr, client: Client<'_>, dll: usize) {
        let server = lock(&self.pool).server;
        let like_ours = |address: Ipv4Addr| {
            [server, offered].iter().any(|ours| !ours.is_unspecified() && ours.octets()[..2] == address.octets()[..2])
        };
        if let Some(why) = address_doubt::doubt(address, like_ours) {
            self.note_doubt(AddressDoubt { address, dll, user: client.user.to_owned(), why });
        }
    }

    /// Makes the connection the address's holder, or returns the code with which RRAS refuses the address. This is one
    /// step: of two connections that get the same address at once, one is refused. If the DLL has `chosen` an address
    /// that another connection holds, that is noted as a conflict.
    fn claim(&self, address: Ipv4Addr, client: Client<'_>, chosen: bool) -> Option<u32> {
        let mut pool = lock(&self.pool);
        if address.is_unspecified() || address == pool.server {
            return Some(ERROR_UNUSABLE_ADDRESS);
        }
        let Some(holder) = pool.holder(address).filter(|holder| holder.connection != client.connection) else {
            pool.hold(address, client.as_holder());
            return None;
        };
        if chosen {
            let (address, holder) = (address.into(), holder.name.clone());
            self.note_conflict(AddressConflict { address, holder, taker: client.as_holder().name });
        }
        Some(ERROR_ADDRESS_HELD)
    }

    /// Removes the client as the address's holder. This comes before the release call, because the DLL may assign the
    /// address again as soon as it gets that call.
    pub(crate) fn clear_ipv4_holder(&self, client: Client<'_>, given: Assigned<Ipv4Addr>) {
        lock(&self.pool).clear_holder(given.address, client.connection);
    }

    /// Lets RRAS offer the address again.
    pub(crate) fn give_back_ipv4(&self, given: Assigned<Ipv4Addr>) {
        lock(&self.pool).give_back(given.address);
    }

    /// Calls ReleaseIpAddress. Returns false if no DLL asked for that.
    pub(crate) fn notify_ipv4_release(&self, client: Client<'_>, given: Assigned<Ipv4Addr>) -> bool {
        let Some(dll) = given.notify else { return false };
        let mut arguments = [Arg::text(client.user), Arg::text(client.port), Arg::bytes(&given.address.octets())];
        self.call(dll, FunctionId::ReleaseIpAddress, &mut arguments).is_some()
    }

    /// Gets the client's IPv6 interface identifier.
    pub(crate) fn ipv6(
        &self,
        client: Client<'_>,
        offer: [u8; 16],
        half: IdentifierHalf,
    ) -> Result<Assigned<[u8; 16]>, (Refusal, ReleaseCounts)> {
        let (get, release) = (FunctionId::GetIpv6AddressForUser, FunctionId::ReleaseIpv6AddressForUser);
        let Some(dll) = self.asked(get, Some(release), client.tunnel) else {
            return Ok(Assigned { address: offer, notify: None });
        };
        let mut arguments = [Arg::text(client.user), Arg::text(client.port), Arg::bytes(&offer), Arg::bytes(&[0; 4])];
        let code = self.call(dll, get, &mut arguments).and_then(|r| r.result).unwrap_or(NO_ERROR);
        let [_, _, address, notify] = arguments;
        let notify = (notify.value::<4>() != [0; 4]).then_some(dll);
        let given = Assigned { address: address.value::<16>(), notify };
        if code != NO_ERROR {
            let released = self.notify_ipv6_release(client, given);
            return Err((Refusal::Ipv6ByDll { dll, code }, ReleaseCounts { ipv4: 0, ipv6: usize::from(released) }));
        }
        let identifier = identifier(given.address, half);
        let holder = lock(&self.pool).hold_identifier(identifier, client.as_holder());
        if let Some(holder) = holder.filter(|_| given.address != offer) {
            let address = Ipv6Addr::from_bits(u64::from_be_bytes(identifier).into()).into();
            self.note_conflict(AddressConflict { address, holder: holder.name, taker: client.as_holder().name });
        }
        Ok(given)
    }

    /// Removes the client as the identifier's holder.
    pub(crate) fn clear_ipv6_holder(&self, client: Client<'_>, given: Assigned<[u8; 16]>, half: IdentifierHalf) {
        lock(&self.pool).clear_identifier_holder(identifier(given.address, half), client.connection);
    }

    /// Calls ReleaseIpv6AddressForUser. Returns false if no DLL asked for that.
    pub(crate) fn notify_ipv6_release(&self, client: Client<'_>, given: Assigned<[u8; 16]>) -> bool {
        let Some(dll) = given.notify else { return false };
        let mut arguments = [Arg::text(client.user), Arg::text(client.port), Arg::bytes(&given.address)];
        self.call(dll, FunctionId::ReleaseIpv6AddressForUser, &mut arguments).is_some()
    }
}

/// The half of an IN6_ADDR that has the identifier.
pub(crate) fn identifier(address: [u8; 16], half: IdentifierHalf) -> [u8; 8] {
    let (high, low) = address.split_at(8);
    let mut identifier = [0; 8];
    identifier.copy_from_slice(if half == IdentifierHalf::High { high } else { low });
    identifier
}
