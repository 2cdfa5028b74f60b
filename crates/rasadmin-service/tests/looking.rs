//! What a process asks that may not read the journal's folder: who is blocked, and what the last look at RRAS has shown.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::effect::{Block, BlockSubject};
use rasadmin_engine::{Id, Identity, Mono, Name};
use rasadmin_pipe::frame::LONGEST_ANSWER;
use rasadmin_pipe::{Request, Subject, Why};
use rasadmin_service::blocks_in_force::{BlocksInForce, MOST_OCTETS};
use rasadmin_service::live_table::{LiveSession, LiveTable, LiveTableFile, MOST_AT_ONCE};
use rasadmin_service::user_in_force::OfUser;
use std::convert::Infallible;
use support::{Running, Scene};

const CONFIG: &str = "default.action = \"allow\"\njournal.durability = \"process\"\n";

#[test]
fn the_blocks_are_those_of_the_journal_the_latest_first() {
    let running = Running::beside(Scene::new(CONFIG));
    assert_eq!(running.ask::<BlocksInForce>(&Request::Blocks { after: None }).blocks, []);
    for name in ["alice", "bob"] {
        let reason = Some(format!("{name} has lost a laptop"));
        let subject = Subject::User(name.to_owned());
        running.ask::<serde_json::Value>(&Request::Block { subject, until: None, reason });
    }
    let answered: BlocksInForce = running.ask(&Request::Blocks { after: None });
    let reasons: Vec<_> = answered.blocks.iter().filter_map(|block| block.reason.as_deref()).collect();
    assert_eq!(reasons.len(), 2);
    let journal = &running.scene.config.journal;
    let read = BlocksInForce::read(journal, answered.blocks[0].since).unwrap().unwrap();
    let whole = BlocksInForce::of_answers(|request| Ok::<_, Infallible>(running.ask(&request))).unwrap();
    assert_eq!(whole, read);
    assert!(whole.blocks[0].since >= whole.blocks[1].since, "{whole:?}");
    let after = |after: &BlockSubject| Request::Blocks { after: serde_json::to_string(after).ok() };
    let second: BlocksInForce = running.ask(&after(&answered.blocks[0].subject));
    assert_eq!(second.blocks, answered.blocks[1..]);
    assert_eq!(running.refuses(&Request::Blocks { after: Some("BOB".to_owned()) }).why, Why::Invalid);
    running.ask::<bool>(&Request::Unblock { subject: Subject::User("bob".to_owned()), reason: None });
    assert_eq!(running.ask::<BlocksInForce>(&Request::Blocks { after: None }).blocks.len(), 1);
}

/// A server with more blocks than fit into one answer, with the longest names and reasons.
#[test]
fn blocks_of_any_number_are_asked_for_in_parts() {
    let block = |n: u32| {
        // The longest name: each character takes six octets in JSON, or four.
        let name = Name::new(&format!("{n:04}{}", "\u{1}".repeat(250)));
        let user = Identity { domain: Name::new(&"\u{1}".repeat(256)), name };
        let reason = Some("\u{1F512}".repeat(200));
        Block { subject: BlockSubject::User(user), since: i64::from(n), until: None, reason, by: None }
    };
    for many in [1, 100, 2_000] {
        let all = BlocksInForce { blocks: (0..many).map(block).collect(), ..BlocksInForce::default() };
        let mut answers = 0;
        let whole = BlocksInForce::of_answers(|request| -> Result<BlocksInForce, Infallible> {
            answers += 1;
            let Request::Blocks { after } = request else { panic!("{request:?}") };
            let after: Option<BlockSubject> = after.map(|json| serde_json::from_str(&json).unwrap());
            let part = all.clone().after(after.as_ref(), MOST_OCTETS);
            assert!(serde_json::to_string(&part).unwrap().len() < LONGEST_ANSWER - 1_000);
            Ok(part)
        });
        let Ok(whole) = whole;
        let latest_first: Vec<Block> = all.blocks.into_iter().rev().collect();
        assert_eq!((whole.blocks == latest_first, whole.more), (true, 0));
        assert_eq!(answers > 1, many > 100, "{answers} answers for {many}");
    }
}

