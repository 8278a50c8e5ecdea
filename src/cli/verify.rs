//! `refundproof verify`: a report, checked offline.

use super::{Exit, Stop, args::Verify, files, output::Output, provider, text::one_line};
use crate::{
    report::{
        json,
        style::{Tone, paint},
    },
    run::record,
};

pub(super) fn run(args: &Verify, output: &mut Output) -> Result<Exit, Stop> {
    let name = args.report.display();
    let text = files::read_json(&args.report, files::REPORT).map_err(|error| Stop::usage(format!("{name}: cannot be read: {error}")))?;
    let report = json::read(&text).map_err(|problem| Stop::usage(format!("{name}: {problem}")))?;
    let written = serde_json::from_str(&text).map_err(|error| Stop::usage(format!("{name}: not JSON: {error}")))?;
    let provider = provider(&report.provider, args.corpus.as_deref())
        .map_err(|stop| Stop::usage(format!("{name}: field `provider`: {}", stop.message)))?;
    let checks = record::check(&report, &written, provider);
    let quiet = output.view().quiet;
    let out = output.out();
    let mut differing = 0;
    for check in &checks {
        if !check.holds() {
            differing += 1;
            let source = if check.is_of_the_report { "its content says" } else { "this suite says" };
            writeln!(out, "{} {}", paint(Tone::Bad, "✗"), paint(Tone::Strong, check.name))?;
            writeln!(out, "    the report says  {}", one_line(&check.stated))?;
            writeln!(out, "    {source:<16} {}", one_line(&check.found))?;
        } else if !quiet {
            writeln!(out, "{} {:<14} {}", paint(Tone::Good, "✓"), check.name, paint(Tone::Faint, &one_line(&check.found)))?;
        }
    }
    if differing == 0 {
        let (target, verdict) = (&report.target, report.verdict.as_str());
        let part = report.shard.as_ref().map(|shard| format!(", shard {shard}")).unwrap_or_default();
        let whose = one_line(&format!("{} {} for {}{part}", target.name, target.version, report.provider));
        writeln!(out, "{verdict}  {whose}; the record holds")?;
        return Ok(Exit::Conformant);
    }
    writeln!(out, "{differing} of {} checks fail; this is not what this suite wrote, or it was changed since", checks.len())?;
    Ok(Exit::NotConformant)
}
