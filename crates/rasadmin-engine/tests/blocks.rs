//! Who is blocked is refused before any rule, until the block ends.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::effect::{Block, BlockSubject, EarlierBlock, Forgetting};
use rasadmin_engine::event::{BeginBlock, ConnectionEvent, Event};
use rasadmin_engine::explain::{Question, explain};
use rasadmin_engine::state::MAX_BLOCKS;
use rasadmin_engine::{
    Answer, Effect, Identity, InterfaceType, Millis, Name, Now, Quarantine, Record, Scope, State, decide_carried,
};
use support::{OPEN, Scene, TWO, With, connection, corp, from_computer, ikev2, limit, verdict};

fn user(name: &str) -> BlockSubject {
    BlockSubject::User(corp(name))
}

fn claimed(name: &str) -> BlockSubject {
    BlockSubject::claimed_computer(&Name::new(name))
}

fn block(scene: &mut Scene, subject: BlockSubject, until: Option<Millis>, reason: &str) -> Record {
    let (reason, by) = (Some(reason.to_owned()), Some(r"CORP\admin".to_owned()));
    scene.handle(Event::BeginBlock(BeginBlock { subject, until, reason, by }))
}

fn lift(scene: &mut Scene, subject: BlockSubject) {
    scene.handle(Event::EndBlock { subject, by: None, reason: None });
}

fn why(result: Result<String, String>) -> String {
    result.unwrap_err()
}

#[test]
fn a_user_is_refused_until_the_time_or_until_it_is_lifted() {
    let mut scene = Scene::new(OPEN);
    let until = scene.at.time + 60_000;
    block(&mut scene, user("ALICE"), Some(until), "quota");
    assert_eq!(why(scene.begin(1, "alice", "VPN2-1")), "default: the user is blocked: quota");
    scene.wait(59);
    assert!(scene.begin(1, "alice", "VPN2-1").is_err());
    scene.wait(1);
    assert!(scene.begin(1, "alice", "VPN2-1").is_ok(), "the end is not part of it");
    block(&mut scene, user("BOB"), None, "left");
    scene.wait(10 * 365 * 86_400);
    assert!(scene.begin(2, "bob", "VPN2-2").is_err());
    lift(&mut scene, user("BOB"));
    assert!(scene.begin(2, "bob", "VPN2-2").is_ok());
}

/// Whether the address call, the connection or a later call shows who it is: no stage lets the user pass.
#[test]
fn every_stage_refuses() {
    let mut scene = Scene::new(OPEN);
    let given = scene.begin(1, "alice", "VPN2-1").unwrap();
    let phone = ikev2(2, "bob").with(|e| e.computer = "PHONE".into());
    scene.connect(phone.clone()).unwrap();
    scene.connect(from_computer(3, "carol", "PHONE")).unwrap();
    block(&mut scene, user("ALICE"), None, "stolen");
    block(&mut scene, claimed("phone"), None, "stolen");
    let refused = "default: the user is blocked: stolen";
    assert_eq!(why(scene.address("alice", "VPN2-7", "172.16.0.9")), refused);
    assert_eq!(scene.connect(connection(7, "alice")).unwrap_err(), refused);
    assert_eq!(scene.link(1, "VPN2-8").unwrap_err(), refused, "a further link");
    assert_eq!(verdict(&scene.handle(Event::Reauthentication(connection(1, "alice")))).unwrap_err(), refused);
    assert_eq!(verdict(&scene.handle(Event::EndpointChange(connection(1, "alice")))).unwrap_err(), refused);
    let refused = "default: the computer name is blocked: stolen";
    assert_eq!(scene.connect(from_computer(8, "dave", "Phone")).unwrap_err(), refused);
    assert_eq!(scene.link(3, "VPN2-3").unwrap_err(), refused, "the first link");
    assert_eq!(verdict(&scene.handle(Event::EndpointChange(phone.clone()))).unwrap_err(), refused);
    assert_eq!(verdict(&scene.handle(Event::Reauthentication(phone))).unwrap_err(), refused);
    // The address call does not carry the computer's name.
    scene.end(1, "alice", "VPN2-1", &given);
    assert!(scene.address("dave", "VPN2-9", "172.16.0.9").is_ok());
}

