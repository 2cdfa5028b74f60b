//! No deny rule is escaped by another spelling, and no two accounts become one.

use crate::world::*;
use proptest::prelude::*;
use rasadmin_policy::rules::RuleCounts;
use rasadmin_policy::{Domains, Fact, Facts, Identity, Name, Stage};

const DENY: &str = "[[rules]]\nname = 'not him'\naction = 'deny'\nusers = ['CORP\\josé.müller']\n\
                    [default]\naction = 'allow'\n";

/// What a client can type, and the logon domain that RRAS then passes.
fn spellings() -> impl Strategy<Value = (Vec<u16>, &'static str)> {
    let letters = vec![
        prop::sample::select(&["j", "J", "ｊ", "Ⓙ"][..]),
        prop::sample::select(&["o", "O", "ø", "ô", "o\u{301}"][..]),
        prop::sample::select(&["s", "S", "ſ", "s\u{200b}"][..]),
        prop::sample::select(&["é", "e", "É", "e\u{301}", "ｅ"][..]),
        prop::sample::select(&[".", "．"][..]),
        prop::sample::select(&["m", "M", "ᵐ"][..]),
        prop::sample::select(&["ü", "u", "U\u{308}"][..]),
        prop::sample::select(&["l", "ł", "L"][..]),
        prop::sample::select(&["l", "Ｌ"][..]),
        prop::sample::select(&["e", "ê"][..]),
        prop::sample::select(&["r", "R"][..]),
    ];
    let form = prop::sample::select(
        &[
            ("", "", ""),
            ("\\", "", ""),
            ("CORP\\", "", "CORP"),
            ("corp./", "", "CORP"),
            ("ＣÖRP\\", "", "CORP"),
            ("Corp.Example\\", "", "CORP"),
            ("corp.example./", "", "CORP"),
            ("ad.unlisted/", "", "CORP"),
            ("", "@corp.example", "CORP"),
            ("", "@CORP.EXAMPLE.", "CORP"),
            ("", "\u{ff20}corp.example", "CORP"),
            ("", "@unlisted.example", "CORP"),
            ("", "", "corp.example"),
        ][..],
    );
    (letters, form).prop_map(|(letters, (before, after, logon))| {
        (format!("{before}{}{after}", letters.concat()).encode_utf16().collect(), logon)
    })
}

/// An account as Windows lets one be made.
fn account() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&["a", "b", "u{", "u{5c}", "d800", "}", "é", ".", "$"][..]), 1..5)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn every_spelling_of_a_denied_user_is_denied((user, logon) in spellings()) {
        let world = world(DENY);
        let user = Name::from_utf16(&user);
        let who = |logon: Option<&Name>| world.domains.identity_fact(&user, logon);
        // At the connection at the latest. Before that, the user is denied or not yet known.
        let facts = Facts { user: who(Some(&logon.into())), ..full() };
        prop_assert!(!world.decide(Stage::Connection, &facts, &RuleCounts::default()).allow, "{user}: {:?}", facts.user);
        let early = Facts { user: who(None), ..early() };
        prop_assert!(
            early.user == Fact::NotYetKnown || !world.decide(Stage::Ipv4Address, &early, &RuleCounts::default()).allow,
            "{user}: {:?}", early.user
        );
    }

    /// A domain's accounts differ if the directory keeps them apart; here all differ but by case and accent.
    #[test]
    fn two_accounts_never_become_one(
        one in account(), other in account(),
        domains in prop::sample::select(&[("CORP", "CORP"), ("CORP", "PARTNER"), ("SRV1", "SRV1"), ("SRV1", "CORP")][..]),
    ) {
        let all = domains_with_server();
        let identity = |domain: &str, name: &str| all.identity(&Name::new(&format!("{domain}\\{name}")), &Name::default());
        let folded = |domain: &str, name: &str| {
            let name = name.to_uppercase();
            (domain.to_owned(), if domain == "SRV1" { name } else { name.replace('É', "E") })
        };
        let same = folded(domains.0, &one) == folded(domains.1, &other);
        prop_assert_eq!(identity(domains.0, &one) == identity(domains.1, &other), same, "{} {}", one, other);
    }

    /// The displayed form of a user means the same user again.
    #[test]
    fn an_identity_is_spelled_as_it_is_shown(name in account()) {
        let all = domains_with_server();
        let id: Identity = all.identity(&Name::new(&format!("PARTNER\\{name}")), &Name::default()).unwrap();
        prop_assert_eq!(all.identity(&Name::new(&format!("PARTNER\\{}", id.name)), &Name::default()), Some(id));
    }
}

fn domains_with_server() -> Domains {
    domains().with_server(&"SRV1".into())
}

#[test]
fn a_suffix_that_is_not_listed_waits_for_the_logon_domain() {
    let world = world(
        "[[rules]]\nname = 'not her'\naction = 'deny'\nusers = ['CORP\\alice']\n\
         [[rules]]\nname = 'staff'\naction = 'allow'\nusers = ['CORP\\*']\n",
    );
    let user =
        |user: &str, logon: Option<&str>| world.domains.identity_fact(&user.into(), logon.map(Name::new).as_ref());
    for (name, allowed) in [("alice@mail.example", false), ("bob@mail.example", true)] {
        let ruling =
            world.decide(Stage::Ipv4Address, &Facts { user: user(name, None), ..early() }, &RuleCounts::default());
        assert!(ruling.allow && ruling.for_now, "{name}: the user is not yet known");
        let facts = Facts { user: user(name, Some("CORP")), ..full() };
        assert_eq!(world.decide(Stage::Connection, &facts, &RuleCounts::default()).allow, allowed, "{name}");
    }
    // If RRAS passes no logon domain, only the suffix is known: it is not a user of CORP.
    let facts = Facts { user: user("bob@mail.example", Some("")), ..full() };
    assert!(!world.decide(Stage::Connection, &facts, &RuleCounts::default()).allow);
}
