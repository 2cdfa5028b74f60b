//! What a process asks that may not read the journal's folder: who is blocked, and what the last look at RRAS has shown.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::{Id, Mono};
use rasadmin_pipe::{Request, Subject};
use rasadmin_service::blocks_in_force::BlocksInForce;
use rasadmin_service::live_table::{LiveSession, LiveTable, LiveTableFile};
use support::{Running, Scene};

const CONFIG: &str = "default.action = \"allow\"\njournal.durability = \"process\"\n";

#[test]
fn the_blocks_are_those_of_the_journal_the_latest_first() {
    let running = Running::beside(Scene::new(CONFIG));
    assert_eq!(running.ask::<BlocksInForce>(&Request::Blocks {}).blocks, []);
    for name in ["alice", "bob"] {
        let reason = Some(format!("{name} has lost a laptop"));
        let subject = Subject::User(name.to_owned());
        running.ask::<serde_json::Value>(&Request::Block { subject, until: None, reason });
    }
    let answered: BlocksInForce = running.ask(&Request::Blocks {});
    let reasons: Vec<_> = answered.blocks.iter().filter_map(|block| block.reason.as_deref()).collect();
    assert_eq!(reasons.len(), 2);
    assert!(answered.blocks[0].since >= answered.blocks[1].since, "{answered:?}");
    let journal = &running.scene.config.journal;
    let read = |most| BlocksInForce::read(journal, answered.blocks[0].since, most).unwrap().unwrap();
    assert_eq!(answered, read(usize::MAX));
    let one = read(1);
    assert_eq!((one.blocks.len(), one.more, one.in_part), (1, 1, false));
    running.ask::<bool>(&Request::Unblock { subject: Subject::User("bob".to_owned()) });
    assert_eq!(running.ask::<BlocksInForce>(&Request::Blocks {}).blocks.len(), 1);
}

#[test]
fn the_last_look_is_that_of_the_file() {
    let running = Running::beside(Scene::new(CONFIG));
    assert_eq!(running.ask::<LiveTable>(&Request::Live {}), LiveTable::default());
    let session = LiveSession { session: Id(7), octets: [5_000_000_000, 2], exact: true, heard: Some(3) };
    let table = LiveTable { looked_at: 4, sessions: vec![session] };
    LiveTableFile::open(&running.scene.config.journal).write(Mono(0), || table.clone()).unwrap();
    assert_eq!(running.ask::<LiveTable>(&Request::Live {}), table);
}
