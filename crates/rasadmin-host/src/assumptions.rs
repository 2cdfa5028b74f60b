//! What the host assumes where RRAS's behaviour is unproven.
//!
//! docs/rras-behaviour.md marks these facts as unproven, or as assumptions of the host. A DLL must work whichever way
//! they turn out, so a scenario can choose: `assume hangup-order=releases-first`. The first value of each is the default.

macro_rules! assumptions {
    ($(
        $(#[doc = $doc:literal])+
        $field:ident $kind:ident $name:literal {
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
    rejected_connection RejectedConnection "rejected-connection" {
        /// The DLLs before the one that rejected it, as with links.
        Earlier "earlier-dlls",
        /// None.
        NoDll "nobody",
        /// Every DLL, including the one that rejected it.
        EveryDll "every-dll",
    }
    /// Which DLLs get the hangup of a connection whose first link was rejected.
    rejected_first_link RejectedFirstLink "rejected-first-link" {
        /// Every DLL.
        EveryDll "every-dll",
        /// None.
        NoDll "nobody",
    }
    /// The form of a user's name in the address calls and in the connection's structures.
    user_form UserForm "user-form" {
        /// The same in both, as in the scenario.
        Same "same",
        /// Without its domain in the address calls.
        BareAtAddress "bare-at-address",
        /// Without its domain in wszUserName. wszLogonDomain has the domain.
        BareAtConnection "bare-at-connection",
    }
    /// Which half of the IN6_ADDR carries the interface identifier.
    identifier_half IdentifierHalf "identifier-half" {
        /// The last eight bytes.
        Low "low",
        /// The first eight bytes.
        High "high",
    }
    /// Whether an IKEv2 connection carries the client's computer name.
    ikev2_computer Ikev2Computer "ikev2-computer" {
        /// It does.
        Named "named",
        /// It is empty.
        Empty "empty",
    }
    /// Whether AcceptNewLink is called for IKEv2 connections.
    ikev2_link Ikev2Link "ikev2-link" {
        /// Once, as for other tunnels.
        Called "called",
        /// Never, unless the scenario has a `link`.
        NotCalled "not-called",
    }
    /// What dwConnectionFlags of an IKEv2 connection holds.
    ikev2_flags Ikev2Flags "ikev2-flags" {
        /// RAS_FLAGS_IKEV2_CONNECTION.
        Set "set",
        /// All flags are zero.
        Zero "zero",
    }
    /// Which fields of a projection have the client's address.
    projection Projection "projection" {
        /// wszRemoteAddress and bRemoteInterfaceIdentifier, according to the open specification.
        Remote "remote-is-client",
        /// wszAddress and bInterfaceIdentifier, according to the two structures' pages.
        Local "local-is-client",
    }
    /// What RRAS offers to GetIpAddressForUser, unless the scenario names an offer.
    ipv4_offer Ipv4Offer "ipv4-offer" {
        /// The lowest free address of RRAS's pool.
        Pool "pool",
        /// 0.0.0.0: the DLL must choose.
        Zero "zero",
    }
    /// What RRAS offers to GetIpv6AddressForUser, unless the scenario names an offer.
    ipv6_offer Ipv6Offer "ipv6-offer" {
        /// An identifier that no other connection has.
        Own "own",
        /// Zero: the DLL must choose.
        Zero "zero",
    }
    /// The order of the calls at the end of a session.
    hangup_order HangupOrder "hangup-order" {
        /// Links, connection, releases.
        ReleasesLast "releases-last",
        /// Releases, links, connection.
        ReleasesFirst "releases-first",
        /// Connection, links, releases.
        ConnectionFirst "connection-first",
    }
    /// Whether RRAS uses a connection handle again once it is free.
    handles Handles "handles" {
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
        }
    }
}
