//! What the host assumes where RRAS's behaviour is unproven.
//!
//! docs/rras-behaviour.md marks these facts as unproven, or as assumptions of the host. A DLL must work whichever way
//! they turn out, so a scenario can choose: `assume hangup-order=releases-first`. The first value of each is the default.

macro_rules! assumptions {
    ($(
        $(#[doc = $doc:literal])+
        $field:ident $kind:ident $name:literal [$($id:literal),+] $evidence:literal {
            $($(#[doc = $value_doc:literal])+ $value:ident $value_name:literal,)+
        }
    )+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
            pub enum $kind {
                #[default]
                $($(#[doc = $value_doc])+ $value,)+
            }

            impl $kind {
                /// Its name in a scenario.
                pub const fn name(self) -> &'static str {
                    match self {
                        $(Self::$value => $value_name,)+
                    }
                }
            }
        )+

        /// An unproven fact about RRAS.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Assumption {
            $($(#[doc = $doc])+ $kind,)+
        }

        /// The value that is assumed for each unproven fact.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Assumptions {
            $($(#[doc = $doc])+ pub $field: $kind,)+
        }

        impl Assumption {
            /// All unproven facts.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// Its name in a scenario.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            /// The assumption of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|assumption| assumption.name() == name)
            }

            /// What is not known, in a sentence.
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$kind => concat!($($doc),+).trim_ascii(),)+
                }
            }

            /// The facts of docs/rras-behaviour.md that it is about.
            pub const fn ids(self) -> &'static [&'static str] {
                match self {
                    $(Self::$kind => &[$($id),+],)+
                }
            }

            /// What speaks for either value, in a sentence.
            pub const fn evidence(self) -> &'static str {
                match self {
                    $(Self::$kind => $evidence,)+
                }
            }

            /// What one of its values means. None if there is no such value.
            pub fn describe(self, value: &str) -> Option<&'static str> {
                match (self, value) {
                    $($((Self::$kind, $value_name) => Some(concat!($($value_doc),+).trim_ascii()),)+)+
                    _ => None,
                }
            }

            /// The names of its values in a scenario, the default first.
            pub const fn values(self) -> &'static [&'static str] {
                match self {
                    $(Self::$kind => &[$($value_name,)+],)+
                }
            }
        }

        impl Assumptions {
            /// Assumes this value. Returns false if there is no such value.
            pub fn set(&mut self, assumption: Assumption, value: &str) -> bool {
                match (assumption, value) {
                    $($((Assumption::$kind, $value_name) => self.$field = $kind::$value,)+)+
                    _ => return false,
                }
                true
            }

            /// Those that differ from the default, such as `ikev2-link=not-called`.
            pub fn changed(&self) -> Vec<String> {
                let mut changed = Vec::new();
                $(if self.$field != $kind::default() {
                    changed.push(format!("{}={}", $name, self.$field.name()));
                })+
                changed
            }
        }
    };
}

