//! What would happen if a user connected, under the configuration in force. Nothing is locked, recorded or changed.

use super::names;
use crate::duty::Fault;
use crate::settings::Settings;
use rasadmin_answers::explain::{Answer, in_force, with_tunnels};
use rasadmin_engine::explain::Question;
use rasadmin_engine::{Millis, Mono, Stamp, State};
use rasadmin_pipe::{Connecting, Refusal, Why};
use rasadmin_policy::config::Config;
use rasadmin_policy::{InterfaceType, Name, Quarantine, Tunnel};
use rasadmin_recorder::present::{self, Missing};
use serde_json::Value;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a question waits for another one.
const PATIENCE: Duration = Duration::from_secs(1);

/// Lets one question be answered at a time: each reads the whole state of the journal into memory.
#[derive(Default)]
pub(super) struct OneAtATime {
    busy: Mutex<bool>,
    free: Condvar,
}

/// The question that is being answered. The next one may come when it is dropped.
pub(super) struct Answering<'a>(&'a OneAtATime);

impl OneAtATime {
    /// Waits for the question before.
    pub(super) fn begin(&self) -> Result<Answering<'_>, Refusal> {
        let busy = self.free.wait_timeout_while(self.locked(), PATIENCE, |busy| *busy);
        let (mut busy, waited) = busy.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return Err(Refusal::new(Why::Unavailable, "other questions are being answered: try again"));
        }
        *busy = true;
        Ok(Answering(self))
    }

    fn locked(&self) -> MutexGuard<'_, bool> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        *self.0.locked() = false;
        self.0.free.notify_one();
    }
}

/// The first moment of the year 3000. No calendar ends before it.
const LATEST: Millis = 32_503_680_000_000;

/// The answer of `rasadmin explain --user --json`. `now` is the present moment.
pub(super) fn answer(
    settings: &Settings,
    config: &Arc<Config>,
    now: Stamp,
    asked: &Connecting,
    one: &OneAtATime,
) -> Result<Value, Refusal> {
    let question = question(asked, now)?;
    let _answering = one.begin()?;
    let (server, state, _) = present(settings, config)?;
    let question = Question { server, at: on_clocks(now, state.last(), asked.at.unwrap_or(now.time)), ..question };
    let all = with_tunnels(config, &state, &question);
    serde_json::to_value(Answer::new(&config.hash, &all)).map_err(|error| Refusal::new(Why::Bug, error))
}

/// The server and its state as the journal has it, and whether a part of the journal cannot be read.
pub(super) fn present(settings: &Settings, config: &Config) -> Result<(Name, State, bool), Refusal> {
    let present = present::read(&settings.journal).map_err(|error| {
        let fault = Fault::from(error);
        Refusal::new(Why::Unavailable, format_args!("{}; {}", fault.what, fault.remedy))
    })?;
    let in_part = present.as_ref().is_some_and(|present| present.missing != Missing::default());
    let present = present.map(|present| present.state);
    let (server, state) = in_force(present, config.server.clone(), || settings.server.clone());
    Ok((server, state, in_part))
}

/// What is asked, as far as the request says it.
fn question(asked: &Connecting, now: Stamp) -> Result<Question, Refusal> {
    let invalid = |what: &str| Refusal::new(Why::Invalid, what);
    if asked.user.is_empty() {
        return Err(invalid("the user's name is empty"));
    }
    names::check("user's name", &asked.user)?;
    let name = |what: &str, name: &Option<String>| {
        name.as_deref().map(|name| names::check(what, name).map(|()| Name::new(name))).transpose()
    };
    if asked.at.is_some_and(|at| !(0..LATEST).contains(&at)) {
        return Err(invalid("the time is not between the years 1970 and 3000"));
    }
    let tunnel = asked.tunnel.as_deref().map(str::parse::<Tunnel>).transpose();
    let quarantine = asked.quarantine.as_deref().map_or(Some(Quarantine::Normal), Quarantine::from_name);
    let interface = asked.interface.as_deref().map_or(Some(InterfaceType::Client), InterfaceType::from_name);
    let no_quarantine = "unknown quarantine state: write normal, quarantine, probation or not-capable";
    let no_interface = "unknown interface type: write client, home-router, full-router, dedicated or other";
    Ok(Question {
        user: Name::new(&asked.user),
        domain: name("domain", &asked.domain)?.unwrap_or_default(),
        at: now,
        server: Name::default(),
        port: name("port", &asked.port)?,
        tunnel: tunnel.map_err(|_| invalid("unknown tunnel: write SSTP, IKEv2, L2TP or PPTP"))?,
        source: asked.source,
        computer: name("computer", &asked.computer)?,
        quarantine: Some(quarantine.ok_or_else(|| invalid(no_quarantine))?),
        interface: Some(interface.ok_or_else(|| invalid(no_interface))?),
        offer: asked.offer,
        ipv6: asked.ipv6,
    })
}

/// A time of day on the clocks of the journal's records. `last` is the moment of the last one. If the computer's own
/// monotonic clock is behind it, the computer has been restarted and RRAS has recorded nothing since: then the records'
/// clock is assumed to have advanced with the time of day. Only RRAS's lock would say for certain whether it runs, and a
/// question does not take it.
pub(super) fn on_clocks(now: Stamp, last: Option<Stamp>, time: Millis) -> Stamp {
    let known = last.filter(|last| last.mono > now.mono).unwrap_or(now);
    let shift = time.saturating_sub(known.time);
    Stamp { time, mono: Mono(known.mono.0.saturating_add_signed(shift)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Instant;

    #[test]
    fn a_question_waits_for_the_one_before_but_not_for_long() {
        let one = OneAtATime::default();
        let first = one.begin();
        let asked = Instant::now();
        let refused = one.begin().map(drop).map_err(|refusal| (refusal.why, refusal.text));
        let expected = (Why::Unavailable, "other questions are being answered: try again".to_owned());
        assert_eq!(refused, Err(expected));
        assert!(asked.elapsed() >= PATIENCE);
        // It is answered as soon as the other one is.
        let (ends, end) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let _first = first;
                end.recv()
            });
            let second = scope.spawn(|| one.begin().map(drop).is_ok());
            assert!(ends.send(()).is_ok());
            assert!(matches!(second.join(), Ok(true)));
        });
        assert!(one.begin().is_ok(), "each makes room for the next");
    }

    #[test]
    fn a_time_of_day_comes_with_the_records_clock() {
        let stamp = |time, mono| Stamp { time, mono: Mono(mono) };
        let now = stamp(10_000, 500);
        assert_eq!(on_clocks(now, None, 10_000), now);
        assert_eq!(on_clocks(now, Some(stamp(9_900, 400)), 10_100), stamp(10_100, 600));
        // The computer has been restarted.
        assert_eq!(on_clocks(now, Some(stamp(9_000, 70_000)), 10_000), stamp(10_000, 71_000));
        assert_eq!(on_clocks(now, None, 0), stamp(0, 0));
    }
}