#[test]
fn no_spelling_escapes() {
    let text = r#"
        default_domain = "CORP"
        default.action = "allow"
        [domains]
        CORP = ["corp.example"]
    "#;
    let mut scene = Scene::new(text);
    block(&mut scene, user("JOSE"), None, "");
    block(&mut scene, user("PC7$"), None, "");
    let spellings = ["jose", "JOSÉ", r"corp\josé", "CORP/Jose", "josé@corp.example", r"corp.example.\ｊｏｓｅ"];
    for (at, name) in spellings.into_iter().chain(["host/pc7", "PC7$", "host/pc7.corp.example"]).enumerate() {
        assert!(scene.connect(connection(at as u64, name)).is_err(), "{name}");
    }
    // A bare name of another domain.
    let partner = |name| connection(90, name).with(|e: &mut ConnectionEvent| e.domain = "PARTNER".into());
    assert_eq!(scene.connect(partner("jose")), Ok(()));
    assert_eq!(scene.connect(connection(91, r"PARTNER\jose")), Ok(()));
    assert_eq!(scene.connect(connection(92, "pc7")), Ok(()), "a user of this name is not the computer");
}

#[test]
fn a_block_comes_before_rules_that_would_refuse_too() {
    let rule = "[[rules]]\nname = \"nobody\"\naction = \"deny\"\nusers = [\"*\"]\nreason = \"closed\"";
    let mut scene = Scene::new(&limit(rule));
    assert_eq!(why(scene.address("alice", "VPN2-1", "172.16.0.9")), "nobody: closed");
    block(&mut scene, user("ALICE"), None, "left");
    let record = scene.handle(Event::Connection(connection(1, "alice")));
    assert_eq!(verdict(&record).unwrap_err(), "default: the user is blocked: left");
    let decision = record.decision.unwrap();
    assert_eq!((decision.rule, decision.reason, decision.refusal.unwrap().name()), (None, None, "blocked"));
    // Of a user and a computer that are both blocked, the user counts.
    block(&mut scene, claimed("PC"), None, "stolen");
    let both = scene.connect(from_computer(2, "alice", "PC")).unwrap_err();
    assert_eq!(both, "default: the user is blocked: left");
}

#[test]
fn a_block_replaces_the_one_before_and_says_since_when_and_by_whom() {
    let mut scene = Scene::new(OPEN);
    let first = scene.at.time;
    block(&mut scene, user("ALICE"), Some(first + 60_000), "first");
    scene.wait(5);
    block(&mut scene, user("ALICE"), None, "second");
    let blocks: Vec<&Block> = scene.state.blocks(scene.at.time).collect();
    assert_eq!(blocks.len(), 1);
    let Block { since, until, reason, by, .. } = blocks[0];
    assert_eq!((*since, *until), (first + 5_000, None));
    assert_eq!((reason.as_deref(), by.as_deref()), (Some("second"), Some(r"CORP\admin")));
}

#[test]
fn blocks_outlive_an_instance() {
    let mut scene = Scene::new(OPEN);
    block(&mut scene, user("ALICE"), None, "left");
    scene.restart();
    assert!(scene.begin(1, "alice", "VPN2-1").is_err());
}

/// The clock is ahead for a moment, and another block is recorded then.
#[test]
fn a_clock_that_was_ahead_lifts_no_block() {
    let mut scene = Scene::new(OPEN);
    let until = scene.at.time + 3_600_000;
    block(&mut scene, user("ALICE"), Some(until), "an hour");
    scene.step_clock(30 * 86_400);
    block(&mut scene, user("BOB"), None, "left");
    assert!(scene.connect(connection(1, "alice")).is_ok(), "by this clock it is over");
    scene.step_clock(-30 * 86_400);
    assert!(scene.connect(connection(2, "alice")).is_err());
}

