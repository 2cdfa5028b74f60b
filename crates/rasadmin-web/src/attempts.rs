//! How often passwords can be tried.
//!
//! After some failures there is a pause before the next attempt, and it doubles with each further one. Failures are counted
//! several times:
//!
//! - for a browser that has logged in as this user before (see `device`), on its own. Nobody else's failures delay it;
//! - for everybody else, for the name and the network that the attempts come from, so that one stranger who tries a name
//!   delays only those of the same network;
//! - for the name from all networks. Each network counts there only as long as it need not wait: to delay the user's login
//!   from a new browser, several networks must try;
//! - for the name once more, with every attempt of a stranger: however many networks try it, they have a hundred attempts,
//!   and then one a minute (see `share`);
//! - for the network with any name, and for all strangers together.
//!
//! The longest pause for a name is a minute. While many networks try a name, its owner can miss each of these minutes in a
//! new browser, but a browser that they have logged in with does not wait. Requests with a visit, and one-time links, do not
//! come here.

mod failures;
mod share;

use crate::token;
use failures::{Failures, Rule, add, wait};
use rasadmin_text::printable;
use share::Shares;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The attempts of one browser, or those from one network with one name.
const ONE: Rule = Rule { free: 5, first: Duration::from_secs(1), longest: Duration::from_secs(60) };
/// The attempts of strangers with one name.
const NAME: Rule = Rule { free: 20, first: Duration::from_secs(1), longest: Duration::from_secs(60) };
/// The attempts of strangers from one network.
const NETWORK: Rule = Rule { free: 20, first: Duration::from_secs(1), longest: Duration::from_secs(300) };
/// The attempts of all strangers.
const ALL: Rule = Rule { free: 100, first: Duration::from_millis(100), longest: Duration::from_secs(1) };

/// A name that a stranger may have made up, in a fixed size. Names that differ only in case are one.
type Name = token::Hash;

/// Where attempts come from; None is this computer.
pub type Network = Option<IpAddr>;

#[derive(Default)]
struct Counted {
    devices: HashMap<token::Hash, Failures>,
    pairs: HashMap<(Name, Network), Failures>,
    names: HashMap<Name, Failures>,
    shares: Shares,
    networks: HashMap<IpAddr, Failures>,
    all: Failures,
    links: Failures,
}

/// The failed attempts.
#[derive(Default)]
pub struct Attempts(Mutex<Counted>);

/// An attempt that may be made. It counts as failed until it has succeeded.
#[must_use]
pub struct Attempt {
    of: Of,
    /// How long the next attempt like this must wait, if this one fails.
    pub pause: Duration,
}

/// Whose attempt it is.
enum Of {
    Device(token::Hash),
    Stranger {
        name: Name,
        network: Network,
        /// Whether it counts for the name from all networks.
        for_name: bool,
    },
}

impl Attempts {
    /// Begins the attempt of a stranger.
    ///
    /// # Errors
    /// If it must wait: so long.
    pub fn begin(&self, name: &str, from: IpAddr, now: Instant) -> Result<Attempt, Duration> {
        self.lock().begin_of_stranger(token::hash(&name.to_lowercase()), network(from), now)
    }

    /// Begins the attempt of a browser that has logged in as this user before, and has this token.
    ///
    /// # Errors
    /// If it must wait: so long.
    pub fn begin_of_device(&self, device: &str, now: Instant) -> Result<Attempt, Duration> {
        self.lock().begin_of_device(token::hash(device), now)
    }

    /// An attempt was good. The failures of this browser, or of this network with this name, are forgotten; of the others
    /// only this one is, or a user could try other names between logins of their own.
    pub fn succeeded(&self, attempt: Attempt) {
        let mut counted = self.lock();
        match attempt.of {
            Of::Device(device) => {
                counted.devices.remove(&device);
            }
            Of::Stranger { name, network, for_name } => {
                counted.pairs.remove(&(name, network));
                if let Some(of) = counted.names.get_mut(&name).filter(|_| for_name) {
                    of.take_back();
                }
                counted.shares.take_back(&name);
                if let Some(of) = network.and_then(|network| counted.networks.get_mut(&network)) {
                    of.take_back();
                }
                counted.all.take_back();
            }
        }
    }

    /// Whether the log may have a line about a one-time link that was not good. The links need no limit, as nobody guesses
    /// one; but a stranger must not fill the log.
    pub fn may_tell_of_link(&self, now: Instant) -> bool {
        let mut counted = self.lock();
        let may = counted.links.wait(&NETWORK, now).is_zero();
        if may {
            counted.links.add(now);
        }
        may
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Failures are counted before the password is checked: a hundred attempts at the same moment are a hundred.
impl Counted {
    fn begin_of_device(&mut self, device: token::Hash, now: Instant) -> Result<Attempt, Duration> {
        let wait = wait(&self.devices, &device, &ONE, now);
        if !wait.is_zero() {
            return Err(wait);
        }
        let pause = add(&mut self.devices, device, now).pause(&ONE);
        Ok(Attempt { of: Of::Device(device), pause })
    }

    fn begin_of_stranger(&mut self, name: Name, network: Network, now: Instant) -> Result<Attempt, Duration> {
        let of_network = network.map_or(Duration::ZERO, |network| wait(&self.networks, &network, &NETWORK, now));
        let wait = wait(&self.pairs, &(name, network), &ONE, now)
            .max(wait(&self.names, &name, &NAME, now))
            .max(self.shares.wait(&name, now))
            .max(of_network)
            .max(self.all.wait(&ALL, now));
        if !wait.is_zero() {
            return Err(wait);
        }
        let pair = add(&mut self.pairs, (name, network), now);
        let for_name = pair.count <= ONE.free;
        if for_name {
            let _ = add(&mut self.names, name, now);
        }
        self.shares.add(name, now);
        if let Some(network) = network {
            let _ = add(&mut self.networks, network, now);
        }
        self.all.add(now);
        Ok(Attempt { of: Of::Stranger { name, network, for_name }, pause: pair.pause(&ONE) })
    }
}

/// What failures are counted for: an address, or the /48 network of an IPv6 address, which one site can have, with as many
/// addresses and smaller networks as it likes. None for this computer: everyone on it, and everyone behind a proxy on it, comes from there.
pub fn network(address: IpAddr) -> Network {
    let address = address.to_canonical();
    match address {
        _ if address.is_loopback() => None,
        IpAddr::V4(_) => Some(address),
        IpAddr::V6(six) => {
            let network = u128::from(six) & (u128::MAX << 80);
            Some(IpAddr::V6(network.into()))
        }
    }
}

/// A text for the log, where backticks enclose it: on one line, with its own backticks escaped.
pub fn enclosed(text: &str) -> String {
    printable(text).replace('`', "\\u{60}")
}

/// The same for a text of a stranger, cut if it is long.
pub fn shown(name: &str) -> String {
    /// Longer ones are cut.
    const LONGEST: usize = 64;
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", enclosed(&name[..end])),
        None => enclosed(name),
    }
}

#[cfg(test)]
mod tests;
