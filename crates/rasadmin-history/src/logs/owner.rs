//! Whose session it is, as far as its records say.

use super::record::Record;
use rasadmin_policy::Name;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::Ipv4Addr;
use std::num::NonZeroU64;

/// A user and an address. Names are kept as digests, because many are remembered.
#[derive(Clone, Copy, Default)]
pub struct Owner {
    user: Option<NonZeroU64>,
    /// The domain, as in `DOMAIN\user`.
    domain: Option<NonZeroU64>,
    address: Option<Ipv4Addr>,
}

impl Owner {
    /// What a record says.
    pub fn of(record: &Record) -> Self {
        let (domain, user) = record.user_name.rsplit_once('\\').unwrap_or(("", &record.user_name));
        let user = user.split('@').next().unwrap_or(user);
        let address = record.framed_ip_address.trim().parse().ok();
        Self { user: digest(user), domain: digest(domain), address: address.filter(is_assigned) }
    }

    /// Can they not be of the same session? What one of them does not say contradicts nothing.
    pub fn contradicts(self, other: Self) -> bool {
        differ(self.user, other.user) || differ(self.domain, other.domain) || differ(self.address, other.address)
    }

    /// Adds what was not known before.
    pub fn learn(&mut self, more: Self) {
        self.user = self.user.or(more.user);
        self.domain = self.domain.or(more.domain);
        self.address = self.address.or(more.address);
    }
}

fn differ<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one != other)
}

/// The digest of a name, without case; `None` if it is empty.
fn digest(name: &str) -> Option<NonZeroU64> {
    if name.is_empty() {
        return None;
    }
    let mut digest = DefaultHasher::new();
    Name::new(name).folded().as_str().hash(&mut digest);
    NonZeroU64::new(digest.finish())
}

/// Is it a client's address? 255.255.255.254 and .255 leave the choice to the server and to the client.
fn is_assigned(address: &Ipv4Addr) -> bool {
    !address.is_unspecified() && address.octets()[..3] != [255; 3]
}
