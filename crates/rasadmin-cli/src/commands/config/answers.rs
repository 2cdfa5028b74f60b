//! The answers of which `rasadmin config new` makes a configuration, and the questions for them.

use crate::confirm::ask;
use crate::error::Result;
use crate::output::note;
use rasadmin_policy::config::{self, ConfigErrors};
use std::fmt::Write;
use std::path::Path;

/// What the configuration is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    pub time_zone: Option<String>,
    pub domain: Option<String>,
    pub one_session: bool,
    pub modern_tunnels: bool,
    pub pool: Option<String>,
    pub only_domain: Option<String>,
}

impl Answers {
    /// The configuration's text.
    pub fn text(&self) -> String {
        write(self)
    }

    /// What is wrong with the configuration. `file`: its name, for messages.
    pub fn check(&self, file: &Path) -> std::result::Result<(), ConfigErrors> {
        let none = &mut |_: &str| Err("there is none".to_owned());
        config::parse(&file.display().to_string(), &self.text(), file.parent().unwrap_or(Path::new("")), none)
            .map(|_| ())
    }

    /// The options whose values are wrong, each with what is wrong with it.
    pub fn wrong_options(&self) -> Vec<String> {
        let only = [
            ("--time-zone", Self { time_zone: self.time_zone.clone(), ..Self::default() }),
            ("--domain", Self { domain: self.domain.clone(), ..Self::default() }),
            ("--only-domain", Self { only_domain: self.only_domain.clone(), ..Self::default() }),
            ("--pool", Self { pool: self.pool.clone(), ..Self::default() }),
        ];
        let wrong = only.iter().filter_map(|(option, answers)| Some(format!("{option}: {}", answers.wrong()?)));
        wrong.chain(self.other_domain()).collect()
    }

    /// Users whose name arrives without a domain would be denied, all of them.
    fn other_domain(&self) -> Option<String> {
        let (domain, only) = self.domain.as_ref().zip(self.only_domain.as_ref())?;
        (!domain.eq_ignore_ascii_case(only)).then(|| {
            format!(
                "--only-domain: `{only}` is not the domain of users without one, `{domain}`; give both options the same \
                 name, and list the domain's other names under [domains] in the file"
            )
        })
    }

    /// What is wrong, in one line; None if nothing is.
    fn wrong(&self) -> Option<String> {
        let errors = self.check(Path::new("answers")).err()?.to_string();
        // The file does not exist yet, so a line and a column would not help the reader.
        let first = errors.lines().next().unwrap_or_default();
        let what = first.strip_prefix("answers").unwrap_or(first);
        let what = what.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit()).trim_start();
        let help = errors.lines().find_map(|line| line.trim_start().strip_prefix("help: "));
        Some(help.map_or_else(|| what.to_owned(), |help| format!("{what}; {help}")))
    }

    /// The options that were not used.
    pub fn left_out(&self) -> Vec<&'static str> {
        let given = [
            ("--domain", self.domain.is_some()),
            ("--time-zone", self.time_zone.is_some()),
            ("--only-domain", self.only_domain.is_some()),
            ("--no-pptp", self.modern_tunnels),
            ("--one-session", self.one_session),
            ("--pool", self.pool.is_some()),
        ];
        given.iter().filter(|(_, given)| !given).map(|(option, _)| *option).collect()
    }

    /// Asks for everything that is not known. A wrong answer is asked again, and the others are kept.
    pub fn ask(&mut self) -> Result<()> {
        note(format_args!("A configuration for rasadmin. Press Enter for the answer in brackets.\n"));
        self.ask_with(&mut ask, &mut |wrong| note(format_args!("  {wrong}")))
    }

    /// `ask` answers a question, `say` tells the person what is wrong with an answer.
    fn ask_with(&mut self, ask: Ask<'_>, say: Say<'_>) -> Result<()> {
        if self.domain.is_none() {
            let question = "The NetBIOS name of your domain, for users whose name arrives without one";
            let of = |domain| Self { domain: Some(domain), ..Self::default() };
            self.domain = text(ask, say, question, "none", &of)?;
        }
        if self.time_zone.is_none() {
            let of = |zone| Self { time_zone: Some(zone), ..Self::default() };
            self.time_zone =
                text(ask, say, "Your time zone for office hours and quotas, like Europe/Berlin", "none", &of)?;
        }
        if self.only_domain.is_none()
            && self.domain.is_some()
            && yes(ask, say, "Deny everybody who is not of that domain?")?
        {
            self.only_domain.clone_from(&self.domain);
        }
        self.modern_tunnels = self.modern_tunnels || yes(ask, say, "Allow only SSTP and IKEv2?")?;
        self.one_session = self.one_session || yes(ask, say, "Allow each user one session at a time?")?;
        if self.pool.is_none() {
            let question = "A network for the users' addresses, apart from RRAS's own, like 10.20.16.0/24";
            let of = |pool| Self { pool: Some(pool), ..Self::default() };
            self.pool = text(ask, say, question, "RRAS's own", &of)?;
        }
        Ok(())
    }
}

