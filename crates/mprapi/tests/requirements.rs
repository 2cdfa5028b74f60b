//! Checks every set of exports and every callbacks table against the sentences of the documents. The sentences are stated
//! here again, without any code of `requirements.rs`.

use mprapi::FunctionId::{self, *};
use mprapi::requirements::{ExportResult, check_exports, check_table};
use mprapi::{FunctionSet, Profile, Violation};

/// "A RAS administration DLL must implement and export all of the following functions ..."
fn seed_page(has: impl Fn(FunctionId) -> bool + Copy) -> bool {
    let must = has(AcceptNewLink)
        && (has(AcceptReauthentication) || has(AcceptReauthenticationEx))
        && (has(InitializeDll) || has(InitializeDllEx))
        && has(LinkHangupNotification)
        && has(TerminateDll);
    // "In addition, [it] must implement and export one of the following pairs of functions".
    let pair = (has(AcceptNewConnection) && has(ConnectionHangupNotification))
        || (has(AcceptNewConnection2) && has(ConnectionHangupNotification2))
        || (has(AcceptNewConnection3) && has(ConnectionHangupNotification3))
        || (has(AcceptNewConnectionEx) && has(ConnectionHangupNotificationEx));
    // "If the DLL implements one function in a pair listed above, it must implement the other function in the pair".
    must && pair && whole_or_absent(has)
}

fn whole_or_absent(has: impl Fn(FunctionId) -> bool) -> bool {
    has(GetIpAddressForUser) == has(ReleaseIpAddress) && has(GetIpv6AddressForUser) == has(ReleaseIpv6AddressForUser)
}

/// "Windows 2000/NT: the DLL must also implement and export the following pair: GetIpAddressForUser, ReleaseIpAddress".
fn seed_page_nt4(has: impl Fn(FunctionId) -> bool + Copy) -> bool {
    seed_page(has) && has(GetIpAddressForUser) && has(ReleaseIpAddress)
}

/// Validation of shipping Windows, for a DLL whose exports count: the IPv6 pair whole or absent; the IPv4 pair whole or
/// absent; AcceptNewLink and LinkHangupNotification both present; any one of AcceptNewConnection{,2,3} and any one of
/// ConnectionHangupNotification{,2,3}.
fn shipping_revision_1(has: impl Fn(FunctionId) -> bool + Copy) -> bool {
    whole_or_absent(has)
        && has(AcceptNewLink)
        && has(LinkHangupNotification)
        && (has(AcceptNewConnection) || has(AcceptNewConnection2) || has(AcceptNewConnection3))
        && (has(ConnectionHangupNotification)
            || has(ConnectionHangupNotification2)
            || has(ConnectionHangupNotification3))
}

/// A sentence: whether it holds, and the violation if it does not.
type Sentence = (bool, Violation);

/// "Each pair whole or not at all", half by half.
fn whole_pairs(has: impl Fn(FunctionId) -> bool) -> [Sentence; 4] {
    let half = |has_it, lacks_it| (!has(has_it) || has(lacks_it), Violation::HalfPair { has: has_it, lacks: lacks_it });
    [
        half(GetIpAddressForUser, ReleaseIpAddress),
        half(ReleaseIpAddress, GetIpAddressForUser),
        half(GetIpv6AddressForUser, ReleaseIpv6AddressForUser),
        half(ReleaseIpv6AddressForUser, GetIpv6AddressForUser),
    ]
}

/// The sentences of the documented list.
fn documented_sentences(has: impl Fn(FunctionId) -> bool + Copy) -> Vec<Sentence> {
    let pair = (has(AcceptNewConnection) && has(ConnectionHangupNotification))
        || (has(AcceptNewConnection2) && has(ConnectionHangupNotification2))
        || (has(AcceptNewConnection3) && has(ConnectionHangupNotification3))
        || (has(AcceptNewConnectionEx) && has(ConnectionHangupNotificationEx));
    let mut sentences = vec![
        (has(AcceptNewLink), Violation::NoneOf(&[AcceptNewLink])),
        (
            has(AcceptReauthentication) || has(AcceptReauthenticationEx),
            Violation::NoneOf(&[AcceptReauthentication, AcceptReauthenticationEx]),
        ),
        (has(InitializeDll) || has(InitializeDllEx), Violation::NoneOf(&[InitializeDll, InitializeDllEx])),
        (has(LinkHangupNotification), Violation::NoneOf(&[LinkHangupNotification])),
        (has(TerminateDll), Violation::NoneOf(&[TerminateDll])),
        (pair, Violation::NoConnectionPair),
    ];
    sentences.extend(whole_pairs(has));
    sentences
}

