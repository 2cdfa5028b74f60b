//! `rasadmin block`.

use crate::ask_service::Unanswered;
use crate::block_subject::{SubjectArguments, shown};
use crate::confirm::confirm;
use crate::context::{Context, ContextArguments, ZoneArguments};
use crate::disconnecting::{Target, disconnect};
use crate::error::{CommandError, Exit, Result};
use crate::filter::user_shown;
use crate::output::Output;
use crate::{reason, record, times, warning};
use clap::Args;
use rasadmin_engine::effect::{Block, BlockSubject};
use rasadmin_engine::event::BeginBlock;
use rasadmin_engine::state::{MAX_BLOCKS, Session};
use rasadmin_engine::{Event, InterfaceType, Millis, State};
use rasadmin_ledger::report::{Filter, Reader, UserFilter};

/// How many sessions that stay connected are named.
const NAMED: usize = 5;

/// Refuse a user or a computer before any rule
///
/// From its next call on, the DLL on this server refuses the user or computer, whatever the rules say. The block ends
/// at a time, or with `rasadmin unblock`. It survives restarts. Blocking somebody again replaces the block.
///
/// If the rasadmin service runs, it disconnects their sessions. Otherwise they stay connected until the DLL refuses
/// their next reauthentication, change of endpoint or further link, or until you start the service.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin block alice --reason 'left the company'
  rasadmin block 'PARTNER\\bob' --until '2026-12-01 08:00'
  rasadmin block --computer-account host/pc7.corp.example --until 7d
  rasadmin block --claimed-computer LAPTOP-7 --reason stolen")]
pub struct Arguments {
    #[command(flatten)]
    subject: SubjectArguments,
    /// When the block ends: `2026-12-01`, `2026-12-01 08:00`, or how long from now: `15m`, `8h`, `7d` [default: when it is
    /// lifted]
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// The reason, which logs and lists show
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    zone: ZoneArguments,
    #[command(flatten)]
    context: ContextArguments,
}

/// What came of it.
enum Outcome {
    /// Blocked. If there was an earlier block, this one replaces it. These sessions are live.
    Blocked { replaced: Option<Block>, live: Vec<Session> },
    /// There are too many blocks.
    Full,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.context.open()?.in_zone(&arguments.zone)?;
    let domains = &context.config.domains;
    let subject = arguments.subject.subject(domains)?;
    let until =
        arguments.until.as_deref().map(|until| times::parse_end(until, &context.zone, times::now())).transpose()?;
    let reason = arguments.reason.as_deref().map(reason::one_line).transpose()?;
    let mut tool = record::open(&context)?;
    // It fails before anything is changed if journal and ledger do not belong together.
    let ledger = context.reader_if_usable()?;
    let who = shown(&subject);
    let server = tool.state().server().clone();
    let ends = end(until, &context);
    confirm(&format!("Block {who} on {server} {ends}?"), arguments.yes, out)?;
    let by = rasadmin_rights::account_name();
    let asked = BeginBlock { subject: subject.clone(), until, reason: reason.clone(), by };
    match record::record(&mut tool, |state, now| look(state, now, &asked))? {
        Outcome::Full => Err(CommandError::usage(format!(
            "there are {MAX_BLOCKS} blocks, and no more are possible: nothing was changed"
        ))
        .hint("lift some with `rasadmin unblock`, or refuse many users with a rule")),
        Outcome::Blocked { replaced, live } => {
            if ledger.is_some() {
                record::bring_in_or_warn(&context);
            }
            writeln!(out, "{who} is blocked on {server} {ends}: new connections are refused")?;
            if let Some(replaced) = replaced {
                let since = times::show(replaced.since, &context.zone);
                writeln!(out, "this replaces the block since {since}, {}", end(replaced.until, &context))?;
            }
            // The service leaves routers alone too.
            let (clients, routers): (Vec<_>, Vec<_>) =
                live.iter().partition(|session| session.interface == InterfaceType::Client);
            let targets = |of: Vec<&Session>| -> Vec<Target> {
                of.into_iter().map(|session| Target::new(session, ledger.as_ref())).collect()
            };
            let clients = targets(clients);
            if let Some((unanswered, rest)) = disconnect(&clients, reason.as_deref(), &context, out)?.unanswered {
                let Unanswered { error, undone } = unanswered;
                say_who_stays(out, &context, rest, undone, &error.to_string())?;
            }
            say_who_stays(out, &context, &targets(routers), true, "a block disconnects no router")?;
            if let Some(uncertain) = arguments.subject.uncertain_domain(domains) {
                warning!("{uncertain}");
            }
            say_what_can_be_forged(out, &subject)?;
            if let Some(Err(error)) = ledger.map(|reader| say_if_unknown(&reader, &subject)) {
                warning!("cannot check whether the ledger knows {who}: {error}");
            }
            Ok(Exit::Success)
        }
    }
}

