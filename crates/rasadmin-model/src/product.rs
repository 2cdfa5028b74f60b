//! The product's side: its processes, each with a state of its own, and the journal that they share.

use rasadmin_engine::config::Config;
use rasadmin_engine::state::Checkpoint;
use rasadmin_engine::state::{Lease, Session};
use rasadmin_engine::{Answer, Context, Event, Id, LateEvent, Name, Now, Process, Record, Scope, Stamp, State};
use std::collections::VecDeque;
use std::sync::Arc;

/// What is tested: the engine, a mutant of it, or the whole product.
pub trait Engine {
    /// As [`rasadmin_engine::decide()`].
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        rasadmin_engine::decide(state, context, event, now)
    }

    /// As [`rasadmin_engine::decide_late`].
    fn decide_late(&self, state: &State, context: &Context<'_>, waited: &LateEvent) -> Record {
        rasadmin_engine::decide_late(state, context, waited)
    }

    /// As [`rasadmin_engine::decide_carried`].
    fn decide_carried(&self, state: &State, memory: &State, scope: &Scope, context: &Context<'_>, now: &Now) -> Record {
        rasadmin_engine::decide_carried(state, memory, scope, context, now)
    }

    /// Processes an event, and returns what is recorded. The record of the event itself is the last. The whole product
    /// also records that one of its processes has started.
    ///
    /// # Errors
    ///
    /// If it did not accept the event as it was passed, or answered differently from what it recorded: what was wrong.
    fn process(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Result<Outcome, String> {
        Ok(vec![self.decide(state, context, event, now)].into())
    }

    /// The time that a record has for what happened at this time.
    fn stamp(&self, at: Stamp) -> Stamp {
        at
    }
}

/// The outcome of an event.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was recorded.
    pub records: Vec<Record>,
    /// The answer, if the event is not among the records: a refusal that was only counted.
    pub answer: Option<Answer>,
}

impl From<Vec<Record>> for Outcome {
    fn from(records: Vec<Record>) -> Self {
        Self { records, answer: None }
    }
}

/// The engine as it is.
#[derive(Clone, Copy, Debug)]
pub struct Real;

impl Engine for Real {}

/// A process of the product.
#[derive(Debug)]
pub struct Member<S> {
    /// Its number.
    pub process: Process,
    /// Its state, including what it could not write. It decides by this state.
    pub state: State,
    /// How many records of the journal it has applied.
    pub applied: usize,
    /// How many there were when it could last write.
    written: usize,
    /// The configuration that it has read.
    pub config: Arc<Config>,
    /// It cannot write.
    pub unavailable: bool,
    /// The records that it could not write, each with its subject.
    pub waiting: VecDeque<(S, Record)>,
}

/// The product.
pub struct Product<'e, E: ?Sized, S> {
    engine: &'e E,
    /// The server's name.
    pub server: Name,
    /// The current instance.
    pub instance: Id,
    /// The records.
    pub journal: Vec<Record>,
    /// The state that the records make.
    pub recorded: State,
    /// The processes: the first has the address functions, the last the notifications.
    pub members: Vec<Member<S>>,
    /// A state that was equal to those of all processes, and after how many records.
    base: (Checkpoint, usize),
}

impl<'e, E: Engine + ?Sized, S> Product<'e, E, S> {
    /// Begins without records.
    pub fn new(engine: &'e E, config: &Arc<Config>, processes: &[u64], instance: Id) -> Self {
        let mut product = Self {
            engine,
            server: Name::new("VPN1"),
            instance,
            journal: Vec::new(),
            recorded: State::new(),
            members: Vec::new(),
            base: (Checkpoint::of(&State::new()), 0),
        };
        product.join(config, processes, &State::new());
        product
    }

    fn join(&mut self, config: &Arc<Config>, processes: &[u64], state: &State) {
        let applied = self.journal.len();
        let member = |&process: &u64| {
            let mut state = state.clone();
            state.derive(config);
            let config = config.clone();
            Member {
                process: Process(process),
                state,
                applied,
                written: applied,
                config,
                unavailable: false,
                waiting: VecDeque::new(),
            }
        };
        self.members = processes.iter().map(member).collect();
    }

    /// Kills all processes, so that what waited in them is lost, and starts others. A power failure also removes the
    /// records after the last that was synced.
    pub fn restart(&mut self, config: &Arc<Config>, processes: &[u64], instance: Id, lost: usize) {
        let synced = self.journal.iter().rposition(Record::is_durable).map_or(0, |at| at + 1).max(self.base.1);
        let left = self.journal.len().saturating_sub(lost).max(synced);
        self.journal.truncate(left);
        self.recorded = self.rebuilt();
        self.instance = instance;
        self.join(config, processes, &self.recorded.clone());
    }

