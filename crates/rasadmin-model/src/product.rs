//! The product's part: its processes, each with a state of its own, and the journal that they share.

use rasadmin_engine::config::Config;
use rasadmin_engine::state::Checkpoint;
use rasadmin_engine::state::{Lease, Session};
use rasadmin_engine::{Answer, Context, Event, Id, Name, Now, Process, Record, Scope, Stamp, State, Waited};
use std::collections::VecDeque;
use std::sync::Arc;

/// What is tried: the engine, a mutant of it, or the whole product.
pub trait Engine {
    /// As [`rasadmin_engine::decide`].
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        rasadmin_engine::decide(state, context, event, now)
    }

    /// As [`rasadmin_engine::decide_late`].
    fn decide_late(&self, state: &State, context: &Context<'_>, waited: &Waited) -> Record {
        rasadmin_engine::decide_late(state, context, waited)
    }

    /// As [`rasadmin_engine::decide_carried`].
    fn decide_carried(&self, state: &State, memory: &State, scope: &Scope, context: &Context<'_>, now: &Now) -> Record {
        rasadmin_engine::decide_carried(state, memory, scope, context, now)
    }

    /// What is recorded when this is told: the record of the event itself is the last. The whole product also notes that
    /// a process of it has started.
    ///
    /// # Errors
    ///
    /// If it did not take it as it was told, or answered otherwise than it recorded: what was wrong.
    fn process(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Result<Outcome, String> {
        Ok(vec![self.decide(state, context, event, now)].into())
    }

    /// The moment that stands in a record of what happened then.
    fn stamp(&self, at: Stamp) -> Stamp {
        at
    }
}

/// What came of an event.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was recorded.
    pub records: Vec<Record>,
    /// What was answered, if the event is not among the records: a refusal that was only counted.
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
    /// Its state, with what it could not write: by this it decides.
    pub state: State,
    /// How many records of the journal are in it.
    pub applied: usize,
    /// How many there were when it could write last.
    written: usize,
    /// The configuration that it has read.
    pub config: Arc<Config>,
    /// It cannot write.
    pub unavailable: bool,
    /// The records that it could not write, each with its subject.
    pub waiting: VecDeque<(S, Record)>,
}

/// All of it.
pub struct Product<'e, E: ?Sized, S> {
    engine: &'e E,
    /// The server's name.
    pub server: Name,
    /// The instance that lives.
    pub instance: Id,
    /// The records.
    pub journal: Vec<Record>,
    /// What they make.
    pub recorded: State,
    /// The processes: the first has the address functions, the last the notifications.
    pub members: Vec<Member<S>>,
    /// A state that was equal to those of all, and after how many records.
    base: (Checkpoint, usize),
}

impl<'e, E: Engine + ?Sized, S> Product<'e, E, S> {
    /// Nothing was ever recorded.
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

    /// All processes are killed, and what waited in them is lost; others start. A power cut also takes the records after
    /// the last that was synced.
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

    /// A process applies what others have written. If something waits here, it was decided without that: it is decided
    /// again.
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

    /// The state is made anew of the records. The answers of what waits stand; its effects touch only what began before.
    fn redecide(&mut self, member: usize) {
        let mut state = self.recorded.clone();
        state.derive(&self.members[member].config);
        let waiting = std::mem::take(&mut self.members[member].waiting);
        let mut decided = VecDeque::with_capacity(waiting.len());
        for (subject, Record { at, id, event, decision, answer, .. }) in waiting {
            let waited = Waited { at, random: id.0.to_be_bytes(), event, decision, answer };
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

    /// Decides from memory, since it cannot be recorded: it holds there from now on, and its record waits. What others have
    /// recorded meanwhile counts too.
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

    /// The moment that a record of what happens then has.
    pub fn stamp(&self, at: Stamp) -> Stamp {
        self.engine.stamp(at)
    }

    /// Decides, writes and applies: the process has caught up. The answer is the last record's.
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

    /// A process that can write again has its turn: what waits is to be written as it was decided if nobody else has
    /// written meanwhile; otherwise it was decided on another state than the journal's, and is decided again.
    pub fn settle(&mut self, member: usize) {
        if self.members[member].waiting.is_empty() {
            self.catch_up(member);
        } else if self.members[member].written < self.journal.len() {
            self.redecide(member);
        }
        self.members[member].written = self.journal.len();
    }

    /// In its turn, a process writes what waited longest: its state has it already.
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

    /// All processes have the same state, and so has who folds the records from an earlier checkpoint. Otherwise: what
    /// differs.
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

    /// A journal that begins anew has, after what is carried, the sessions and leases of memory. Otherwise: which it lacks.
    pub fn carried_differs(&self, at: Stamp) -> Option<String> {
        let (context, now) = (self.context(0), Now { at, random: [7; 16] });
        let mut state = State::new();
        let started = Event::InstanceStarted { instance: self.instance };
        state.apply(&self.engine.decide(&state, &context, &started, &now));
        state.apply(&self.engine.decide_carried(&state, &self.recorded, &Scope::Lacking, &context, &now));
        // Since when a session has had no link is not carried.
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
        let carried = (state.live_count(), state.leases().count());
        (carried != (sessions, leases)).then(|| format!("{carried:?} sessions and leases, not {sessions} and {leases}"))
    }

    /// From its text a checkpoint and the last records come back as they were. Otherwise: what does not.
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

/// Where two checkpoints first differ, as text; None if they are equal.
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
