//! `refundproof list` and `refundproof explain`.

use std::io::Write;

use super::{
    Exit, Stop,
    args::{Explain, List},
    output::Output,
    provider,
};
use crate::{
    corpus::{RequirementText, bug_classes},
    domain::did_you_mean,
    provider::Provider,
    reference::{FaultInfo, faults},
    report::style::{Tone, paint, wrap},
};

pub(super) fn list(args: &List, output: &mut Output) -> Result<Exit, Stop> {
    let provider = provider(&args.provider.provider, args.provider.corpus.as_deref())?;
    let columns = output.view().columns;
    let out = output.out();
    if args.faults {
        for (fault, id) in aimed(provider) {
            writeln!(out, "{}  {}", paint(Tone::Strong, fault.name), paint(Tone::Faint, id))?;
            for line in wrap(fault.story, columns.saturating_sub(4)) {
                writeln!(out, "    {line}")?;
            }
        }
        return Ok(Exit::Conformant);
    }
    let set = provider.corpus().requirement_set(args.requirements).map_err(Stop::usage)?;
    let mut item = "";
    for (_, requirement) in &set.requirements {
        if requirement.item != item {
            item = &requirement.item;
            writeln!(out, "{}", paint(Tone::Strong, item))?;
        }
        write!(out, "  {:<41} {}", requirement.id, requirement.level.as_str())?;
        if requirement.recipe.is_none() {
            write!(out, "  {}", paint(Tone::Faint, "(not judged yet)"))?;
        }
        writeln!(out)?;
    }
    let revisions = provider.corpus().revisions.iter().map(|revision| revision.number.to_string()).collect::<Vec<_>>().join(", ");
    writeln!(out, "{}", paint(Tone::Faint, &format!("revision {} of {revisions}", set.revision)))?;
    Ok(Exit::Conformant)
}

pub(super) fn explain(args: &Explain, output: &mut Output) -> Result<Exit, Stop> {
    let provider = provider(&args.provider.provider, args.provider.corpus.as_deref())?;
    let columns = output.view().columns;
    let out = output.out();
    if let Some(requirement) = provider.corpus().requirements.iter().find(|requirement| requirement.id == args.id) {
        let caught: Vec<&str> = aimed(provider).filter(|(_, id)| *id == requirement.id).map(|(fault, _)| fault.name).collect();
        explain_requirement(out, requirement, &caught, columns)?;
        return Ok(Exit::Conformant);
    }
    let name = args.id.strip_prefix("builtin:fault/").unwrap_or(&args.id);
    if let Some(fault) = faults().iter().find(|fault| fault.name == name) {
        explain_fault(out, fault, provider, columns)?;
        return Ok(Exit::Conformant);
    }
    let near =
        provider.corpus().requirements.iter().map(|requirement| requirement.id.as_str()).chain(faults().iter().map(|fault| fault.name));
    let hint = did_you_mean(&args.id, near);
    Err(Stop::usage(format!("`{}` is neither a requirement nor a fault{hint} (`refundproof list` and `list --faults` show them)", args.id)))
}

/// The faults that the reference can have with this provider, each with the requirement that it is aimed at.
fn aimed(provider: &dyn Provider) -> impl Iterator<Item = (&'static FaultInfo, &'static str)> {
    faults().iter().filter_map(|fault| Some((fault, fault.aimed_at(provider.name(), provider.corpus())?)))
}

fn explain_requirement(out: &mut dyn Write, requirement: &RequirementText, caught: &[&str], columns: usize) -> std::io::Result<()> {
    writeln!(out, "{}  {}", paint(Tone::Strong, &requirement.id), requirement.level.as_str())?;
    paragraph(out, "shows", &requirement.shows, columns)?;
    paragraph(out, "why", &requirement.why, columns)?;
    paragraph(out, "ground", requirement.ground.meaning(), columns)?;
    paragraph(out, "source", &requirement.source(), columns)?;
    if !requirement.needs.is_empty() {
        paragraph(
            out,
            "needs",
            &format!("the capability {}", requirement.needs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
            columns,
        )?;
    }
    if !requirement.events.is_empty() {
        paragraph(out, "events", &format!("a subscription to {}", requirement.events.join(" or ")), columns)?;
    }
    match &requirement.recipe {
        Some(_) => paragraph(out, "floor", &format!("{} % of its cases must reach what it is about", requirement.floor), columns)?,
        None => paragraph(out, "floor", "not judged by this version", columns)?,
    }
    if !caught.is_empty() {
        paragraph(out, "faults", &caught.join(", "), columns)?;
    }
    writeln!(out, "  {}", paint(Tone::Faint, "real bugs"))?;
    for id in &requirement.bugs {
        if let Some(class) = bug_classes().iter().find(|class| class.id == *id) {
            for line in wrap(&format!("{} ({})", class.name, class.id), columns.saturating_sub(4)) {
                writeln!(out, "    {line}")?;
            }
            for link in class.links.iter().take(4) {
                writeln!(out, "      {link}")?;
            }
        }
    }
    Ok(())
}

fn explain_fault(out: &mut dyn Write, fault: &FaultInfo, provider: &dyn Provider, columns: usize) -> std::io::Result<()> {
    writeln!(out, "{}", paint(Tone::Strong, &format!("builtin:fault/{}", fault.name)))?;
    paragraph(out, "story", fault.story, columns)?;
    match fault.aimed_at(provider.name(), provider.corpus()) {
        Some(id) => paragraph(out, "caught by", id, columns)?,
        None if fault.is_of_live_mode() && provider.mode_member().is_some() => {
            paragraph(out, "caught by", "state requirements of a run with --live-mode, and of no other", columns)?;
        }
        None => paragraph(out, "caught by", &format!("nothing: events of {} do not show this mistake", provider.name()), columns)?,
    }
    if let Some(class) = bug_classes().iter().find(|class| class.id == fault.class) {
        paragraph(out, "class", &format!("{} ({})", class.name, class.id), columns)?;
    }
    if let Some(link) = fault.link {
        writeln!(out, "  {:<10} {link}", "mirrors")?;
    }
    Ok(())
}

fn paragraph(out: &mut dyn Write, label: &str, text: &str, columns: usize) -> std::io::Result<()> {
    for (number, line) in wrap(text, columns.saturating_sub(13)).iter().enumerate() {
        let label = if number == 0 { label } else { "" };
        writeln!(out, "  {} {line}", paint(Tone::Faint, &format!("{label:<10}")))?;
    }
    Ok(())
}
