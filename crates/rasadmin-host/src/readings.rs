//! What nobody knows of RRAS, and how this run reads it.
//!
//! docs/rras-behaviour.md marks these facts as unproven, or as the host's own assumptions. A DLL must be right however
//! they turn out, so each has its readings, and a scenario chooses: `reading hangup-order=releases-first`. The first
//! reading of each is the default.

macro_rules! readings {
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
        )+

        /// A fact that is unproven.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Reading {
            $($(#[doc = $doc])+ $kind,)+
        }

        /// How each is read.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Readings {
            $($(#[doc = $doc])+ pub $field: $kind,)+
        }

        impl Reading {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// Its name in a scenario.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            /// The names of its readings in a scenario, the default first.
            pub const fn values(self) -> &'static [&'static str] {
                match self {
                    $(Self::$kind => &[$($value_name,)+],)+
                }
            }
        }

        impl Readings {
            /// Reads the fact as named; false if it has no such reading.
            pub fn set(&mut self, reading: Reading, value: &str) -> bool {
                match (reading, value) {
                    $($((Reading::$kind, $value_name) => self.$field = $kind::$value,)+)+
                    _ => return false,
                }
                true
            }
        }
    };
}

readings! {
    /// Who hears of the end of a connection that a DLL has rejected.
    rejected_connection RejectedConnection "rejected-connection" {
        /// The DLLs before the one that rejected, as with links.
        Earlier "earlier-dlls",
        /// Nobody.
        Nobody "nobody",
        /// Every DLL, the one that rejected too.
        Everybody "every-dll",
    }
    /// Who hears of the end of a connection whose first link was rejected.
    rejected_first_link RejectedFirstLink "rejected-first-link" {
        /// Every DLL.
        Everybody "every-dll",
        /// Nobody.
        Nobody "nobody",
    }
    /// The form of a user's name in the address calls and in the connection's structures.
    user_form UserForm "user-form" {
        /// The same in both: as the scenario has it.
        Same "same",
        /// Without its domain in the address calls.
        BareAtAddress "bare-at-address",
        /// Without its domain in wszUserName; wszLogonDomain has it.
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
        /// Once, as for the others.
        Called "called",
        /// Never, unless the scenario has a `link`.
        NotCalled "not-called",
    }
    /// What tells an IKEv2 connection beside its projection: dwConnectionFlags.
    ikev2_flags Ikev2Flags "ikev2-flags" {
        /// RAS_FLAGS_IKEV2_CONNECTION.
        Set "set",
        /// All flags are zero.
        Zero "zero",
    }
    /// Which fields of a projection are the client's.
    projection Projection "projection" {
        /// wszRemoteAddress and bRemoteInterfaceIdentifier, as the open specification says.
        Remote "remote-is-client",
        /// wszAddress and bInterfaceIdentifier, as the two structures' pages say.
        Local "local-is-client",
    }
    /// What GetIpAddressForUser is offered where the scenario does not say.
    ipv4_offer Ipv4Offer "ipv4-offer" {
        /// The lowest free address of RRAS's pool.
        Pool "pool",
        /// 0.0.0.0: the DLL must choose.
        Zero "zero",
    }
    /// What GetIpv6AddressForUser is offered where the scenario does not say.
    ipv6_offer Ipv6Offer "ipv6-offer" {
        /// An identifier that no other connection has.
        Own "own",
        /// Zero: the DLL must choose.
        Zero "zero",
    }
    /// The order of a session's last calls.
    hangup_order HangupOrder "hangup-order" {
        /// Links, connection, releases.
        ReleasesLast "releases-last",
        /// Releases, links, connection.
        ReleasesFirst "releases-first",
        /// Connection, links, releases.
        ConnectionFirst "connection-first",
    }
    /// Whether a handle that has become free is given again.
    handles Handles "handles" {
        /// Never in one life of the service.
        Fresh "fresh",
        /// To the next connection.
        Repeated "repeated",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reading_can_be_chosen_and_the_first_is_the_default() {
        for &reading in Reading::ALL {
            let mut readings = Readings::default();
            assert!(readings.set(reading, reading.values()[0]));
            assert_eq!(readings, Readings::default(), "{}", reading.name());
            for value in &reading.values()[1..] {
                assert!(readings.set(reading, value));
                assert_ne!(readings, Readings::default(), "{} {value}", reading.name());
            }
            assert!(!readings.set(reading, "else"));
        }
    }
}
