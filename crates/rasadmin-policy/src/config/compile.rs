//! Compiles a file's text into a configuration, or lists all its mistakes. It works step by step, because lists of
//! users and networks can be long: a callback that checks for changes does a part of the work, and the next one continues.

use super::bundle::{digest, hash};
use super::candidate::{self, Allowed};
use super::file::{At, File};
use super::list_files::{self, Lines, ListFile, Lists};
use super::pools::Planned;
use super::read::unmarked;
use super::rules::{Context, compile};
use super::{Bundle, Config, ConfigErrors, Mistake, check, dashboard, fitness, pools, quotes, read, service, zone};
use crate::rules::Fault;
use crate::{Domains, Name};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// A text to compile.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Its name for messages.
    pub file: &'a str,
    /// The text.
    pub text: &'a str,
    /// The folder that relative paths are relative to.
    pub folder: &'a Path,
    /// The name of the computer that the configuration is for; empty if unknown.
    pub computer: &'a Name,
}

/// Reads, checks and compiles at once. `lists` returns the text of a file with a list, by its name in the file.
pub fn parse(
    source: &Source<'_>,
    lists: &mut dyn FnMut(&str) -> Result<String, String>,
) -> Result<Config, ConfigErrors> {
    let mut compiling = Compiling::new(source)?;
    loop {
        let mut budget = usize::MAX;
        match compiling.advance(&mut budget) {
            Progress::Wants(name, _) => {
                let text = lists(&name).map(|text| (digest(text.as_bytes()), text));
                let help = "the path is relative to the configuration's folder";
                compiling.provide(&name, text.map_err(|why| (why, help.to_owned())));
            }
            Progress::Later => {}
            Progress::Done => return compiling.finish(),
        }
    }
}

/// What to do next.
#[derive(Debug)]
pub(super) enum Progress {
    /// Provide the text of this file with a list.
    Wants(String, Lines),
    /// Continue.
    Later,
    /// Finish.
    Done,
}

/// How many mistakes in files with lists, or of entries that overlap, are listed at most; the others are counted.
pub(super) const MAX_WORDED: usize = 20;

/// A configuration being compiled.
#[derive(Debug)]
pub struct Compiling {
    raw: File,
    /// The mistakes in the file's form.
    form: Vec<Mistake>,
    mistakes: Vec<Mistake>,
    /// Mistakes that are only counted.
    more: usize,
    domains: Domains,
    zone: Option<TimeZone>,
    bundle: Bundle,
    folder: PathBuf,
    digests: BTreeMap<String, [u8; 32]>,
    /// Files that could not be read, or must not be.
    missing: HashSet<String>,
    lists: Lists,
    /// Mistakes say nothing about the lines of files.
    hides_lines: bool,
    pools: pools::Ids,
    /// The lists in order, and the one to compile next.
    order: Vec<List>,
    at: usize,
    within: Option<Within>,
}

/// A list: a group with its users, or a file with something else.
#[derive(Clone, Debug)]
enum List {
    Group(At<String>),
    File(ListFile),
}

/// How far a file was compiled.
#[derive(Clone, Copy, Debug, Default)]
struct Within {
    octet: usize,
    line: u32,
    /// It has a line that is a mistake.
    faulty: bool,
}

impl Compiling {
    /// Reads the file itself.
    pub fn new(source: &Source<'_>) -> Result<Self, ConfigErrors> {
        let text = unmarked(source.text);
        let read = read::read(text);
        let Some(raw) = read.file else { return Err(ConfigErrors::new(source.file, text, read.mistakes)) };
        let mut mistakes = Vec::new();
        let domains = check::domains(&raw, &mut mistakes).with_server(source.computer);
        let domains = match &raw.server.name {
            Some(name) => domains.with_server(&Name::new(name.get_ref())),
            None => domains,
        };
        let zone = raw.time_zone.as_ref().and_then(|name| match zone::zone(name.get_ref()) {
            Ok(zone) => Some(zone),
            Err((what, help)) => {
                mistakes.push(Mistake::at(name.span(), what, help));
                None
            }
        });
        let missing = check::network_lists(&raw, source.folder, &mut mistakes);
        let mut groups: Vec<_> = raw.groups.keys().cloned().collect();
        groups.sort_by_key(|name| name.span().start);
        let files = list_files::of(&raw).into_iter().map(List::File);
        let order = groups.into_iter().map(List::Group).chain(files).collect();
        let mut lists = Lists::default();
        lists.reservations.server = fitness::server_addresses(&raw, &mut mistakes);
        lists.reservations.of_configuration(&raw, &domains, &mut mistakes);
        let bundle = Bundle {
            file: source.file.into(),
            text: source.text.to_owned(),
            lists: BTreeMap::new(),
            computer: source.computer.clone(),
        };
        Ok(Self {
            form: read.mistakes,
            mistakes,
            more: 0,
            domains,
            zone,
            bundle,
            folder: source.folder.to_owned(),
            digests: BTreeMap::new(),
            missing,
            lists,
            hides_lines: false,
            pools: pools::ids(&raw),
            order,
            at: 0,
            within: None,
            raw,
        })
    }

