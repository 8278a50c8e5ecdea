//! The developer's commands.
//!
//! `cargo xtask corpus extract` makes the corpus from the source documents, `corpus generate` freezes new
//! sequences, `corpus check` says whether everything holds together.

mod api;
mod attribution;
mod bench;
mod boundaries;
mod check;
mod dependencies;
mod docs;
mod extract;
mod generate;
mod mutants;
mod schemas;
mod sequences;
mod story;
mod survivors;
mod table;
mod traffic;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;
use refundproof::provider::registry::default::NAME as DEFAULT_PROVIDER;

/// What is measured here is measured as the program does it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Makes and checks the corpus")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the listing of the public API, docs/public-api.txt.
    Api {
        /// Only say whether it is up to date.
        #[arg(long)]
        check: bool,
    },
    /// Make, freeze or check what is in corpus/ and snapshots/.
    Corpus {
        #[command(subcommand)]
        command: Corpus,
    },
    /// Measure.
    Bench {
        #[command(subcommand)]
        command: Bench,
    },
    /// Say how well a run tells the mistakes of a target apart, and write it into docs/attribution/.
    Attribution {
        /// The provider.
        #[arg(long, default_value = DEFAULT_PROVIDER)]
        provider: String,
        /// Cases for each requirement.
        #[arg(long, default_value_t = 50)]
        cases: u32,
        /// What they, and the pairs and triples, are drawn from.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many pairs of faults.
        #[arg(long, default_value_t = 300)]
        pairs: usize,
        /// How many triples.
        #[arg(long, default_value_t = 100)]
        triples: usize,
        /// With how many seeds single faults are certified, to see whether their findings keep their ids.
        #[arg(long, default_value_t = 10)]
        seeds: u64,
        /// Only say whether the page is what is measured now.
        #[arg(long)]
        check: bool,
    },
    /// Say whether a provider is named outside its rooms.
    Boundaries,
    /// Say what depending on the library costs, whether each dependency is used, and under which licences they come.
    Dependencies,
    /// Write the generated pages of docs/.
    Docs {
        /// Only say whether they are up to date.
        #[arg(long)]
        check: bool,
    },
    /// Run every deliberate fault and print how well the requirements find them.
    Mutants {
        /// The provider.
        #[arg(long, default_value = DEFAULT_PROVIDER)]
        provider: String,
        /// Cases for each fault.
        #[arg(long, default_value_t = 64)]
        cases: u32,
        /// What they are drawn from.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Print what all cases and those that are chosen find and cost, side by side, with so many seeds.
        #[arg(long, value_name = "SEEDS", conflicts_with_all = ["cases", "seed"])]
        side_by_side: Option<u64>,
    },
    /// Say whether the list of mutants of the harness that survive fits the code and what cargo-mutants found.
    Survivors {
        /// The folder `mutants.out` of a run.
        found: Option<PathBuf>,
    },
    /// Write the JSON Schemas into schemas/.
    Schemas {
        /// Only say whether they are up to date.
        #[arg(long)]
        check: bool,
    },
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// How fast deliveries are sent over HTTP, beside what wrk reaches.
    Http {
        /// Connections of each.
        #[arg(long, default_value_t = 8)]
        connections: usize,
        /// How long each runs at a time, in seconds.
        #[arg(long, default_value_t = 2)]
        seconds: u64,
        /// How often each runs.
        #[arg(long, default_value_t = 10)]
        rounds: usize,
    },
    /// How many calls a second the double answers to wrk.
    Double {
        /// Connections.
        #[arg(long, default_value_t = 8)]
        connections: usize,
        /// How long each round takes, in seconds.
        #[arg(long, default_value_t = 2)]
        seconds: u64,
        /// How many rounds.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// How long the import of a large log takes, and how much memory; builds itself with optimisation.
    Import {
        /// The provider.
        #[arg(long, default_value = DEFAULT_PROVIDER)]
        provider: String,
        /// How many deliveries the log holds.
        #[arg(long, default_value_t = 1_000_000)]
        deliveries: u64,
    },
    /// The import of `bench import`.
    #[command(hide = true)]
    ImportOne {
        /// The provider.
        #[arg(long)]
        provider: String,
        /// The log.
        log: PathBuf,
    },
    /// Everything that takes time or memory, in one table of one run, ratios first; builds itself with optimisation.
    Table {
        /// How many cases memory is measured with; a million take some minutes.
        #[arg(long, value_delimiter = ',', default_values_t = [10_000, 100_000, 1_000_000])]
        cases: Vec<u32>,
    },
    /// The target of `bench table` over stdio.
    #[command(hide = true)]
    Answer,
    /// How much memory so many cases take.
    #[command(hide = true)]
    Memory {
        /// How many.
        cases: u32,
    },
    /// The server of `bench http`.
    #[command(hide = true)]
    Serve,
}

