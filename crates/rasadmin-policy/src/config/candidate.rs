//! Compiles a candidate: a text that may replace a configuration. It comes from somebody who must not make this process
//! read files, so it has the lists of the configuration in force, and no others.

use super::compile::{Compiling, Progress, Source};
use super::list_files::{self, Lines, ListFile};
use super::paths::folder;
use super::read::{read, unmarked};
use super::{Bundle, Config, ConfigErrors, Mistake};
use std::collections::HashMap;
use std::ops::ControlFlow;

/// How many octets of lists are compiled before the next look at whether to continue.
const AT_ONCE: usize = 256 * 1024;

/// How many times as much of lists a candidate may use as the configuration in force: a short text can name a long list
/// a thousand times.
const TIMES: usize = 4;

/// The octets of lists that a candidate may always use.
const ALWAYS: usize = 1024 * 1024;

/// Why a candidate was not compiled.
#[derive(Debug)]
pub enum NotCompiled {
    /// It has mistakes.
    Mistakes(ConfigErrors),
    /// It was to stop.
    Stopped,
}

/// The mistake that lines of a list in force are mistakes with this candidate. It says nothing about the lines: the process
/// that tries a candidate may not be allowed to read them.
pub(super) fn list_does_not_fit(file: &ListFile) -> Mistake {
    let what =
        format!("the {} `{}`, as it is in force, does not fit this candidate", file.lines.name(), file.path.get_ref());
    let help = "`rasadmin config check` shows the lines to those who may read the file";
    Mistake::at(file.path.span(), what, help)
}

/// What a candidate may use of lists in files.
#[derive(Debug)]
pub(super) struct Allowed {
    /// The lists by their names in the file, with what their lines are, and their lengths in octets.
    lists: HashMap<(String, Lines), usize>,
    /// The octets of all uses together.
    octets: usize,
}

impl Allowed {
    fn of(bundle: &Bundle) -> Self {
        let (mut lists, mut octets) = (HashMap::new(), 0_usize);
        if let Some(file) = read(unmarked(&bundle.text)).file {
            for (name, lines) in list_files::named(&file) {
                let Some(text) = bundle.lists.get(name.get_ref()) else { continue };
                lists.insert((name.get_ref().clone(), lines), text.len());
                octets += text.len();
            }
        }
        Self { lists, octets: octets.saturating_mul(TIMES).max(ALWAYS) }
    }

    /// Takes one use of a list.
    ///
    /// # Errors
    /// What is wrong with it, and how to correct it.
    pub fn take(&mut self, name: &str, lines: Lines) -> Result<(), (String, &'static str)> {
        let kind = lines.name();
        let Some(octets) = self.lists.get(&(name.to_owned(), lines)) else {
            let what = format!("the configuration in force has no {kind} `{name}`, and a candidate can use no others");
            return Err((what, "name a file exactly as the configuration in force does, or list the entries here"));
        };
        let Some(left) = self.octets.checked_sub(*octets) else {
            let what = format!("the {kind} `{name}` is used too often");
            return Err((what, "use long lists about as often as the configuration in force does"));
        };
        self.octets = left;
        Ok(())
    }
}

