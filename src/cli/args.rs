//! The arguments.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::provider_names;
use crate::{domain::Secret, provider::registry::default::NAME as DEFAULT_PROVIDER, report::Format, verdict::Shard};

/// Conformance harness for consumers of refund and chargeback webhooks.
///
/// Exit codes: 0 conformant, 1 not conformant, 2 usage or configuration error, 3 could not judge, 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "refundproof", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Show only what is wrong, and the verdict.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,

    /// When to use colours.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorWhen,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ColorWhen {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the certification.
    Certify(Box<Certify>),
    /// Check that the adapter works at all, step by step.
    Doctor(Doctor),
    /// List the requirements, or the built-in faults.
    List(List),
    /// Explain one requirement or fault: why, its source, real bugs it is about.
    Explain(Explain),
    /// Run one saved case on any target.
    Replay(Replay),
    /// Show a case as a timeline, or as commands to paste.
    Show(Show),
    /// Record what a target shows of the frozen sequences, or compare it with what it showed before.
    Snapshot(Snapshot),
    /// Put the reports of shards together into one.
    Merge(Merge),
    /// Check the digests of a report against itself and this suite.
    Verify(Verify),
    /// Make cases from a log of real webhooks, with everything personal in it replaced.
    Import(Import),
    /// Stand between a tunnel and a service, and write down the webhooks that go through.
    Record(Record),
    /// Write refundproof.toml and a piece of CI configuration.
    Init(Init),
}

#[derive(Clone, Debug, Args)]
pub(crate) struct TargetArgs {
    /// builtin:reference, builtin:fault/NAME, a refundproof.toml, or an http:// webhook URL with --state-url.
    #[arg(value_name = "TARGET")]
    pub(crate) target: Option<String>,

    /// A command that speaks the stdio transport, after `--`.
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,

    /// Where a webhook URL's service shows an order; {orderId} stands for its id.
    #[arg(long, value_name = "URL")]
    pub(crate) state_url: Option<String>,

    /// Where it is told of orders; without this the provider's order events introduce them.
    #[arg(long, value_name = "URL")]
    pub(crate) setup_url: Option<String>,

    /// What its deliveries are signed with; without one nothing is signed.
    #[arg(long, value_name = "SECRET")]
    pub(crate) secret: Option<Secret>,

    /// Send to other machines too.
    #[arg(long)]
    pub(crate) allow_remote: bool,

    /// The service runs already, perhaps in a debugger: it is neither started nor killed, answers have no time limit, and
    /// Enter is waited for before each delivery.
    #[arg(long)]
    pub(crate) attach: bool,

    /// How long the answer to a delivery is waited for before it is sent again. `acknowledges-in-time` measures what its provider
    /// allows, whatever this says.
    #[arg(long, value_name = "TIME", default_value = "3000ms", value_parser = parse_time)]
    answer_limit: std::time::Duration,

    /// Whether Enter is waited for before each delivery.
    #[arg(skip)]
    pub(crate) step: bool,
}

impl TargetArgs {
    /// How long the answer to a delivery is waited for; who looks at it in a debugger has all the time there is.
    pub(crate) fn answer_limit(&self) -> Option<std::time::Duration> {
        (!self.attach && !self.step).then_some(self.answer_limit)
    }
}

fn provider_help() -> String {
    format!("The provider whose events are sent: {}", provider_names().join(", "))
}

#[derive(Debug, Args)]
pub(crate) struct ProviderArgs {
    #[arg(long, value_name = "NAME", default_value = DEFAULT_PROVIDER, help = provider_help())]
    pub(crate) provider: String,