#[derive(Debug, Subcommand)]
enum Corpus {
    /// Read the source documents and write examples, defects, catalogue and origins.
    Extract {
        /// The folder with the source documents.
        #[arg(long, default_value = "../shared/sources")]
        from: PathBuf,
    },
    /// Draw new frozen sequences that reach what the present ones do not, with pending snapshots.
    Generate {
        /// What they are drawn from.
        #[arg(long)]
        seed: u64,
        /// How many.
        #[arg(long)]
        sequences: usize,
        /// The provider.
        #[arg(long, default_value = DEFAULT_PROVIDER)]
        provider: String,
    },
    /// Say whether every file parses, is canonical, has its origin and matches its snapshot, and no two sequences do the same.
    Check,
    /// Say which sequences are enough to reach what all reach, and what each of these is for.
    Minimize {
        /// The provider.
        #[arg(long, default_value = DEFAULT_PROVIDER)]
        provider: String,
    },
    /// Make a saved case a frozen sequence, with a pending snapshot.
    Promote {
        /// The case file.
        case: PathBuf,
    },
    /// Show what the frozen sequences reach, as a table.
    Stats {
        /// The provider.
        #[arg(long, default_value = DEFAULT_PROVIDER)]
        provider: String,
    },
}

fn main() -> ExitCode {
    if let Some(code) = api::in_place_of_rustdoc() {
        return code;
    }
    match run(Cli::parse().command) {
        Ok(text) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    match command {
        Command::Api { check } => api::write(&root, check),
        Command::Bench { command: Bench::Http { connections, seconds, rounds } } => {
            let terms = bench::Terms { connections, seconds, rounds };
            if cfg!(debug_assertions) { bench::in_release(&terms.arguments("http")) } else { bench::http(terms) }
        }
        Command::Bench { command: Bench::Double { connections, seconds, rounds } } => {
            let terms = bench::Terms { connections, seconds, rounds };
            if cfg!(debug_assertions) { bench::in_release(&terms.arguments("double")) } else { bench::double(terms) }
        }
        Command::Bench { command: Bench::Import { provider, deliveries } } => {
            let arguments = ["import", "--provider", &provider, "--deliveries", &deliveries.to_string()];
            if cfg!(debug_assertions) { bench::in_release(&arguments) } else { traffic::import(&provider, deliveries) }
        }
        Command::Bench { command: Bench::ImportOne { provider, log } } => traffic::import_one(&provider, &log),
        Command::Bench { command: Bench::Table { cases } } => {
            let named = cases.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
            if cfg!(debug_assertions) { bench::in_release(&["table", "--cases", &named]) } else { table::table(&cases) }
        }
        Command::Bench { command: Bench::Answer } => table::answer(),
        Command::Bench { command: Bench::Memory { cases } } => table::peak(cases),
        Command::Bench { command: Bench::Serve } => bench::serve(),
        Command::Corpus { command: Corpus::Extract { from } } => extract::extract_all(&from, &root.join("corpus")),
        Command::Corpus { command: Corpus::Generate { seed, sequences, provider } } => {
            generate::generate(&root, &provider, seed, sequences)
        }
        Command::Corpus { command: Corpus::Check } => check::check(&root),
        Command::Corpus { command: Corpus::Minimize { provider } } => sequences::minimize(&root, &provider),
        Command::Corpus { command: Corpus::Promote { case } } => sequences::promote(&root, &case),
        Command::Corpus { command: Corpus::Stats { provider } } => sequences::stats(&root, &provider),
        Command::Attribution { provider, cases, seed, pairs, triples, seeds, check } => {
            attribution::measure(&root, &attribution::Terms { provider, cases, seed, pairs, triples, seeds, check })
        }
        Command::Boundaries => boundaries::check(&root),
        Command::Dependencies => dependencies::check(&root),
        Command::Docs { check } => docs::write(&root, check),
        Command::Mutants { provider, side_by_side: Some(seeds), .. } => mutants::side_by_side(&provider, seeds),
        Command::Mutants { provider, cases, seed, side_by_side: None } => mutants::score(&provider, cases, seed),
        Command::Survivors { found } => survivors::check(&root, found.as_ref()),
        Command::Schemas { check } => schemas::write(&root, check),
    }
}

#[expect(clippy::print_stdout, reason = "this program's own output")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "this program's own complaints")]
fn complain(text: &str) {
    eprintln!("error: {text}");
}