/// Windows NT 4.0 and 2000: the same, and the IPv4 pair is required. If only half is present, one violation is reported.
fn nt4_sentences(has: impl Fn(FunctionId) -> bool + Copy) -> Vec<Sentence> {
    let any = has(GetIpAddressForUser) || has(ReleaseIpAddress);
    let mut sentences = documented_sentences(has);
    sentences.push((any, Violation::NoneOf(&[GetIpAddressForUser])));
    sentences.push((any, Violation::NoneOf(&[ReleaseIpAddress])));
    sentences
}

/// What shipping Windows requires of exports, sentence by sentence.
fn shipping_sentences(has: impl Fn(FunctionId) -> bool + Copy) -> Vec<Sentence> {
    let mut sentences = vec![
        (has(AcceptNewLink), Violation::NoneOf(&[AcceptNewLink])),
        (has(LinkHangupNotification), Violation::NoneOf(&[LinkHangupNotification])),
        (
            has(AcceptNewConnection3) || has(AcceptNewConnection2) || has(AcceptNewConnection),
            Violation::NoneOf(&[AcceptNewConnection3, AcceptNewConnection2, AcceptNewConnection]),
        ),
        (
            has(ConnectionHangupNotification3)
                || has(ConnectionHangupNotification2)
                || has(ConnectionHangupNotification),
            Violation::NoneOf(&[
                ConnectionHangupNotification3,
                ConnectionHangupNotification2,
                ConnectionHangupNotification,
            ]),
        ),
    ];
    sentences.extend(whole_pairs(has));
    sentences
}

/// What a profile requires of a callbacks table, sentence by sentence. Windows NT 4.0 and 2000 have no table.
fn table_sentences(profile: Profile, revision: u8, has: impl Fn(FunctionId) -> bool + Copy) -> Vec<Sentence> {
    let mut sentences = match profile {
        Profile::Nt4 => return Vec::new(),
        Profile::Documented => vec![
            (
                has(AcceptNewLink) || has(LinkHangupNotification),
                Violation::NoneOf(&[AcceptNewLink, LinkHangupNotification]),
            ),
            (
                has(AcceptNewConnectionEx) || has(ConnectionHangupNotificationEx),
                Violation::NoneOf(&[AcceptNewConnectionEx, ConnectionHangupNotificationEx]),
            ),
        ],
        Profile::Shipping => vec![
            (has(AcceptNewLink), Violation::NoneOf(&[AcceptNewLink])),
            (has(LinkHangupNotification), Violation::NoneOf(&[LinkHangupNotification])),
            (has(AcceptNewConnectionEx), Violation::NoneOf(&[AcceptNewConnectionEx])),
            (has(ConnectionHangupNotificationEx), Violation::NoneOf(&[ConnectionHangupNotificationEx])),
        ],
    };
    sentences.push((revision == 1 || revision == 2, Violation::UnknownRevision(revision)));
    sentences.push((revision != 1, Violation::Revision1InTable));
    sentences.extend(whole_pairs(has));
    sentences
}

/// Whether exactly the violated sentences are reported, each once, in any order.
fn reported_exactly(violations: &[Violation], sentences: &[Sentence]) -> bool {
    let broken = sentences.iter().filter(|(holds, _)| !holds);
    broken.clone().count() == violations.len() && broken.into_iter().all(|(_, v)| violations.contains(v))
}

