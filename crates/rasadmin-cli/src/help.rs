//! The help of `rasadmin` itself: its commands in groups, on one screen.

use crate::Cli;
use clap::CommandFactory;
use std::fmt::Write;

/// The visible commands, by what people want to do. Those on one line belong together: the first says what they are
/// for.
const GROUPS: [(&str, &[&str]); 5] = [
    ("See", &["status", "top", "sessions", "addresses", "who-had", "user", "users", "usage", "report"]),
    ("Decide", &["explain", "decisions", "replay", "config"]),
    ("Change", &["block, unblock, blocks", "disconnect, close", "release", "purge, anonymise"]),
    (
        "Set up",
        &[
            "install",
            "uninstall",
            "service, metrics",
            "serve, dashboard",
            "ledger",
            "journal",
            "import, export",
            "completions",
        ],
    ),
    ("Develop", &["check", "host"]),
];

/// The command line's definition. Its short help is one screen of a Windows console; the long help has everything.
pub fn command() -> clap::Command {
    let command = Cli::command();
    let mut commands = String::new();
    for (title, names) in GROUPS {
        for (at, name) in names.iter().enumerate() {
            let title = if at == 0 { title } else { "" };
            let first = name.split(", ").next().unwrap_or_default();
            let about = command.find_subcommand(first).and_then(clap::Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(commands, "{title:<8} {name:<11}  {about}"); // To a String: cannot fail.
        }
    }
    let usage = "Usage: rasadmin COMMAND. `rasadmin help COMMAND` says more, with examples.";
    command.help_template(format!("{{about-with-newline}}{usage}\n{}{{after-help}}", commands.trim_end()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_command_is_in_one_group() {
        let mut grouped: Vec<&str> =
            GROUPS.iter().flat_map(|(_, names)| names.iter().flat_map(|names| names.split(", "))).collect();
        grouped.sort_unstable();
        let command = Cli::command();
        let mut visible: Vec<&str> =
            command.get_subcommands().filter(|c| !c.is_hide_set()).map(clap::Command::get_name).collect();
        visible.sort_unstable();
        assert_eq!(grouped, visible);
    }

    #[test]
    fn the_commands_fit_one_screen() {
        let help = command().term_width(80).render_help().to_string();
        assert!(help.lines().count() <= 29, "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
    }

    /// Text is wrapped to the terminal, except for examples and other lines that are printed as they are written.
    #[test]
    fn help_fits_80_columns() {
        fn look(command: &mut clap::Command, path: &str) {
            for text in [command.get_after_help(), command.get_after_long_help()].into_iter().flatten() {
                for line in text.to_string().lines() {
                    assert!(line.chars().count() <= 80 || path == "rasadmin", "{path}: {line}");
                }
            }
            // Options whose name is long leave little room beside them, so only the text below them is of this width.
            let help = command.clone().term_width(80).render_long_help().to_string();
            for line in help.lines().filter(|line| !line.trim_start().starts_with('-')) {
                assert!(line.chars().count() <= 80 || line.contains("Usage:"), "{path}: {line}");
            }
            for subcommand in command.get_subcommands_mut().filter(|c| !c.is_hide_set()) {
                let path = format!("{path} {}", subcommand.get_name());
                look(subcommand, &path);
            }
        }
        let mut command = Cli::command();
        command.build();
        look(&mut command, "rasadmin");
    }
}