fn look(state: &State, now: Millis, asked: &BeginBlock) -> (Outcome, Option<Event>) {
    if !state.can_block(&asked.subject, now) {
        return (Outcome::Full, None);
    }
    let replaced = state.block(&asked.subject, now).cloned();
    let mut live: Vec<&Session> = state.live().filter(|session| session.is_of(&asked.subject)).collect();
    live.sort_unstable_by_key(|session| (session.began.mono, session.id));
    let live = live.into_iter().cloned().collect();
    (Outcome::Blocked { replaced, live }, Some(Event::BeginBlock(asked.clone())))
}

/// When a block ends, as the end of a sentence.
pub fn end(until: Option<Millis>, context: &Context) -> String {
    let zone = &context.zone;
    let ends = times::until(until, zone);
    if until.is_none() { ends } else { format!("{ends} ({})", zone.iana_name().unwrap_or("UTC")) }
}

/// Sessions that stay connected, or may stay if it is not `certain`.
fn say_who_stays(out: &mut Output, context: &Context, live: &[Target], certain: bool, why: &str) -> Result<()> {
    if live.is_empty() {
        return Ok(());
    }
    let since = |target: &Target| format!("{} (since {})", target.number, times::show(target.since, &context.zone));
    let mut named: Vec<String> = live.iter().take(NAMED).map(since).collect();
    let more = live.len() - named.len();
    if more > 0 {
        named.push(format!("{more} more"));
    }
    let (noun, stay, them) = match (live.len(), certain) {
        (1, true) => ("session", "stays", "it"),
        (1, false) => ("session", "may stay", "it"),
        (_, true) => ("sessions", "stay", "them"),
        (_, false) => ("sessions", "may stay", "them"),
    };
    writeln!(out, "{noun} {} {stay} connected: {why}; or disconnect {them} in RRAS's console", named.join(", "))
}

/// What a block of a computer cannot do.
fn say_what_can_be_forged(out: &mut Output, subject: &BlockSubject) -> Result<()> {
    match subject {
        BlockSubject::ClaimedComputer(_) => writeln!(
            out,
            "a client chooses the name that it claims: this does not stop a client that claims another name or none; \
             whether IKEv2 clients send one is not known"
        ),
        BlockSubject::User(user) if user.is_computer() => writeln!(
            out,
            "this concerns connections with the computer's own account (device tunnels); its users can still connect"
        ),
        BlockSubject::User(_) => Ok(()),
    }
}

/// A name that nobody has ever used may be mistyped.
fn say_if_unknown(reader: &Reader, subject: &BlockSubject) -> Result<()> {
    let BlockSubject::User(user) = subject else { return Ok(()) };
    let filter = UserFilter { domain: None, name: user.name.clone() };
    let known = reader.users(&Filter { user: Some(filter), ..Filter::default() })?;
    if known.iter().any(|of| of.domain == user.domain) {
        return Ok(());
    }
    let others: Vec<String> = known.iter().map(|of| user_shown(Some(&of.domain), Some(&of.name), &of.name)).collect();
    if others.is_empty() {
        warning!("the ledger has no connection of {user}, not even a refused one: check the name");
    } else {
        let others = others.join(", ");
        warning!("the ledger has no connection of {user}, but of {others}: check the domain");
    }
    Ok(())
}