impl Bundle {
    /// Compiles another text with this configuration's lists, as they are here. No file is read: a list that this
    /// configuration does not have, or has for something else, is a mistake. `file` is the text's name for messages.
    /// `goes_on` is asked from time to time.
    ///
    /// # Errors
    /// If the text has mistakes, or `goes_on` says no.
    pub fn compile_candidate(
        &self,
        file: &str,
        text: &str,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<Config, NotCompiled> {
        let source = Source { file, text, folder: &folder(&self.file), computer: &self.computer };
        let mut compiling = Compiling::new(&source).map_err(NotCompiled::Mistakes)?;
        compiling.restrict(&mut Allowed::of(self));
        while goes_on() {
            let mut budget = AT_ONCE;
            match compiling.advance(&mut budget) {
                Progress::Wants(name, lines) => compiling.provide_text(&name, self.lists.get(&name), lines),
                Progress::Later => {}
                Progress::Done => {
                    let mut step = || if goes_on() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
                    return match compiling.finish_while(&mut step) {
                        ControlFlow::Continue(compiled) => compiled.map_err(NotCompiled::Mistakes),
                        ControlFlow::Break(()) => Err(NotCompiled::Stopped),
                    };
                }
            }
        }
        Err(NotCompiled::Stopped)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::path::Path;

    const IN_FORCE: &str = r#"
        default_domain = "CORP"
        default.action = "allow"
        [groups.staff]
        members_file = "staff.txt"
        [[rules]]
        name = "office"
        action = "allow"
        source_networks_file = "office.txt"
    "#;

    fn in_force(staff: &str) -> Bundle {
        let mut lists = |name: &str| {
            Ok(match name {
                "staff.txt" => staff.to_owned(),
                _ => "192.0.2.0/24\n".to_owned(),
            })
        };
        crate::config::parse("/etc/r.toml", IN_FORCE, Path::new("/etc"), &mut lists).unwrap().bundle
    }

    fn mistakes(bundle: &Bundle, text: &str) -> Vec<String> {
        match bundle.compile_candidate("c", text, &mut || true) {
            Err(NotCompiled::Mistakes(errors)) => errors.mistakes().iter().map(|found| found.what.clone()).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_text_in_force_gives_the_configuration_in_force() {
        let bundle = in_force("alice\n");
        let config = bundle.compile_candidate("c", IN_FORCE, &mut || true).unwrap();
        assert_eq!((config.bundle.lists, config.hash), (bundle.lists.clone(), bundle.compile().unwrap().hash));
    }

    /// The folder has such a file, and it is not read.
    #[test]
    fn a_list_that_is_not_in_force_is_a_mistake_and_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret.txt"), "a\\b\\c").unwrap();
        let bundle = Bundle { file: folder.path().join("r.toml"), ..in_force("alice\n") };
        let absolute = folder.path().join("secret.txt").display().to_string();
        for name in ["secret.txt", "./staff.txt", "../staff.txt", "office.txt", &absolute] {
            let text = format!("default_domain = 'CORP'\ndefault.action = 'deny'\ngroups.x.members_file = '{name}'\n");
            let found = mistakes(&bundle, &text);
            let expected = format!("the configuration in force has no members file `{name}`");
            assert!(found.len() == 1 && found[0].starts_with(&expected), "{found:?}");
        }
    }

    /// Otherwise its mistakes would show the lines of a list.
    #[test]
    fn a_list_is_used_only_for_what_it_is() {
        let text = "default_domain = 'CORP'\ndefault.action = 'deny'\naddresses.reservations_file = 'staff.txt'\n";
        let found = mistakes(&in_force("alice\n"), text);
        assert!(found.len() == 1 && found[0].contains("no file of reservations `staff.txt`"), "{found:?}");
    }

    #[test]
    fn a_long_list_cannot_be_used_a_thousand_times() {
        let long: String = (0..20_000).map(|user| format!("user-with-a-name-{user:05}\n")).collect();
        let groups = |count: usize| {
            let one = |at| format!("groups.g{at}.members_file = 'staff.txt'\n");
            "default_domain = 'CORP'\ndefault.action = 'deny'\n".to_owned() + &(0..count).map(one).collect::<String>()
        };
        let bundle = in_force(&long);
        bundle.compile_candidate("c", &groups(4), &mut || true).unwrap();
        let found = mistakes(&bundle, &groups(100));
        assert!(found[0].contains("`staff.txt` is used too often"), "{found:?}");
    }

    /// With a file of reservations and one of members.
    fn with_reservations() -> Bundle {
        let text = "default_domain = 'CORP'\ndefault.action = 'allow'\naddresses.reservations_file = 'res.txt'\n\
            groups.staff.members_file = 'staff.txt'\n[pools.p]\naddresses = ['10.20.0.0/16']\n";
        let mut lists = |name: &str| {
            let text = if name == "res.txt" { "alice,10.20.16.9\nbob,10.20.16.10\n" } else { "alice\n" };
            Ok(text.to_owned())
        };
        crate::config::parse("/etc/r.toml", text, Path::new("/etc"), &mut lists).unwrap().bundle
    }

    /// The reader of the mistakes may not be allowed to read the lists.
    #[test]
    fn mistakes_of_a_candidate_say_nothing_about_the_lines_of_lists() {
        let begin = "default_domain = 'CORP'\ndefault.action = 'deny'\naddresses.reservations_file = 'res.txt'\n";
        let general = "the file of reservations `res.txt`, as it is in force, does not fit this candidate";
        let guesses: Vec<_> = (0..250).map(|at| format!("'10.20.16.{at}'")).collect();
        let reserve = |user: &str, address: &str| format!("[[reservations]]\nuser = '{user}'\naddress = '{address}'\n");
        let pool = |at: u32| format!("[pools.p{at}]\naddresses = ['10.20.16.{at}']\n");
        for guess in [
            format!("server.addresses = [{}]\n", guesses.join(",")),
            reserve("carol", "10.20.16.9"),
            reserve("carol", "10.20.16.9") + &reserve("dave", "10.20.16.10"),
            reserve("alice", "10.20.16.99"),
            // A pool of one address would say whether that one is reserved.
            pool(8) + &pool(9) + &pool(10) + &pool(11),
        ] {
            let text = format!("{begin}{guess}");
            let Err(NotCompiled::Mistakes(errors)) = with_reservations().compile_candidate("c", &text, &mut || true)
            else {
                panic!("{guess}")
            };
            let found: Vec<_> = errors.mistakes().iter().map(|found| found.what.as_str()).collect();
            assert_eq!((found, errors.more()), (vec![general], 0), "{guess}");
            assert_eq!(errors.position(&errors.mistakes()[0]), (3, 31));
        }
        // Lines that are valid in force may be none with other domains.
        let mut bundle = with_reservations();
        bundle.lists.insert("staff.txt".to_owned(), "CORP\\\nCORP\\secret\\\n".to_owned());
        let found = mistakes(&bundle, "default.action = 'deny'\ngroups.x.members_file = 'staff.txt'\n");
        assert_eq!(found, ["the members file `staff.txt`, as it is in force, does not fit this candidate"]);
    }

    /// What is wrong in its own text comes as usual.
    #[test]
    fn a_candidate_learns_everything_about_its_own_entries() {
        let text = "default_domain = 'CORP'\ndefault.action = 'deny'\naddresses.reservations_file = 'res.txt'\n\
            [pools.p]\naddresses = ['10.1.0.1']\n[[reservations]]\nuser = 'carol'\naddress = '10.1.0.1'\n\
            [[reservations]]\nuser = 'dave'\naddress = '10.1.0.1'\n";
        let found = mistakes(&with_reservations(), text);
        assert_eq!(found, ["nothing is left of the pool `p`", "10.1.0.1 is reserved twice"]);
    }

    #[test]
    fn it_stops_in_the_middle_of_the_last_part_too() {
        let pools: String = (0..100).map(|at| format!("[pools.p{at}]\naddresses = ['10.1.{at}.0/24']\n")).collect();
        let text = format!("default_domain = 'CORP'\ndefault.action = 'deny'\n{pools}");
        let mut all = 0;
        let mut count = || {
            all += 1;
            true
        };
        in_force("alice\n").compile_candidate("c", &text, &mut count).unwrap();
        assert!(all > 200, "{all}");
        for most in [1, 2, 50, 150, all - 1] {
            let stopped = in_force("alice\n").compile_candidate("c", &text, &mut counted(most));
            assert!(matches!(stopped, Err(NotCompiled::Stopped)), "{most}: {stopped:?}");
        }
    }

    /// Goes on so many times.
    fn counted(most: usize) -> impl FnMut() -> bool {
        let mut asked = 0;
        move || {
            asked += 1;
            asked <= most
        }
    }

    #[test]
    fn it_stops_when_it_has_to() {
        let stopped = in_force("alice\n").compile_candidate("c", IN_FORCE, &mut || false);
        assert!(matches!(stopped, Err(NotCompiled::Stopped)), "{stopped:?}");
    }
}
