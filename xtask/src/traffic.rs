//! `bench import`: how long the import of a large log takes, and how much memory beside that of a small one.
//!
//! The log is what the generator writes, as `refundproof record` would have written it down; it is made first, in a file that goes
//! away again. The import is this program in a process of its own.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
    process::Command,
    time::Instant,
};

use anyhow::{Context, ensure};
use refundproof::{
    import::{Import, LogLine, LoggedBody},
    plan::{Plan, Recipe, for_recipe},
    provider::{Provider, lower, named},
    run::sample,
};

/// Deliveries of the small log.
const FEW: u64 = 10_000;

/// Plans of each recipe; the orders of a log are theirs, over and over under other ids.
const PLANS: u64 = 50;

/// Imports a log of so many deliveries and a small one.
pub(crate) fn import(provider: &str, deliveries: u64) -> anyhow::Result<String> {
    let small = imported(provider, FEW)?;
    let large = imported(provider, deliveries)?;
    Ok(format!("{small}\n{large}"))
}

fn imported(provider: &str, deliveries: u64) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("webhooks.jsonl");
    write_log(named(provider).context("no such provider")?.embedded(), deliveries, &log)?;
    let size = fs::metadata(&log)?.len() >> 20;
    let output = Command::new(std::env::current_exe()?).args(["bench", "import-one", "--provider", provider]).arg(&log).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(format!("{deliveries} deliveries, {size} MB: {}", String::from_utf8_lossy(&output.stdout).trim()))
}

fn write_log(provider: &dyn Provider, deliveries: u64, to: &Path) -> anyhow::Result<()> {
    let recipes = [Recipe::Plain, Recipe::OutOfOrder, Recipe::MixedTraffic];
    let drawn = |recipe: Recipe| {
        let strategy = for_recipe(recipe, provider.palette());
        (0..PLANS).filter_map(move |seed| sample(&strategy, seed))
    };
    let plans: Vec<Plan> = recipes.into_iter().flat_map(drawn).collect();
    let mut log = BufWriter::new(File::create(to)?);
    let mut written = 0;
    for (serial, plan) in (1..).zip(plans.iter().cycle()) {
        for delivery in lower(provider, plan, serial).case.all_deliveries() {
            let headers = (*delivery.headers).clone();
            let body = Some(LoggedBody::of(delivery.body.bytes()));
            let line = LogLine { at: None, method: None, path: None, headers, body, status: Some(200) };
            serde_json::to_writer(&mut log, &line)?;
            log.write_all(b"\n")?;
            written += 1;
            if written == deliveries {
                return Ok(log.flush()?);
            }
        }
    }
    Ok(())
}

/// Imports a log, and says what that took.
pub(crate) fn import_one(provider: &str, log: &Path) -> anyhow::Result<String> {
    let provider = named(provider).context("no such provider")?.embedded();
    let started = Instant::now();
    let import = Import { provider, format: None, seed: 1, most_alike: 1 };
    let imported = import.run(log, &mut |_| {}, &mut |_| Ok(()))?;
    let took = started.elapsed();
    let rate = u128::from(imported.read) * 1000 / took.as_millis().max(1);
    Ok(format!(
        "{} used in {} orders, {} cases; {} ms, {rate} deliveries/s, peak memory {} MB",
        imported.used,
        imported.orders,
        imported.cases.len(),
        took.as_millis(),
        crate::table::peak_memory()? / 1024,
    ))
}