type Ask<'a> = &'a mut dyn FnMut(&str) -> Result<String>;
type Say<'a> = &'a mut dyn FnMut(&str);

/// An answer that makes a valid configuration; None for the one in brackets.
fn text(
    ask: Ask<'_>,
    say: Say<'_>,
    question: &str,
    default: &str,
    of: &dyn Fn(String) -> Answers,
) -> Result<Option<String>> {
    loop {
        let answer = ask(&format!("{question} [{default}]:"))?;
        // Some type what they read.
        let answer = answer.trim_matches(['"', '\'', '`', ',', ' ']).to_owned();
        if answer.is_empty() || answer.eq_ignore_ascii_case(default) {
            return Ok(None);
        }
        match of(answer.clone()).wrong() {
            None => return Ok(Some(answer)),
            Some(wrong) => say(&wrong),
        }
    }
}

fn yes(ask: Ask<'_>, say: Say<'_>, question: &str) -> Result<bool> {
    loop {
        match ask(&format!("{question} [no]:"))?.to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(true),
            "" | "n" | "no" => return Ok(false),
            _ => say("answer yes or no"),
        }
    }
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

    /// Asks with these answers; what came of it, and the questions.
    fn asked(answers: &[&str]) -> (Answers, Vec<String>) {
        let (answers, questions, _) = asked_and_said(answers);
        (answers, questions)
    }

    /// The same, and what was said of wrong answers.
    fn asked_and_said(answers: &[&str]) -> (Answers, Vec<String>, Vec<String>) {
        let mut all = Answers::default();
        let (mut questions, mut said) = (Vec::new(), Vec::new());
        let mut rest = answers.iter();
        let mut next = |question: &str| {
            questions.push(question.to_owned());
            Ok((*rest.next().unwrap_or_else(|| panic!("no answer to {question}"))).to_owned())
        };
        all.ask_with(&mut next, &mut |wrong| said.push(wrong.to_owned())).unwrap();
        assert_eq!(rest.next(), None, "{questions:#?}");
        (all, questions, said)
    }

    #[test]
    fn a_wrong_answer_is_asked_again_and_the_others_are_kept() {
        let all = ["CORP", "Berlin", "Europe/Berlin,", "perhaps", "yes", "Y", "no", "10.20.16", "10.20.16.0/24"];
        let (answers, questions, said) = asked_and_said(&all);
        let expected = Answers {
            time_zone: Some("Europe/Berlin".to_owned()),
            domain: Some("CORP".to_owned()),
            one_session: false,
            modern_tunnels: true,
            pool: Some("10.20.16.0/24".to_owned()),
            only_domain: Some("CORP".to_owned()),
        };
        assert_eq!(answers, expected);
        assert_eq!(questions[1], questions[2]);
        let expected = [
            "there is no time zone `Berlin`; write an IANA name, like `Europe/Berlin`",
            "answer yes or no",
            "`10.20.16` is not a valid IPv4 address; write it like 10.20.16.9",
        ];
        assert_eq!(said, expected);
        answers.check(Path::new("f")).unwrap();
    }

    #[test]
    fn an_answer_can_be_what_stands_in_brackets() {
        let (answers, _) = asked(&["none", "None", "no", "n", "RRAS's own"]);
        assert_eq!(answers, Answers::default());
    }

    /// What a question gives as an example is an answer.
    #[test]
    fn the_examples_of_the_questions_are_valid() {
        let (_, questions) = asked(&["", "", "", "", ""]);
        let examples: Vec<_> = questions
            .iter()
            .filter_map(|question| question.split_once("like ")?.1.split_once(" [").map(|(example, _)| example))
            .collect();
        assert_eq!(examples.len(), 2, "{questions:#?}");
        let (answers, _) = asked(&["", examples[0], "", "", examples[1]]);
        assert_eq!(answers.time_zone.as_deref(), Some(examples[0]));
        assert_eq!(answers.pool.as_deref(), Some(examples[1]));
    }

    #[test]
    fn a_wrong_option_is_named() {
        let wrong =
            Answers { time_zone: Some("Berlin".to_owned()), pool: Some("10.20.16".to_owned()), ..Answers::default() };
        assert_eq!(
            wrong.wrong_options(),
            [
                "--time-zone: there is no time zone `Berlin`; write an IANA name, like `Europe/Berlin`",
                "--pool: `10.20.16` is not a valid IPv4 address; write it like 10.20.16.9"
            ]
        );
        assert_eq!(wrong.left_out(), ["--domain", "--only-domain", "--no-pptp", "--one-session"]);
    }

    #[test]
    fn what_is_typed_stays_text() {
        assert_eq!(quoted("a\"b\\c\n"), r#""a\"b\\c\u000A""#);
        let hostile = Answers { domain: Some("x\"\naction = \"allow".to_owned()), ..Answers::default() };
        let parsed = config::parse("f", &write(&hostile), Path::new("/f"), &mut |_| Err("none".into()));
        assert!(parsed.is_ok_and(|config| config.rules.is_empty() && config.server.is_none()), "one odd name, no key");
    }
}
