//! What a session's end tells the DLLs, and what becomes of it on the way.

/// A part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// LinkHangupNotification, for every link.
    Link,
    /// ConnectionHangupNotification.
    Connection,
    /// ReleaseIpAddress and ReleaseIpv6AddressForUser.
    Release,
}

impl Part {
    /// All of them.
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

/// How often each part arrives: as a rule once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery([u8; 3]);

impl Default for Delivery {
    fn default() -> Self {
        Self([1; 3])
    }
}

impl Delivery {
    /// This part alone, once.
    pub fn only(part: Part) -> Self {
        let mut delivery = Self([0; 3]);
        delivery.set(part, 1);
        delivery
    }

    /// The part arrives so often.
    pub fn set(&mut self, part: Part, times: u8) {
        self.0[part as usize] = times;
    }

    /// How often the part arrives.
    pub fn times(self, part: Part) -> u8 {
        self.0[part as usize]
    }
}
