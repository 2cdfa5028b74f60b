//! Sessions, as records and imports write them.

use super::super::support::{MONDAY, Scene, With, connection};
use super::{
    change, ended_after_the_checkpoint, expire, import, import_restarts, imported, read_again, reader, scene, visit,
};
use crate::imported::{ImportedRestart, ImportedSession, ImportedUsage, NO_END};
use crate::report::{Filter, UserFilter};
use rasadmin_engine::effect::{Disconnecting, Enforcement, Usage};
use rasadmin_engine::event::Disconnect;
use rasadmin_engine::{Event, Quarantine, Tunnel};

pub(super) const HOUR: i64 = 3_600_000;

/// Alice for an hour, bob for an hour, then both again: alice of another domain.
pub(super) fn four() -> Scene {
    let scene = scene();
    visit(&scene, 1, "alice", 3600);
    visit(&scene, 2, "bob", 3600);
    scene.begin(3, r"PARTNER\alice", "VPN0-3").unwrap();
    scene.wait(60);
    scene.begin(4, "bob", "VPN0-4").unwrap();
    scene
}

pub(super) fn of(scene: &Scene, typed: &str) -> Filter {
    Filter { user: UserFilter::typed(typed, &scene.config.domains), ..Filter::default() }
}

/// A client that returns from the same computer.
fn back(scene: &Scene, handle: u64) {
    let event = connection(handle, "alice").with(|e| e.computer = "LAPTOP-7".into());
    scene.connect(&event);
    scene.link(handle, &format!("VPN0-{handle}"), Tunnel::Sstp);
}

/// Somebody decides about the live session with this handle.
pub(super) fn decide(scene: &Scene, handle: u64, why: Disconnecting, how: Enforcement, by: Option<&str>) {
    let session = scene.present().by_handle(handle).unwrap().id;
    scene.record(Event::Disconnect(Disconnect { session, why, how, by: by.map(str::to_owned) }));
    scene.ingest();
}

/// An import from a log that ends before the session does.
fn unended(key: &str, stop: i64) -> ImportedSession {
    ImportedSession {
        stop,
        seconds: 0,
        usage: ImportedUsage::default(),
        closed_by: NO_END,
        estimated: true,
        ..imported(key, "alice", MONDAY, stop)
    }
}

fn restart(server: &str, time: i64) -> ImportedRestart {
    ImportedRestart { server: server.into(), time }
}

const ENDS: &str =
    "SELECT acct_stop_time, acct_session_time, acct_input_octets, estimated, acct_link_count FROM sessions";

