//! `rasadmin config new`: a configuration from a few answers.

use crate::confirm::ask;
use crate::context::absolute;
use crate::error::{CommandError, Exit, Result};
use crate::output::{Output, note};
use clap::Args;
use rasadmin_policy::config;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::path::{Path, PathBuf};

/// Make a configuration from a few answers
///
/// On a terminal, asks for everything that no option gives. Without a terminal, leaves it out. The result is checked
/// before it is written, and an existing file is never overwritten. `examples/rasadmin.toml` explains every key.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin config new
  rasadmin config new --one-session --no-pptp --time-zone Europe/Berlin \\
      --domain CORP --output rasadmin.toml")]
pub struct Arguments {
    /// Write to this file; `-` prints it [default: the file that the DLL on this computer reads]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The time zone of office hours and quotas: `Europe/Berlin`
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// The domain of users whose name has none
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// Allow each user one session at a time
    #[arg(long)]
    one_session: bool,
    /// Allow only SSTP and IKEv2
    #[arg(long)]
    no_pptp: bool,
    /// Give everyone an address of this network: `10.20.16.0/24`
    #[arg(long, value_name = "NETWORK")]
    pool: Option<String>,
    /// Allow only users of this domain
    #[arg(long, value_name = "DOMAIN")]
    only_domain: Option<String>,
    /// Do not ask, even on a terminal
    #[arg(long)]
    no_questions: bool,
}

/// What the configuration is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Answers {
    time_zone: Option<String>,
    domain: Option<String>,
    one_session: bool,
    modern_tunnels: bool,
    pool: Option<String>,
    only_domain: Option<String>,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let asks = !arguments.no_questions && std::io::stdin().is_terminal();
    let output = match &arguments.output {
        Some(path) if path.as_os_str() == "-" => None,
        Some(path) => Some(new_file(path)?),
        None => {
            let folder = rasadmin_system::places::data_folder().unwrap_or_default();
            Some(new_file(&folder.join("rasadmin.toml"))?)
        }
    };
    let mut answers = Answers {
        time_zone: arguments.time_zone,
        domain: arguments.domain,
        one_session: arguments.one_session,
        modern_tunnels: arguments.no_pptp,
        pool: arguments.pool,
        only_domain: arguments.only_domain,
    };
    if asks {
        ask_for(&mut answers)?;
    }
    let text = write(&answers);
    let shown = output.as_deref().unwrap_or(Path::new("rasadmin.toml"));
    let none = &mut |_: &str| Err("there is none".to_owned());
    config::parse(&shown.display().to_string(), &text, shown.parent().unwrap_or(Path::new("")), none)
        .map_err(|errors| CommandError::usage(format!("these answers make an invalid configuration:\n{errors}")))?;
    let Some(path) = output else {
        write!(out, "{text}")?;
        return Ok(Exit::Success);
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| CommandError::file(folder, e))?;
    }
    let written = std::fs::File::create_new(&path).and_then(|mut file| {
        // What is half written must not stay.
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).inspect_err(|_| {
            let _ = std::fs::remove_file(&path); // The first error is the one to report.
        })
    });
    written.map_err(|e| CommandError::file(&path, format!("it cannot be written: {e}")))?;
    writeln!(out, "{}: written and checked", path.display())?;
    writeln!(out, "\nnext: rasadmin explain --config {} --user SOMEBODY", path.display())?;
    Ok(Exit::Success)
}

fn ask_for(answers: &mut Answers) -> Result<()> {
    note(format_args!("A configuration for rasadmin. Press Enter for the answer in brackets.\n"));
    if answers.domain.is_none() {
        answers.domain = text("The NetBIOS name of your domain, for users whose name arrives without one [none]:")?;
    }
    if answers.time_zone.is_none() {
        answers.time_zone = text("Your time zone, like Europe/Berlin, for office hours and quotas [none]:")?;
    }
    if answers.only_domain.is_none() && answers.domain.is_some() && yes("Deny everybody who is not of that domain?")? {
        answers.only_domain.clone_from(&answers.domain);
    }
    answers.modern_tunnels = answers.modern_tunnels || yes("Allow only SSTP and IKEv2?")?;
    answers.one_session = answers.one_session || yes("Allow each user one session at a time?")?;
    if answers.pool.is_none() {
        let question = "A network for the users' addresses, like 10.20.16.0/24, apart from RRAS's own [RRAS's own]:";
        answers.pool = text(question)?;
    }
    Ok(())
}

