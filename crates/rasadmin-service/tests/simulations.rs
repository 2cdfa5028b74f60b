//! Candidates that the service simulates, on a real journal and ledger. Each request goes over the pipe.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_pipe::{Error, MOST_USERS, Refusal, Request, Simulation, Why, ask};
use rasadmin_service::pipe;
use serde_json::Value;
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use support::imported::{import, imported};
use support::{CONFIG, PATIENCE, Running, Scene};

/// A candidate without a list.
const NOBODY: &str = "default_domain = 'CORP'\ndefault.action = 'deny'\n";

fn simulate(configuration: &str) -> Request {
    Request::Simulate { configuration: configuration.to_owned(), since: None, until: None }
}

/// The sessions of three users: alice has two.
fn day(scene: &Scene) {
    for (handle, user) in (1..).zip(["alice", "bob", "alice", "carol"]) {
        let port = format!("VPN2-{handle}");
        let given = scene.begin(handle, user, &port).unwrap();
        scene.wait(600);
        scene.end(handle, user, &port, &given);
        scene.wait(60);
    }
    scene.ingest();
}

/// A ledger with that many sessions, and a candidate with so many rules that they take far longer than a question.
fn long(sessions: i64) -> (Scene, String) {
    let scene = Scene::new(CONFIG);
    day(&scene);
    let began = scene.now().at.time - 86_400_000;
    let all: Vec<_> = (0..sessions)
        .map(|at| imported(&format!("log-{at}"), &format!("user{at}"), began + at * 1000, began + at * 1000 + 500))
        .collect();
    import(&scene, &all);
    let mut candidate = NOBODY.to_owned();
    for rule in 0..1_000 {
        let _ = writeln!(candidate, "[[rules]]\nname='{rule}'\naction='allow'\nusers=['x{rule}']");
    }
    (scene, candidate)
}

impl Running {
    fn start(&self, request: &Request) -> u64 {
        self.ask(request)
    }

    fn state(&self, number: u64) -> Simulation {
        self.ask(&Request::Simulation { number })
    }