#[test]
fn every_set_of_exports_is_judged_as_the_documents_say() {
    let mut passes = [0u32; 3];
    for bits in 0..1u32 << 19 {
        let set = FunctionSet::from_bits(bits);
        // The nineteen exports are the first nineteen rows.
        let has = |id: FunctionId| bits >> (id as u32) & 1 == 1;
        for (profile, pass) in Profile::ALL.into_iter().zip(&mut passes) {
            let (expected, sentences) = match profile {
                Profile::Documented => (Some(seed_page(has)), documented_sentences(has)),
                Profile::Nt4 => (Some(seed_page_nt4(has)), nt4_sentences(has)),
                // "If the DLL exports MprAdminInitializeDllEx ... from then on only the table counts".
                Profile::Shipping => {
                    ((!has(InitializeDllEx)).then(|| shipping_revision_1(has)), shipping_sentences(has))
                }
            };
            match (check_exports(profile, set), expected) {
                (ExportResult::DependsOnTable, None) => {}
                (ExportResult::Decided(violations), Some(expected)) => {
                    assert_eq!(violations.is_empty(), expected, "{profile}: {set:?}: {violations:?}");
                    assert!(reported_exactly(&violations, &sentences), "{profile}: {set:?}: {violations:?}");
                    *pass += u32::from(expected);
                }
                (judgement, expected) => panic!("{profile}: {set:?}: {judgement:?}, expected {expected:?}"),
            }
        }
    }
    // A sentence that never holds, or always does, would prove nothing. These numbers were counted by hand: documented has 3 (initialise) * 3
    // (reauthentication) * (256 - 81) (pairs) * 2 * 2 (addresses); nt4 half of that; shipping, without InitializeDllEx,
    // 7 * 7 (accept and hangup) * 2 * 2 (addresses), the other six exports (InitializeDll, Ex twice, both
    // reauthentications, TerminateDll) free.
    assert_eq!(passes, [3 * 3 * 175 * 4, 7 * 7 * 4 * 64, 3 * 3 * 175 * 2]);
}

/// The twelve pointers of the table.
const POINTERS: [FunctionId; 12] = [
    GetIpAddressForUser,
    ReleaseIpAddress,
    GetIpv6AddressForUser,
    ReleaseIpv6AddressForUser,
    AcceptNewLink,
    LinkHangupNotification,
    TerminateDll,
    AcceptNewConnectionEx,
    AcceptTunnelEndpointChangeEx,
    AcceptReauthenticationEx,
    ConnectionHangupNotificationEx,
    ValidatePreAuthenticatedConnectionEx,
];

#[test]
fn every_table_is_judged_as_the_documents_say() {
    let mut passes = 0;
    for bits in 0..1u32 << 12 {
        let has = |id: FunctionId| POINTERS.iter().position(|&p| p == id).is_some_and(|at| bits >> at & 1 == 1);
        let set: FunctionSet = POINTERS.into_iter().filter(|&id| has(id)).collect();
        for revision in 0..=3u8 {
            for profile in Profile::ALL {
                let expected = match profile {
                    // Windows NT 4.0 and 2000 have no table.
                    Profile::Nt4 => true,
                    // The callbacks page: "either LinkHangup or AcceptNewLink", "either AcceptNewConnectionEx or
                    // ConnectionHangupNotificationEx"; "a revision 1 answer in an Ex table can never pass".
                    Profile::Documented => {
                        revision == 2
                            && whole_or_absent(has)
                            && (has(LinkHangupNotification) || has(AcceptNewLink))
                            && (has(AcceptNewConnectionEx) || has(ConnectionHangupNotificationEx))
                    }
                    // "Revision is 1 or 2; ... AcceptNewLink and LinkHangupNotification both present; revision 2:
                    // AcceptNewConnectionEx and ConnectionHangupNotificationEx both present."
                    Profile::Shipping => {
                        revision == 2
                            && whole_or_absent(has)
                            && has(LinkHangupNotification)
                            && has(AcceptNewLink)
                            && has(AcceptNewConnectionEx)
                            && has(ConnectionHangupNotificationEx)
                    }
                };
                let violations = check_table(profile, revision, set);
                assert_eq!(violations.is_empty(), expected, "{profile}, revision {revision}: {set:?}: {violations:?}");
                let sentences = table_sentences(profile, revision, has);
                let exactly = reported_exactly(&violations, &sentences);
                assert!(exactly, "{profile}, revision {revision}: {set:?}: {violations:?}");
                if profile != Profile::Nt4 {
                    passes += u32::from(expected);
                }
            }
        }
    }
    // Revision 2: addresses 2 * 2, four free pointers (terminate, endpoint, reauthentication, pre-authentication) 16;
    // documented 3 * 3, shipping 1.
    assert_eq!(passes, 4 * 16 * 9 + 4 * 16);
}