fn text(question: &str) -> Result<Option<String>> {
    Ok(Some(ask(question)?).filter(|answer| !answer.is_empty()))
}

fn yes(question: &str) -> Result<bool> {
    Ok(text(&format!("{question} [no]:"))?.is_some_and(|answer| answer.to_ascii_lowercase().starts_with('y')))
}

/// A file that must not exist yet.
fn new_file(path: &Path) -> Result<PathBuf> {
    let path = absolute(path)?;
    if path.exists() {
        return Err(CommandError::file(&path, "it exists already, and is not overwritten: name another file"));
    }
    Ok(path)
}

/// A TOML string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c)); // To a String: cannot fail.
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn write(answers: &Answers) -> String {
    let mut text = String::from(
        "# The configuration of rasadmin.dll. A change is in force within a second; a mistake never stops the VPN.\n\
         # `rasadmin config check` says whether it is valid, `rasadmin explain` what it would decide.\n",
    );
    let mut line = |line: String| {
        text += &line;
        text.push('\n');
    };
    line(String::new());
    if let Some(zone) = &answers.time_zone {
        line(format!("time_zone = {}", quoted(zone)));
    }
    if let Some(domain) = &answers.domain {
        line(format!("default_domain = {}", quoted(domain)));
    }
    let default = if answers.only_domain.is_some() { "deny" } else { "allow" };
    line(format!("default.action = \"{default}\""));
    if answers.pool.is_some() {
        line("addresses.pool = \"everybody\"".to_owned());
    }
    if answers.modern_tunnels {
        line(
            "\n[[rules]]\nname = \"only SSTP and IKEv2\"\naction = \"deny\"\ntunnels = [\"L2TP\", \"PPTP\"]".to_owned(),
        );
    }
    if answers.one_session {
        line("\n# A client that was cut off and comes back from the same computer is let in.".to_owned());
        line("[[rules]]\nname = \"one session per user\"\naction = \"deny\"".to_owned());
        line("user_sessions = { at_least = 1 }".to_owned());
    }
    if let Some(domain) = &answers.only_domain {
        let users = quoted(&format!("{domain}\\*"));
        line(format!(
            "\n[[rules]]\nname = {}\naction = \"allow\"\nusers = [{users}]",
            quoted(&format!("users of {domain}"))
        ));
    }
    if let Some(pool) = &answers.pool {
        line(
            "\n# Keep it apart from RRAS's own pool, which must still cover all clients, and route it to this server."
                .to_owned(),
        );
        line(format!("[pools.everybody]\naddresses = [{}]", quoted(pool)));
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// All answers make a valid configuration, or an error says what is wrong.
    #[test]
    fn all_answers_make_a_valid_configuration() {
        for bits in 0..64_u8 {
            let on = |bit: u8| bits >> bit & 1 == 1;
            let answers = Answers {
                time_zone: on(0).then(|| "Europe/Berlin".to_owned()),
                domain: on(1).then(|| "CORP".to_owned()),
                one_session: on(2),
                modern_tunnels: on(3),
                pool: on(4).then(|| "10.20.16.0/24".to_owned()),
                only_domain: on(5).then(|| "CORP".to_owned()),
            };
            let text = write(&answers);
            let parsed = config::parse("f", &text, Path::new("/f"), &mut |_| Err("none".into()));
            let config = parsed.unwrap_or_else(|errors| panic!("{errors}\n{text}"));
            assert_eq!(config.addresses.pools.len(), usize::from(on(4)));
            assert_eq!(config.rules.len(), usize::from(on(2)) + usize::from(on(3)) + usize::from(on(5)));
        }
    }

    #[test]
    fn what_is_typed_stays_text() {
        assert_eq!(quoted("a\"b\\c\n"), r#""a\"b\\c\u000A""#);
        let hostile = Answers { domain: Some("x\"\naction = \"allow".to_owned()), ..Answers::default() };
        let parsed = config::parse("f", &write(&hostile), Path::new("/f"), &mut |_| Err("none".into()));
        assert!(parsed.is_ok_and(|config| config.rules.is_empty() && config.server.is_none()), "one odd name, no key");
    }
}
