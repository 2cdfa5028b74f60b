//! The rows of leases.

use super::{Projection, RowSource};
use crate::value::values;
use crate::{Error, queries};
use rasadmin_engine::addresses::{Family, text};
use rasadmin_engine::effect::{EndedBy, LeaseBegan};
use rasadmin_engine::{Id, Identity, Millis};

const fn family_number(family: Family) -> i64 {
    match family {
        Family::Ipv4 => 4,
        Family::Ipv6 => 6,
    }
}

impl Projection<'_> {
    /// Begins a lease. On a second reading it is live until its end is read again, like a session.
    pub(super) fn lease_began(&mut self, of: &RowSource<'_>, l: &LeaseBegan) -> Result<(), Error> {
        let user = l.user.as_ref();
        self.database.run(
            queries::LEASE_BEGAN,
            values! {
                lease: l.lease, instance: of.instance, server: &self.server, family: family_number(l.address.family),
                number: l.address.number, address: text::show(l.address.number, l.address.family),
                domain: user.map(|u| &u.domain), name: user.map(|u| &u.name), user_name: &l.user_name, port: &l.port,
                origin: l.origin.name(), pool: l.pool.as_ref(), began: l.at.time, record: of.key,
            },
        )?;
        Ok(())
    }

    /// A session takes the lease: the lease gets the session's user, and the session gets its address.
    pub(super) fn lease_taken(
        &mut self,
        lease: Id,
        session: Id,
        user: Option<&Identity>,
        at: Millis,
        prefix: Option<&str>,
    ) -> Result<(), Error> {
        self.database.run(
            queries::LEASE_TAKEN,
            values! {
                lease: lease, session: session, at: at, domain: user.map(|u| &u.domain), name: user.map(|u| &u.name),
                prefix: prefix,
            },
        )?;
        self.database.run(queries::SESSION_ADDRESSED, values! { lease: lease, session: session, prefix: prefix })?;
        Ok(())
    }

    /// The lease turns out to have no session yet.
    pub(super) fn lease_waits(&mut self, lease: Id) -> Result<(), Error> {
        self.database.run(queries::LEASE_WAITS, values! { lease: lease })?;
        Ok(())
    }

    pub(super) fn lease_ended(&mut self, lease: Id, by: EndedBy, at: Millis) -> Result<(), Error> {
        self.database.run(queries::LEASE_ENDED, values! { lease: lease, by: by.name(), at: at })?;
        Ok(())
    }
}
