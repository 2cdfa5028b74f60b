//! Service instances, and the configurations that they read.

use super::super::support::{MONDAY, connection};
use super::{expire, import, imported, reader, scene, visit};
use crate::imported::ImportedSession;
use crate::report::{Filter, UserFilter};
use rasadmin_engine::Name;

conformance! {
    instance {
        let scene = scene();
        visit(&scene, 1, "alice", 60);
        // What is brought in later belongs to the same row.
        scene.ingest();
        visit(&scene, 2, "bob", 60);
        assert_eq!(scene.ask("SELECT DISTINCT instance FROM sessions"), "1");
    }

    instance_began {
        let mut scene = scene();
        scene.restart();
        assert_eq!(
            scene.ask("SELECT server, started, length(token) FROM instances ORDER BY id"),
            format!("VPN1 {MONDAY} 36; VPN1 {MONDAY} 36")
        );
    }

    instance_heard {
        let scene = scene();
        visit(&scene, 1, "alice", 60);
        scene.wait(5);
        scene.recorder.hangup(&connection(77, "nobody"), scene.now());
        assert_eq!(scene.ask("SELECT last_activity FROM instances"), (MONDAY + 65_000).to_string());
    }

    instance_periods {
        let mut scene = scene();
        visit(&scene, 1, "alice", 60);
        scene.wait(3_600);
        scene.restart();
        visit(&scene, 2, "bob", 60);
        let second = scene.ask("SELECT max(started) FROM instances").parse::<i64>().unwrap();
        let at = |key: &str, server: &str, time| ImportedSession { server: server.into(), ..imported(key, "zoe", time, time) };
        // Between the instances, and on another server, only the log knows.
        let sessions = [
            at("a", "vpn1", MONDAY + 1_000),
            at("b", "VPN1", second),
            at("c", "VPN1", second - 1),
            at("d", "VPN1", MONDAY - 1),
            at("e", "VPN2", MONDAY + 1_000),
        ];
        let would = reader(&scene).compare(&sessions).unwrap();
        assert_eq!((would.new, would.hidden), (5, 2));
        assert_eq!(import(&scene, &sessions), would);
        let zoe = UserFilter::typed("zoe", &scene.config.domains);
        let shown = reader(&scene).sessions(&Filter { user: zoe, ..Filter::default() }, false).unwrap();
        assert_eq!(shown.len(), 3, "reports leave out what is hidden");
    }

    last_activity {
        let scene = scene();
        visit(&scene, 1, "alice", 60);
        scene.ingest();
        for handle in 2..50 {
            visit(&scene, handle, &format!("u{}", handle % 5), 60);
        }
        expire(&scene);
        // What is missing is noted at the last sign of life that the ledger knew.
        let missing = "SELECT what, time FROM anomalies WHERE missing > 0";
        assert_eq!(scene.ask(missing), format!("the journal's beginning is missing {}", MONDAY + 60_000));
    }

    servers {
        let scene = scene();
        visit(&scene, 1, "alice", 60);
        assert_eq!(reader(&scene).servers().unwrap(), [Name::new("VPN1")]);
    }

    last_instances {
        let mut scene = scene();
        visit(&scene, 1, "alice", 60);
        scene.restart();
        scene.begin(2, "bob", "VPN0-2").unwrap();
        scene.record(rasadmin_engine::Event::Lost { events: 3 });
        let instances = reader(&scene).instances().unwrap();
        assert_eq!(instances.len(), 1, "the last of each server");
        let last = &instances[0];
        assert_eq!((last.server.clone(), last.started), (Name::new("VPN1"), MONDAY + 60_000));
        assert_eq!((last.open_sessions, last.events_lost), (1, 3));
        let loaded = last.loaded.as_ref().unwrap();
        assert_eq!((loaded.time, loaded.fault.as_deref()), (MONDAY + 60_000, None));
    }

    config_kept {
        let mut scene = scene();
        scene.restart();
        assert_eq!(scene.ask("SELECT count(*), min(first_used) FROM configs"), format!("1 {MONDAY}"), "once");
    }

    config_loaded {
        let mut scene = scene();
        scene.restart();
        assert_eq!(scene.ask("SELECT server, instance, fault FROM loads ORDER BY id"), "VPN1 1 -; VPN1 2 -");
    }

    config {
        let scene = scene();
        visit(&scene, 1, "alice", 60);
        let reader = reader(&scene);
        let hash = reader.decision(1).unwrap().unwrap().config;
        assert!(reader.config(&hash).unwrap().unwrap().text.contains("Not Mallory"));
        assert_eq!(reader.config("another").unwrap(), None);
    }
}
