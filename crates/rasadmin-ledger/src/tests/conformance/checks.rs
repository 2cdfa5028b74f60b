//! Faults and anomalies in a ledger.

use super::super::support::{connection, number};
use super::{change, reader, scene, visit};
use rasadmin_engine::effect::Effect;
use rasadmin_engine::{Event, Id};

conformance! {
    addresses_held_twice {
        let scene = scene();
        scene.address("alice", "VPN0-1", "").unwrap();
        scene.address("bob", "VPN0-2", "").unwrap();
        // As if a fault of the engine had given alice's to carol too.
        let mut record = scene.records().pop().unwrap();
        record.id = Id(7);
        for effect in &mut record.effects {
            if let Effect::LeaseBegan(began) = effect {
                (began.lease, began.address) = (Id(7), number("10.8.0.1"));
            }
        }
        scene.append_bytes(&serde_json::to_vec(&record).unwrap());
        let faults = reader(&scene).faults().unwrap();
        assert_eq!(faults, ["addresses that two live leases hold: 1 (the first: 10.8.0.1 on VPN1)"]);
    }

    sessions_ended_early {
        let scene = scene();
        visit(&scene, 1, "alice", 60);
        visit(&scene, 2, "bob", 60);
        change(&scene, "UPDATE sessions SET acct_stop_time = 5 WHERE name = 'BOB'");
        assert_eq!(reader(&scene).faults().unwrap(), ["sessions that end before they begin: 1 (the first: 2)"]);
    }

    links_of_ended_sessions {
        let scene = scene();
        visit(&scene, 1, "alice", 60);
        scene.begin(2, "bob", "VPN0-2").unwrap();
        change(&scene, "UPDATE links SET stop = NULL");
        let faults = reader(&scene).faults().unwrap();
        assert_eq!(faults, ["live links of sessions that have ended: 1 (the first: VPN0-1 on VPN1)"]);
    }

    configs_not_kept {
        let scene = scene();
        visit(&scene, 1, "alice", 60);
        assert_eq!(reader(&scene).faults().unwrap(), [""; 0]);
        change(&scene, "DELETE FROM configs");
        let faults = reader(&scene).faults().unwrap();
        assert!(faults.len() == 1 && faults[0].contains("configuration was not kept: 1 "), "{faults:?}");
    }

    counts {
        let scene = scene();
        visit(&scene, 1, "alice", 60);
        scene.begin(2, "bob", "VPN0-2").unwrap();
        scene.record(Event::Lost { events: 3 });
        let counts = reader(&scene).counts().unwrap();
        assert_eq!((counts.live_sessions, counts.live_leases, counts.sessions), (1, 1, 2));
        assert_eq!((counts.imported_sessions, counts.decisions, counts.lost_events), (0, 6, 3));
    }

    out_of_order {
        let scene = scene();
        scene.recorder.hangup(&connection(77, "nobody"), scene.now());
        scene.record(Event::Lost { events: 3 });
        assert_eq!(
            scene.ask("SELECT what, lost, missing, server FROM anomalies ORDER BY id"),
            "hangup of an unknown connection 0 0 VPN1; \
             events were lost, because they could not be recorded 3 0 VPN1"
        );
    }

    anomalies {
        let scene = scene();
        scene.recorder.hangup(&connection(77, "nobody"), scene.now());
        scene.wait(5);
        scene.release("alice", "VPN0-1", "10.8.0.1");
        let latest = reader(&scene).anomalies(1).unwrap();
        assert_eq!(latest.len(), 1);
        assert_eq!((latest[0].0, latest[0].2.as_str()), (scene.now().at.time, "release without a lease"));
        assert_eq!(reader(&scene).anomalies(9).unwrap().len(), 2);
    }
}