    /// The state that the records make.
    fn rebuilt(&self) -> State {
        let mut state = self.base.0.clone().into_state();
        for record in &self.journal[self.base.1..] {
            state.apply(record);
        }
        state
    }

    /// Applies what other processes have written. Records that wait here were decided without that, so they are
    /// decided again.
    pub fn catch_up(&mut self, member: usize) {
        if self.members[member].waiting.is_empty() {
            let member = &mut self.members[member];
            for record in &self.journal[member.applied..] {
                member.state.apply(record);
            }
            member.applied = self.journal.len();
        } else if self.members[member].applied < self.journal.len() {
            self.redecide(member);
        }
    }

    /// Makes the state again from the records. The answers of waiting records remain; their effects touch only what
    /// began before them.
    fn redecide(&mut self, member: usize) {
        let mut state = self.recorded.clone();
        state.derive(&self.members[member].config);
        let waiting = std::mem::take(&mut self.members[member].waiting);
        let mut decided = VecDeque::with_capacity(waiting.len());
        for (subject, Record { at, id, event, decision, answer, .. }) in waiting {
            let waited = LateEvent { at, random: id.0.to_be_bytes(), event, decision, answer };
            let record = self.engine.decide_late(&state, &self.context(member), &waited);
            state.apply(&record);
            decided.push_back((subject, record));
        }
        let applied = self.journal.len();
        let member = &mut self.members[member];
        (member.state, member.applied, member.waiting) = (state, applied, decided);
    }

    /// A process reads another configuration.
    pub fn reload(&mut self, member: usize, config: &Arc<Config>) {
        let member = &mut self.members[member];
        member.config = config.clone();
        member.state.derive(config);
    }

    /// Decides from memory, because the event cannot be recorded. The decision applies in this process from now on,
    /// and its record waits. What other processes have recorded counts too.
    pub fn answer_unrecorded(&mut self, member: usize, subject: S, event: &Event, now: &Now) -> Answer {
        self.catch_up(member);
        let context = Context { unrecorded: true, ..self.context(member) };
        let record = self.engine.decide(&self.members[member].state, &context, event, now);
        let answer = record.answer.clone();
        let member = &mut self.members[member];
        member.state.apply(&record);
        member.waiting.push_back((subject, record));
        answer
    }

