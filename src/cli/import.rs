//! `refundproof import`.

use std::{fs, io, io::Write, path::Path};

use super::{Exit, Stop, args, certify::drawn_seed, files, output::Output, provider, text::one_line};
use crate::{
    case::Case,
    import::{Import, ImportError, Imported, Told},
    report::{
        many,
        style::{Tone, paint},
    },
};

/// How many characters of a title stand in the name of its file.
const LONGEST_NAME: usize = 60;

pub(super) fn run(args: &args::Import, output: &mut Output) -> Result<Exit, Stop> {
    let provider = provider(&args.provider, None)?;
    let to = &args.to;
    if to.exists() && !to.is_dir() {
        return Err(Stop::usage(format!("{}: is not a folder; --to takes one, and makes it", to.display())));
    }
    let quiet = output.view().quiet;
    let import = Import { provider, format: args.format, seed: args.seed.unwrap_or_else(drawn_seed), most_alike: u64::from(args.alike) };
    let mut written: Vec<String> = Vec::new();
    let imported = {
        let out = std::cell::RefCell::new(output.out());
        let mut tell = |told: Told| {
            let (word, line) = match told {
                Told::Unused { .. } | Told::Note { .. } if quiet => return,
                Told::Unused { place, why } => ("not used".to_owned(), format!("{place}: {why}")),
                Told::Finding { place, what } => (paint(Tone::Bad, "finding "), format!("{place}: {what}")),
                Told::Note { order, what } => ("note    ".to_owned(), format!("order {order}: {what}")),
            };
            // Standard output takes everything.
            let _ = writeln!(out.borrow_mut(), "{word}  {}", one_line(&line));
        };
        let mut take = |case: Case| {
            let name = format!("{:04}-{}.json", written.len() + 1, file_name(&case.title));
            save(to, &name, &case)?;
            written.push(name);
            Ok(())
        };
        import.run(&args.log, &mut tell, &mut take)
    };
    let imported = imported.map_err(|error| match error {
        ImportError::Io(error) => Stop::usage(format!("{}: cannot be imported: {error}", args.log.display())),
        other => Stop::usage(format!("{}: {other}", args.log.display())),
    })?;
    summary(&imported, &written, to, output.out())?;
    if imported.cases.is_empty() {
        return Err(Stop::not_judged(format!(
            "{}: no order of {} could be rebuilt; nothing was written",
            args.log.display(),
            args.provider
        )));
    }
    Ok(if imported.findings > 0 { Exit::NotConformant } else { Exit::Conformant })
}

fn save(folder: &Path, name: &str, case: &Case) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let path = folder.join(name);
    files::write_own(&path, case.to_json().as_bytes()).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}

fn summary(imported: &Imported, written: &[String], to: &Path, out: &mut dyn Write) -> io::Result<()> {
    for (name, (title, orders)) in written.iter().zip(&imported.cases) {
        let stands = many(*orders, "order", "orders");
        writeln!(out, "{}", one_line(&format!("{}  {stands}: {title}", to.join(name).display())))?;
    }
    let Imported { read, used, unused, findings, orders, with_order, .. } = imported;
    let left_out = if *with_order == 0 { String::new() } else { format!(", {with_order} of orders that were left out") };
    writeln!(out, "read      {read} deliveries: {used} in {orders} orders, {unused} not used{left_out}; {findings} findings")?;
    let replaced: Vec<String> = imported.replaced.iter().map(|(kind, count)| format!("{count} {}", kind.words(*count))).collect();
    let replaced = if replaced.is_empty() { "nothing personal was met".to_owned() } else { replaced.join(", ") };
    writeln!(out, "replaced  {replaced}; headers but content-type are left out; amounts, currencies and times are as they were")
}

/// The beginning of a title as the name of a file.
fn file_name(title: &str) -> String {
    let story = title.trim_start_matches("from real traffic: ");
    let mut name = String::new();
    for word in story.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if name.len() + 1 + word.len() >= LONGEST_NAME {
            break;
        }
        if !name.is_empty() {
            name.push('-');
        }
        name.push_str(&word.to_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_called_after_their_story() {
        let title = "from real traffic: a part is refunded, a refund fails after it was paid back, all is refunded; ends refunded";
        assert_eq!(file_name(title), "a-part-is-refunded-a-refund-fails-after-it-was-paid-back");
        assert_eq!(file_name("../../etc/passwd"), "etc-passwd");
    }
}
