//! `refundproof snapshot`: a target's own states.

use std::{collections::BTreeMap, fs, io, io::Write, path::Path, sync::atomic::Ordering};

use super::{
    Exit, Stop,
    args::Snapshot,
    certify::{cannot_write, drawn_seed},
    files, interrupt,
    output::Output,
    provider, target,
    text::one_line,
};
use crate::{
    check::own::{Comparison, Difference, Update, compare},
    provider::{Provider, Registered, registered},
    report::{
        only_changes,
        style::{Tone, paint},
        terminal::diff_lines,
        visible,
    },
    run::{Options, own_states},
};

pub(super) fn run(args: &Snapshot, output: &mut Output) -> Result<Exit, Stop> {
    let provider = provider(&args.provider.provider, args.provider.corpus.as_deref())?;
    let factory = target::factory(&args.target, provider)?;
    let update = Update::from_environment(|name| std::env::var(name).ok()).map_err(Stop::usage)?;
    let there = read_folder(&args.dir)?;
    if provider.corpus().sequences().is_empty() {
        return Err(Stop::usage("this corpus has no frozen sequences, so there is nothing to record"));
    }
    if let Some(other) = whose(&there, provider) {
        let folder = args.dir.display();
        let name = provider.name();
        return Err(Stop::usage(format!(
            "{folder}: holds snapshots of {other}'s sequences; give --provider {other}, or another --dir for {name}"
        )));
    }
    provider.corpus().requirement_set(args.requirements).map_err(Stop::usage)?;
    let options = Options {
        revision: args.requirements,
        settle: args.settle,
        answer_limit: args.target.answer_limit(),
        salt: Some(drawn_seed()),
        ..Options::default()
    };
    let stop = interrupt::stop();
    let states = own_states(provider, &*factory, &options, &stop);
    if stop.load(Ordering::Relaxed) || states.as_ref().is_ok_and(|states| states.interrupted) {
        output.complain("interrupted; nothing was compared or written");
        return Ok(Exit::Interrupted);
    }
    let states = states.map_err(Stop::not_judged)?;
    if let (true, Some(why)) = (states.shown.is_empty(), states.left_out.values().next()) {
        return Err(Stop::not_judged(format!("no frozen sequence says anything of this target, for instance because {why}")));
    }
    let found = compare(&states.shown, &states.left_out, &there, update);
    carry_out(&args.dir, &found)?;
    let quiet = output.view().quiet;
    let out = output.out();
    if !quiet {
        let (name, version) = (visible(&states.introduction.name), visible(&states.introduction.version));
        writeln!(out, "target  {} {version}", paint(Tone::Strong, &name))?;
        if !states.left_out.is_empty() {
            let count = states.left_out.len();
            writeln!(out, "        {}", paint(Tone::Faint, &format!("{count} sequences say nothing of it and are left out")))?;
        }
    }
    report(out, &found, &args.dir, update)?;
    let fails = found.differences.values().any(Difference::fails);
    Ok(if fails { Exit::NotConformant } else { Exit::Conformant })
}

/// The other provider whose sequences most of these snapshots are of, if there is one.
fn whose(there: &BTreeMap<String, String>, provider: &dyn Provider) -> Option<&'static str> {
    let of = |provider: &dyn Provider| {
        let is_sequence = |file: &&String| provider.corpus().sequences().contains_key(file.split('.').next().unwrap_or_default());
        there.keys().filter(is_sequence).count()
    };
    let own = of(provider);
    // The other corpora need not be read where nothing is left for them.
    if own == there.len() {
        return None;
    }
    let others = registered().iter().map(Registered::embedded).filter(|other| other.name() != provider.name());
    let most = others.map(|other| (of(other), other.name())).max()?;
    (most.0 > own).then_some(most.1)
}

fn read_folder(folder: &Path) -> Result<BTreeMap<String, String>, Stop> {
    let fail = |path: &Path, error: &io::Error| Stop::usage(format!("{}: cannot be read: {error}", path.display()));
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(Stop::usage(format!("{}: is not a folder; --dir takes one, and makes it", folder.display())));
        }
        other => other.map_err(|error| fail(folder, &error))?,
    };
    let mut found = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(|error| fail(folder, &error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".snap") || name.ends_with(".snap.new") {
            found.insert(name, files::read_own(&path, files::SNAPSHOT).map_err(|error| fail(&path, &error))?);
        }
    }
    Ok(found)
}

fn carry_out(folder: &Path, found: &Comparison) -> Result<(), Stop> {
    if !found.write.is_empty() {
        fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
    }
    for (name, text) in &found.write {
        let path = folder.join(name);
        files::write_own(&path, text.as_bytes()).map_err(|error| cannot_write(&path, &error))?;
    }
    for name in &found.remove {
        let path = folder.join(name);
        fs::remove_file(&path).map_err(|error| cannot_write(&path, &error))?;
    }
    Ok(())
}

/// How many differences are shown line by line.
const MOST_DIFFS: usize = 5;

fn report(out: &mut dyn Write, found: &Comparison, folder: &Path, update: Update) -> Result<(), Stop> {
    let (mut recorded, mut differing) = (0, 0);
    for (name, difference) in &found.differences {
        let strong = paint(Tone::Strong, &one_line(name));
        match difference {
            Difference::Recorded => recorded += 1,
            Difference::New => writeln!(out, "{} {strong} has no snapshot yet", paint(Tone::Bad, "✗"))?,
            Difference::Differs(diff) | Difference::Rewritten(diff) => {
                match difference {
                    Difference::Rewritten(_) => writeln!(out, "{} {strong} written anew", paint(Tone::Odd, "!"))?,
                    _ => writeln!(out, "{} {strong} differs", paint(Tone::Bad, "✗"))?,
                }
                // One change tends to show in many sequences, in the same way.
                differing += 1;
                if differing <= MOST_DIFFS {
                    diff_lines(out, &only_changes(diff))?;
                }
            }
            Difference::Renamed(to) => {
                writeln!(
                    out,
                    "{} {strong} is what {} shows, so that was renamed; rename the file too",
                    paint(Tone::Bad, "✗"),
                    one_line(to)
                )?;
            }
            Difference::Orphaned => writeln!(out, "{} {strong} is of no sequence that there is; delete it", paint(Tone::Bad, "✗"))?,
            Difference::LeftOut(why) => {
                let why = visible(why);
                writeln!(out, "{} {strong} is no longer compared: {why}; delete it if that is meant", paint(Tone::Bad, "✗"))?;
            }
        }
    }
    if recorded > 0 {
        writeln!(out, "{} {recorded} recorded in {}", paint(Tone::Good, "✓"), one_line(&folder.display().to_string()))?;
    }
    if found.same > 0 {
        writeln!(out, "{} {} as recorded", paint(Tone::Good, "✓"), found.same)?;
    }
    let pending = found.differences.values().filter(|difference| matches!(difference, Difference::New | Difference::Differs(_))).count();
    if pending > 0 && update == Update::No {
        writeln!(out, "  nothing was written, because this is CI or INSTA_UPDATE says so; run it where files can be reviewed")?;
    } else if pending > 0 {
        writeln!(out, "  `cargo insta review` shows the .snap.new files; INSTA_UPDATE=always takes them without")?;
    }
    Ok(())
}
