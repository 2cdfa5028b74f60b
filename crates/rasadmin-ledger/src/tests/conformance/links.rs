//! Links.

use super::super::support::{MONDAY, Scene, link};
use super::{change, expire, expire_sealed, read_again, reader, scene, visit, without_beginning};
use rasadmin_engine::Id;
use rasadmin_engine::Tunnel::Sstp;
use rasadmin_engine::effect::{Effect, Usage};

fn links(scene: &Scene) -> String {
    scene.ask("SELECT nas_port_id, stop FROM links ORDER BY id")
}

conformance! {
    link_began {
        let scene = scene();
        scene.begin(1, "alice", "VPN0-1").unwrap();
        assert_eq!(
            scene.ask("SELECT session, nas_identifier, nas_port_id, device, tunnel_type, start, stop FROM links"),
            format!("1 VPN1 VPN0-1 WAN Miniport (SSTP) SSTP {MONDAY} -")
        );
    }

    links_of_session {
        let scene = scene();
        scene.begin(1, "alice", "VPN0-1").unwrap();
        scene.wait(10);
        scene.link(1, "VPN0-9", Sstp);
        scene.begin(2, "bob", "VPN0-2").unwrap();
        scene.wait(10);
        scene.recorder.link_hangup(&link(1, "VPN0-9", Sstp), scene.now());
        scene.ingest();
        let links: Vec<_> = reader(&scene).links_of(1).unwrap().into_iter().map(|one| (one.port.to_string(), one.start, one.stop)).collect();
        let first = ("VPN0-1".to_owned(), MONDAY, None);
        assert_eq!(links, [first, ("VPN0-9".to_owned(), MONDAY + 10_000, Some(MONDAY + 20_000))]);
        assert_eq!(reader(&scene).links_of(3).unwrap(), []);
    }

    link_counted {
        let scene = scene();
        scene.begin(1, "alice", "VPN0-1").unwrap();
        scene.link(1, "VPN0-9", Sstp);
        assert_eq!(scene.ask("SELECT acct_link_count FROM sessions"), "2");
    }

    link_revived {
        let scene = scene();
        scene.begin(1, "alice", "VPN0-1").unwrap();
        scene.wait(10);
        scene.recorder.link_hangup(&link(1, "VPN0-1", Sstp), scene.now());
        scene.wait(10);
        scene.link(1, "VPN0-1", Sstp);
        let before = links(&scene);
        assert_eq!(before, format!("VPN0-1 {}; VPN0-1 -", MONDAY + 10_000));
        read_again(&scene);
        assert_eq!(links(&scene), before, "the end of the first one ends the second one only for a while");
        assert_eq!(scene.ask("SELECT acct_link_count FROM sessions"), "2", "none counts twice");
    }

    link_overtaken {
        let scene = scene();
        scene.begin(1, "alice", "VPN0-1").unwrap();
        // As if its end had been lost.
        let mut record = scene.records().pop().unwrap();
        (record.id, record.at.time) = (Id(7), MONDAY + 60_000);
        for effect in &mut record.effects {
            if let Effect::LinkBegan(began) = effect {
                began.at.time = MONDAY + 60_000;
            }
        }
        scene.append_bytes(&serde_json::to_vec(&record).unwrap());
        assert_eq!(links(&scene), format!("VPN0-1 {}; VPN0-1 -", MONDAY + 60_000));
    }

    link_ended {
        let scene = scene();
        scene.begin(1, "alice", "VPN0-1").unwrap();
        scene.link(1, "VPN0-9", Sstp);
        scene.wait(60);
        let mut event = link(1, "VPN0-9", Sstp);
        event.usage = Usage { seconds: 60, input_octets: 7, output_octets: 8, ..Usage::default() };
        scene.recorder.link_hangup(&event, scene.now());
        assert_eq!(
            scene.ask("SELECT nas_port_id, stop, seconds, input_octets, output_octets FROM links ORDER BY id"),
            format!("VPN0-1 - - - -; VPN0-9 {} 60 7 8", MONDAY + 60_000)
        );
    }

    link_from_state {
        let scene = without_beginning();
        let vera = "SELECT l.nas_port_id, l.device, l.stop, acct_link_count FROM links l JOIN sessions s ON s.id = session
                    WHERE name = 'VERA'";
        assert_eq!(scene.ask(vera), "VPN1-7  - 1");
        read_again(&scene);
        assert_eq!(scene.ask(vera), "VPN1-7  - 1");
    }

    links_ended {
        let scene = scene();
        scene.begin(1, "alice", "VPN1-1").unwrap();
        scene.ingest();
        scene.end(1, "alice", "VPN1-1", "10.8.0.1");
        for handle in 2..50 {
            visit(&scene, handle, &format!("u{}", handle % 5), 60);
        }
        expire(&scene);
        // The records of the end are gone: the links end as their session does.
        assert_eq!(
            scene.ask(
                "SELECT closed_by, stop = acct_stop_time FROM links JOIN sessions ON sessions.id = session
                 WHERE name = 'ALICE'"
            ),
            "end not in the journal 1"
        );
    }

    links_left_ended {
        let mut scene = scene();
        scene.begin(1, "alice", "VPN1-1").unwrap();
        for handle in 2..50 {
            visit(&scene, handle, &format!("u{}", handle % 5), 60);
        }
        scene.tool().seal().unwrap();
        scene.link(1, "VPN1-9", Sstp);
        scene.wait(60);
        scene.restart();
        let alice = "SELECT l.nas_port_id, stop = acct_stop_time FROM links l JOIN sessions s ON s.id = session
                     WHERE name = 'ALICE' ORDER BY l.id";
        assert_eq!(scene.ask(alice), "VPN1-1 1; VPN1-9 1");
        // The second link begins again when the journal is read again, and its session, whose beginning is gone, does
        // not.
        expire_sealed(&scene);
        change(&scene, "DELETE FROM journals");
        assert_eq!(scene.ingest().gaps, 1);
        assert_eq!(scene.ask(alice), "VPN1-1 1; VPN1-9 1");
    }
}
