//! Links.

use super::super::support::{MONDAY, Scene, With, connection, link};
use super::{read_again, scene, visit, without_beginning};
use rasadmin_engine::Tunnel::{Ikev2, Sstp};
use rasadmin_engine::effect::Usage;

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

    link_counted {
        let scene = scene();
        scene.begin(1, "alice", "VPN0-1").unwrap();
        scene.link(1, "VPN0-9", Sstp);
        assert_eq!(scene.ask("SELECT acct_link_count FROM sessions"), "2");
    }

    link_revived {
        let scene = scene();
        visit(&scene, 1, "alice", 60);
        scene.begin(2, "bob", "VPN0-2").unwrap();
        let before = links(&scene);
        read_again(&scene);
        assert_eq!(links(&scene), before);
        assert_eq!(scene.ask("SELECT acct_link_count FROM sessions ORDER BY id"), "1; 1", "none counts twice");
    }

    link_overtaken {
        let scene = scene();
        scene.begin(1, "alice", "VPN0-1").unwrap();
        scene.wait(60);
        scene.link(1, "VPN0-1", Sstp);
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

    link_is_there {
        let scene = without_beginning();
        let vera = "SELECT l.nas_port_id, l.device, l.stop, acct_link_count FROM links l JOIN sessions s ON s.id = session
                    WHERE name = 'VERA'";
        assert_eq!(scene.ask(vera), "VPN1-7  - 1");
        read_again(&scene);
        assert_eq!(scene.ask(vera), "VPN1-7  - 1");
    }

    links_ended {
        let scene = scene();
        scene.begin(1, "alice", "VPN0-1").unwrap();
        scene.link(1, "VPN0-9", Sstp);
        scene.wait(60);
        // The end of the links was not told.
        scene.recorder.hangup(&connection(1, "alice"), scene.now());
        let stop = MONDAY + 60_000;
        assert_eq!(links(&scene), format!("VPN0-1 {stop}; VPN0-9 {stop}"));
    }

    links_left_ended {
        let mut scene = scene();
        scene.begin(1, "alice", "VPN0-1").unwrap();
        let event = connection(2, "bob").with(|e| e.ikev2 = Some(true));
        scene.connect(&event);
        scene.link(2, "VPN1-2", Ikev2);
        scene.wait(60);
        scene.restart();
        let stop = scene.ask("SELECT DISTINCT acct_stop_time FROM sessions");
        assert_eq!(links(&scene), format!("VPN0-1 {stop}; VPN1-2 {stop}"));
    }
}
