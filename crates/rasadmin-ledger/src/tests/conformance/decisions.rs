//! Decisions.

use super::super::support::{MONDAY, Scene, With, connection, number};
use super::{OPEN, import_refusals, reader, refusal, scene, visit};
use crate::report::{DecidedBy, DecisionSearch, Filter, GroupBy, Outcome, Refused, UserFilter};
use rasadmin_engine::{Name, Stage, Tunnel};

/// Alice connects, mallory is denied, and bob connects a minute later.
fn three() -> Scene {
    let scene = scene();
    visit(&scene, 1, "alice", 60);
    scene.begin(2, "mallory", "VPN0-2").unwrap_err();
    visit(&scene, 3, "bob", 60);
    scene
}

/// One address, which alice has. A rule allows everybody.
fn full() -> Scene {
    let pool = OPEN.replace("10.8.0.1-10.8.0.9", "10.8.0.1");
    let scene = Scene::new(&format!("{pool}\n[[rules]]\nname = \"everybody\"\naction = \"allow\"\nusers = [\"*\"]\n"));
    scene.begin(1, "alice", "VPN0-1").unwrap();
    scene
}

/// The same, and bob comes too late: the rule allows it, and the DLL itself refuses.
fn full_for_bob() -> Scene {
    let scene = full();
    scene.begin(2, "bob", "VPN0-2").unwrap_err();
    scene
}

/// How many decisions, or denials, are found: alice's and bob's by the rule that allowed both, and bob's by the refusal.
fn found_by_rule(scene: &Scene, denied: bool) -> [usize; 3] {
    let reader = reader(scene);
    [("alice", "everybody"), ("bob", "everybody"), ("bob", "(pool exhausted)")].map(|(user, rule)| {
        let filter = Filter { user: UserFilter::typed(user, &scene.config.domains), ..Filter::default() };
        reader.decisions(&filter, denied, Some(rule)).unwrap().len()
    })
}

fn users(decided: Vec<crate::report::DecisionRow>) -> Vec<String> {
    decided.into_iter().map(|decided| decided.user_name.to_string()).collect()
}

/// The numbers of the decisions of a search, two at a time.
fn in_pages(scene: &Scene, search: DecisionSearch) -> Vec<Vec<i64>> {
    let mut search = DecisionSearch { filter: Filter { limit: Some(2), ..search.filter }, ..search };
    let mut pages = Vec::new();
    loop {
        let page = reader(scene).search_decisions(&search).unwrap();
        let Some(last) = page.last() else { return pages };
        search.after = Some((last.time, last.id));
        pages.push(page.iter().map(|decision| decision.id).collect());
    }
}