conformance! {
    session_began {
        let scene = scene();
        scene.connect(&connection(1, "alice").with(|e| e.computer = "LAPTOP-7".into()));
        assert_eq!(
            scene.ask(
                "SELECT instance, nas_identifier, domain, name, user_name, handle, guid, remote_computer, calling_station_id,
                     interface_type, quarantine, tunnel_type, acct_start_time, began, began_mono, acct_stop_time FROM sessions"
            ),
            format!(
                "1 VPN1 CORP ALICE alice 1 {:032x} LAPTOP-7 203.0.113.9 client normal - {MONDAY} {MONDAY} 3600000 -",
                1
            )
        );
    }

    session_established {
        let scene = scene();
        scene.connect(&connection(1, "alice"));
        assert_eq!(scene.ask("SELECT established, nas_port_id, tunnel_type FROM sessions"), "- - -");
        scene.wait(5);
        scene.link(1, "VPN0-1", Tunnel::Sstp);
        assert_eq!(
            scene.ask("SELECT established, nas_port_id, tunnel_type FROM sessions"),
            format!("{} VPN0-1 SSTP", MONDAY + 5_000)
        );
    }

    session_replaced {
        let scene = scene();
        back(&scene, 1);
        scene.wait(60);
        back(&scene, 2);
        assert_eq!(
            scene.ask("SELECT a.replaced, a.replaced_mono FROM sessions a JOIN sessions b ON a.replaced_by = b.acct_session_id"),
            format!("{} 3660000", MONDAY + 60_000)
        );
        let replaced = reader(&scene).session("1").unwrap().unwrap().unwrap().replaced;
        assert_eq!(replaced, Some(MONDAY + 60_000));
    }

    disconnect_decided {
        let scene = four();
        let ask = "SELECT id, disconnect, disconnect_time, disconnect_why, disconnect_rule, disconnect_reason, disconnect_by
             FROM sessions WHERE disconnect IS NOT NULL ORDER BY id";
        assert_eq!(scene.ask(ask), "");
        let late = Disconnecting::Rule { rule: "hours".into(), reason: Some("go home".into()), time_is_up: true };
        decide(&scene, 3, late, Enforcement::Reported, None);
        scene.wait(1);
        decide(&scene, 4, Disconnecting::Asked { reason: None }, Enforcement::Enforced, Some("root"));
        let at = scene.now().at.time;
        let expected = format!("3 reported {} rule hours go home -; 4 enforced {at} asked - - root", at - 1_000);
        assert_eq!(scene.ask(ask), expected);
        // The last decision counts, and a second reading changes nothing.
        decide(&scene, 3, Disconnecting::Blocked, Enforcement::Enforced, None);
        let expected = format!("3 enforced {at} blocked - - -; 4 enforced {at} asked - - root");
        assert_eq!(scene.ask(ask), expected);
        read_again(&scene);
        assert_eq!(scene.ask(ask), expected);
    }

    session_alive {
        let scene = scene();
        back(&scene, 1);
        back(&scene, 2);
        let replaced = "SELECT replaced_by IS NOT NULL, replaced IS NOT NULL, replaced_mono IS NOT NULL FROM sessions
                        ORDER BY id";
        assert_eq!(scene.ask(replaced), "1 1 1; 0 0 0");
        let moved = connection(1, "alice").with(|e| {
            e.computer = "LAPTOP-7".into();
            e.source = "198.51.100.7".into();
        });
        scene.recorder.endpoint_change(&moved, scene.now());
        assert_eq!(scene.ask(replaced), "0 0 0; 0 0 0");
    }

    counted {
        let scene = scene();
        scene.begin(1, "alice", "VPN0-1").unwrap();
        let look = |input_octets, input_packets| {
            let usage = Usage { input_octets, output_octets: 20, input_packets, output_packets: 4, seconds: 0 };
            scene.look(1, usage);
        };
        let octets = "SELECT acct_input_octets, acct_output_octets, acct_input_packets, acct_output_packets, octets_are
                      FROM sessions";
        look(10, 3);
        assert_eq!(scene.ask(octets), "10 20 3 4 lower bound");
        look(4000, 6);
        assert_eq!(scene.ask(octets), "4000 20 6 4 lower bound");
        scene.wait(60);
        let usage = Usage { input_octets: 5, output_octets: 21, input_packets: 5_000_000, output_packets: 5, seconds: 1 };
        scene.recorder.hangup(&connection(1, "alice").with(|e| e.usage = usage), scene.now());
        // The hangup's counter has wrapped.
        let ended = "4294967301 21 5000000 5 lower bound";
        assert_eq!(scene.ask(octets), ended);
        read_again(&scene);
        assert_eq!(scene.ask(octets), ended);
    }

    source_changed {
        let scene = scene();
        scene.begin(1, "alice", "VPN0-1").unwrap();
        let moved = connection(1, "alice").with(|e| e.source = "198.51.100.7".into());
        scene.recorder.endpoint_change(&moved, scene.now());
        assert_eq!(scene.ask("SELECT calling_station_id FROM sessions"), "198.51.100.7");
    }

    quarantine_changed {
        let scene = scene();
        scene.begin(1, "alice", "VPN0-1").unwrap();
        let event = connection(1, "alice").with(|e| e.quarantine = Some(Quarantine::Probation));
        scene.recorder.reauthenticate(&event, scene.now());
        assert_eq!(scene.ask("SELECT quarantine FROM sessions"), "probation");
    }

    session_ended {
        let scene = scene();
        scene.begin(1, "alice", "VPN0-1").unwrap();
        scene.wait(90);
        let usage = Usage { seconds: 90, input_octets: 10, output_octets: 20, input_packets: 3, output_packets: 4 };
        scene.recorder.hangup(&connection(1, "alice").with(|e| e.usage = usage), scene.now());
        assert_eq!(
            scene.ask(
                "SELECT acct_stop_time, acct_session_time, acct_input_octets, acct_output_octets, acct_input_packets,
                     acct_output_packets, octets_are, acct_terminate_cause, closed_by, estimated, billed FROM sessions"
            ),
            format!("{} 90 10 20 3 4 exact - hangup 0 1", MONDAY + 90_000)
        );
    }

    session_end_unknown {
        let scene = scene();
        scene.begin(1, "alice", "VPN0-1").unwrap();
        scene.begin(2, "bob", "VPN0-2").unwrap();
        scene.ingest();
        scene.end(1, "alice", "VPN0-1", "10.8.0.1");
        for handle in 3..50 {
            visit(&scene, handle, &format!("u{}", handle % 5), 60);
        }
        expire(&scene);
        assert_eq!(
            scene.ask(
                "SELECT name, closed_by, estimated, billed, acct_session_time = (acct_stop_time - acct_start_time) / 1000
                 FROM sessions WHERE name IN ('ALICE', 'BOB') ORDER BY name"
            ),
            "ALICE end not in the journal 1 1 1; BOB - - - -"
        );
    }

    session_revived {
        let scene = scene();
        visit(&scene, 1, "alice", 60);
        let before = scene.ask("SELECT * FROM sessions");
        read_again(&scene);
        assert_eq!(scene.ask("SELECT * FROM sessions"), before, "it ends again");
        // Its links go, and it is back after a minute and a half.
        scene.begin(2, "bob", "VPN0-2").unwrap();
        scene.recorder.link_hangup(&super::super::support::link(2, "VPN0-2", Tunnel::Sstp), scene.now());
        scene.wait(90);
        visit(&scene, 3, "carol", 60);
        let bob = "SELECT acct_stop_time, acct_session_time, closed_by, estimated, billed FROM sessions WHERE name = 'BOB'";
        assert!(scene.ask(bob).contains("links gone"));
        scene.link(2, "VPN0-2", Tunnel::Sstp);
        assert_eq!(scene.ask(bob), "- - - - -");
    }

    session_has_ended {
        let scene = ended_after_the_checkpoint();
        // The checkpoint has it live, and the record of its end is gone: the ledger knows better.
        assert_eq!(scene.ask("SELECT closed_by FROM sessions WHERE name = 'ALICE'"), "hangup");
    }

    sessions_left {
        let mut scene = scene();
        visit(&scene, 1, "alice", 60);
        scene.begin(2, "bob", "VPN0-2").unwrap();
        scene.wait(60);
        scene.restart();
        scene.begin(3, "carol", "VPN0-3").unwrap();
        assert_eq!(scene.ask("SELECT closed_by FROM sessions ORDER BY id"), "hangup; instance ended; -");
    }

    live_session_keys {
        let scene = four();
        assert_eq!(reader(&scene).differences(&scene.present()).unwrap(), [""; 0]);
        change(&scene, "UPDATE sessions SET acct_stop_time = NULL WHERE id = 1");
        let differ = reader(&scene).differences(&scene.present()).unwrap();
        assert!(differ.len() == 1 && differ[0].starts_with("live sessions of VPN1 in which rows and state differ: 1"));
    }

    session_imported {
        let scene = scene();
        assert_eq!(import(&scene, &[imported("a", "alice", MONDAY, MONDAY + HOUR)]).new, 1);
        assert_eq!(
            scene.ask(
                "SELECT acct_session_id, instance, nas_identifier, domain, name, tunnel_type, nas_port, framed_ip_address,
                     acct_start_time, established, acct_stop_time, acct_session_time, acct_input_octets, octets_are,
                     closed_by, estimated, billed, imported FROM sessions"
            ),
            format!(
                "a 0 VPN1 CORP ALICE SSTP 9 10.8.0.1 {MONDAY} {MONDAY} {} 3600 1 exact hangup 0 0 odbc",
                MONDAY + HOUR
            )
        );
    }

    session_completed {
        let scene = scene();
        import(&scene, &[unended("a", MONDAY)]);
        let session = reader(&scene).session("1").unwrap().unwrap().unwrap();
        assert_eq!((session.acct_stop_time, session.last_seen, session.is_live()), (None, Some(MONDAY), false));
        assert_eq!(import(&scene, &[ImportedSession { links: 3, ..unended("a", MONDAY + 30_000) }]).completed, 1);
        assert_eq!(scene.ask(ENDS), format!("{} 30 - 1 3", MONDAY + 30_000));
        let whole = ImportedSession { seconds: 59, ..imported("a", "alice", MONDAY, MONDAY + 60_000) };
        assert_eq!(import(&scene, &[whole]).completed, 1);
        assert_eq!(scene.ask(ENDS), format!("{} 59 1 0 3", MONDAY + 60_000), "the log's own count of seconds");
        assert_eq!(import(&scene, &[unended("a", MONDAY + 90_000)]).already_there, 1);
        assert_eq!(scene.ask(ENDS), format!("{} 59 1 0 3", MONDAY + 60_000));
        // The record of its end was cut off: the same end, and less of everything else.
        let short = ImportedSession { seconds: 6, usage: ImportedUsage::default(), ..imported("b", "bob", MONDAY, MONDAY + 648_000) };
        let long = ImportedSession { cause: Some("User-Request".into()), ..imported("b", "bob", MONDAY, MONDAY + 648_000) };
        assert_eq!(import(&scene, std::slice::from_ref(&short)).new, 1);
        assert_eq!(import(&scene, std::slice::from_ref(&long)).completed, 1);
        let bob = "SELECT acct_session_time, acct_input_octets, acct_terminate_cause FROM sessions WHERE name = 'BOB'";
        assert_eq!(scene.ask(bob), "648 1 User-Request");
        assert_eq!(import(&scene, &[short, long.clone()]).already_there, 2);
        // Another end is no longer record of this one.
        let other = ImportedSession { stop: MONDAY + 700_000, seconds: 700, ..long };
        assert_eq!(import(&scene, &[other]).already_there, 1);
        assert_eq!(scene.ask(bob), "648 1 User-Request");
    }

    sessions_before_restart {
        let scene = scene();
        import(&scene, &[
            unended("a", MONDAY + 1_000),
            ImportedSession { server: "VPN2".into(), ..unended("b", MONDAY) },
            ImportedSession { start: MONDAY + 2 * HOUR, ..unended("c", MONDAY + 2 * HOUR) },
            ImportedSession { server: "ZÜRICH".into(), ..unended("d", MONDAY) },
            imported("e", "erin", MONDAY, MONDAY + 60_000),
        ]);
        // The first that came ended it.
        let restarts = [restart("vpn1", MONDAY + 90 * 60_000), restart("vpn1", MONDAY + HOUR), restart("zürich", MONDAY + HOUR)];
        assert_eq!(import_restarts(&scene, &restarts), 2);
        assert_eq!(import_restarts(&scene, &restarts), 0, "again");
        let rows = "SELECT acct_session_id, acct_stop_time - acct_start_time, closed_by FROM sessions
                    WHERE acct_session_id < 'e' ORDER BY 1";
        assert_eq!(
            scene.ask(rows),
            format!("a {HOUR} instance ended; b 0 {NO_END}; c 0 {NO_END}; d {HOUR} instance ended")
        );
        // Its Stop says it better.
        assert_eq!(import(&scene, &[imported("a", "alice", MONDAY, MONDAY + 60_000)]).completed, 1);
    }

    session_restarted {
        let scene = scene();
        let days = |key: &str, days: i64| ImportedSession {
            closed_by: "instance ended",
            ..unended(key, MONDAY + days * 24 * HOUR + HOUR)
        };
        // By a later restart, which another log had: today's, and one of long after.
        let ended = [days("a", 0), days("b", 5)];
        let known = [imported("c", "alice", MONDAY, MONDAY + 2 * HOUR)];
        import(&scene, &[&ended[..], &known].concat());
        scene.begin(1, "bob", "VPN0-1").unwrap();
        let rows = "SELECT acct_session_id, acct_stop_time - acct_start_time, acct_session_time, acct_terminate_cause, closed_by,
                        estimated FROM sessions WHERE imported IS NOT NULL ORDER BY 1";
        assert_eq!(import_restarts(&scene, &[restart("VPN1", MONDAY + HOUR / 2)]), 2);
        let (half, end) = (HOUR / 2, "1800 NAS-Reboot instance ended 1");
        let told = format!("a {half} {end}; b {half} {end}; c {} 7200 - hangup 0", 2 * HOUR);
        assert_eq!(scene.ask(rows), told);
        // The other log changes nothing when it comes again.
        assert_eq!(import(&scene, &ended).already_there, 2);
        assert_eq!(import_restarts(&scene, &[restart("VPN1", MONDAY + HOUR)]), 0);
        assert_eq!(scene.ask(rows), told);
        // An earlier one does, also if the log itself says it.
        assert_eq!(import(&scene, &[ImportedSession { stop: MONDAY + 60_000, ..days("a", 0) }]).completed, 1);
    }

    existing_session {
        let scene = scene();
        import(&scene, &[unended("a", MONDAY), imported("b", "bob", MONDAY, MONDAY + 1)]);
        let would = [unended("a", MONDAY), unended("a", MONDAY + 1), imported("b", "bob", 0, 1), unended("c", MONDAY)];
        let counts = reader(&scene).compare(&would).unwrap();
        assert_eq!((counts.new, counts.completed, counts.already_there), (1, 1, 2));
    }
}
