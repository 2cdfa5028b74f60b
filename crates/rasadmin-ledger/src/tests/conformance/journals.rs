//! Cursors, and what the ledger knows about itself.

use super::super::statement_log::{self, Answer};
use super::{change, reader, scene, visit, without_beginning};
use rasadmin_engine::Name;

conformance! {
    about {
        let scene = scene();
        let platform = if cfg!(windows) { "windows" } else { "unix" };
        assert_eq!(reader(&scene).platform().unwrap(), platform);
    }

    about_itself {
        let scene = scene();
        assert_eq!(scene.ask("SELECT key, length(value) > 3 FROM about ORDER BY key"), "ledger 1; platform 1");
    }

    cursor {
        let scene = scene();
        visit(&scene, 1, "alice", 60);
        assert!(scene.ingest().records > 5);
        visit(&scene, 2, "bob", 60);
        let brought = scene.ingest();
        assert_eq!((brought.records, brought.reread), (6, false), "only what is new");
    }

    cursor_at {
        let scene = without_beginning();
        assert_eq!(scene.ingest().gaps, 1);
        let beginning = rasadmin_journal::Follower::open(&scene.config.journal).unwrap().unwrap().beginning();
        // Another journal was brought in as far as the record before this one's oldest: this one goes on with it.
        let other = "00000000-0000-4000-8000-000000000000";
        let at = format!("number = {}, crc = {}", beginning.number, beginning.crc);
        change(&scene, &format!("UPDATE journals SET journal = '{other}', {at}"));
        let brought = scene.ingest();
        assert!(brought.records > 0);
        assert_eq!((brought.gaps, brought.reread), (0, false), "nothing is missing between the two");
    }

    cursor_moved {
        let scene = scene();
        visit(&scene, 1, "alice", 60);
        let position = scene.ingest().position.unwrap();
        assert_eq!(
            scene.ask("SELECT server, journal, segment, number, crc FROM journals"),
            format!("VPN1 {} {} {} {}", position.journal, position.segment, position.number, position.crc)
        );
    }

    update_time_noted {
        let scene = scene();
        visit(&scene, 1, "alice", 60);
        scene.ingest();
        // The last that is done, when all of the journal is there.
        let all = statement_log::take();
        let last = all.iter().rfind(|ran| matches!(ran.answer, Answer::Changed(_))).unwrap();
        assert_eq!((last.name.as_str(), &last.answer), ("UPDATE_TIME_NOTED", &Answer::Changed(1)));
        statement_log::put_back(all);
    }

    journal_cursors {
        let scene = scene();
        visit(&scene, 1, "alice", 60);
        let position = scene.ingest().position;
        let brought = reader(&scene).journal_cursors().unwrap();
        assert_eq!(brought.len(), 1);
        assert_eq!((brought[0].server.clone(), brought[0].position), (Name::new("VPN1"), position));
    }
}
