//! Plans: where to kill a worker.

use mprapi::FunctionId as F;

/// The functions of the product that RRAS calls, and in which it is killed.
pub const CALLBACKS: [F; 12] = [
    F::InitializeDllEx,
    F::GetIpAddressForUser,
    F::GetIpv6AddressForUser,
    F::AcceptNewConnectionEx,
    F::AcceptNewLink,
    F::AcceptReauthenticationEx,
    F::AcceptTunnelEndpointChangeEx,
    F::LinkHangupNotification,
    F::ConnectionHangupNotificationEx,
    F::ReleaseIpAddress,
    F::ReleaseIpv6AddressForUser,
    F::TerminateDll,
];

/// A point before, within or after a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KillPoint {
    /// Just before the call.
    Before,
    /// Inside: the lock is held, and nothing is appended.
    Locked,
    /// Inside: the record is appended, and the lock is held.
    Appended,
    /// Inside: the lock is released, and nothing is synced.
    Unlocked,
    /// Inside: all work is done, and the call has not returned.
    Done,
    /// Just after the call.
    After,
}

impl KillPoint {
    /// All points.
    pub const ALL: [Self; 6] = [Self::Before, Self::Locked, Self::Appended, Self::Unlocked, Self::Done, Self::After];

    const fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Locked => "locked",
            Self::Appended => "appended",
            Self::Unlocked => "unlocked",
            Self::Done => "done",
            Self::After => "after",
        }
    }

    /// Does the product kill itself there?
    pub const fn is_inside(self) -> bool {
        !matches!(self, Self::Before | Self::After)
    }

    /// Can a call of this function reach the point? Terminate usually has nothing left to write.
    pub fn is_in(self, function: F) -> bool {
        function != F::TerminateDll || !matches!(self, Self::Appended | Self::Unlocked)
    }

    /// The order for the product: the point, and the number of times to reach it.
    pub fn order(self, number: u32) -> String {
        format!("{} {number}", self.name())
    }
}

/// What ends a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kill {
    /// Nothing. The worker takes every address of the pool, then one more, and ends.
    Fill,
    /// Nothing. The worker ends when its steps are done.
    Nothing,
    /// The process is killed after so many microseconds.
    Time(u64),
    /// The address process is killed after so many microseconds.
    PeerTime(u64),
    /// At the `call`-th call of this callback; inside, when the point is reached for the `time`-th time.
    At { at: KillPoint, function: F, call: u32, time: u32 },
}

impl std::fmt::Display for Kill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fill => f.write_str("fill"),
            Self::Nothing => f.write_str("nothing"),
            Self::Time(after) => write!(f, "time:{after}"),
            Self::PeerTime(after) => write!(f, "peer-time:{after}"),
            Self::At { at, function, call, time } => {
                write!(f, "{}:{}:{call}:{time}", at.name(), function.name())
            }
        }
    }
}

impl std::str::FromStr for Kill {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let number = |part: &str| part.parse::<u64>().map_err(|e| format!("{text}: {e}"));
        match parts[..] {
            ["fill"] => Ok(Self::Fill),
            ["nothing"] => Ok(Self::Nothing),
            ["time", after] => Ok(Self::Time(number(after)?)),
            ["peer-time", after] => Ok(Self::PeerTime(number(after)?)),
            [at, function, call, time] => {
                let at = KillPoint::ALL
                    .into_iter()
                    .find(|w| w.name() == at)
                    .ok_or_else(|| format!("{text}: not a valid kill point"))?;
                let function = CALLBACKS.into_iter().find(|f| f.name() == function);
                let function = function.ok_or_else(|| format!("{text}: not a callback"))?;
                Ok(Self::At { at, function, call: number(call)? as u32, time: number(time)? as u32 })
            }
            _ => Err(format!("{text}: not a valid plan")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_plan_is_read_as_it_is_written() {
        let at = Kill::At { at: KillPoint::Appended, function: F::AcceptNewLink, call: 3, time: 1 };
        assert_eq!(at.to_string(), "appended:MprAdminAcceptNewLink:3:1");
        for plan in [Kill::Fill, Kill::Nothing, Kill::Time(7), Kill::PeerTime(8), at] {
            assert_eq!(plan.to_string().parse::<Kill>().unwrap(), plan);
        }
    }
}
