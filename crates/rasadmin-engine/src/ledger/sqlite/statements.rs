//! Every statement of the ledger.

use super::error;
use super::meter::Meter;
use crate::addresses::{Address, Family};
use crate::ledger::{
    Away, Closing, Decision, EndedBy, Id, Lease, LiveSession, Load, Millis, NewLease, NewLink, NewSession, Transaction,
    Usage, Used,
};
use crate::{Identity, Name, Tunnel};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, ToSql, named_params, params};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// The transaction on a connection.
pub struct Statements<'c> {
    pub connection: &'c Connection,
    pub path: &'c Path,
    pub meter: Option<&'c Meter>,
}

/// SQLite's integers are signed: the same bits.
fn signed(number: u64) -> i64 {
    number.cast_signed()
}

const fn family_number(family: Family) -> i64 {
    match family {
        Family::Ipv4 => 4,
        Family::Ipv6 => 6,
    }
}

/// As people write it: `10.8.0.5`, and `::a11c:e` for an identifier.
fn text(address: Address) -> String {
    match address.family {
        Family::Ipv4 => Ipv4Addr::from_bits(u32::try_from(address.number).unwrap_or(u32::MAX)).to_string(),
        Family::Ipv6 => Ipv6Addr::from_bits(u128::from(address.number)).to_string(),
    }
}

fn tunnel(name: Option<String>) -> Option<Tunnel> {
    let name = name?;
    [Tunnel::Sstp, Tunnel::Ikev2, Tunnel::L2tp, Tunnel::Pptp].into_iter().find(|t| t.name() == name)
}

fn identity(domain: Option<String>, name: Option<String>) -> Option<Identity> {
    Some(Identity { domain: Name::from_stored(domain?), name: Name::from_stored(name?) })
}

const SESSION: &str = "id, acct_session_id, domain, name, user_name, remote_computer, calling_station_id,
    interface_type, quarantine, tunnel_type, nas_port_id, acct_start_time, established, live_links, guid";

fn session(row: &Row<'_>) -> rusqlite::Result<LiveSession> {
    Ok(LiveSession {
        id: row.get(0)?,
        key: row.get(1)?,
        guid: row.get(14)?,
        user: identity(row.get(2)?, row.get(3)?),
        user_name: Name::from_stored(row.get(4)?),
        computer: Name::from_stored(row.get(5)?),
        source: row.get(6)?,
        interface: row.get(7)?,
        quarantine: row.get(8)?,
        tunnel: tunnel(row.get(9)?),
        port: row.get::<_, Option<String>>(10)?.map(Name::from_stored),
        start: row.get(11)?,
        established: row.get(12)?,
        live_links: row.get::<_, i64>(13)?.try_into().unwrap_or(0),
    })
}

const LEASE: &str = "id, family, number, domain, name, port, session, origin, ended IS NULL, began";

fn lease(row: &Row<'_>) -> rusqlite::Result<Lease> {
    use crate::ledger::Origin::{Offer, Pool, Reservation, Sticky};
    let family = if row.get::<_, i64>(1)? == 4 { Family::Ipv4 } else { Family::Ipv6 };
    let origin: String = row.get(7)?;
    Ok(Lease {
        id: row.get(0)?,
        address: Address { family, number: row.get::<_, i64>(2)?.cast_unsigned() },
        user: identity(row.get(3)?, row.get(4)?),
        port: Name::from_stored(row.get(5)?),
        session: row.get(6)?,
        origin: [Reservation, Sticky, Pool].into_iter().find(|o| o.name() == origin).unwrap_or(Offer),
        live: row.get(8)?,
        began: row.get(9)?,
    })
}