/// An older service does not know the question for the rest, and a busy one refuses it.
#[test]
fn what_a_later_answer_lacks_is_counted() {
    let block = |n: u8| Block {
        subject: BlockSubject::claimed_computer(&Name::new(&format!("PC{n}"))),
        since: i64::from(n),
        until: None,
        reason: None,
        by: None,
    };
    let mut answers =
        vec![Err("busy"), Ok(BlocksInForce { blocks: vec![block(1), block(2)], more: 3, ..BlocksInForce::default() })];
    let whole = BlocksInForce::of_answers(|_| answers.pop().unwrap()).unwrap();
    assert_eq!((whole.blocks, whole.more, answers.len()), (vec![block(2), block(1)], 3, 0));
    assert_eq!(BlocksInForce::of_answers(|_| Err("busy")), Err("busy"));
}

#[test]
fn the_limits_and_the_block_of_a_user_are_those_of_the_journal() {
    let running = Running::beside(Scene::new(&format!(
        "default_domain = \"CORP\"\n{CONFIG}[[rules]]\nname = \"three each\"\naction = \"deny\"\nusers = [\"CORP\\\\alice\"]\nuser_sessions = {{ at_least = 3 }}\n"
    )));
    let of = |domain: &str, name: &str| Request::User { domain: domain.to_owned(), name: name.to_owned() };
    running.scene.begin(1, "alice", "VPN2-1").unwrap();
    running.scene.begin(2, "alice", "VPN2-2").unwrap();
    let subject = Subject::User("alice".to_owned());
    running.ask::<serde_json::Value>(&Request::Block { subject, until: None, reason: Some("stolen".to_owned()) });
    let OfUser { in_force, in_part } = running.ask(&of("CORP", "ALICE"));
    assert_eq!((in_part, &in_force.rules[..]), (false, &["three each".to_owned()][..]));
    let limit = &in_force.limits[0];
    assert_eq!((limit.used_number, limit.limit_number, limit.reached), (Some(2), Some(3), Some(false)));
    assert_eq!(in_force.block.and_then(|block| block.reason).as_deref(), Some("stolen"));
    let OfUser { in_force, .. } = running.ask(&of("PARTNER", "ALICE"));
    assert_eq!(in_force, rasadmin_ledger::report::UserInForce::default());
    for wrong in [of("CORP", ""), of("CORP", " alice"), of("\u{7}", "alice"), of("CORP", &"x".repeat(601))] {
        assert_eq!(running.refuses(&wrong).why, Why::Invalid, "{wrong:?}");
    }
}

#[test]
fn the_last_look_is_that_of_the_file() {
    let running = Running::beside(Scene::new(CONFIG));
    let live = || running.ask::<LiveTable>(&Request::Live { after: None });
    assert_eq!(live(), LiveTable::default());
    let session = LiveSession { session: Id(7), octets: [5_000_000_000, 2], exact: true, heard: Some(3) };
    let table = LiveTable { looked_at: 4, sessions: vec![session] };
    LiveTableFile::open(&running.scene.config.journal).write(Mono(0), || table.clone()).unwrap();
    assert_eq!(live(), table);
    assert_eq!(running.refuses(&Request::Live { after: Some("7".to_owned()) }).why, Why::Invalid);
}

/// A server with more sessions than fit into one answer.
#[test]
fn a_table_of_any_length_is_asked_for_in_parts() {
    let running = Running::beside(Scene::new(CONFIG));
    for many in [MOST_AT_ONCE - 1, MOST_AT_ONCE, 2 * MOST_AT_ONCE + 1] {
        // The longest numbers that there are; the keys in no order.
        let session = |n: usize| LiveSession {
            session: Id(u128::MAX - (n as u128 * 7_919) % 1_000_003),
            octets: [u64::MAX; 2],
            exact: false,
            heard: Some(i64::MIN),
        };
        let mut table = LiveTable { looked_at: i64::MAX, sessions: (0..many).map(session).collect() };
        LiveTableFile::open(&running.scene.config.journal).write(Mono(0), || table.clone()).unwrap();
        let mut answers = 0;
        let whole = LiveTable::of_answers(|request| -> Result<LiveTable, Infallible> {
            answers += 1;
            Ok(running.ask(&request))
        });
        table.sessions.sort_unstable_by_key(|session| session.session);
        let Ok(whole) = whole;
        assert_eq!((whole == table, whole.sessions.len(), answers), (true, many, many / MOST_AT_ONCE + 1));
    }
}
