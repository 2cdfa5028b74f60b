//! What sessions have used.

use super::super::support::{Scene, connection};
use super::{read_again, reader, scene, visit};
use crate::report::{Filter, UserFilter};
use rasadmin_engine::Id;
use rasadmin_engine::effect::{Effect, Usage};

/// Alice until after midnight, bob for a minute.
fn over_midnight() -> Scene {
    let scene = scene();
    visit(&scene, 1, "alice", 16 * 3600);
    visit(&scene, 2, "bob", 60);
    scene
}

fn of_days(scene: &Scene, user: Option<&str>, first: &str, last: &str) -> Vec<(String, String, u64)> {
    let user = user.map(|typed| UserFilter::typed(typed, &scene.config.domains).unwrap());
    let filter = Filter { user, ..Filter::default() };
    let rows = reader(scene).usage(&filter, first, last, &str::to_owned).unwrap();
    rows.into_iter().map(|row| (row.name.to_string(), row.from, row.seconds)).collect()
}

fn row(name: &str, day: &str, seconds: u64) -> (String, String, u64) {
    (name.to_owned(), day.to_owned(), seconds)
}

fn uses(record: &rasadmin_engine::Record) -> bool {
    record.effects.iter().any(|effect| matches!(effect, Effect::Used { .. }))
}

/// RRAS lists the session with its use so far.
fn look(scene: &Scene, octets: u64) {
    let usage = Usage { seconds: 60, input_octets: octets, output_octets: 1, ..Usage::default() };
    scene.look(1, usage);
}

conformance! {
    use_of_session {
        let mut scene = scene();
        scene.begin(1, "alice", "VPN0-1").unwrap();
        scene.wait(60);
        look(&scene, 1000);
        scene.recorder.hangup(&connection(77, "nobody"), scene.now());
        scene.ingest();
        // The service died: what it had recorded of the session's use stays.
        scene.restart();
        assert_eq!(scene.ask("SELECT day, seconds, input_octets FROM use"), "2026-11-23 60 1000");
    }

    used {
        let scene = over_midnight();
        assert_eq!(
            scene.ask("SELECT name, day, seconds FROM use ORDER BY name, day"),
            "ALICE 2026-11-23 54000; ALICE 2026-11-24 3600; BOB 2026-11-24 60"
        );
        let before = scene.ask("SELECT * FROM use ORDER BY 1, 2");
        read_again(&scene);
        assert_eq!(scene.ask("SELECT * FROM use ORDER BY 1, 2"), before);
    }

    use_counted {
        let scene = scene();
        scene.begin(1, "alice", "VPN0-1").unwrap();
        let look = |input_octets, output_octets| {
            let frames = 1_000_000;
            let usage = Usage { input_octets, output_octets, input_packets: frames, output_packets: frames, seconds: 0 };
            scene.look(1, usage);
            scene.ask("SELECT day, seconds, input_octets, output_octets, name FROM use ORDER BY day")
        };
        assert_eq!(look(0, 0), "");
        assert_eq!(look(100, 10), "2026-11-23 0 100 10 ALICE");
        assert_eq!(look(150, 10), "2026-11-23 0 150 10 ALICE");
        scene.wait(86_400);
        assert_eq!(look(150, 10), "2026-11-23 0 150 10 ALICE");
        let both = "2026-11-23 0 150 10 ALICE; 2026-11-24 0 0 5 ALICE";
        assert_eq!(look(150, 15), both);
        read_again(&scene);
        assert_eq!(scene.ask("SELECT day, seconds, input_octets, output_octets, name FROM use ORDER BY day"), both);
    }

    use_of_day_deleted {
        let scene = over_midnight();
        // As if it had turned out that bob's minute was before midnight.
        let mut record = scene.records().into_iter().rfind(uses).unwrap();
        record.id = Id(7);
        record.effects.retain(|effect| matches!(effect, Effect::Used { .. }));
        if let Effect::Used { days, .. } = &mut record.effects[0] {
            days[0].labels.day -= 1;
        }
        scene.append_bytes(&serde_json::to_vec(&record).unwrap());
        assert_eq!(scene.ask("SELECT day, seconds FROM use WHERE name = 'BOB'"), "2026-11-23 60");
    }

    usage {
        let scene = over_midnight();
        let all = [row("ALICE", "2026-11-23", 54_000), row("ALICE", "2026-11-24", 3600), row("BOB", "2026-11-24", 60)];
        assert_eq!(of_days(&scene, None, "2026-11-01", "2026-11-30"), all);
        assert_eq!(of_days(&scene, None, "2026-11-24", "2026-11-24"), all[1..]);
        assert_eq!(of_days(&scene, None, "2026-11-01", "2026-11-23"), all[..1]);
        assert_eq!(of_days(&scene, Some("bob"), "2026-11-01", "2026-11-30"), all[2..], "in any domain");
    }

    usage_of_user {
        let scene = over_midnight();
        let all = [row("ALICE", "2026-11-23", 54_000), row("ALICE", "2026-11-24", 3600)];
        assert_eq!(of_days(&scene, Some(r"corp\alice"), "2026-11-23", "2026-11-24"), all);
        assert_eq!(of_days(&scene, Some(r"CORP\alice"), "2026-11-24", "2026-11-24"), all[1..]);
        assert_eq!(of_days(&scene, Some(r"PARTNER\alice"), "2026-11-01", "2026-11-30"), []);
    }
}
