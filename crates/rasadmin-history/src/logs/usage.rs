//! What records say about the use of a session.

use super::record::Record;
use rasadmin_engine::effect::Usage;
use rasadmin_ledger::imported::ImportedUsage;
use rasadmin_policy::Millis;

/// The longest Acct-Session-Time that is believed, in seconds: ten years. Some servers send 4294967295.
const LONGEST: u64 = 10 * 365 * 86_400;
/// How much longer than the time since its Start a session may have been connected, in seconds: a Start may be sent late,
/// and clocks differ.
const SLACK: u64 = 3_600;

/// Acct-Session-Time, if it can be believed.
pub fn connect_time(record: &Record) -> Option<u64> {
    record.session_time.filter(|&seconds| seconds <= LONGEST)
}

/// Can a session have been connected for so many seconds, if its Start and its Stop are so many seconds apart?
pub fn is_believable(seconds: u64, apart: u64) -> bool {
    seconds <= apart.saturating_add(SLACK)
}

/// Can both be the time at which the same session began? One of them is calculated from Acct-Session-Time.
pub fn fits(began: Millis, other: Millis) -> bool {
    began.abs_diff(other) <= SLACK * 1000
}

/// The octets and frames in a record.
pub fn usage(record: &Record) -> ImportedUsage {
    let octets = |low: Option<u64>, high: Option<u32>| Some(low?.saturating_add(u64::from(high.unwrap_or(0)) << 32));
    ImportedUsage {
        input_octets: octets(record.input_octets, record.input_gigawords),
        output_octets: octets(record.output_octets, record.output_gigawords),
        input_packets: record.input_packets,
        output_packets: record.output_packets,
    }
}

/// Adds the use of another link. What neither says stays unknown.
pub fn add(sum: &mut ImportedUsage, more: &ImportedUsage) {
    let add = |sum: &mut Option<u64>, more: Option<u64>| {
        if let Some(more) = more {
            *sum = Some(sum.unwrap_or(0).saturating_add(more));
        }
    };
    add(&mut sum.input_octets, more.input_octets);
    add(&mut sum.output_octets, more.output_octets);
    add(&mut sum.input_packets, more.input_packets);
    add(&mut sum.output_packets, more.output_packets);
}

/// Does another Stop of the same link say more than what was kept? A Stop may be cut off in one log and whole in another.
pub fn adds(kept: &ImportedUsage, seconds: u64, record: &Record) -> bool {
    let all = |usage: &ImportedUsage, seconds| {
        [Some(seconds), usage.input_octets, usage.output_octets, usage.input_packets, usage.output_packets]
    };
    let before = all(kept, seconds);
    let after = all(&usage(record), record.session_time.unwrap_or(0));
    before != after && before.iter().zip(&after).all(|(before, after)| before <= after)
}

/// Keeps what a later record of the same link says. `seconds` is the Acct-Session-Time that was kept last: a record that
/// comes late has a shorter one.
pub fn keep_later(kept: &mut ImportedUsage, seconds: &mut u64, record: &Record) {
    if record.session_time.is_some_and(|time| time < *seconds) {
        return;
    }
    *seconds = record.session_time.unwrap_or(*seconds);
    let later = usage(record);
    let octets = |kept: &mut Option<u64>, later: Option<u64>, gigawords: Option<u32>| match (*kept, later) {
        // A counter of 32 bits has begun again at zero. RRAS itself has no gigawords.
        (Some(before), Some(later)) if later < before && gigawords.is_none() => {
            let since = (later as u32).wrapping_sub(before as u32);
            *kept = Some(before.saturating_add(u64::from(since)));
        }
        _ => *kept = later.or(*kept),
    };
    octets(&mut kept.input_octets, later.input_octets, record.input_gigawords);
    octets(&mut kept.output_octets, later.output_octets, record.output_gigawords);
    kept.input_packets = later.input_packets.or(kept.input_packets);
    kept.output_packets = later.output_packets.or(kept.output_packets);
}

/// As numbers, with zero for what is unknown.
pub fn known(usage: &ImportedUsage, seconds: u64) -> Usage {
    Usage {
        seconds,
        input_octets: usage.input_octets.unwrap_or(0),
        output_octets: usage.output_octets.unwrap_or(0),
        input_packets: usage.input_packets.unwrap_or(0),
        output_packets: usage.output_packets.unwrap_or(0),
    }
}
