//! Octets over time.

use super::super::support::{MONDAY, Scene, soon};
use super::{reader, scene, visit};
use crate::report::OctetsRow;
use crate::sqlite::{Create, Sqlite};
use crate::{MOST_SAMPLES, OctetsSample};
use rasadmin_engine::{Id, Millis};

const MINUTE: Millis = 60_000;

/// The live session of a handle.
pub fn id(scene: &Scene, handle: u64) -> Id {
    scene.present().by_handle(handle).unwrap().id
}

/// The service saw so many octets from the user.
pub fn sample(scene: &Scene, session: Id, time: Millis, received: u64) {
    sample_all(scene, &[OctetsSample { session, time, octets: [received, 1] }]);
}

fn sample_all(scene: &Scene, samples: &[OctetsSample]) {
    ledger(scene).add_samples(samples, soon()).unwrap();
}

fn ledger(scene: &Scene) -> Sqlite {
    Sqlite::open(&scene.ledger(), Create::No, false, soon()).unwrap()
}

/// Alice is connected, and has a sample of each minute.
fn minutes(count: u32) -> (Scene, Id) {
    let scene = scene();
    scene.begin(1, "alice", "VPN0-1").unwrap();
    let session = id(&scene, 1);
    let of = |minute: u32| OctetsSample {
        session,
        time: MONDAY + Millis::from(minute) * MINUTE,
        octets: [u64::from(minute) * 10, 1],
    };
    sample_all(&scene, &(1..=count).map(of).collect::<Vec<_>>());
    (scene, session)
}

const ALL: &str = "SELECT session, time, input_octets, output_octets FROM session_octets ORDER BY session, time";

conformance! {
    octets_sampled {
        let scene = scene();
        let given = scene.begin(1, "alice", "VPN0-1").unwrap();
        let session = id(&scene, 1);
        sample(&scene, session, MONDAY, 7);
        sample(&scene, session, MONDAY, 8);
        let first = format!("1 {MONDAY} 7 1");
        assert_eq!(scene.ask(ALL), first, "the first one of a time stays");
        sample(&scene, Id(77), MONDAY, 7);
        assert_eq!(scene.ask(ALL), first, "the ledger has no such session");
        scene.wait(60);
        scene.end(1, "alice", "VPN0-1", &given);
        sample(&scene, session, MONDAY + MINUTE, 9);
        assert_eq!(scene.ask(ALL), first, "its end is known");
    }

    samples_counted {
        let (scene, _) = minutes(MOST_SAMPLES);
        assert_eq!(scene.ask("SELECT count(*) FROM session_octets"), MOST_SAMPLES.to_string());
    }

    samples_thinned {
        let (scene, session) = minutes(MOST_SAMPLES);
        scene.begin(2, "bob", "VPN0-2").unwrap();
        sample(&scene, id(&scene, 2), MONDAY, 7);
        let last = MONDAY + Millis::from(MOST_SAMPLES + 1) * MINUTE;
        sample(&scene, session, last, 5000);
        let sql = "SELECT session, count(*), min(time), max(time) FROM session_octets GROUP BY session ORDER BY session";
        let left = format!("1 {} {} {last}; 2 1 {MONDAY} {MONDAY}", MOST_SAMPLES / 2 + 1, MONDAY + MINUTE);
        assert_eq!(scene.ask(sql), left, "every second one, and nothing of others");
        let apart = reader(&scene).octets_of(1).unwrap();
        assert!(apart.windows(2).all(|two| two[1].time - two[0].time == 2 * MINUTE), "{apart:?}");
    }

    samples_with_key {
        let (scene, session) = minutes(2);
        let of = |minute: i64, received| OctetsSample { session, time: MONDAY + minute * MINUTE, octets: [received, 1] };
        assert_eq!(ledger(&scene).samples_of(session).unwrap(), [of(1, 10), of(2, 20)]);
        assert_eq!(ledger(&scene).samples_of(Id(77)).unwrap(), []);
    }

    octets_of_session {
        let (scene, _) = minutes(2);
        visit(&scene, 2, "bob", 60);
        let of = |minute: i64, received| OctetsRow { time: MONDAY + minute * MINUTE, input_octets: received, output_octets: 1 };
        scene.ingest();
        assert_eq!(reader(&scene).octets_of(1).unwrap(), [of(1, 10), of(2, 20)]);
        assert_eq!(reader(&scene).octets_of(2).unwrap(), []);
    }
}