conformance! {
    decided {
        let scene = three();
        assert_eq!(
            scene.ask("SELECT stage, outcome, rule, reason, domain, name, session FROM decisions ORDER BY id LIMIT 4"),
            "ipv4-address allow - - CORP ALICE -; connection allow - - CORP ALICE 1; link allow - - CORP ALICE 1; \
             ipv4-address deny Not Mallory this user is banned CORP MALLORY -"
        );
    }

    refusal_repeated {
        let scene = scene();
        for second in 0..3 {
            scene.wait(second);
            scene.begin(2, "mallory", "VPN0-2").unwrap_err();
        }
        scene.wait(70);
        visit(&scene, 3, "bob", 60);
        assert_eq!(
            scene.ask("SELECT repeated, last FROM decisions WHERE outcome = 'deny'"),
            format!("2 {}", MONDAY + 3_000)
        );
    }

    decisions {
        let scene = three();
        let reader = reader(&scene);
        assert_eq!(users(reader.decisions(&Filter::default(), false, None).unwrap()).len(), 7);
        let limited = Filter { limit: Some(2), ..Filter::default() };
        assert_eq!(users(reader.decisions(&limited, false, None).unwrap()), ["bob", "bob"], "the latest first");
        let denied = reader.decisions(&Filter::default(), true, None).unwrap();
        assert_eq!(denied[0].reason.as_deref(), Some("this user is banned"));
        assert_eq!(users(denied), ["mallory"]);
        let of = |typed: &str| Filter { user: UserFilter::typed(typed, &scene.config.domains), ..Filter::default() };
        let count = |filter: &Filter, rule| reader.decisions(filter, false, rule).unwrap().len();
        assert_eq!([r"corp\alice", "ALICE", r"PARTNER\alice"].map(|user| count(&of(user), None)), [3, 3, 0]);
        // Servers and rules are found in any case.
        let on = |server: &str| Filter { server: Some(Name::new(server)), ..Filter::default() };
        assert_eq!(["vpn1", "VPN1", "VPN2"].map(|server| count(&on(server), None)), [7, 7, 0]);
        assert_eq!(["not mallory", "NOT MALLORY", "Not"].map(|rule| count(&on("vpn1"), Some(rule))), [1, 1, 0]);
        let since = Filter { since: Some(MONDAY + 1), ..Filter::default() };
        let until = Filter { until: Some(MONDAY + 1), ..Filter::default() };
        assert_eq!((count(&since, None), count(&until, None)), (4, 3));
    }

    denials {
        let scene = three();
        let reader = reader(&scene);
        let denied = |since, until| {
            let filter = Filter { since: Some(since), until: Some(until), ..Filter::default() };
            users(reader.decisions(&filter, true, None).unwrap())
        };
        assert_eq!(denied(MONDAY, MONDAY + 60_001), ["mallory"]);
        assert_eq!(denied(MONDAY, MONDAY + 60_000), [""; 0], "its end is not in it");
        let since = Filter { since: Some(MONDAY), server: Some(Name::new("vpn1")), ..Filter::default() };
        assert_eq!(users(reader.decisions(&since, true, Some("not mallory")).unwrap()), ["mallory"]);
        let alice = Filter { user: UserFilter::typed("alice", &scene.config.domains), ..since };
        assert_eq!(users(reader.decisions(&alice, true, None).unwrap()), [""; 0]);
    }

    decisions_of_user {
        let scene = three();
        import_refusals(&scene, &[refusal("a", "alice", MONDAY - 1), refusal("b", "alice", MONDAY + 3_600_000)]);
        let reader = reader(&scene);
        let of = |typed: &str| Filter { user: UserFilter::typed(typed, &scene.config.domains), ..Filter::default() };
        let all = reader.decisions(&of(r"CORP\alice"), false, None).unwrap();
        let stages: Vec<_> = all.iter().map(|of| (of.imported.is_some(), of.stage.name())).collect();
        let own = ["link", "connection", "ipv4-address"].map(|stage| (false, stage));
        let expected = [&[(true, "connection")][..], &own, &[(true, "connection")]].concat();
        assert_eq!(stages, expected, "the latest first, whichever was imported later");
        let limited = Filter { limit: Some(2), since: Some(MONDAY), ..of(r"CORP\alice") };
        let limited = reader.decisions(&limited, false, None).unwrap();
        assert_eq!(limited.iter().map(|of| of.id).collect::<Vec<_>>(), [all[0].id, all[1].id]);
        assert_eq!(reader.decisions(&of("alice"), false, None).unwrap(), all, "of any domain");
        assert_eq!(users(reader.decisions(&of(r"PARTNER\alice"), false, None).unwrap()), [""; 0]);
        assert_eq!(found_by_rule(&full_for_bob(), false), [3, 0, 1]);
    }

    denials_of_user {
        let scene = three();
        import_refusals(&scene, &[refusal("a", "mallory", MONDAY - 1), refusal("b", "bob", MONDAY)]);
        let reader = reader(&scene);
        let of = |typed: &str, rule| {
            let filter = Filter { user: UserFilter::typed(typed, &scene.config.domains), ..Filter::default() };
            let denied = reader.decisions(&filter, true, rule).unwrap();
            denied.into_iter().map(|of| of.imported.is_some()).collect::<Vec<_>>()
        };
        assert_eq!(of(r"corp\MALLORY", None), [false, true]);
        assert_eq!(of(r"corp\MALLORY", Some("not mallory")), [false]);
        assert_eq!(of(r"corp\MALLORY", Some("(NPS)")), [true]);
        assert_eq!(of(r"CORP\bob", Some("(default)")), [false; 0], "NPS refused, not the default");
        assert_eq!((of(r"CORP\bob", None), of(r"CORP\alice", None)), (vec![true], vec![]));
        assert_eq!(found_by_rule(&full_for_bob(), true), [0, 0, 1]);
    }

    refusal_imported {
        let scene = scene();
        assert_eq!(import_refusals(&scene, &[refusal("a", "mallory", MONDAY)]).new, 1);
        assert_eq!(import_refusals(&scene, &[refusal("a", "carol", MONDAY)]).already_there, 1);
        assert_eq!(
            scene.ask(
                "SELECT record, time, server, instance, session, stage, domain, name, user_name, outcome, rule, reason, config,
                     imported, reason_code FROM decisions"
            ),
            format!("a {MONDAY} VPN1 0 - connection CORP MALLORY mallory deny - wrong password  odbc 16")
        );
        // That no configuration has decided it is not a fault; and it counts as a denial, of the user and of NPS.
        assert_eq!(reader(&scene).faults().unwrap(), [""; 0]);
        let denied = |by| {
            let rows = reader(&scene).totals(by, MONDAY, MONDAY + 1, MONDAY + 1, &scene.config, &scene.config.zone).unwrap();
            let denied = rows.into_iter().filter(|row| row.denied > 0);
            denied.map(|row| (row.decided_by, row.key, row.denied)).collect::<Vec<_>>()
        };
        assert_eq!(denied(GroupBy::User), [(None, Some(r"CORP\MALLORY".to_owned()), 1)]);
        assert_eq!(denied(GroupBy::Rule), [(Some(DecidedBy::Nps), None, 1)]);
        assert_eq!(reader(&scene).users(&Filter::default()).unwrap()[0].last_denied, Some(MONDAY));
    }

    existing_refusal {
        let scene = scene();
        import_refusals(&scene, &[refusal("a", "mallory", MONDAY)]);
        let would = [refusal("a", "mallory", MONDAY), refusal("b", "mallory", MONDAY)];
        let counts = reader(&scene).compare_refusals(&would).unwrap();
        assert_eq!((counts.new, counts.already_there), (1, 1));
    }

    decisions_of_logs {
        let scene = three();
        import_refusals(&scene, &[
            refusal("a", "zoe", MONDAY - 1),
            refusal("b", "zoe", MONDAY + 1_000),
            refusal("c", "zoe", MONDAY + 3_600_000),
        ]);
        let reader = reader(&scene);
        let all = users(reader.decisions(&Filter::default(), false, None).unwrap());
        let expected = ["zoe", "bob", "bob", "bob", "mallory", "zoe", "alice", "alice", "alice", "zoe"];
        assert_eq!(all, expected, "by time, whatever their numbers");
        let limited = Filter { limit: Some(2), ..Filter::default() };
        assert_eq!(users(reader.decisions(&limited, false, None).unwrap()), ["zoe", "bob"]);
        assert_eq!(users(reader.decisions(&limited, true, None).unwrap()), ["zoe", "mallory"]);
        let newest = reader.decisions(&limited, true, None).unwrap().remove(0);
        assert_eq!((&*newest.decided_by(), newest.reason_code, newest.imported.as_deref()), ("(NPS)", Some(16), Some("odbc")));
        assert_eq!(newest.facts.source.known().unwrap().to_string(), "203.0.113.9");
    }

    decisions_of_session {
        let scene = three();
        let stages: Vec<_> =
            reader(&scene).decisions_of(2).unwrap().into_iter().map(|decided| (decided.stage.name(), decided.id)).collect();
        // The address came before there was a session.
        assert_eq!(stages, [("ipv4-address", 5), ("connection", 6), ("link", 7)]);
    }

    decision {
        let scene = three();
        let reader = reader(&scene);
        let decided = reader.decision(4).unwrap().unwrap();
        assert!(decided.is_denied() && decided.rule.as_deref() == Some("Not Mallory"));
        assert_eq!(decided.facts.user.known().unwrap().name, Name::new("MALLORY"));
        assert!(reader.decision(99).unwrap().is_none());
    }

    last {
        let scene = three();
        assert_eq!(reader(&scene).last().unwrap(), (7, 2));
    }

    refusals {
        let scene = three();
        let refusals = reader(&scene).refusals(0).unwrap();
        assert_eq!(refusals.len(), 1);
        assert_eq!(refusals[0].reason.as_deref(), Some("this user is banned"));
        assert_eq!(refusals[0].users, [Name::new("mallory")]);
        assert_eq!(reader(&scene).refusals(4).unwrap(), []);
        // What the DLL itself refuses is not the rule's that allowed it. Bob tries again at once.
        let full = full();
        full.begin(2, "bob", "VPN0-2").unwrap_err();
        full.begin(3, "bob", "VPN0-2").unwrap_err();
        full.recorder.stop(full.now());
        let refusals = reader(&full).refusals(0).unwrap();
        assert_eq!((&refusals[0].rule, refusals[0].refusal.as_deref()), (&None, Some("exhausted")));
        assert_eq!((refusals.len(), &*refusals[0].users), (1, &[Name::new("bob"), Name::new("bob")][..]));
    }

    attempts {
        let scene = three();
        let attempts: Vec<_> =
            reader(&scene).attempts(0).unwrap().into_iter().map(|one| (one.user.to_string(), one.allowed)).collect();
        assert_eq!(attempts, [("alice".to_owned(), true), ("bob".to_owned(), true), ("mallory".to_owned(), false)]);
        assert_eq!(reader(&scene).attempts(4).unwrap().len(), 1);
        let decided = |scene: &Scene| -> Vec<String> {
            reader(scene).attempts(0).unwrap().iter().map(|one| format!("{} {}", one.user, one.decided_by())).collect()
        };
        // Refusals that come again within a minute are recorded once.
        let full = full();
        full.begin(2, "bob", "VPN0-2").unwrap_err();
        full.begin(3, "bob", "VPN0-2").unwrap_err();
        full.recorder.stop(full.now());
        assert_eq!(decided(&full), ["alice everybody", "bob (pool exhausted)", "bob (pool exhausted)"]);
        let kiosks = Scene::new(&OPEN.replace("users = [\"mallory\"]", "remote_computers = [\"KIOSK\"]"));
        for (handle, computer) in [(1, "KIOSK"), (2, "KIOSK"), (3, "PC-5"), (4, "KIOSK")] {
            kiosks.address("bob", "VPN0-1", "").unwrap();
            kiosks.connect(&connection(handle, "bob").with(|e| e.computer = computer.into()));
            kiosks.release("bob", "VPN0-1", "10.8.0.1");
        }
        kiosks.recorder.stop(kiosks.now());
        let expected = ["bob Not Mallory", "bob Not Mallory", "bob (default)", "bob Not Mallory"];
        assert_eq!(decided(&kiosks), expected);
    }

    refused {
        let scene = three();
        let full = full();
        full.begin(2, "bob", "VPN0-2").unwrap_err();
        let refused = |scene: &Scene, to| reader(scene).refused(MONDAY, to).unwrap();
        let row = |one: &Refused| (one.decided_by, one.rule.clone(), one.refusal.clone(), one.times);
        let of_rule = refused(&scene, MONDAY + 60_001);
        assert_eq!(of_rule.iter().map(row).collect::<Vec<_>>(), [(DecidedBy::Rule, Some("Not Mallory".into()), None, 1)]);
        assert_eq!((of_rule[0].reason.as_deref(), of_rule[0].last), (Some("this user is banned"), MONDAY + 60_000));
        assert_eq!(refused(&scene, MONDAY + 60_000), [], "the end of the period is not in it");
        let own = refused(&full, MONDAY + 60_000);
        assert_eq!(own.iter().map(row).collect::<Vec<_>>(), [(DecidedBy::Dll, None, Some("exhausted".into()), 1)]);
    }

    denied {
        let scene = Scene::new(&OPEN.replace("users = [\"mallory\"]", "tunnels = [\"PPTP\"]"));
        let given = scene.address("alice", "VPN0-1", "").unwrap();
        scene.connect(&connection(1, "alice").with(|e| e.addresses = vec![number(&given)]));
        scene.link(1, "VPN0-1", Tunnel::Pptp);
        let reader = reader(&scene);
        let denied = |by, to| {
            let rows = reader.totals(by, MONDAY, to, scene.now().at.time, &scene.config, &scene.config.zone).unwrap();
            rows.into_iter().filter(|row| row.denied > 0).map(|row| (row.key, row.denied)).collect::<Vec<_>>()
        };
        assert_eq!(denied(GroupBy::Tunnel, MONDAY + 1), [(Some("PPTP".to_owned()), 1)]);
        assert_eq!(denied(GroupBy::Day, MONDAY + 1), [(Some("2026-11-23".to_owned()), 1)]);
        assert_eq!(denied(GroupBy::User, MONDAY), []);
    }

    let_in {
        let scene = Scene::new(&format!(
            "{OPEN}\n[[rules]]\nname = \"early\"\naction = \"allow\"\nusers = [\"alice\"]\n"
        ));
        visit(&scene, 1, "alice", 60);
        visit(&scene, 2, "bob", 60);
        let reader = reader(&scene);
        let rows = reader.totals(GroupBy::Rule, MONDAY, MONDAY + 3_600_000, scene.now().at.time, &scene.config, &scene.config.zone).unwrap();
        let rows: Vec<_> = rows.into_iter().map(|row| (row.decided_by, row.key, row.sessions)).collect();
        let rule = |name: &str, sessions| (Some(DecidedBy::Rule), Some(name.to_owned()), sessions);
        let default = (Some(DecidedBy::Default), None, 1);
        assert_eq!(rows, [rule("Not Mallory", 0), rule("early", 1), default], "a rule that decided nothing is there too");
    }

    decision_page {
        let scene = three();
        assert_eq!(in_pages(&scene, DecisionSearch::default()), [vec![7, 6], vec![5, 4], vec![3, 2], vec![1]]);
        let stage = DecisionSearch { stage: Some(Stage::Link), ..DecisionSearch::default() };
        assert_eq!(in_pages(&scene, stage), [[7, 3]]);
        let allowed = DecisionSearch { outcome: Some(Outcome::Allowed), ..DecisionSearch::default() };
        assert_eq!(in_pages(&scene, allowed), [[7, 6], [5, 3], [2, 1]]);
        let rule = DecisionSearch { rule: Some("not mallory".into()), ..DecisionSearch::default() };
        assert_eq!(in_pages(&scene, rule), [[4]]);
        let for_now = DecisionSearch { outcome: Some(Outcome::ForNow), ..DecisionSearch::default() };
        assert_eq!(in_pages(&scene, for_now), [[0; 0]; 0]);
    }

    denial_page {
        let scene = three();
        // Imported later, though it happened before: the list is in the order of time.
        import_refusals(&scene, &[refusal("a", "carol", MONDAY - 1), refusal("b", "carol", MONDAY + 60_000)]);
        let denied = || DecisionSearch { outcome: Some(Outcome::Denied), ..DecisionSearch::default() };
        assert_eq!(in_pages(&scene, denied()), [vec![9, 4], vec![8]]);
        let by_nps = DecisionSearch { rule: Some("(NPS)".into()), ..denied() };
        assert_eq!(in_pages(&scene, by_nps), [[9, 8]]);
        let link = DecisionSearch { stage: Some(Stage::Link), ..denied() };
        assert_eq!(in_pages(&scene, link), [[0; 0]; 0]);
    }

    decision_page_of_user {
        let scene = three();
        let of = |typed: &str| {
            let filter = Filter { user: UserFilter::typed(typed, &scene.config.domains), ..Filter::default() };
            DecisionSearch { filter, ..DecisionSearch::default() }
        };
        assert_eq!(in_pages(&scene, of("alice")), [vec![3, 2], vec![1]]);
        assert_eq!(in_pages(&scene, of(r"PARTNER\alice")), [[0; 0]; 0]);
        assert_eq!(in_pages(&scene, DecisionSearch { outcome: Some(Outcome::Denied), ..of("alice") }), [[0; 0]; 0]);
        assert_eq!(in_pages(&scene, DecisionSearch { outcome: Some(Outcome::Denied), ..of("mallory") }), [[4]]);
    }
}
