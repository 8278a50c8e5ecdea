//! Generated pages of documentation, and whether they are up to date.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use anyhow::{Context, bail};
use refundproof::{
    corpus::bug_classes,
    provider::registered,
    reference::{FaultInfo, faults},
};

/// Writes docs/fault-bank.md, or says whether it is up to date.
pub(crate) fn write(root: &Path, only_check: bool) -> anyhow::Result<String> {
    let path = root.join("docs").join("fault-bank.md");
    let text = fault_bank();
    if only_check {
        if fs::read_to_string(&path).unwrap_or_default() != text {
            bail!("docs/fault-bank.md is out of date; run `cargo xtask docs`");
        }
        return Ok("docs/fault-bank.md is up to date".to_owned());
    }
    fs::create_dir_all(root.join("docs")).context("docs/")?;
    fs::write(&path, text).context("docs/fault-bank.md")?;
    Ok("docs/fault-bank.md written".to_owned())
}

fn fault_bank() -> String {
    let mut text = String::from(
        "# The fault bank\n\n<!-- Written by `cargo xtask docs`; do not edit. -->\n\nDeliberate faults of the reference implementation, by the class of real bugs that each mirrors and the requirement that catches\nit first. `refundproof certify --provider PROVIDER builtin:fault/NAME` shows one at work; where a provider\nis named, the mistake can be made with its events only.\n",
    );
    let mut by_class: BTreeMap<&str, Vec<&FaultInfo>> = BTreeMap::new();
    for fault in faults() {
        by_class.entry(fault.class).or_default().push(fault);
    }
    for class in bug_classes() {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n## {}\n\n{}\n\n", class.id, capitalised(&class.name));
        match by_class.get(class.id.as_str()) {
            None => text.push_str("No fault of this class is in the bank: it is about something that no delivery shows.\n"),
            Some(faults) => {
                text.push_str("| fault | requirement | what goes wrong | real bug |\n| --- | --- | --- | --- |\n");
                for fault in faults {
                    let link = fault.link.map_or(String::new(), |link| format!("[{}]({link})", short(link)));
                    let _ = writeln!(text, "| `{}` | {} | {} | {link} |", fault.name, requirements(fault), fault.story);
                }
            }
        }
    }
    text
}

/// The requirements that a fault is aimed at; the providers are named where not all of them have room for it.
fn requirements(fault: &FaultInfo) -> String {
    if fault.is_of_live_mode() {
        return "with `--live-mode`".to_owned();
    }
    let mut by_requirement: Vec<(&str, Vec<&str>)> = Vec::new();
    for provider in registered() {
        let Some(id) = fault.aimed_at(provider.name, provider.embedded().corpus()) else { continue };
        match by_requirement.iter_mut().find(|(known, _)| *known == id) {
            Some((_, providers)) => providers.push(provider.name),
            None => by_requirement.push((id, vec![provider.name])),
        }
    }
    let text = |(id, providers): &(&str, Vec<&str>)| {
        let of = if providers.len() == registered().len() { String::new() } else { format!(" ({})", providers.join(", ")) };
        format!("`{id}`{of}")
    };
    by_requirement.iter().map(text).collect::<Vec<_>>().join(", ")
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}

fn short(link: &str) -> &str {
    link.strip_prefix("https://github.com/").unwrap_or(link)
}
