//! Remembers what was asked and answered for each Class. NPS gives each request a Class of its own, and accounting
//! records carry it.

use super::item::{LogSession, first};
use super::key::digest;
use super::record::Record;
use rasadmin_policy::Millis;
use std::collections::{HashMap, VecDeque};

/// How many bytes those that are remembered may take: some 30,000. Accounting follows its answer within seconds, so
/// this is ample.
const ROOM: usize = 8 << 20;
/// What each takes beside its texts and its request, with its entries in the map and the queue.
const CLASS: usize = size_of::<Asked>() + 96;
/// The most clients of an NPS whose requests wait for their answers.
const CLIENTS: usize = 1_000;
/// The most requests of a client that wait.
const WAITING: usize = 16;
/// How long a request waits. An answer follows within seconds, or never.
const PATIENCE: Millis = 5 * 60_000;

/// What is known about a Class.
#[derive(Debug, Default)]
pub struct Asked {
    /// The user, from the request; an answer may lack it.
    pub user: String,
    pub sam_account: String,
    pub chap_domain: String,
    pub accepted: bool,
    pub rejected: bool,
    /// Is it of a switch or a wireless network?
    pub elsewhere: bool,
    /// What the request says, until it is answered.
    pub request: Option<Box<LogSession>>,
}

impl Asked {
    /// What it takes of the [`ROOM`].
    fn weigh(&self) -> usize {
        let request = self.request.as_ref().map_or(0, |request| size_of::<LogSession>() + request.text_bytes());
        CLASS + self.user.len() + self.sam_account.len() + self.chap_domain.len() + request
    }
}

/// The latest Classes.
#[derive(Default)]
pub struct Classes {
    asked: HashMap<u128, Asked>,
    order: VecDeque<u128>,
    /// What all take of the [`ROOM`].
    weight: usize,
    /// Requests without a Class, by the client of the NPS. What they say is in `asked`, as long as there is room.
    pending: HashMap<u128, VecDeque<Waiting>>,
    /// How many requests without a Class there were.
    without_class: u128,
}

/// A request without a Class that waits for its answer.
struct Waiting {
    /// Its key in [`Classes::asked`].
    key: u128,
    time: Option<Millis>,
}

impl Waiting {
    /// Is the request too old for this answer?
    fn is_over(&self, answer: &Record) -> bool {
        self.time.zip(answer.time).is_some_and(|(asked, answered)| answered.saturating_sub(asked) > PATIENCE)
    }
}

impl Classes {
    /// Records a request.
    pub fn asked(&mut self, record: &Record, request: LogSession) {
        if record.unique_class().is_empty() {
            self.wait(record, request);
            return;
        }
        self.change(class(record), |asked| {
            fill(asked, record);
            asked.request = Some(Box::new(request));
        });
    }

    /// Records an answer, and returns what the request said, and whether it is of a switch or a wireless network. A
    /// challenge is not the last answer.
    pub fn answered(&mut self, record: &Record) -> (Option<Box<LogSession>>, bool) {
        let pending = self.pending(record);
        if record.unique_class().is_empty() {
            let asked = pending.unwrap_or_default();
            return (asked.request, asked.elsewhere || !record.is_of_rras());
        }
        self.change(class(record), |asked| {
            if let Some(pending) = pending.filter(|_| asked.request.is_none() && asked.user.is_empty()) {
                *asked = Asked { accepted: asked.accepted, rejected: asked.rejected, ..pending };
            }
            fill(asked, record);
            asked.accepted |= record.packet_type == Some(2);
            asked.rejected |= record.packet_type == Some(3);
            let request = if record.packet_type == Some(11) { None } else { asked.request.take() };
            (request, asked.elsewhere)
        })
    }

    /// Lets a request without a Class wait for its answer.
    fn wait(&mut self, record: &Record, request: LogSession) {
        let key = self.without_class;
        self.without_class += 1;
        self.change(key, |asked| {
            fill(asked, record);
            asked.request = Some(Box::new(request));
        });
        let client = client(record);
        if self.pending.len() >= CLIENTS && !self.pending.contains_key(&client) {
            self.pending.clear();
        }
        let waiting = self.pending.entry(client).or_default();
        if waiting.len() == WAITING {
            waiting.pop_front();
        }
        waiting.push_back(Waiting { key, time: record.time });
    }

    /// The request without a Class that a record answers: the latest of the same client and the same user. If the names
    /// do not show which, the only one that waits.
    fn pending(&mut self, record: &Record) -> Option<Asked> {
        let client = client(record);
        let waiting = self.pending.get_mut(&client)?;
        waiting.retain(|one| !one.is_over(record) && self.asked.contains_key(&one.key));
        let user = |one: &Waiting| self.asked.get(&one.key).map_or("", |asked| &asked.user);
        let only = waiting.len() == 1 && (record.user_name.is_empty() || user(&waiting[0]).is_empty());
        let at = waiting.iter().rposition(|one| is_of(user(one), record)).or(only.then_some(0));
        let found = at.and_then(|at| waiting.remove(at));
        if waiting.is_empty() {
            self.pending.remove(&client);
        }
        found.map(|found| self.change(found.key, std::mem::take))
    }

    /// What is known about a record's Class.
    pub fn of(&self, record: &Record) -> Option<&Asked> {
        let class = record.unique_class();
        if class.is_empty() { None } else { self.asked.get(&digest(&[class])) }
    }

    /// Changes what is known about a Class, or about a request without a Class. If the room is used up, the oldest are
    /// forgotten.
    fn change<T>(&mut self, key: u128, change: impl FnOnce(&mut Asked) -> T) -> T {
        let asked = self.asked.entry(key).or_insert_with(|| {
            self.order.push_back(key);
            self.weight += CLASS;
            Asked::default()
        });
        let before = asked.weigh();
        let done = change(asked);
        self.weight = self.weight + asked.weigh() - before;
        while self.weight > ROOM
            && let Some(oldest) = self.order.pop_front()
        {
            self.weight -= self.asked.remove(&oldest).map_or(0, |asked| asked.weigh());
        }
        done
    }
}

fn class(record: &Record) -> u128 {
    digest(&[&record.class])
}

fn client(record: &Record) -> u128 {
    digest(&[&record.computer, &record.client_ip_address, &record.client_friendly_name])
}

/// Does an answer name the user of a request?
fn is_of(user: &str, answer: &Record) -> bool {
    if !answer.user_name.is_empty() {
        return user.eq_ignore_ascii_case(&answer.user_name);
    }
    let account = first([&answer.sam_account, &answer.fully_qualified_name, ""]);
    !account.is_empty() && bare(user).eq_ignore_ascii_case(bare(account))
}

/// A user's name without the domain.
fn bare(name: &str) -> &str {
    let name = name.rsplit(['\\', '/']).next().unwrap_or(name);
    name.split('@').next().unwrap_or(name)
}

fn fill(asked: &mut Asked, record: &Record) {
    let fill = |field: &mut String, text: &str| {
        if field.is_empty() {
            text.clone_into(field);
        }
    };
    fill(&mut asked.user, &record.user_name);
    fill(&mut asked.sam_account, &record.sam_account);
    fill(&mut asked.chap_domain, &record.chap_domain);
    asked.elsewhere |= !record.is_of_rras();
}