assumptions! {
    /// Which DLLs get the hangup of a connection that a DLL has rejected.
    rejected_connection RejectedConnection "rejected-connection" ["R-HOST-3", "R-MULTI-3"]
        "A rejected link is reported to the DLLs before the one that rejected it (observed); for connections nothing is known." {
        /// The DLLs before the one that rejected it, as with links.
        Earlier "earlier-dlls",
        /// None.
        NoDll "nobody",
        /// Every DLL, including the one that rejected it.
        EveryDll "every-dll",
    }
    /// Which DLLs get the hangup of a connection whose first link was rejected.
    rejected_first_link RejectedFirstLink "rejected-first-link" ["R-HOST-4"]
        "A connection has no use without a link; whether DLLs that accepted it are notified is not documented." {
        /// Every DLL.
        EveryDll "every-dll",
        /// None.
        NoDll "nobody",
    }
    /// The form of a user's name in the address calls and in the connection's structures.
    user_form UserForm "user-form" ["R-HOST-12", "R-STRUCT-18"]
        "The structures have a field of its own for the domain, the address calls do not; no page says how the names correspond." {
        /// The same in both, as in the scenario.
        Same "same",
        /// Without its domain in the address calls.
        BareAtAddress "bare-at-address",
        /// Without its domain in wszUserName. wszLogonDomain has the domain.
        BareAtConnection "bare-at-connection",
    }
    /// Which half of the IN6_ADDR carries the interface identifier.
    identifier_half IdentifierHalf "identifier-half" ["R-HOST-11", "R-IP6-2"]
        "Microsoft's sample builds the address with the identifier in the last eight bytes; the page says only that 64 bits are supported." {
        /// The last eight bytes.
        Low "low",
        /// The first eight bytes.
        High "high",
    }
    /// Whether an IKEv2 connection carries the client's computer name.
    ikev2_computer Ikev2Computer "ikev2-computer" ["R-HOST-13", "R-STRUCT-20"]
        "The field exists for every connection; no document says that IKEv2 fills it." {
        /// It does.
        Named "named",
        /// It is empty.
        Empty "empty",
    }
    /// Whether AcceptNewLink is called for IKEv2 connections.
    ikev2_link Ikev2Link "ikev2-link" ["R-HOST-13"]
        "The pages promise a link for every connection, but they are older than IKEv2." {
        /// Once, as for other tunnels.
        Called "called",
        /// Never, unless the scenario has a `link`.
        NotCalled "not-called",
    }
    /// What dwConnectionFlags of an IKEv2 connection holds.
    ikev2_flags Ikev2Flags "ikev2-flags" ["R-HOST-13", "R-STRUCT-9"]
        "The metadata has a flag for IKEv2; the open specification says that the flags may be 0." {
        /// RAS_FLAGS_IKEV2_CONNECTION.
        Set "set",
        /// All flags are zero.
        Zero "zero",
    }
    /// Which fields of a projection have the client's address.
    projection Projection "projection" ["R-HOST-14", "R-STRUCT-10", "R-STRUCT-11"]
        "The open specification and Microsoft's sample say remote; the pages of the two structures say the opposite." {
        /// wszRemoteAddress and bRemoteInterfaceIdentifier, according to the open specification.
        Remote "remote-is-client",
        /// wszAddress and bInterfaceIdentifier, according to the two structures' pages.
        Local "local-is-client",
    }
    /// What RRAS offers to GetIpAddressForUser, unless the scenario names an offer.
    ipv4_offer Ipv4Offer "ipv4-offer" ["R-HOST-10"]
        "RRAS takes an address of its own before it asks (observed); the page allows an offer of zero." {
        /// The lowest free address of RRAS's pool.
        Pool "pool",
        /// 0.0.0.0: the DLL must choose.
        Zero "zero",
    }
    /// What RRAS offers to GetIpv6AddressForUser, unless the scenario names an offer.
    ipv6_offer Ipv6Offer "ipv6-offer" ["R-HOST-10"]
        "RRAS owns the prefix; no page says which identifier it offers." {
        /// An identifier that no other connection has.
        Own "own",
        /// Zero: the DLL must choose.
        Zero "zero",
    }
    /// The order of the calls at the end of a session.
    hangup_order HangupOrder "hangup-order" ["R-HOST-16", "R-ORDER-7"]
        "The pages put the links before the connection; the place of the releases is not documented." {
        /// Links, connection, releases.
        ReleasesLast "releases-last",
        /// Releases, links, connection.
        ReleasesFirst "releases-first",
        /// Connection, links, releases.
        ConnectionFirst "connection-first",
    }
    /// Whether RRAS uses a connection handle again once it is free.
    handles Handles "handles" ["R-HOST-15"]
        "The GUID is documented as valid only during the connection; that handles repeat is inferred." {
        /// Not until the service restarts.
        Fresh "fresh",
        /// Yes, for the next connection.
        Repeated "repeated",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_can_be_assumed_and_the_first_is_the_default() {
        for &assumption in Assumption::ALL {
            let mut assumptions = Assumptions::default();
            assert!(assumptions.set(assumption, assumption.values()[0]));
            assert_eq!(assumptions, Assumptions::default(), "{}", assumption.name());
            for value in &assumption.values()[1..] {
                assert!(assumptions.set(assumption, value));
                assert_eq!(assumptions.changed(), [format!("{}={value}", assumption.name())]);
            }
            assert!(!assumptions.set(assumption, "else"));
            assert_eq!(assumption.describe("else"), None);
        }
    }

    #[test]
    fn every_assumption_is_found_by_its_name_and_explained() {
        let page = include_str!("../../../docs/rras-behaviour.md");
        let is_sentence = |text: &str| text.starts_with(char::is_uppercase) && text.ends_with('.');
        for &assumption in Assumption::ALL {
            let name = assumption.name();
            assert_eq!(Assumption::from_name(name), Some(assumption));
            assert!(is_sentence(assumption.description()) && is_sentence(assumption.evidence()), "{name}");
            for value in assumption.values() {
                let text = assumption.describe(value).unwrap_or_default();
                assert!(text.ends_with('.') && !text.contains("  "), "{name}={value}: {text}");
            }
            for id in assumption.ids() {
                assert!(page.contains(&format!("**{id}**")), "{name}: {id} is not on the page");
            }
        }
        assert_eq!(Assumption::from_name("else"), None);
    }
}
