//! The command line: the only room that knows arguments, standard streams, files to write and exit codes.
//!
//! Source: `docs/reports.md`, "Command line".

mod args;
mod certify;
mod doctor;
mod files;
mod github;
mod import;
mod init;
mod interrupt;
mod known;
mod list;
mod merge;
mod output;
mod record;
mod replay;
mod snapshot;
mod target;
mod target_file;
mod text;
mod verify;
mod watch;

use std::{path::Path, process::ExitCode};

use clap::{Parser, error::ErrorKind};

use args::{Cli, Command};
use output::Output;
pub use target_file::target_file_schema;

use crate::{
    adapter::{adopt_orphans, clean_up},
    corpus::Files,
    provider::{Provider, named, registered, registry::default::NAME as DEFAULT_PROVIDER},
};

/// How the program ends (`docs/reports.md`, "Exit codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Conformant.
    Conformant,
    /// A MUST failed, a snapshot differs, a known failure passed or failed differently, a floor was not reached.
    NotConformant,
    /// The arguments, or a file that they name, cannot be used.
    Usage,
    /// The target could not be started or reached, its adapter failed, or time ran out.
    NotJudged,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The code.
    pub fn code(self) -> u8 {
        match self {
            Exit::Conformant => 0,
            Exit::NotConformant => 1,
            Exit::Usage => 2,
            Exit::NotJudged => 3,
            Exit::Interrupted => 130,
        }
    }
}

/// Something that ends the program with one line on standard error.
#[derive(Debug)]
pub(crate) struct Stop {
    exit: Exit,
    message: String,
}

impl Stop {
    fn usage(message: impl ToString) -> Stop {
        Stop { exit: Exit::Usage, message: message.to_string() }
    }

    fn not_judged(message: impl ToString) -> Stop {
        Stop { exit: Exit::NotJudged, message: message.to_string() }
    }
}

impl From<std::io::Error> for Stop {
    /// Only what a report is made of gets here: standard output takes everything, and files say their names themselves.
    fn from(error: std::io::Error) -> Stop {
        Stop::not_judged(format!("the report could not be made: {error}"))
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    quiet_target_panics();
    adopt_orphans();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    let mut output = Output::new(cli.color, cli.quiet);
    if is_without_command() {
        // With a variable that is empty the built-in reference would be certified in place of what somebody wrote.
        output.complain("nothing follows `--`; name the command that starts the target, or leave `--` out");
        return ExitCode::from(Exit::Usage.code());
    }
    let only_shows = matches!(cli.command, Command::List(_) | Command::Explain(_) | Command::Show(_));
    let result = match cli.command {
        Command::Certify(args) => certify::run(*args, &mut output),
        Command::Doctor(args) => doctor::run(&args, &mut output),
        Command::List(args) => list::list(&args, &mut output),
        Command::Explain(args) => list::explain(&args, &mut output),
        Command::Replay(args) => replay::replay(&args, &mut output),
        Command::Show(args) => replay::show(&args, &mut output),
        Command::Snapshot(args) => snapshot::run(&args, &mut output),
        Command::Merge(args) => merge::run(&args, &mut output),
        Command::Verify(args) => verify::run(&args, &mut output),
        Command::Import(args) => import::run(&args, &mut output),
        Command::Record(args) => record::run(&args, &mut output),
        Command::Init(args) => init::run(&args, &mut output),
    };
    let exit = result.unwrap_or_else(|stop| {
        output.complain(&stop.message);
        stop.exit
    });
    let _nothing_starts_now = clean_up();
    let is_shown = output.end();
    // A closed pipe (`| head`) is how people stop reading. The verdict stands in any case; a command that has none and could
    // not show what it was asked for has done nothing.
    let exit = if only_shows && exit == Exit::Conformant && !is_shown && !output.is_closed() { Exit::NotJudged } else { exit };
    ExitCode::from(exit.code())
}

/// Whether `--` announces a command and none comes.
fn is_without_command() -> bool {
    let args: Vec<_> = std::env::args_os().collect();
    args.iter().position(|arg| arg == "--").is_some_and(|place| place + 1 == args.len())
}

/// Says what is wrong with the arguments in one line, or what they ask for (`--help`).
fn misused(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // In colours.
        let _ = error.print();
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Usage.code()));
    }
    // What somebody put into an argument must not command a terminal or a CI server. The same mistake is made once more with
    // arguments in which everything is to be seen, so that their line ends and those of the message are not confused.
    let args: Vec<String> = std::env::args_os().map(|arg| text::one_line(&arg.to_string_lossy())).collect();
    let shown = Cli::try_parse_from(args).err();
    let text = shown.as_ref().unwrap_or(error).render().to_string();
    Output::new(args::ColorWhen::Auto, false).complain(&on_one_line(&text));
    ExitCode::from(Exit::Usage.code())
}