#[test]
fn there_are_only_so_many_and_those_that_have_ended_make_room() {
    let mut scene = Scene::new(OPEN);
    let until = scene.at.time + 60_000;
    let mut state = State::new();
    scene.records.iter().for_each(|record| state.apply(record));
    let mut template = block(&mut scene, user("USER0"), Some(until), "");
    for n in 0..MAX_BLOCKS {
        let block = Block {
            subject: user(&format!("USER{n}")),
            since: scene.at.time,
            until: Some(until),
            reason: None,
            by: None,
        };
        template.effects = vec![Effect::BlockBegan(block)];
        state.apply(&template);
    }
    scene.records.clear();
    assert_eq!(state.blocks(scene.at.time).count(), MAX_BLOCKS);
    assert!(state.can_block(&user("USER7"), scene.at.time), "it takes the place of the one before");
    assert!(!state.can_block(&user("ALICE"), scene.at.time));
    let asked = BeginBlock { subject: user("ALICE"), until: None, reason: None, by: None };
    let now = |at| Now { at, random: [9; 16] };
    let record = rasadmin_engine::decide(&state, &scene.context(), &Event::BeginBlock(asked.clone()), &now(scene.at));
    assert_eq!(record.effects, []);
    // Even if a record has one more, the state stays bounded.
    template.effects =
        vec![Effect::BlockBegan(Block { subject: user("BOB"), since: 0, until: None, reason: None, by: None })];
    state.apply(&template);
    assert!(state.block(&user("BOB"), scene.at.time).is_none());
    scene.wait(61);
    assert!(state.can_block(&user("ALICE"), scene.at.time));
    let record = rasadmin_engine::decide(&state, &scene.context(), &Event::BeginBlock(asked), &now(scene.at));
    state.apply(&record);
    assert!(state.block(&user("ALICE"), scene.at.time).is_some());
    assert_eq!(state.blocks(scene.at.time).count(), 1, "those that have ended are gone");
}