    /// A corpus folder instead of the embedded one, or a folder of imported cases, which `certify` plays beside the requirements.
    #[arg(long, value_name = "DIR")]
    pub(crate) corpus: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Certify {
    #[command(flatten)]
    pub(crate) target: TargetArgs,

    #[command(flatten)]
    pub(crate) provider: ProviderArgs,

    /// What cases are drawn from: a number, or `random`, which prints what it drew.
    #[arg(long, value_name = "N", default_value = "20241121", value_parser = parse_seed, allow_negative_numbers = true)]
    pub(crate) seed: Seed,

    /// Cases for each requirement [default: 100 in process; elsewhere, and with --budget, the 25 most telling of 100].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) cases: Option<u32>,

    /// How long cases are sent, for example 60s: those of all requirements in turn, the most telling first. What has not reached
    /// its floor then is not certified.
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with = "shard")]
    pub(crate) budget: Option<std::time::Duration>,

    /// Only requirements that fit this glob; may be given several times.
    #[arg(long, value_name = "GLOB")]
    pub(crate) only: Vec<String>,

    /// No requirements that fit this glob; may be given several times.
    #[arg(long, value_name = "GLOB")]
    pub(crate) skip: Vec<String>,

    /// Count a SHOULD as a MUST.
    #[arg(long)]
    pub(crate) strict: bool,

    /// An item of the provider's checklist that is knowingly left out; may be given several times.
    #[arg(long, value_name = "ITEM")]
    pub(crate) without: Vec<String>,

    /// All events are of the provider's live mode, where they say of which mode they are; for a target that is registered there.
    /// The frozen sequences are of the test mode and are left out.
    #[arg(long)]
    pub(crate) live_mode: bool,

    /// Workers, each with a target of its own [default: one for each core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,

    /// Certify again whenever the target changes; saved failing cases come first.
    #[arg(long, conflicts_with_all = ["shard", "attach", "write_known_failing"])]
    pub(crate) watch: bool,

    /// What --watch looks at, a file or a folder; may be given several times [default: where the target's files are].
    #[arg(long, value_name = "PATH", requires = "watch")]
    pub(crate) watch_path: Vec<PathBuf>,

    /// When the run ends at the latest, for example 60s or 5m.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) time_limit: Option<std::time::Duration>,

    /// How long an asynchronous target may take to show what it acknowledged.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = parse_time)]
    pub(crate) settle: std::time::Duration,

    /// How long an asynchronous target must stay right after the end of a case.
    #[arg(long, value_name = "TIME", default_value = "250ms", value_parser = parse_time)]
    pub(crate) quiet_time: std::time::Duration,

    /// Write a report as json, junit, markdown or html, for example html=report.html; may be given several times.
    #[arg(long, value_name = "FORMAT=PATH", value_parser = parse_report)]
    pub(crate) report: Vec<(Format, PathBuf)>,

    /// Where shrunk cases are saved.
    #[arg(long, value_name = "DIR", default_value = "refundproof-failures")]
    pub(crate) failures: PathBuf,

    /// Run only this part of the cases, for example 1/4; `refundproof merge` puts the reports together.
    #[arg(long, value_name = "K/N")]
    pub(crate) shard: Option<Shard>,

    /// The revision of the requirements; the newest if absent. `refundproof list` shows them.
    #[arg(long, value_name = "REV")]
    pub(crate) requirements: Option<u32>,

    /// What may fail for now, and why, and until when.
    #[arg(long, value_name = "FILE")]
    pub(crate) known_failing: Option<PathBuf>,

    /// Write what fails into such a file; reasons and dates that are in it already are kept.
    #[arg(long, value_name = "FILE", conflicts_with = "shard")]
    pub(crate) write_known_failing: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Snapshot {
    #[command(flatten)]
    pub(crate) target: TargetArgs,

    #[command(flatten)]
    pub(crate) provider: ProviderArgs,

    /// The revision of the requirements, which says which sequences there are; the newest if absent.
    #[arg(long, value_name = "REV")]
    pub(crate) requirements: Option<u32>,

    /// Where the snapshots lie, in insta's format.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,

    /// How long an asynchronous target may take to show what it acknowledged.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = parse_time)]
    pub(crate) settle: std::time::Duration,
}

#[derive(Debug, Args)]
pub(crate) struct Merge {
    /// The JSON reports of all shards.
    #[arg(value_name = "REPORT.json", required = true)]
    pub(crate) reports: Vec<PathBuf>,

    /// Write a report, for example json=report.json; may be given several times.
    #[arg(long, value_name = "FORMAT=PATH", value_parser = parse_report)]
    pub(crate) report: Vec<(Format, PathBuf)>,

    /// The list of known failures that the shards were run with.
    #[arg(long, value_name = "FILE")]
    pub(crate) known_failing: Option<PathBuf>,

    /// The corpus folder that the shards were run with, if it was not the embedded one.
    #[arg(long, value_name = "DIR")]
    pub(crate) corpus: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The JSON report.
    #[arg(value_name = "REPORT.json")]
    pub(crate) report: PathBuf,

    /// The corpus folder that was used, if it was not the embedded one.
    #[arg(long, value_name = "DIR")]
    pub(crate) corpus: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The folder in which the files are written.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,

    #[arg(long, value_name = "NAME", default_value = DEFAULT_PROVIDER, help = provider_help())]
    pub(crate) provider: String,

    /// The command that speaks the stdio transport, after `--`.
    #[arg(last = true, value_name = "COMMAND", conflicts_with_all = ["webhook_url", "state_url", "setup_url", "secret_env"])]
    pub(crate) command: Vec<String>,

    /// Where a service takes deliveries, for HTTP.
    #[arg(long, value_name = "URL", requires = "state_url")]
    pub(crate) webhook_url: Option<String>,

    /// Where it shows an order; {orderId} stands for its id.
    #[arg(long, value_name = "URL", requires = "webhook_url")]
    pub(crate) state_url: Option<String>,

    /// Where it is told of orders; without this the provider's order events introduce them.
    #[arg(long, value_name = "URL", requires = "webhook_url")]
    pub(crate) setup_url: Option<String>,