/// The paragraphs of a message about arguments as one line, without the usage, which `--help` shows.
fn on_one_line(text: &str) -> String {
    let is_said = |line: &&str| !line.is_empty() && !["Usage:", "For more information"].iter().any(|start| line.starts_with(start));
    let mut told = String::new();
    for line in text.lines().map(str::trim).filter(is_said) {
        match line.strip_prefix("tip: ") {
            Some(tip) => told.push_str(&format!("; {tip}")),
            None => told.push_str(&format!(" {line}")),
        }
    }
    format!("{}; try '--help'", told.trim().trim_start_matches("error: "))
}

/// A panic of an in-process target is a finding and is reported as one; its trace would only be noise.
fn quiet_target_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !crate::drive::is_in_target() {
            usual(info);
        }
    }));
}

/// What providers are called.
fn provider_names() -> Vec<&'static str> {
    registered().iter().map(|provider| provider.name).collect()
}

/// What a command that is shown has to say of its provider.
fn provider_option(provider: &str) -> String {
    if provider == DEFAULT_PROVIDER { String::new() } else { format!(" --provider {provider}") }
}

/// The provider of this name, with the embedded corpus or one from a folder.
fn provider(name: &str, corpus: Option<&Path>) -> Result<&'static dyn Provider, Stop> {
    let Some(registered) = named(name) else {
        return Err(Stop::usage(format!("provider `{name}` is unknown; there is {}", provider_names().join(" and "))));
    };
    // Imported cases stand beside the embedded corpus.
    let Some(folder) = corpus.filter(|folder| !certify::holds_imported(folder, name)) else { return Ok(registered.embedded()) };
    let inner = folder.join(name);
    let (own, above) = if inner.is_dir() { (inner.as_path(), folder.parent()) } else { (folder, folder.parent().and_then(Path::parent)) };
    let snapshots = above.map(|above| above.join("snapshots").join(name));
    for folder in [Some(own), snapshots.as_deref()].into_iter().flatten().filter(|folder| folder.is_dir()) {
        let checked = files::check_tree(folder);
        checked.map_err(|(path, error)| Stop::usage(format!("{}: cannot be read: {error}", path.display())))?;
    }
    let files = Files::from_dir(folder, name).map_err(Stop::usage)?;
    // One for the whole run of the program.
    registered.load(&files).map(Box::leak).map(|provider| &*provider).map_err(Stop::usage)
}

/// The provider as it sends from its live mode, if that is asked for.
fn in_mode(provider: &'static dyn Provider, live_mode: bool) -> Result<&'static dyn Provider, Stop> {
    if !live_mode {
        return Ok(provider);
    }
    // One for the whole run of the program.
    provider.in_live_mode().map(Box::leak).map(|live| &*live).ok_or_else(|| {
        let name = provider.name();
        Stop::usage(format!(
            "--live-mode, or `live_mode` in the target file: events of {name} do not say of which mode they are; leave it out"
        ))
    })
}