/// What earlier versions recorded: a block with an end, and one without, which lifted it.
#[test]
fn the_earlier_form_is_still_read() {
    let mut scene = Scene::new(OPEN);
    let of = |until| EarlierBlock { user: corp("ALICE"), until, reason: Some("quota".into()) };
    let end = scene.at.time + 60_000;
    let record = scene.handle(Event::Block(of(Some(end))));
    assert_eq!(record.effects, [Effect::Blocked(of(Some(end)))]);
    let text =
        format!(r#"{{"blocked":{{"user":{{"domain":"CORP","name":"ALICE"}},"until":{},"reason":"quota"}}}}"#, end);
    assert_eq!(serde_json::to_string(&record.effects[0]).unwrap(), text);
    assert_eq!(why(scene.begin(1, "alice", "VPN2-1")), "default: the user is blocked: quota");
    scene.handle(Event::Block(of(None)));
    assert!(scene.begin(1, "alice", "VPN2-1").is_ok());
    // So is the reason of a decision.
    let refusal = r#"{"blocked":{"until":5,"reason":"quota"}}"#;
    let refusal: rasadmin_engine::Refusal = serde_json::from_str(refusal).unwrap();
    assert_eq!(refusal.to_string(), "the user is blocked: quota");
}

/// The journal was replaced by an older copy: memory's blocks are recorded again, and later ones of the journal stay.
#[test]
fn what_memory_has_and_the_journal_lacks_is_carried_over() {
    let mut scene = Scene::new(OPEN);
    block(&mut scene, user("ALICE"), None, "first");
    let mut older = scene.state.clone();
    scene.wait(10);
    block(&mut scene, user("ALICE"), None, "second");
    let until = scene.at.time + 60_000;
    block(&mut scene, user("BOB"), Some(until), "for a minute");
    block(&mut scene, claimed("PHONE"), None, "stolen");
    block(&mut scene, user("CAROL"), None, "memory's");
    // A command has recorded this in the older copy since.
    scene.wait(10);
    let (now, asked) = (
        Now { at: scene.at, random: [7; 16] },
        BeginBlock { subject: user("CAROL"), until: None, reason: Some("newer".into()), by: None },
    );
    older.apply(&rasadmin_engine::decide(&older, &scene.context(), &Event::BeginBlock(asked), &now));
    let now = Now { at: scene.at, random: [8; 16] };
    let record = decide_carried(&older, &scene.state, &Scope::Lacking, &scene.context(), &now);
    assert_eq!((record.answer.clone(), record.effects.len()), (Answer::Nothing, 3));
    older.apply(&record);
    let reasons: Vec<_> = older.blocks(scene.at.time).map(|block| block.reason.clone().unwrap()).collect();
    assert_eq!(reasons, ["second", "for a minute", "newer", "stolen"]);
    let of = |state: &State, subject| state.block(&subject, scene.at.time).cloned();
    assert_eq!(of(&older, user("BOB")), of(&scene.state, user("BOB")), "with its beginning and its account");
    let again = decide_carried(&older, &scene.state, &Scope::Lacking, &scene.context(), &now);
    assert_eq!(again.effects, []);
}

#[test]
fn a_purge_forgets_blocks_that_have_ended_and_no_other() {
    let mut scene = Scene::new(OPEN);
    let until = scene.at.time + 60_000;
    block(&mut scene, user("ALICE"), Some(until), "");
    block(&mut scene, user("BOB"), Some(until), "");
    block(&mut scene, user("CAROL"), None, "");
    scene.wait(120);
    let forget = |user| Event::Forget { before: until + 1, user, how: Forgetting::Purge };
    let known = |scene: &Scene| scene.state.blocks(until - 1).count();
    scene.handle(forget(Some(corp("ALICE"))));
    assert_eq!(known(&scene), 2);
    scene.handle(forget(None));
    assert_eq!(known(&scene), 1, "the one that is in force stays");
}

#[test]
fn the_explanation_says_it_at_the_first_stage_that_knows_it() {
    let mut scene = Scene::new(TWO);
    let question = |user: &str, computer: &str| Question {
        user: user.into(),
        domain: Name::default(),
        at: scene.at,
        server: "VPN1".into(),
        port: None,
        tunnel: None,
        source: None,
        computer: Some(computer.into()),
        quarantine: Some(Quarantine::Normal),
        interface: Some(InterfaceType::Client),
        offer: None,
        ipv6: false,
    };
    let (alice, bob) = (question("alice", "PC"), question("bob", "PHONE"));
    block(&mut scene, user("ALICE"), None, "left");
    block(&mut scene, claimed("PHONE"), None, "stolen");
    let stages = explain(&scene.config, &scene.state, &alice);
    assert!(stages.len() == 1 && stages[0].is_blocked() && stages[0].ends() && stages[0].address.is_none());
    assert!(stages[0].allow, "what the rules say is still there");
    let stages = explain(&scene.config, &scene.state, &bob);
    assert_eq!(stages.iter().map(|stage| stage.is_blocked()).collect::<Vec<_>>(), [false, true]);
    assert_eq!(stages[1].refusal.as_ref().unwrap().to_string(), "the computer name is blocked: stolen");
}

mod hostile {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever the name: a user who is blocked by the name that the calls pass is refused, in another case too,
        /// and what is recorded reads back (the scene checks that).
        #[test]
        fn a_name_that_is_blocked_is_refused(units in prop::collection::vec(prop_oneof![any::<u16>(), 0x20_u16..0x7f], 1..24)) {
            let mut scene = Scene::new(OPEN);
            let name = Name::from_utf16(&units);
            let Some(identity): Option<Identity> = scene.config.domains.identity(&name, &Name::default()) else { return Ok(()) };
            block(&mut scene, BlockSubject::User(identity), None, "\u{202e}\r\n");
            let event = connection(1, "x").with(|e| e.user = name.clone());
            prop_assert!(verdict(&scene.handle(Event::Connection(event))).is_err());
            let folded = connection(2, "x").with(|e| e.user = name.folded());
            prop_assert!(verdict(&scene.handle(Event::Connection(folded))).is_err());
        }

        #[test]
        fn so_is_a_computer_name(units in prop::collection::vec(prop_oneof![any::<u16>(), 0x20_u16..0x7f], 1..17)) {
            let mut scene = Scene::new(OPEN);
            let name = Name::from_utf16(&units);
            block(&mut scene, BlockSubject::claimed_computer(&name), None, "");
            for (handle, claimed) in [(1, name.clone()), (2, name.folded())] {
                let event = connection(handle, "alice").with(|e| e.computer = claimed.clone());
                prop_assert!(verdict(&scene.handle(Event::Connection(event))).is_err());
            }
            prop_assert!(scene.connect(from_computer(3, "alice", "ANOTHER-COMPUTER-NAME")).is_ok());
        }
    }
}