    fn context(&self, member: usize) -> Context<'_> {
        let Member { process, config, .. } = &self.members[member];
        Context::new(config, &self.server, self.instance, *process)
    }

    /// The time that a record has for what happens at this time.
    pub fn stamp(&self, at: Stamp) -> Stamp {
        self.engine.stamp(at)
    }

    /// Decides, writes and applies. The process has caught up. Returns the answer of the last record.
    pub fn record(&mut self, member: usize, event: &Event, now: &Now) -> Result<Answer, String> {
        let Outcome { records, answer: counted } =
            self.engine.process(&self.members[member].state, &self.context(member), event, now)?;
        let mut answer = Answer::Nothing;
        for record in records {
            answer = record.answer.clone();
            self.append(member, record);
        }
        Ok(counted.unwrap_or(answer))
    }

    /// A command appends an event. The processes see it when they next catch up.
    pub fn append_by_command(&mut self, event: &Event, now: &Now) {
        let config = self.members[0].config.clone();
        let context = Context::new(&config, &self.server, self.instance, Process(0));
        let record = self.engine.decide(&self.recorded, &context, event, now);
        self.recorded.apply(&record);
        self.journal.push(record);
    }

    /// Prepares a process that can write again. Waiting records are written as they were decided, unless another
    /// process has written in the meantime: then they are decided again.
    pub fn settle(&mut self, member: usize) {
        if self.members[member].waiting.is_empty() {
            self.catch_up(member);
        } else if self.members[member].written < self.journal.len() {
            self.redecide(member);
        }
        self.members[member].written = self.journal.len();
    }

    /// Writes the record that has waited longest. The process's own state already has it.
    pub fn write_waiting(&mut self, member: usize) -> Option<(S, Record)> {
        let (subject, record) = self.members[member].waiting.pop_front()?;
        self.recorded.apply(&record);
        self.journal.push(record.clone());
        let member = &mut self.members[member];
        (member.applied, member.written) = (self.journal.len(), self.journal.len());
        Some((subject, record))
    }

    fn append(&mut self, member: usize, record: Record) {
        self.recorded.apply(&record);
        let member = &mut self.members[member];
        member.state.apply(&record);
        self.journal.push(record);
        (member.applied, member.written) = (self.journal.len(), self.journal.len());
    }

    /// Checks that all processes have the same state, and that applying the records to an earlier checkpoint gives it
    /// too. Returns the difference, if any.
    pub fn differs(&mut self) -> Option<String> {
        let folded = Checkpoint::of(&self.rebuilt());
        if let Some(difference) = first_difference(&Checkpoint::of(&self.recorded), &folded) {
            return Some(format!("the state is another than that of a checkpoint and the records: {difference}"));
        }
        for at in 0..self.members.len() {
            self.catch_up(at);
            if !self.members[at].waiting.is_empty() {
                continue;
            }
            let own = Checkpoint::of(&self.members[at].state);
            if let Some(difference) = first_difference(&own, &folded) {
                return Some(format!("process {at} has another state than the fold of the records: {difference}"));
            }
        }
        self.base = (folded, self.journal.len());
        None
    }

    /// Checks that a new journal has memory's sessions and leases after they were carried over. Returns what it lacks,
    /// if anything.
    pub fn carried_differs(&self, at: Stamp) -> Option<String> {
        let (context, now) = (self.context(0), Now { at, random: [7; 16] });
        let mut state = State::new();
        let started = Event::InstanceStarted { instance: self.instance };
        state.apply(&self.engine.decide(&state, &context, &started, &now));
        state.apply(&self.engine.decide_carried(&state, &self.recorded, &Scope::Lacking, &context, &now));
        // The time since which a session has had no link is not carried over.
        let alike = |one: &Session, other: &Session| *one == Session { unlinked: one.unlinked, ..other.clone() };
        let session = |one: &&Session| !state.session(one.id).is_some_and(|other| alike(one, other));
        let lease = |one: &&Lease| state.lease(one.id) != Some(*one);
        let (sessions, leases) = (self.recorded.live_count(), self.recorded.leases().count());
        if let Some(lacks) = self.recorded.live().find(session) {
            return Some(format!("{lacks:?}, but carried is {:?}", state.session(lacks.id)));
        }
        if let Some(lacks) = self.recorded.leases().find(lease) {
            return Some(format!("{lacks:?}, but carried is {:?}", state.lease(lacks.id)));
        }
        let blocks = |state: &State| state.blocks(at.time).cloned().collect::<Vec<_>>();
        if blocks(&state) != blocks(&self.recorded) {
            return Some(format!("{:?}, but carried is {:?}", blocks(&self.recorded), blocks(&state)));
        }
        let carried = (state.live_count(), state.leases().count());
        (carried != (sessions, leases)).then(|| format!("{carried:?} sessions and leases, not {sessions} and {leases}"))
    }

    /// Checks that a checkpoint and the last records are the same after they were written as text and read. Returns
    /// the difference, if any.
    pub fn text_differs(&self) -> Option<String> {
        let text = serde_json::to_string(&self.base.0).map_err(|error| error.to_string());
        match text.and_then(|text| serde_json::from_str::<Checkpoint>(&text).map_err(|error| error.to_string())) {
            Err(error) => return Some(format!("a checkpoint cannot be read again: {error}")),
            Ok(again) if again != self.base.0 => return Some("a checkpoint reads back otherwise".to_owned()),
            Ok(again) if Checkpoint::of(&again.clone().into_state()) != again => {
                return Some("a checkpoint's state makes another checkpoint".to_owned());
            }
            Ok(_) => {}
        }
        for record in self.journal.iter().rev().take(200) {
            let text = serde_json::to_string(record).unwrap_or_default();
            if serde_json::from_str::<Record>(&text).ok().as_ref() != Some(record) {
                return Some(format!("a record reads back otherwise: {text}"));
            }
        }
        None
    }
}

/// Where two checkpoints first differ, as text; `None` if they are equal.
pub fn first_difference(one: &Checkpoint, other: &Checkpoint) -> Option<String> {
    if one == other {
        return None;
    }
    let (one, other): (Vec<char>, Vec<char>) =
        (format!("{one:?}").chars().collect(), format!("{other:?}").chars().collect());
    let at = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let around = |text: &[char]| text[at.saturating_sub(160)..(at + 160).min(text.len())].iter().collect::<String>();
    Some(format!("…{}… but …{}…", around(&one), around(&other)))
}
