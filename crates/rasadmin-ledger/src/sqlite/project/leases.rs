//! The rows of leases.

use super::super::statements::signed;
use super::{Of, Projection, key};
use crate::Error;
use rasadmin_engine::addresses::{Family, parse};
use rasadmin_engine::effect::{EndedBy, LeaseBegan};
use rasadmin_engine::{Id, Identity, Millis};
use rusqlite::named_params;

const fn family_number(family: Family) -> i64 {
    match family {
        Family::Ipv4 => 4,
        Family::Ipv6 => 6,
    }
}

impl Projection<'_, '_> {
    /// On a second reading it lives again until its end is read again, as a session does.
    pub(super) fn lease_began(&mut self, of: &Of<'_>, l: &LeaseBegan) -> Result<(), Error> {
        self.statements.run(
            "INSERT INTO leases (lease, instance, server, family, number, address, domain, name, user_name, port, origin,
                 pool, began, decision)
             VALUES (:lease, :instance, :server, :family, :number, :address, :domain, :name, :user_name, :port, :origin,
                 :pool, :began, (SELECT id FROM decisions WHERE record = :record))
             ON CONFLICT (lease) DO UPDATE SET ended = NULL, ended_by = NULL",
            named_params! {
                ":lease": key(l.lease), ":instance": of.instance, ":server": self.server.as_str(),
                ":family": family_number(l.address.family), ":number": signed(l.address.number),
                ":address": parse::show(l.address.number, l.address.family),
                ":domain": l.user.as_ref().map(|u| u.domain.as_str()),
                ":name": l.user.as_ref().map(|u| u.name.as_str()), ":user_name": l.user_name.as_str(),
                ":port": l.port.as_str(), ":origin": l.origin.name(), ":pool": l.pool, ":began": l.at.time,
                ":record": of.key,
            },
        )?;
        Ok(())
    }

    /// A session has it: the lease is the session's user's, and the session has its address.
    pub(super) fn lease_taken(
        &mut self,
        lease: Id,
        session: Id,
        user: Option<&Identity>,
        at: Millis,
        prefix: Option<&str>,
    ) -> Result<(), Error> {
        let (lease, session) = (key(lease), key(session));
        self.statements.run(
            "UPDATE leases SET accepted = coalesce(accepted, :at),
                 domain = CASE anonymous WHEN 0 THEN :domain ELSE domain END,
                 name = CASE anonymous WHEN 0 THEN :name ELSE name END,
                 session = (SELECT id FROM sessions WHERE acct_session_id = :session), prefix = coalesce(:prefix, prefix)
             WHERE lease = :lease",
            named_params! {
                ":lease": lease, ":session": session, ":at": at, ":domain": user.map(|u| u.domain.as_str()),
                ":name": user.map(|u| u.name.as_str()), ":prefix": prefix,
            },
        )?;
        self.statements.run(
            "UPDATE sessions SET framed_ip_address = CASE l.family WHEN 4 THEN l.address ELSE framed_ip_address END,
                 framed_interface_id = CASE l.family WHEN 6 THEN l.address ELSE framed_interface_id END,
                 framed_ipv6_prefix = CASE l.family WHEN 6 THEN coalesce(:prefix, framed_ipv6_prefix)
                                      ELSE framed_ipv6_prefix END
             FROM leases l WHERE l.lease = :lease AND acct_session_id = :session",
            named_params! { ":lease": lease, ":session": session, ":prefix": prefix },
        )?;
        Ok(())
    }

    /// No session has it yet, as it turned out.
    pub(super) fn lease_waits(&mut self, lease: Id) -> Result<(), Error> {
        let sql = "UPDATE leases SET session = NULL, accepted = NULL WHERE lease = :lease";
        self.statements.run(sql, named_params! { ":lease": key(lease) })?;
        Ok(())
    }

    pub(super) fn lease_ended(&mut self, lease: Id, by: EndedBy, at: Millis) -> Result<(), Error> {
        self.statements.run(
            "UPDATE leases SET ended = CASE WHEN began > :at THEN began ELSE :at END, ended_by = :by
             WHERE lease = :lease AND ended IS NULL",
            named_params! { ":lease": key(lease), ":by": by.name(), ":at": at },
        )?;
        Ok(())
    }
}
