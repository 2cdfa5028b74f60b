//! `rasadmin completions`; and the man pages, which are made of the same definitions.

use crate::error::{CommandError, Exit, Result};
use crate::output::Output;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print the completions for a shell
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin completions bash > /etc/bash_completion.d/rasadmin
  rasadmin completions powershell >> $PROFILE")]
pub struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    // The generator panics if it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut crate::Cli::command(), "rasadmin", &mut script);
    out.bytes().write_all(&script).map_err(|e| CommandError::output(&e))?;
    Ok(Exit::Success)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};

    /// The man pages of the command and all its subcommands, by file name.
    fn pages() -> BTreeMap<String, String> {
        let mut pages = BTreeMap::new();
        let mut command = crate::Cli::command().disable_help_subcommand(true);
        command.build();
        add(&command, "rasadmin", &mut pages);
        pages
    }

    fn add(command: &clap::Command, name: &str, pages: &mut BTreeMap<String, String>) {
        let mut page = Vec::new();
        let named = command.clone().name(name.to_owned()).version(None::<&str>);
        let man = clap_mangen::Man::new(named).title(name).section("1").date("").source("rasadmin");
        man.render(&mut page).unwrap();
        // As git keeps it.
        pages.insert(format!("{name}.1"), String::from_utf8(page).unwrap().replace("\r\n", "\n"));
        for subcommand in command.get_subcommands().filter(|c| !c.is_hide_set() && c.get_name() != "help") {
            add(subcommand, &format!("{name}-{}", subcommand.get_name()), pages);
        }
    }

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/man")
    }

    #[test]
    fn the_man_pages_are_fresh() {
        let pages = pages();
        assert!(pages.len() > 20);
        if std::env::var_os("RASADMIN_BLESS").is_some() {
            let _ = std::fs::remove_dir_all(folder());
            std::fs::create_dir_all(folder()).unwrap();
            pages.iter().for_each(|(name, page)| std::fs::write(folder().join(name), page).unwrap());
        }
        let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let files: std::collections::BTreeSet<_> = files.collect();
        assert_eq!(files, pages.keys().cloned().collect(), "run `cargo xtask bless`");
        for (name, page) in &pages {
            let kept = std::fs::read_to_string(folder().join(name)).unwrap().replace("\r\n", "\n");
            assert!(kept == *page, "docs/man/{name} is stale: run `cargo xtask bless`");
        }
    }

    /// clap's own check of all definitions: names, defaults, conflicts.
    #[test]
    fn the_command_is_consistent() {
        crate::Cli::command().debug_assert();
    }

    /// Every subcommand says what it is for; one that prints data can print JSON.
    #[test]
    fn every_subcommand_is_described() {
        fn look(command: &clap::Command, path: &str) {
            for subcommand in command.get_subcommands().filter(|c| !c.is_hide_set()) {
                let path = format!("{path} {}", subcommand.get_name());
                assert!(subcommand.get_about().is_some(), "{path} does not say what it is for");
                let groups = subcommand.get_subcommands().next().is_some();
                let long = subcommand.get_after_long_help().map(ToString::to_string).unwrap_or_default();
                assert!(groups || long.contains("Example"), "{path} has no example");
                look(subcommand, &path);
            }
        }
        look(&crate::Cli::command(), "rasadmin");
    }

    #[test]
    fn every_shell_has_completions() {
        for shell in clap::ValueEnum::value_variants() {
            let mut out = Vec::new();
            clap_complete::generate(*<&Shell>::clone(&shell), &mut crate::Cli::command(), "rasadmin", &mut out);
            let out = String::from_utf8(out).unwrap();
            assert!(out.contains("who-had") && out.contains("anonymise"), "{shell}");
        }
    }
}