    /// Allows no other lists than these, and says nothing about their lines. Call it before anything is compiled.
    pub(super) fn restrict(&mut self, allowed: &mut Allowed) {
        self.hides_lines = true;
        self.lists.reservations.own = Some(self.lists.reservations.reserved.clone());
        for (file, lines) in list_files::named(&self.raw) {
            if let Err((what, help)) = allowed.take(file.get_ref(), lines) {
                self.mistakes.push(Mistake::at(file.span(), what, help));
                self.missing.insert(file.get_ref().clone());
            }
        }
    }

    /// Compiles lists until the budget (octets of files) is used up.
    pub fn advance(&mut self, budget: &mut usize) -> Progress {
        while let Some(list) = self.order.get(self.at) {
            let file = match list {
                List::File(file) => Some(file.clone()),
                List::Group(name) => {
                    let members = self.raw.groups.get(name).and_then(|group| group.members_file.clone());
                    members.map(|path| ListFile { path, lines: Lines::Members })
                }
            };
            if self.within.is_none() {
                self.within = Some(Within::default());
                self.begin();
            }
            if let Some(file) = file.filter(|file| !self.missing.contains(file.path.get_ref()))
                && let Some(progress) = self.lines(&file, budget)
            {
                return progress;
            }
            self.within = None;
            self.at += 1;
        }
        Progress::Done
    }

    /// Begins the next list: what is in the configuration itself.
    fn begin(&mut self) {
        let Some(List::Group(name)) = self.order.get(self.at) else { return };
        let Some(group) = self.raw.groups.get(name) else { return };
        let pool = |pool: &Option<At<String>>| pool.as_ref().and_then(|pool| self.pools.get(pool.get_ref()).copied());
        self.lists.groups.group(name.get_ref(), [pool(&group.pool), pool(&group.ipv6_pool)]);
        for user in &group.users {
            if let Err((what, help)) = self.lists.groups.member(user.get_ref(), &self.domains) {
                self.mistakes.push(Mistake::at(user.span(), what, help));
            }
        }
    }

    /// Compiles the lines of a file. Returns what must be done before it can continue.
    fn lines(&mut self, file: &ListFile, budget: &mut usize) -> Option<Progress> {
        let path = file.path.get_ref();
        let Some(text) = self.bundle.lists.get(path) else { return Some(Progress::Wants(path.clone(), file.lines)) };
        let text = unmarked(text);
        let within = self.within.get_or_insert_default();
        while within.octet < text.len() {
            if *budget == 0 {
                return Some(Progress::Later);
            }
            let rest = &text[within.octet..];
            let end = rest.find('\n').map_or(rest.len(), |end| end + 1);
            within.octet += end;
            within.line += 1;
            *budget = budget.saturating_sub(end.max(file.lines.cost()));
            let Err((what, help)) = self.lists.line(file, &rest[..end], &self.domains) else { continue };
            let first = !std::mem::replace(&mut within.faulty, true);
            if self.hides_lines {
                // Not even how many: a candidate with a hundred guesses would learn how many of them are right.
                if first {
                    self.mistakes.push(candidate::list_does_not_fit(file));
                }
            } else if self.mistakes.len() < MAX_WORDED {
                let what = format!("{path}:{}: {what}", within.line);
                self.mistakes.push(Mistake::at(file.path.span(), what, help));
            } else {
                self.more += 1;
            }
        }
        None
    }