    /// Waits until it is so.
    fn until(&self, number: u64, is: impl Fn(&Simulation) -> bool) -> Simulation {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let state = self.state(number);
            if is(&state) {
                return state;
            }
            assert!(Instant::now() < deadline, "{state:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn end(&self, number: u64) -> Simulation {
        self.until(number, |state| !matches!(state, Simulation::Running { .. }))
    }

    /// Waits until it is in the middle.
    fn middle(&self, number: u64) {
        let state = self.until(number, |state| !matches!(state, Simulation::Running { done: 0, .. }));
        assert!(matches!(state, Simulation::Running { .. }), "it needs more to do: {state:?}");
    }

    fn finished(&self, request: &Request) -> (Value, u64) {
        match self.end(self.start(request)) {
            Simulation::Finished { answer, more_users } => (answer, more_users),
            other => panic!("{other:?}"),
        }
    }
}

fn counts(answer: &Value) -> [u64; 3] {
    ["attempts", "accepted_then", "newly_refused"].map(|key| answer["report"][key].as_u64().unwrap())
}

#[test]
fn a_day_has_the_counts_that_are_known() {
    let scene = Scene::new(CONFIG);
    let before = scene.now().at.time;
    day(&scene);
    let running = Running::beside(scene);
    assert_eq!(counts(&running.finished(&simulate(CONFIG)).0), [4, 4, 0]);
    let (answer, more_users) = running.finished(&simulate(NOBODY));
    assert_eq!((counts(&answer), more_users), ([4, 4, 4], 0));
    let first = &answer["report"]["by_user"][0];
    assert_eq!((first["user"].as_str(), first["refused"].as_u64()), (Some(r"CORP\ALICE"), Some(2)));
    assert_eq!(answer["source"], running.settings.ledger.display().to_string());
    // The second session began after 660 seconds, the third after 1,320.
    let part = |since, until| Request::Simulate { configuration: NOBODY.to_owned(), since, until };
    let at = |seconds: i64| Some(before + seconds * 1000);
    assert_eq!(counts(&running.finished(&part(at(600), None)).0), [3, 3, 3]);
    assert_eq!(counts(&running.finished(&part(at(600), at(1000))).0), [1, 1, 1]);
    let nothing = running.end(running.start(&part(None, at(-1))));
    assert!(matches!(&nothing, Simulation::Failed { why } if why.contains("nothing to simulate")), "{nothing:?}");
    assert_eq!(running.refuses(&part(at(1), at(1))).why, Why::Invalid);
}

/// The month before `since` counts for its quotas. What is older is not even read.
#[test]
fn only_what_can_count_is_read() {
    let (scene, candidate) = long(3_000);
    let now = scene.now().at.time;
    let day = |ago: i64| now - ago * 86_400_000;
    let at = |ago: i64, user: &str| imported(&format!("{user}-{ago}"), user, day(ago), day(ago) + 3_600_000);
    let mut old: Vec<_> = (0..8_000).map(|n| imported(&format!("old-{n}"), "old", day(90) + n, day(90) + n)).collect();
    // One that lived when the period began, and two of one user, of which only the last is reported.
    old.extend([at(20, "erin"), at(1, "erin"), imported("long", "long", day(60), day(3))]);
    import(&scene, &old);
    let running = Running::beside(scene);
    let asked = |configuration: &str| {
        let (configuration, since) = (configuration.to_owned(), Some(day(2)));
        Request::Simulate { configuration, since, until: None }
    };
    let number = running.start(&asked(&candidate));
    running.middle(number);
    let Simulation::Running { all, .. } = running.state(number) else { panic!("it needs more to do") };
    // 3,000 and the day's four, and the three.
    assert_eq!(all, 3_007);
    running.ask::<bool>(&Request::StopSimulation { number });
    running.end(number);
    let quota = format!(
        "{CONFIG}[[rules]]\nname = 'an hour'\naction = 'deny'\nconnect_time = {{ at_least = '1h', per = 'month' }}\n"
    );
    let (answer, _) = running.finished(&asked(&quota));
    let first = &answer["report"]["by_user"][0];
    assert_eq!((first["user"].as_str(), first["refused"].as_u64()), (Some(r"CORP\ERIN"), Some(1)), "{answer:#}");
    // Without `since`, everything counts.
    let (answer, _) = running.finished(&simulate(NOBODY));
    assert_eq!(counts(&answer)[0], 11_007);
}

#[test]
fn the_answer_has_the_users_for_whom_most_would_change() {
    let scene = Scene::new(CONFIG);
    day(&scene);
    let began = scene.now().at.time;
    let users = i64::try_from(MOST_USERS).unwrap() + 20;
    let all: Vec<_> = (0..users)
        .map(|at| imported(&format!("log-{at}"), &format!("user{at}"), began + at * 1000, began + at * 1000 + 500))
        .collect();
    import(&scene, &all);
    let running = Running::beside(scene);
    let (answer, more_users) = running.finished(&simulate(NOBODY));
    let listed = answer["report"]["by_user"].as_array().unwrap();
    assert_eq!((listed.len(), listed[0]["user"].as_str()), (MOST_USERS, Some(r"CORP\ALICE")));
    assert_eq!(more_users, answer["report"]["attempts"].as_u64().unwrap() - 1 - MOST_USERS as u64);
}

#[test]
fn progress_comes_first_and_others_are_answered_meanwhile() {
    let (scene, candidate) = long(8_000);
    let running = Running::beside(scene);
    let number = running.start(&simulate(&candidate));
    running.middle(number);
    let Simulation::Running { done, all } = running.state(number) else { panic!("it needs more to do") };
    assert!(done > 0 && done < all && all >= 8_000, "{done} of {all}");
    // A second one is refused, and it does not disturb the first.
    let refusal = running.refuses(&simulate(NOBODY));
    assert_eq!(refusal.why, Why::Unavailable);
    assert!(
        refusal.text.contains(&format!("with number {number}: wait until it ends, or stop it")),
        "{}",
        refusal.text
    );
    assert!(!running.ask::<Value>(&Request::Status {})["duties"].as_array().unwrap().is_empty());
    assert!(running.ask::<bool>(&Request::StopSimulation { number }));
    let Simulation::Stopped { why } = running.end(number) else { panic!("{:?}", running.state(number)) };
    let me = rasadmin_rights::account_name().unwrap();
    assert_eq!(why, format!("{me} has stopped it"));
    assert!(!running.ask::<bool>(&Request::StopSimulation { number }), "it does not run any more");
    // The next one may start, and takes the result's place.
    let next = running.start(&simulate(CONFIG));
    assert!(next > number && matches!(running.end(next), Simulation::Finished { .. }));
    let refusal = running.refuses(&Request::Simulation { number });
    assert!(refusal.why == Why::Invalid && refusal.text.contains("kept for an hour"), "{}", refusal.text);
}

#[test]
fn a_service_stops_in_the_middle_of_a_simulation() {
    let (scene, candidate) = long(8_000);
    let mut running = Running::beside(scene);
    let number = running.start(&simulate(&candidate));
    running.middle(number);
    assert_eq!(running.service.take().unwrap().stop(), [], "no duty is late");
}

#[test]
fn a_client_that_vanishes_does_not_matter() {
    let scene = Scene::new(CONFIG);
    day(&scene);
    let running = Running::beside(scene);
    running.ask::<Value>(&Request::Status {});
    // It does not wait for its answer, the number.
    drop(ask::<u64>(&pipe::address(&running.settings.journal), &simulate(NOBODY), Duration::from_millis(1)));
    let deadline = Instant::now() + PATIENCE;
    // As soon as that one has ended, the next starts and finishes.
    let number = loop {
        match running.try_ask::<u64>(&simulate(NOBODY)) {
            Err(Error::Refused(Refusal { why: Why::Unavailable, .. })) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            started => break started.unwrap(),
        }
    };
    assert!(matches!(running.end(number), Simulation::Finished { .. }));
}

#[test]
fn the_mistakes_of_a_candidate_come_back_with_their_positions() {
    let running = Running::beside(Scene::new(CONFIG));
    let refusal = running.refuses(&simulate("default.action = 'perhaps'\nserver.nam = 'x'\n\u{1b}"));
    assert_eq!(refusal.why, Why::Invalid);
    assert!(!refusal.mistakes.is_empty(), "{refusal:?}");
    let refusal = running.refuses(&simulate("default.action = 'deny'\ndefault_domain = 'A B\\*'\nserver.name = ''\n"));
    let found: Vec<_> = refusal.mistakes.iter().map(|mistake| (mistake.line, mistake.column)).collect();
    assert_eq!(found, [(2, 18), (3, 15)], "{refusal:#?}");
    assert!(refusal.text.contains("the candidate is not valid: 2 mistakes; line 2, column 18: "), "{}", refusal.text);
    assert!(refusal.mistakes.iter().all(|mistake| !mistake.help.is_empty()), "{refusal:#?}");
}

const WITH_MEMBERS: &str = "
    time_zone = 'UTC'
    default_domain = 'CORP'
    default.action = 'deny'
    journal.durability = 'process'
    [groups.staff]
    members_file = 'staff.txt'
    [[rules]]
    name = 'staff'
    action = 'allow'
    groups = ['staff']
";

#[test]
fn a_candidate_has_the_lists_in_force_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("staff.txt", "alice\nbob\n");
    // If they were read, their mistakes would show their lines.
    write("secret.txt", "a\\secret\\line\n");
    let list = folder.path().join("staff.txt");
    let scene = Scene::within(folder, WITH_MEMBERS);
    for (handle, user) in (1..).zip(["alice", "bob"]) {
        scene.begin(handle, user, &format!("VPN2-{handle}")).unwrap();
    }
    scene.ingest();
    let running = Running::beside(scene);
    // The list has changed on disk. What the service has in force counts.
    std::fs::write(&list, "a\\secret\\line\n").unwrap();
    assert_eq!(counts(&running.finished(&simulate(WITH_MEMBERS)).0), [2, 2, 0]);
    let absolute = list.display().to_string();
    for name in ["secret.txt", "./staff.txt", "../secret.txt", "/etc/passwd", &absolute] {
        let refusal = running.refuses(&simulate(&WITH_MEMBERS.replace("staff.txt", name)));
        assert_eq!((refusal.why, refusal.mistakes.len()), (Why::Invalid, 1), "{refusal:?}");
        let what = &refusal.mistakes[0].what;
        assert!(what.contains("the configuration in force has no members file"), "{what}");
        assert!(!format!("{refusal:?}").contains("line is"), "{refusal:?}");
    }
}

