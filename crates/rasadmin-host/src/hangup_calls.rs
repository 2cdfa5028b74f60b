//! The calls that a DLL gets when a session ends, and how often each of them arrives.

/// One kind of call at the end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HangupCall {
    /// LinkHangupNotification, once for each link.
    Link,
    /// ConnectionHangupNotification.
    Connection,
    /// ReleaseIpAddress and ReleaseIpv6AddressForUser.
    Release,
}

impl HangupCall {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Link, Self::Connection, Self::Release];

    /// Its name in a scenario.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Connection => "connection",
            Self::Release => "release",
        }
    }
}

/// How often each call arrives. By default, each arrives once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery([u8; 3]);

impl Default for Delivery {
    fn default() -> Self {
        Self([1; 3])
    }
}

impl Delivery {
    /// This call alone, once.
    pub fn only(call: HangupCall) -> Self {
        let mut delivery = Self([0; 3]);
        delivery.set(call, 1);
        delivery
    }

    /// Sets how often the call arrives.
    pub fn set(&mut self, call: HangupCall, times: u8) {
        self.0[call as usize] = times;
    }

    /// How often the call arrives.
    pub fn times(self, call: HangupCall) -> u8 {
        self.0[call as usize]
    }
}