    /// Provides a file's text with its [`digest`], or why it cannot be read.
    pub fn provide(&mut self, name: &str, text: Result<([u8; 32], String), Fault>) {
        match text {
            Ok((digest, text)) => {
                self.digests.insert(name.to_owned(), digest);
                self.bundle.lists.insert(name.to_owned(), text);
            }
            Err((what, help)) => {
                for (file, _) in list_files::named(&self.raw).filter(|(file, _)| file.get_ref() == name) {
                    self.mistakes.push(Mistake::at(file.span(), what.clone(), help.clone()));
                }
                self.missing.insert(name.to_owned());
            }
        }
    }

    /// Provides a text that is there already; `None` is a mistake.
    pub(super) fn provide_text(&mut self, name: &str, text: Option<&String>, lines: Lines) {
        let missing = || (format!("the {} `{name}` is missing", lines.name()), String::new());
        self.provide(name, text.map(|text| (digest(text.as_bytes()), text.clone())).ok_or_else(missing));
    }

    /// Compiles the rest: rules and addresses.
    pub fn finish(self) -> Result<Config, ConfigErrors> {
        let ControlFlow::Continue(finished) = self.finish_while(&mut || ControlFlow::<Infallible>::Continue(()));
        finished
    }

    /// The same. Breaks if `goes_on` does, which is asked from time to time.
    pub(super) fn finish_while<B>(
        mut self,
        goes_on: &mut dyn FnMut() -> ControlFlow<B>,
    ) -> ControlFlow<B, Result<Config, ConfigErrors>> {
        let (raw, mut mistakes) = (&self.raw, self.mistakes);
        let groups = std::mem::take(&mut self.lists.groups).build();
        goes_on()?;
        let pool = |name: &str| self.pools.get(name).copied();
        let (lists, domains) = (&self.lists, &self.domains);
        let context = Context { groups: &groups, domains, zone: self.zone.as_ref(), lists, pools: &pool };
        let (rules, faults) = compile(&raw.rules, &raw.default, &context);
        mistakes.extend(faults);
        goes_on()?;
        let planned = pools::plan(raw, &self.pools, self.lists.reservations, goes_on)?;
        let Planned { plan: addresses, mistakes: faults, mut unworded } = planned;
        mistakes.extend(faults);
        check::require_time_zone(raw, &mut mistakes);
        check::reachable(raw, &mut mistakes);
        let ledger = check::ledger(raw, &self.folder, &mut mistakes);
        let journal = check::journal(raw, &self.folder, &mut mistakes);
        let deadline = check::deadline(raw, &mut mistakes);
        let service = service::service(raw, &self.folder, &ledger, &mut mistakes);
        let dashboard = dashboard::dashboard(raw.dashboard.as_ref(), &self.folder, &mut mistakes);
        check::server(raw, &mut mistakes);
        let text = unmarked(&self.bundle.text);
        for mistake in &mut mistakes {
            goes_on()?;
            // Whatever is wrong with it, its writer did not mean an escape.
            if let Some(escaped) = quotes::escaped(text, mistake.span.clone()) {
                *mistake = escaped;
            }
        }
        if !self.form.is_empty() {
            let read = read::read(text);
            let (all, rest) = (std::mem::take(&mut mistakes), std::mem::take(&mut unworded));
            for mistake in all {
                goes_on()?;
                if !read.follows(&mistake.span) {
                    mistakes.push(mistake);
                }
            }
            for span in rest {
                goes_on()?;
                if !read.follows(&span) {
                    unworded.push(span);
                }
            }
        }
        mistakes.append(&mut self.form);
        if !mistakes.is_empty() {
            let errors = ConfigErrors::new(&self.bundle.file.display().to_string(), text, mistakes);
            return ControlFlow::Continue(Err(errors.and_more(self.more + unworded.len())));
        }
        ControlFlow::Continue(Ok(Config {
            hash: hash(&self.bundle.text, self.digests.values()),
            server: raw.server.name.as_ref().map(|name| Name::new(name.get_ref())),
            bundle: self.bundle,
            domains: self.domains,
            groups,
            rules,
            addresses,
            reconnect: raw.limits.reconnect,
            zone: self.zone.unwrap_or(TimeZone::UTC),
            journal,
            ledger,
            durability: raw.journal.durability,
            deadline,
            when_unrecorded: raw.journal.when_unrecorded,
            service,
            dashboard,
        }))
    }
}