/// The lists in force may be such that the client may not read them.
#[test]
fn guesses_about_a_list_in_force_are_not_answered_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("reserved.txt"), "alice,10.8.16.9\nbob,10.8.16.20\n").unwrap();
    let in_force = CONFIG.replace("addresses.pool", "addresses.reservations_file = 'reserved.txt'\n    addresses.pool");
    let running = Running::beside(Scene::within(folder, &in_force));
    let guesses: Vec<_> = (1..200).map(|at| format!("'10.8.16.{at}'")).collect();
    let refusal = running.refuses(&simulate(&format!("server.addresses = [{}]\n{in_force}", guesses.join(","))));
    // The pool has these addresses too, which is a mistake of the candidate's own text.
    let of_list: Vec<_> = refusal.mistakes.iter().filter(|mistake| mistake.what.contains("reserved.txt")).collect();
    assert_eq!((of_list.len(), refusal.mistakes.len(), refusal.more_mistakes), (1, 2, 0), "{refusal:?}");
    assert_eq!(
        of_list[0].what,
        "the file of reservations `reserved.txt`, as it is in force, does not fit this candidate"
    );
}

/// Each of these entries would be cut by each exclusion, and each part be a mistake: more than the computer's memory.
#[test]
fn a_candidate_with_many_entries_and_exclusions_is_refused_at_once() {
    const MANY: usize = 3_500;
    let running = Running::beside(Scene::new(CONFIG));
    let list = |entry: &dyn Fn(usize) -> String| (0..MANY).map(|at| format!("'{}',", entry(at))).collect::<String>();
    let (listed, excluded) = (list(&|_| "::/64".to_owned()), list(&|at| format!("::{:x}", at * 2)));
    let candidate = format!("{NOBODY}[pools.p]\nidentifiers=[{listed}]\nexclude=[{excluded}]\n");
    let refusal = running.refuses(&simulate(&candidate));
    assert_eq!((refusal.why, refusal.mistakes.len()), (Why::Invalid, 20));
    assert!(refusal.mistakes.len() + refusal.more_mistakes <= MANY, "{}", refusal.text);
}

#[test]
fn a_candidate_that_is_too_long_is_refused_with_what_to_do() {
    let running = Running::beside(Scene::new(CONFIG));
    running.ask::<Value>(&Request::Status {});
    let refusal = running.refuses(&simulate(&format!("{NOBODY}#{}", "x".repeat(64 << 10))));
    assert_eq!(refusal.why, Why::TooLong);
    assert!(refusal.text.contains("65536") && refusal.text.contains("rasadmin replay --config"), "{}", refusal.text);
}
