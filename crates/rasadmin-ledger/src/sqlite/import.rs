//! Sessions of other logs: written in short transactions, so that others can write between them.

use super::{Sqlite, deadline, error};
use crate::Error;
use crate::history::{Counts, Imported};
use rusqlite::{Connection, named_params};
use std::time::{Duration, Instant};

/// Sessions a transaction at most.
const MOST: usize = 1_000;
/// A transaction takes no more once it has lasted so long.
const LONGEST: Duration = Duration::from_millis(40);
/// Between two transactions; who waits for the lock asks again every half a millisecond.
const PAUSE: Duration = Duration::from_millis(4);

impl Sqlite {
    /// Writes sessions of other logs. What the ledger has stays as it is, unless its end was missing and is known now.
    /// `wait`: how long each transaction may wait for the lock. After an error, what was written before it stays: the
    /// same import again goes on.
    pub fn import(&mut self, sessions: &[Imported], wait: Duration) -> Result<Counts, Error> {
        let mut counts = Counts::default();
        let mut rest = sessions;
        while !rest.is_empty() {
            let (done, more) = self.import_some(rest, Instant::now() + wait)?;
            counts += more;
            rest = &rest[done..];
            std::thread::sleep(PAUSE);
        }
        Ok(counts)
    }

    /// One transaction: how many were looked at, and what became of them.
    fn import_some(&mut self, sessions: &[Imported], until: Instant) -> Result<(usize, Counts), Error> {
        self.is_there()?;
        let path = self.path.clone();
        let failed = |e: rusqlite::Error| error(&path, &e);
        let _guard = deadline::until(until);
        self.sync_level(false).map_err(failed)?;
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        let began = Instant::now();
        let work = || {
            let (mut done, mut counts) = (0, Counts::default());
            for session in sessions.iter().take(MOST) {
                match write(&self.connection, session)? {
                    Became::New => counts.new += 1,
                    Became::Completed => counts.completed += 1,
                    Became::AlreadyThere => counts.already_there += 1,
                }
                done += 1;
                if began.elapsed() > LONGEST {
                    break;
                }
            }
            self.connection.execute_batch("COMMIT")?;
            Ok((done, counts))
        };
        work().map_err(|e| {
            if !self.connection.is_autocommit() {
                let _ = self.connection.execute_batch("ROLLBACK");
            }
            failed(e)
        })
    }
}

enum Became {
    New,
    Completed,
    AlreadyThere,
}

fn write(connection: &Connection, s: &Imported) -> rusqlite::Result<Became> {
    let signed = |number: u64| number.cast_signed();
    let usage = s.usage.as_ref();
    let (domain, name) = (s.user.as_ref().map(|u| u.domain.as_str()), s.user.as_ref().map(|u| u.name.as_str()));
    let octets_are = usage.map(|_| if s.exact { "exact" } else { "lower bound" });
    let inserted = connection
        .prepare_cached(
            "INSERT INTO sessions (acct_session_id, instance, nas_identifier, domain, name, user_name, handle,
                 remote_computer, calling_station_id, interface_type, quarantine, tunnel_type, nas_port_id,
                 framed_ip_address, framed_interface_id, framed_ipv6_prefix, acct_start_time, established,
                 acct_link_count, acct_stop_time, acct_session_time, acct_input_octets,
                 acct_output_octets, acct_input_packets, acct_output_packets, octets_are, acct_terminate_cause,
                 closed_by, estimated, billed, imported)
             VALUES (:key, 0, :server, :domain, :name, :user_name, 0, :computer, :calling, '', '', :tunnel, :port,
                 :address, :interface_id, :prefix, :start, :start, :links, :stop, :seconds, :input_octets,
                 :output_octets, :input_packets, :output_packets, :octets_are, :cause, :closed_by, :estimated, 0,
                 :source)
             ON CONFLICT (acct_session_id) DO NOTHING",
        )?
        .execute(named_params! {
            ":key": s.key, ":server": s.server.as_str(), ":domain": domain, ":name": name,
            ":user_name": s.user_name.as_str(), ":computer": s.computer.as_str(), ":calling": s.calling,
            ":tunnel": s.tunnel, ":port": s.port.as_ref().map(rasadmin_engine::Name::as_str),
            ":address": s.address.map(|a| a.to_string()), ":interface_id": s.interface_id, ":prefix": s.prefix,
            ":start": s.start, ":links": s.links, ":stop": s.stop, ":seconds": signed(s.seconds),
            ":input_octets": usage.map(|u| signed(u.input_octets)),
            ":output_octets": usage.map(|u| signed(u.output_octets)),
            ":input_packets": usage.map(|u| signed(u.input_packets)),
            ":output_packets": usage.map(|u| signed(u.output_packets)), ":octets_are": octets_are,
            ":cause": s.cause, ":closed_by": s.closed_by, ":estimated": s.estimated, ":source": s.source,
        })?;
    if inserted > 0 {
        return Ok(Became::New);
    }
    // It is there. What is the ledger's own, or has its end, is not touched.
    let completed = connection
        .prepare_cached(
            "UPDATE sessions SET acct_stop_time = :stop,
                 acct_session_time = max(:seconds, (:stop - acct_start_time) / 1000 * :estimated),
                 acct_input_octets = coalesce(:input_octets, acct_input_octets),
                 acct_output_octets = coalesce(:output_octets, acct_output_octets),
                 acct_input_packets = coalesce(:input_packets, acct_input_packets),
                 acct_output_packets = coalesce(:output_packets, acct_output_packets),
                 octets_are = coalesce(:octets_are, octets_are), acct_terminate_cause = :cause,
                 closed_by = :closed_by, estimated = :estimated, acct_link_count = max(acct_link_count, :links),
                 tunnel_type = coalesce(tunnel_type, :tunnel),
                 framed_ip_address = coalesce(framed_ip_address, :address)
             WHERE acct_session_id = :key AND imported IS NOT NULL AND estimated = 1
                 AND (:estimated = 0 OR :stop > acct_stop_time)",
        )?
        .execute(named_params! {
            ":key": s.key, ":stop": s.stop, ":seconds": signed(s.seconds),
            ":input_octets": usage.map(|u| signed(u.input_octets)),
            ":output_octets": usage.map(|u| signed(u.output_octets)),
            ":input_packets": usage.map(|u| signed(u.input_packets)),
            ":output_packets": usage.map(|u| signed(u.output_packets)), ":octets_are": octets_are,
            ":cause": s.cause, ":closed_by": s.closed_by, ":estimated": s.estimated, ":links": s.links,
            ":tunnel": s.tunnel, ":address": s.address.map(|a| a.to_string()),
        })?;
    Ok(if completed > 0 { Became::Completed } else { Became::AlreadyThere })
}
