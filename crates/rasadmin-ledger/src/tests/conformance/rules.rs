//! What rules have decided.

use super::super::support::{MONDAY, Scene};
use super::{OPEN, import_refusals, reader, refusal, scene, visit};
use crate::report::{Cut, Hits};
use rasadmin_engine::effect::{Disconnecting, Enforcement};

/// Alice connects, and mallory is denied after a minute and after an hour.
fn two_denials() -> Scene {
    let scene = scene();
    visit(&scene, 1, "alice", 60);
    scene.begin(2, "mallory", "VPN0-2").unwrap_err();
    scene.wait(3600);
    scene.begin(3, "mallory", "VPN0-3").unwrap_err();
    import_refusals(&scene, &[refusal("a", "alice", MONDAY + 9_000_000)]);
    scene
}

/// One address, which alice has. The rule allows bob too, and the DLL itself refuses.
fn full() -> Scene {
    let rule = "[[rules]]\nname = \"everybody\"\naction = \"allow\"\nusers = [\"*\"]\n";
    let scene = Scene::new(&format!("{}\n{rule}", OPEN.replace("10.8.0.1-10.8.0.9", "10.8.0.1")));
    scene.begin(1, "alice", "VPN0-1").unwrap();
    scene.wait(60);
    scene.begin(2, "bob", "VPN0-2").unwrap_err();
    scene
}

fn counts(scene: &Scene, rule: Option<&str>, since: i64) -> [u64; 2] {
    let Hits { allowed, denied, .. } = reader(scene).hits(rule, since).unwrap();
    [allowed, denied]
}

/// When the last one was, in seconds.
fn last(scene: &Scene, rule: Option<&str>) -> Option<i64> {
    let reader = reader(scene);
    let (id, time) = reader.hits(rule, i64::MAX).unwrap().last?;
    let decision = reader.decision(id).unwrap().unwrap();
    assert_eq!((decision.time, decision.rule.as_deref()), (time, rule));
    Some((time - MONDAY) / 1000)
}

conformance! {
    hits_of_rule {
        let scene = two_denials();
        assert_eq!(counts(&scene, Some("Not Mallory"), MONDAY), [0, 2]);
        assert_eq!(counts(&scene, Some("Not Mallory"), MONDAY + 3_000_000), [0, 1]);
        assert_eq!(counts(&scene, Some("another"), MONDAY), [0, 0]);
        assert_eq!(counts(&full(), Some("everybody"), MONDAY), [3, 0], "what the DLL itself refused, no rule has denied");
    }

    hits_of_default {
        let scene = two_denials();
        assert_eq!(counts(&scene, None, MONDAY), [3, 0], "RRAS has asked three times about alice");
        assert_eq!(counts(&scene, None, MONDAY + 60_000), [0, 0], "an imported refusal is not a decision of the default");
    }

    last_hit_of_rule {
        assert_eq!(last(&two_denials(), Some("Not Mallory")), Some(3660));
        assert_eq!(last(&two_denials(), Some("another")), None);
        assert_eq!(last(&full(), Some("everybody")), Some(60), "it has matched");
    }

    last_hit_of_default {
        assert_eq!((last(&two_denials(), None), last(&full(), None)), (Some(0), None));
    }

    cut_by_rules {
        let scene = scene();
        for handle in 1..=3 {
            scene.begin(handle, ["alice", "bob", "carol"][handle as usize - 1], &format!("VPN0-{handle}")).unwrap();
        }
        let late = || Disconnecting::Rule { rule: "hours".into(), reason: None, time_is_up: true };
        for (handle, why) in [(1, late()), (2, late()), (3, Disconnecting::Asked { reason: None })] {
            super::sessions::decide(&scene, handle, why, Enforcement::Reported, None);
            scene.wait(60);
        }
        let cut = |since| reader(&scene).cut_by_rules(since).unwrap();
        let hours = |sessions| vec![Cut { rule: "hours".into(), sessions, last: MONDAY + 60_000 }];
        assert_eq!((cut(MONDAY), cut(MONDAY + 1), cut(MONDAY + 90_000)), (hours(2), hours(1), hours(0)));
    }
}