impl Statements<'_> {
    /// Every statement goes through here.
    fn with<T>(
        &self,
        sql: &str,
        work: impl FnOnce(&mut CachedStatement<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Away> {
        let done = self.connection.prepare_cached(sql).and_then(|mut statement| {
            let done = work(&mut statement);
            if let Some(meter) = self.meter {
                meter.read(&statement);
            }
            done
        });
        done.map_err(|e| error(self.path, &e))
    }

    fn run(&mut self, sql: &str, values: &[(&str, &dyn ToSql)]) -> Result<usize, Away> {
        if let Some(meter) = self.meter {
            meter.log(sql, values.iter().map(|&(name, value)| (Some(name), value)));
        }
        self.with(sql, |statement| statement.execute(values))
    }

    fn one<T>(
        &mut self,
        sql: &str,
        values: &[&dyn ToSql],
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Away> {
        if let Some(meter) = self.meter {
            meter.log(sql, values.iter().map(|&value| (None, value)));
        }
        self.with(sql, |statement| statement.query_row(values, read).optional())
    }

    fn all<T>(
        &mut self,
        sql: &str,
        values: &[&dyn ToSql],
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Away> {
        if let Some(meter) = self.meter {
            meter.log(sql, values.iter().map(|&value| (None, value)));
        }
        self.with(sql, |statement| statement.query_map(values, read)?.collect())
    }

    fn inserted(&self) -> Id {
        self.connection.last_insert_rowid()
    }
}

impl Transaction for Statements<'_> {
    fn live_by_handle(&mut self, server: &Name, handle: u64) -> Result<Option<LiveSession>, Away> {
        let sql = format!(
            "SELECT {SESSION} FROM sessions WHERE nas_identifier = ?1 AND handle = ?2 AND acct_stop_time IS NULL
             ORDER BY id DESC LIMIT 1"
        );
        self.one(&sql, params![server.as_str(), signed(handle)], session)
    }

    fn live_by_guid(&mut self, server: &Name, guid: &str) -> Result<Option<LiveSession>, Away> {
        let sql = format!(
            "SELECT {SESSION} FROM sessions WHERE nas_identifier = ?1 AND guid = ?2 AND acct_stop_time IS NULL
             ORDER BY id DESC LIMIT 1"
        );
        self.one(&sql, params![server.as_str(), guid], session)
    }

    fn live_by_port(&mut self, server: &Name, port: &Name) -> Result<Option<LiveSession>, Away> {
        let sql = format!(
            "SELECT {SESSION} FROM sessions WHERE acct_stop_time IS NULL AND id IN (
                 SELECT session FROM links WHERE nas_identifier = ?1 AND nas_port_id = ?2 AND stop IS NULL
                 UNION ALL SELECT id FROM sessions
                 WHERE nas_identifier = ?1 AND nas_port_id = ?2 AND acct_stop_time IS NULL)
             ORDER BY id DESC LIMIT 1"
        );
        self.one(&sql, params![server.as_str(), port.as_str()], session)
    }

    fn live_by_id(&mut self, id: Id) -> Result<Option<LiveSession>, Away> {
        let sql = format!("SELECT {SESSION} FROM sessions WHERE id = ?1 AND acct_stop_time IS NULL");
        self.one(&sql, params![id], session)
    }

    fn live_of(&mut self, user: &Identity) -> Result<Vec<LiveSession>, Away> {
        let sql = format!("SELECT {SESSION} FROM sessions WHERE domain = ?1 AND name = ?2 AND acct_stop_time IS NULL");
        self.all(&sql, params![user.domain.as_str(), user.name.as_str()], session)
    }

    fn live_users(&mut self) -> Result<Vec<(Identity, u32)>, Away> {
        let sql = "SELECT domain, name, count(*) FROM sessions INDEXED BY sessions_live_user
                   WHERE acct_stop_time IS NULL AND domain IS NOT NULL GROUP BY domain, name";
        self.all(sql, params![], |row| {
            let user = Identity { domain: Name::from_stored(row.get(0)?), name: Name::from_stored(row.get(1)?) };
            Ok((user, row.get::<_, i64>(2)?.try_into().unwrap_or(u32::MAX)))
        })
    }

    fn used(&mut self, user: &Identity, first: &str, last: &str) -> Result<(u64, u64), Away> {
        let sql = "SELECT coalesce(sum(seconds), 0), coalesce(sum(input_octets + output_octets), 0) FROM usage
                   WHERE domain = ?1 AND name = ?2 AND day BETWEEN ?3 AND ?4";
        let values = params![user.domain.as_str(), user.name.as_str(), first, last];
        let used = self.one(sql, values, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
        Ok(used.map_or((0, 0), |(seconds, octets)| (seconds.max(0).cast_unsigned(), octets.max(0).cast_unsigned())))
    }

    fn begin_session(&mut self, s: &NewSession<'_>) -> Result<Id, Away> {
        self.run(
            "INSERT INTO sessions (acct_session_id, instance, nas_identifier, domain, name, user_name, handle, guid,
                 remote_computer, calling_station_id, interface_type, quarantine, tunnel_type, nas_port_id,
                 acct_start_time, links_changed)
             VALUES (:key, :instance, :server, :domain, :name, :user_name, :handle, :guid, :computer, :source,
                 :interface, :quarantine, :tunnel, :port, :start, :start)",
            named_params! {
                ":key": s.key, ":instance": s.instance, ":server": s.server.as_str(),
                ":domain": s.user.map(|u| u.domain.as_str()), ":name": s.user.map(|u| u.name.as_str()),
                ":user_name": s.user_name.as_str(), ":handle": signed(s.handle), ":guid": s.guid,
                ":computer": s.computer.as_str(), ":source": s.source, ":interface": s.interface,
                ":quarantine": s.quarantine, ":tunnel": s.tunnel.map(Tunnel::name),
                ":port": s.port.map(Name::as_str), ":start": s.start,
            },
        )?;
        Ok(self.inserted())
    }

    fn establish(&mut self, id: Id, now: Millis, port: &Name, tunnel: Option<Tunnel>) -> Result<(), Away> {
        self.run(
            "UPDATE sessions SET established = coalesce(established, :now), nas_port_id = :port,
                 tunnel_type = coalesce(:tunnel, tunnel_type)
             WHERE id = :id",
            named_params! { ":id": id, ":now": now, ":port": port.as_str(), ":tunnel": tunnel.map(Tunnel::name) },
        )
        .map(drop)
    }

    fn add_links(&mut self, id: Id, now: Millis, change: i32) -> Result<(), Away> {
        self.run(
            "UPDATE sessions SET live_links = max(0, live_links + :change), links_changed = :now,
                 acct_link_count = acct_link_count + max(0, :change)
             WHERE id = :id",
            named_params! { ":id": id, ":now": now, ":change": change },
        )
        .map(drop)
    }

    fn set_source(&mut self, id: Id, source: &str) -> Result<(), Away> {
        let sql = "UPDATE sessions SET calling_station_id = :source WHERE id = :id";
        self.run(sql, named_params! { ":id": id, ":source": source }).map(drop)
    }

    fn set_quarantine(&mut self, id: Id, quarantine: &str) -> Result<(), Away> {
        let sql = "UPDATE sessions SET quarantine = :quarantine WHERE id = :id";
        self.run(sql, named_params! { ":id": id, ":quarantine": quarantine }).map(drop)
    }

    fn set_address(&mut self, id: Id, address: Address, prefix: Option<&str>) -> Result<(), Away> {
        let sql = match address.family {
            Family::Ipv4 => "UPDATE sessions SET framed_ip_address = :address WHERE id = :id AND :prefix IS NULL",
            Family::Ipv6 => {
                "UPDATE sessions SET framed_interface_id = :address,
                     framed_ipv6_prefix = coalesce(:prefix, framed_ipv6_prefix)
                 WHERE id = :id"
            }
        };
        self.run(sql, named_params! { ":id": id, ":address": text(address), ":prefix": prefix }).map(drop)
    }

    fn close_session(&mut self, id: Id, c: &Closing) -> Result<(), Away> {
        let usage = (c.by == crate::ledger::ClosedBy::Hangup).then_some(c.usage);
        let octets_are = usage.map(|u| if u.is_exact() { "exact" } else { "lower bound" });
        self.run(
            "UPDATE sessions SET acct_stop_time = max(:stop, acct_start_time), acct_session_time = :seconds,
                 acct_input_octets = :input, acct_output_octets = :output, acct_input_packets = :frames_in,
                 acct_output_packets = :frames_out, octets_are = :octets_are, acct_terminate_cause = :cause,
                 closed_by = :by, estimated = :estimated, billed = :billed, live_links = 0
             WHERE id = :id",
            named_params! {
                ":id": id, ":stop": c.stop, ":seconds": signed(c.usage.seconds),
                ":input": usage.map(|u| signed(u.input_octets)), ":output": usage.map(|u| signed(u.output_octets)),
                ":frames_in": usage.map(|u| signed(u.input_packets)),
                ":frames_out": usage.map(|u| signed(u.output_packets)), ":octets_are": octets_are,
                ":cause": c.by.cause(),
                ":by": c.by.name(), ":estimated": c.by.is_estimated(), ":billed": c.by.is_billed(),
            },
        )?;
        // RRAS releases them after the hangup: if it does not, they end by themselves.
        let sql = "UPDATE leases SET idle_since = :stop WHERE session = :id AND ended IS NULL";
        self.run(sql, named_params! { ":id": id, ":stop": c.stop }).map(drop)
    }

    fn add_usage(&mut self, user: &Identity, day: &str, seconds: u64, usage: Option<&Usage>) -> Result<(), Away> {
        self.run(
            "INSERT INTO usage VALUES (:domain, :name, :day, :seconds, :input, :output, :sessions)
             ON CONFLICT DO UPDATE SET seconds = seconds + excluded.seconds,
                 input_octets = input_octets + excluded.input_octets,
                 output_octets = output_octets + excluded.output_octets, sessions = sessions + excluded.sessions",
            named_params! {
                ":domain": user.domain.as_str(), ":name": user.name.as_str(), ":day": day,
                ":seconds": signed(seconds), ":input": usage.map_or(0, |u| signed(u.input_octets)),
                ":output": usage.map_or(0, |u| signed(u.output_octets)), ":sessions": usage.is_some(),
            },
        )
        .map(drop)
    }

    fn stale_sessions(&mut self, server: &Name, before: Millis) -> Result<Vec<(LiveSession, Millis)>, Away> {
        let sql = format!(
            "SELECT {SESSION}, links_changed FROM sessions
             WHERE nas_identifier = ?1 AND acct_stop_time IS NULL AND live_links = 0 AND links_changed < ?2"
        );
        self.all(&sql, params![server.as_str(), before], |row| Ok((session(row)?, row.get(15)?)))
    }

    fn begin_link(&mut self, l: &NewLink<'_>) -> Result<(), Away> {
        self.run(
            "INSERT INTO links (session, nas_identifier, nas_port_id, device, tunnel_type, start)
             VALUES (:session, :server, :port, :device, :tunnel, :start)",
            named_params! {
                ":session": l.session, ":server": l.server.as_str(), ":port": l.port.as_str(),
                ":device": l.device.as_str(), ":tunnel": l.tunnel.map(Tunnel::name), ":start": l.start,
            },
        )
        .map(drop)
    }

    fn end_link(&mut self, server: &Name, port: &Name, now: Millis, usage: &Usage) -> Result<Option<Option<Id>>, Away> {
        let (server, port, seconds) = (server.as_str(), port.as_str(), signed(usage.seconds));
        let (input, output) = (signed(usage.input_octets), signed(usage.output_octets));
        self.one(
            "UPDATE links SET stop = max(start, ?3), seconds = ?4, input_octets = ?5, output_octets = ?6
             WHERE nas_identifier = ?1 AND nas_port_id = ?2 AND stop IS NULL RETURNING session",
            params![server, port, now, seconds, input, output],
            |row| row.get(0),
        )
    }

    fn end_links(&mut self, session: Id, now: Millis) -> Result<(), Away> {
        let sql = "UPDATE links SET stop = max(start, :now) WHERE session = :session AND stop IS NULL";
        self.run(sql, named_params! { ":session": session, ":now": now }).map(drop)
    }

    fn live_lease_at(&mut self, server: &Name, address: Address) -> Result<Option<Lease>, Away> {
        let sql =
            format!("SELECT {LEASE} FROM leases WHERE server = ?1 AND family = ?2 AND number = ?3 AND ended IS NULL");
        let values = params![server.as_str(), family_number(address.family), signed(address.number)];
        self.one(&sql, values, lease)
    }

    fn live_leases_on(&mut self, server: &Name, port: &Name) -> Result<Vec<Lease>, Away> {
        let sql = format!("SELECT {LEASE} FROM leases WHERE server = ?1 AND port = ?2 AND ended IS NULL");
        self.all(&sql, params![server.as_str(), port.as_str()], lease)
    }

    fn live_leases_of(&mut self, server: &Name, user: &Identity) -> Result<Vec<Lease>, Away> {
        let sql = format!(
            "SELECT {LEASE} FROM leases INDEXED BY leases_live_user
             WHERE server = ?1 AND domain = ?2 AND name = ?3 AND ended IS NULL"
        );
        self.all(&sql, params![server.as_str(), user.domain.as_str(), user.name.as_str()], lease)
    }

    fn live_leases_of_session(&mut self, session: Id) -> Result<Vec<Lease>, Away> {
        let sql = format!("SELECT {LEASE} FROM leases WHERE session = ?1 AND ended IS NULL");
        self.all(&sql, params![session], lease)
    }

    fn lease_to_release(&mut self, server: &Name, port: &Name, address: Address) -> Result<Option<Lease>, Away> {
        let sql = format!(
            "SELECT {LEASE} FROM leases INDEXED BY leases_due
             WHERE server = ?1 AND port = ?2 AND number = ?3 AND family = ?4 AND release_due = 1 ORDER BY id LIMIT 1"
        );
        let (family, number) = (family_number(address.family), signed(address.number));
        self.one(&sql, params![server.as_str(), port.as_str(), number, family], lease)
    }

    fn begin_lease(&mut self, l: &NewLease<'_>) -> Result<Id, Away> {
        let (family, number) = (family_number(l.address.family), signed(l.address.number));
        let (domain, name) = (l.user.map(|u| u.domain.as_str()), l.user.map(|u| u.name.as_str()));
        self.run(
            "INSERT INTO leases (instance, server, family, number, address, prefix, domain, name, user_name, port,
                 origin, pool, began, release_due, idle_since, decision)
             VALUES (:instance, :server, :family, :number, :address, :prefix, :domain, :name, :user_name, :port,
                 :origin, :pool, :began, 1, :began, :decision)",
            named_params! {
                ":instance": l.instance, ":server": l.server.as_str(), ":family": family, ":number": number,
                ":address": text(l.address), ":prefix": l.prefix, ":domain": domain, ":name": name,
                ":user_name": l.user_name.as_str(), ":port": l.port.as_str(), ":origin": l.origin.name(),
                ":pool": l.pool, ":began": l.began,
                ":decision": l.decision,
            },
        )?;
        let id = self.inserted();
        self.run(
            "INSERT INTO addresses (server, family, number, tag, domain, name, lease)
             VALUES (:server, :family, :number, :tag, :domain, :name, :lease)
             ON CONFLICT DO UPDATE SET tag = excluded.tag, domain = excluded.domain, name = excluded.name,
                 lease = excluded.lease, free_since = NULL",
            named_params! {
                ":server": l.server.as_str(), ":family": family, ":number": number, ":tag": l.tag,
                ":domain": domain, ":name": name, ":lease": id,
            },
        )?;
        Ok(id)
    }

    fn accept_lease(&mut self, id: Id, session: Id, now: Millis, prefix: Option<&str>) -> Result<(), Away> {
        let sql = "UPDATE leases SET accepted = coalesce(accepted, :now), session = :session, idle_since = NULL,
                       prefix = coalesce(:prefix, prefix) WHERE id = :id";
        let values = named_params! { ":id": id, ":session": session, ":now": now, ":prefix": prefix };
        self.run(sql, values).map(drop)
    }

    fn end_lease(&mut self, l: &Lease, server: &Name, now: Millis, by: EndedBy, tag: Option<Id>) -> Result<(), Away> {
        self.run(
            "UPDATE leases SET ended = max(began, :now), ended_by = :by, release_due = :due WHERE id = :id",
            named_params! { ":id": l.id, ":now": now, ":by": by.name(), ":due": by.release_may_come() },
        )?;
        self.run(
            "UPDATE addresses SET lease = NULL, free_since = :now, tag = coalesce(:tag, tag)
             WHERE server = :server AND family = :family AND number = :number AND lease = :id",
            named_params! {
                ":id": l.id, ":now": now, ":tag": tag, ":server": server.as_str(),
                ":family": family_number(l.address.family), ":number": signed(l.address.number),
            },
        )
        .map(drop)
    }

    fn released_late(&mut self, id: Id) -> Result<(), Away> {
        let sql = "UPDATE leases SET release_due = 0 WHERE id = :id AND ended IS NOT NULL";
        self.run(sql, named_params! { ":id": id }).map(drop)
    }

    fn stale_leases(&mut self, server: &Name, before: Millis) -> Result<Vec<Lease>, Away> {
        let sql = format!(
            "SELECT {LEASE} FROM leases INDEXED BY leases_idle
             WHERE server = ?1 AND idle_since < ?2 AND ended IS NULL"
        );
        self.all(&sql, params![server.as_str(), before], lease)
    }

    fn previous(&mut self, server: &Name, family: Family, user: &Identity) -> Result<Vec<u64>, Away> {
        let sql = "SELECT number FROM addresses INDEXED BY addresses_user
                   WHERE domain = ?1 AND name = ?2 AND server = ?3 AND family = ?4 AND lease IS NULL
                   ORDER BY free_since DESC LIMIT 4";
        let values = params![user.domain.as_str(), user.name.as_str(), server.as_str(), family_number(family)];
        self.all(sql, values, |row| Ok(row.get::<_, i64>(0)?.cast_unsigned()))
    }

    fn address_used(&mut self, server: &Name, address: Address) -> Result<Used, Away> {
        let sql = "SELECT lease IS NULL FROM addresses WHERE server = ?1 AND family = ?2 AND number = ?3";
        let values = params![server.as_str(), family_number(address.family), signed(address.number)];
        let free = self.one(sql, values, |row| row.get::<_, bool>(0))?;
        Ok(free.map_or(Used::Never, |free| if free { Used::Free } else { Used::Held }))
    }

    fn least_recent(&mut self, tag: Id) -> Result<Option<u64>, Away> {
        let sql = "SELECT number FROM addresses INDEXED BY addresses_free
                   WHERE tag = ?1 AND lease IS NULL ORDER BY free_since LIMIT 1";
        self.one(sql, params![tag], |row| Ok(row.get::<_, i64>(0)?.cast_unsigned()))
    }

    fn pool(
        &mut self,
        server: &Name,
        name: &str,
        family: Family,
        shape: &str,
        first: u64,
    ) -> Result<(Id, Option<u64>), Away> {
        let sql = "SELECT id, cursor FROM pools WHERE server = ?1 AND name = ?2 AND shape = ?3";
        let found = self.one(sql, params![server.as_str(), name, shape], |row| {
            Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.map(i64::cast_unsigned)))
        })?;
        if let Some(found) = found {
            return Ok(found);
        }
        self.run(
            "INSERT INTO pools (server, name, family, shape, cursor) VALUES (:server, :name, :family, :shape, :first)",
            named_params! {
                ":server": server.as_str(), ":name": name, ":family": family_number(family), ":shape": shape,
                ":first": signed(first),
            },
        )?;
        Ok((self.inserted(), Some(first)))
    }

    fn set_cursor(&mut self, tag: Id, next: Option<u64>) -> Result<(), Away> {
        let sql = "UPDATE pools SET cursor = :next WHERE id = :id";
        self.run(sql, named_params! { ":id": tag, ":next": next.map(signed) }).map(drop)
    }

    fn retag(&mut self, server: &Name, family: Family, range: (u64, u64), tag: Id) -> Result<usize, Away> {
        // In SQLite's order the upper half of the 64-bit identifiers comes before the lower: a range that crosses is two.
        let middle = i64::MAX.cast_unsigned();
        let (first, last) = range;
        let mut parts = vec![(first, last)];
        if first <= middle && last > middle {
            parts = vec![(first, middle), (middle + 1, last)];
        }
        let mut changed = 0;
        for (first, last) in parts {
            changed += self.run(
                "UPDATE addresses SET tag = :tag WHERE server = :server AND family = :family
                     AND number BETWEEN :first AND :last AND lease IS NULL AND tag IS NOT :tag",
                named_params! {
                    ":tag": tag, ":server": server.as_str(), ":family": family_number(family),
                    ":first": signed(first), ":last": signed(last),
                },
            )?;
        }
        Ok(changed)
    }

    fn untag(&mut self, server: &Name, address: Address) -> Result<(), Away> {
        self.run(
            "UPDATE addresses SET tag = NULL WHERE server = :server AND family = :family AND number = :number",
            named_params! {
                ":server": server.as_str(), ":family": family_number(address.family),
                ":number": signed(address.number),
            },
        )
        .map(drop)
    }

    fn decide(
        &mut self,
        server: &Name,
        instance: Id,
        session: Option<Id>,
        user_name: &Name,
        d: &Decision,
    ) -> Result<Id, Away> {
        let user = d.facts.user.known();
        let outcome = match (d.allow, d.for_now) {
            (true, true) => "allow for now",
            (true, false) => "allow",
            (false, _) => "deny",
        };
        let facts = serde_json::to_string(&d.facts).unwrap_or_default();
        let counted = d.counted.as_ref().map(|counted| serde_json::to_string(counted).unwrap_or_default());
        self.run(
            "INSERT INTO decisions (time, server, instance, session, stage, domain, name, user_name, outcome, rule,
                 reason, config, ledger_away, facts, counted)
             VALUES (:time, :server, :instance, :session, :stage, :domain, :name, :user_name, :outcome, :rule, :reason,
                 :config, :ledger_away, :facts, :counted)",
            named_params! {
                ":time": d.time, ":server": server.as_str(), ":instance": instance, ":session": session,
                ":stage": d.stage.name(), ":domain": user.map(|u| u.domain.as_str()),
                ":name": user.map(|u| u.name.as_str()), ":user_name": user_name.as_str(), ":outcome": outcome,
                ":rule": d.rule, ":reason": d.reason, ":config": d.config, ":ledger_away": d.ledger_away,
                ":facts": facts, ":counted": counted,
            },
        )?;
        Ok(self.inserted())
    }

    fn keep_config(&mut self, hash: &str, texts: &str, now: Millis) -> Result<(), Away> {
        let sql = "INSERT INTO configs VALUES (:hash, :now, :texts) ON CONFLICT DO NOTHING";
        self.run(sql, named_params! { ":hash": hash, ":now": now, ":texts": texts }).map(drop)
    }

    fn loaded(&mut self, server: &Name, instance: Id, load: &Load) -> Result<(), Away> {
        self.run(
            "INSERT INTO loads (time, server, instance, version, config, fault)
             VALUES (:time, :server, :instance, :version, :config, :fault)",
            named_params! {
                ":time": load.time, ":server": server.as_str(), ":instance": instance, ":version": load.version,
                ":config": load.config, ":fault": load.fault,
            },
        )
        .map(drop)
    }

    fn odd(&mut self, server: &Name, instance: Id, time: Millis, what: &str, details: &str) -> Result<(), Away> {
        self.run(
            "INSERT INTO oddities (time, server, instance, what, details)
             VALUES (:time, :server, :instance, :what, :details)",
            named_params! {
                ":time": time, ":server": server.as_str(), ":instance": instance, ":what": what, ":details": details,
            },
        )
        .map(drop)
    }

    fn replaying(&mut self, spool: &str, sequence: u64) -> Result<bool, Away> {
        let changed = self.run(
            "INSERT INTO spools VALUES (:spool, :sequence)
             ON CONFLICT DO UPDATE SET sequence = excluded.sequence WHERE excluded.sequence > sequence",
            named_params! { ":spool": spool, ":sequence": signed(sequence) },
        )?;
        Ok(changed > 0)
    }

    fn instance(&mut self, server: &Name, token: &str) -> Result<Option<Id>, Away> {
        let sql = "SELECT id FROM instances WHERE server = ?1 AND token = ?2";
        self.one(sql, params![server.as_str(), token], |row| row.get(0))
    }

    fn begin_instance(&mut self, server: &Name, token: &str, now: Millis) -> Result<Id, Away> {
        self.run(
            "INSERT INTO instances (server, token, started, last_activity) VALUES (:server, :token, :now, :now)",
            named_params! { ":server": server.as_str(), ":token": token, ":now": now },
        )?;
        Ok(self.inserted())
    }

    fn touch_instance(&mut self, id: Id, now: Millis) -> Result<(), Away> {
        let sql = "UPDATE instances SET last_activity = max(last_activity, :now) WHERE id = :id";
        self.run(sql, named_params! { ":id": id, ":now": now }).map(drop)
    }

    fn last_activity(&mut self, server: &Name) -> Result<Option<Millis>, Away> {
        let sql = "SELECT max(last_activity) FROM instances WHERE server = ?1";
        Ok(self.one(sql, params![server.as_str()], |row| row.get(0))?.flatten())
    }

    fn all_live(&mut self, server: &Name) -> Result<(Vec<LiveSession>, Vec<Lease>), Away> {
        let sessions = format!("SELECT {SESSION} FROM sessions WHERE nas_identifier = ?1 AND acct_stop_time IS NULL");
        let sessions = self.all(&sessions, params![server.as_str()], session)?;
        let leases = format!("SELECT {LEASE} FROM leases WHERE server = ?1 AND ended IS NULL");
        let leases = self.all(&leases, params![server.as_str()], lease)?;
        Ok((sessions, leases))
    }
}