    /// The environment variable that holds the secret that deliveries are signed with.
    #[arg(long, value_name = "NAME", requires = "webhook_url")]
    pub(crate) secret_env: Option<String>,

    /// Which CI the configuration is for.
    #[arg(long, value_name = "CI")]
    pub(crate) ci: Option<Ci>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ci {
    /// A workflow in .github/workflows.
    Github,
    /// A file to include in .gitlab-ci.yml.
    Gitlab,
    /// Nothing.
    None,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) target: TargetArgs,

    #[command(flatten)]
    pub(crate) provider: ProviderArgs,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// The built-in faults instead of the requirements.
    #[arg(long)]
    pub(crate) faults: bool,

    /// The revision of the requirements; the newest if absent.
    #[arg(long, value_name = "REV", conflicts_with = "faults")]
    pub(crate) requirements: Option<u32>,

    #[command(flatten)]
    pub(crate) provider: ProviderArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A requirement or a fault.
    pub(crate) id: String,

    #[command(flatten)]
    pub(crate) provider: ProviderArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The case file.
    #[arg(value_name = "CASE.json")]
    pub(crate) case: PathBuf,

    #[command(flatten)]
    pub(crate) target: TargetArgs,

    /// Wait for Enter before each delivery, with no time limit on answers.
    #[arg(long)]
    pub(crate) step: bool,

    /// Run it so often, for cases that do not fail each time; the first failure ends it.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) times: u32,

    /// How long an asynchronous target may take to show what it acknowledged.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = parse_time)]
    pub(crate) settle: std::time::Duration,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The log: what `record` writes, a HAR file, bodies one after the other, or a folder of bodies.
    #[arg(value_name = "LOG")]
    pub(crate) log: PathBuf,

    /// The provider whose events are in it.
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: String,

    /// The folder that the cases are written into; it is made if it is not there.
    #[arg(long, value_name = "DIR", default_value = "refundproof-imported")]
    pub(crate) to: PathBuf,

    /// The format of the log, if it is not recognised: jsonl, har, bodies or folder.
    #[arg(long, value_name = "FORMAT", value_parser = parse_log_format)]
    pub(crate) format: Option<crate::import::Format>,

    /// How many orders that tell the same story become cases.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) alike: u32,

    /// What replacements of personal data follow from; drawn anew if absent. Who knows it could find out what was replaced.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Record {
    /// Where requests are taken, for example 127.0.0.1:4242.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: String,

    /// Where they are passed on to, for example http://127.0.0.1:3000.
    #[arg(long, value_name = "URL")]
    pub(crate) forward: String,

    /// The log; what is in it already stays.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The case file.
    #[arg(value_name = "CASE.json")]
    pub(crate) case: PathBuf,

    /// As commands to paste; WEBHOOK_URL names where to.
    #[arg(long)]
    pub(crate) curl: bool,

    /// The secret to sign with, for --curl; without one nothing is signed.
    #[arg(long, value_name = "SECRET", requires = "curl")]
    pub(crate) secret: Option<Secret>,
}

fn parse_log_format(text: &str) -> Result<crate::import::Format, String> {
    let formats = crate::import::FORMATS;
    let named = formats.iter().find(|(name, _)| *name == text).map(|(_, format)| *format);
    named.ok_or_else(|| format!("`{text}` is no format of logs; there are {}", formats.map(|(name, _)| name).join(", ")))
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Seed {
    Fixed(u64),
    Random,
}

fn parse_seed(text: &str) -> Result<Seed, String> {
    if text == "random" {
        return Ok(Seed::Random);
    }
    text.parse().map(Seed::Fixed).map_err(|_| "a seed is a whole number from 0 to 18446744073709551615, or `random`".to_owned())
}

/// Reads `500ms`, `60s`, `5m` or `1h`; a bare number is seconds.
pub(crate) fn parse_time(text: &str) -> Result<std::time::Duration, String> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let millis = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err("a time is a whole number with ms, s, m or h, for example 60s".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "a time is a whole number with ms, s, m or h, for example 60s".to_owned())?;
    number.checked_mul(millis).map(std::time::Duration::from_millis).ok_or_else(|| "that time is too long".to_owned())
}

fn parse_report(text: &str) -> Result<(Format, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or("a report is FORMAT=PATH, for example json=report.json")?;
    let format = Format::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
        format!("`{name}` is no report format; there are {}", known.join(", "))
    })?;
    if path.is_empty() {
        return Err("a report needs a path after the `=`".to_owned());
    }
    Ok((format, PathBuf::from(path)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_arguments_hold_together() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn times() {
        assert_eq!(parse_time("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(parse_time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_time("2"), Ok(Duration::from_secs(2)));
        for text in ["", "s", "1.5s", "-1s", "5 s", "99999999999999999999s", "99999999999999999h"] {
            assert!(parse_time(text).is_err(), "{text} was taken");
        }
    }
}
