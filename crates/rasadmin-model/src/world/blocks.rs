//! Commands that block users and computers, or lift a block.

use super::{Subject, World};
use crate::people::PEOPLE;
use crate::product::Engine;
use crate::rras::Number;
use rasadmin_engine::effect::BlockSubject;
use rasadmin_engine::event::BeginBlock;
use rasadmin_engine::{Answer, Event, Identity, Millis, Name};

impl<E: Engine + ?Sized> World<'_, E> {
    /// An administrator blocks somebody, or lifts a block.
    pub(super) fn change_blocks(&mut self) {
        if self.product.members.iter().any(|member| member.unavailable) {
            // The command cannot write either.
            return;
        }
        self.script.cannot("a command that blocks somebody");
        let random = &mut self.chance;
        let (lifts, which, person, kind) =
            (random.below(3) == 0, random.below(1000), random.below(PEOPLE.len()), random.below(4));
        let (stays, seconds) = (random.below(4) == 0, 20 + random.below(600) as Millis);
        if lifts && !self.blocks.is_empty() {
            let at = which % self.blocks.len();
            let Some(subject) = self.blocks.keys().nth(at).cloned() else { return };
            self.log(|| format!("the block of {subject:?} is lifted"));
            self.blocks.remove(&subject);
            return self.command(Event::EndBlock { subject, by: None, reason: None });
        }
        let subject = match kind {
            0 => BlockSubject::claimed_computer(&Name::new(&format!("laptop-{person}"))),
            _ => BlockSubject::User(PEOPLE[person].identity()),
        };
        // The command takes a moment of its own.
        let until = (!stays).then(|| self.stamp().time + seconds * 1000);
        self.log(|| format!("{subject:?} is blocked until {until:?}"));
        self.blocks.insert(subject.clone(), until);
        self.command(Event::BeginBlock(BeginBlock { subject, until, reason: None, by: None }));
    }

    /// A command appends an event to the journal: it is a process beside those of the product.
    fn command(&mut self, event: Event) {
        self.mono += 1;
        let now = self.now();
        self.time_passes(now.at, false);
        self.product.append_by_command(&event, &now);
        self.log_event(&Subject::Other, &event, &Answer::Nothing, "is written by a command");
        self.after_record(&Subject::Other, &Answer::Nothing, now.at, false);
        self.check_every_record(now.at);
    }

    fn is_blocked(&self, subject: &BlockSubject, time: Millis) -> bool {
        self.blocks.get(subject).is_some_and(|until| until.is_none_or(|until| time < until))
    }

    /// Is this user blocked?
    pub fn is_user_blocked(&self, user: &Identity, time: Millis) -> bool {
        self.is_blocked(&BlockSubject::User(user.clone()), time)
    }

    /// Is the connection's user blocked, or the computer name that it claims?
    pub fn is_connection_blocked(&self, of: Number, time: Millis) -> bool {
        let claimed = BlockSubject::claimed_computer(&self.connections[of].device.computer);
        self.is_user_blocked(&self.identity(of), time) || self.is_blocked(&claimed, time)
    }

    /// Checks that nobody gets in who is blocked, even if nothing can be recorded. The calls that carry the names are
    /// enough: without a connection there is no link.
    pub(super) fn check_blocks(&mut self, subject: &Subject, answer: &Answer, time: Millis) {
        let blocked = match *subject {
            Subject::Address(of, ..) => self.is_user_blocked(&self.connections[of].spelling.asker, time),
            Subject::Accept(of) | Subject::Reauthenticate(of, _) | Subject::Move(of, _) => {
                self.is_connection_blocked(of, time)
            }
            _ => false,
        };
        if blocked && *answer != Answer::Reject {
            self.found("always: nobody who is blocked gets in", format!("{subject:?}: {answer:?}"));
        }
    }
}
