//! What fuzzing found, and what people thought of, played on every toolchain.
//!
//! Each fuzz target (`src/testing/fuzz_targets`) has a folder of inputs in `fuzz/kept`. They are played as they are, and with some
//! changes that follow from a number. `FUZZ_SECONDS=600 cargo test --test cases kept_inputs` goes on changing them for so long, with other
//! numbers each time: less than cargo-fuzz does, which sees what an input reaches, but everywhere.

use std::{
    collections::BTreeSet,
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    time::{Duration, Instant, SystemTime},
};

use refundproof::{
    provider::Mint,
    testing::fuzz_targets::{ALL, FuzzTarget},
};
use rstest::rstest;

use crate::common::root;

/// How often inputs are changed where nothing is said.
const CHANGED: u64 = 40;

/// A longer input only takes longer.
const LONGEST: usize = 64 * 1024;

/// More room than this all kept inputs together do not take.
const MOST_KEPT: u64 = 256 * 1024;

/// What stands in inputs, and is hard to find by changing bytes.
const WORDS: [&str; 24] = [
    "\"id\":",
    "\"type\":",
    "\"state\":",
    "\"ok\":true",
    "\"status\":200",
    "null",
    "-1",
    "0",
    "1e999",
    "99999999999999999999",
    "0.000000000000000000000000000001",
    "\"\"",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "[[[[[[[[",
    "{\"a\":{\"a\":{\"a\":",
    "}",
    "]",
    ",",
    "\n",
    "\r\n\r\n",
    "Transfer-Encoding: chunked\r\n",
    "\u{feff}",
    "\u{202e}ä😀",
];

fn target(name: &str) -> FuzzTarget {
    ALL.into_iter().find(|target| target.name == name).expect("there is such a target")
}

/// The kept inputs of a target, by their files.
fn kept(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = root().join("fuzz/kept").join(name);
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).expect("it is read"))).collect()
}

/// Numbers that follow from a first one.
struct Draw {
    first: u64,
    drawn: u64,
}

impl Draw {
    fn from(first: u64) -> Draw {
        Draw { first, drawn: 0 }
    }

    fn below(&mut self, most: usize) -> usize {
        self.drawn += 1;
        let number = Mint::new(self.first).number("drawn", self.drawn);
        usize::try_from(number % most.max(1) as u64).expect("it is smaller")
    }
}

/// An input with some changes.
fn changed(inputs: &[(PathBuf, Vec<u8>)], draw: &mut Draw) -> Vec<u8> {
    let mut input = inputs[draw.below(inputs.len())].1.clone();
    for _ in 0..1 + draw.below(5) {
        let place = draw.below(input.len() + 1);
        let end = (place + 1 + draw.below(16)).min(input.len());
        let byte = u8::try_from(draw.below(256)).expect("a byte");
        match draw.below(8) {
            0 if place < input.len() => input[place] = byte,
            1 if place < input.len() => input[place] ^= 1 << draw.below(8),
            2 => input.insert(place, byte),
            3 => drop(input.drain(place..end.max(place))),
            4 => input.splice(place..place, WORDS[draw.below(WORDS.len())].bytes()).for_each(drop),
            5 => {
                let piece = input[place..end.max(place)].to_vec();
                let to = draw.below(input.len() + 1);
                input.splice(to..to, piece).for_each(drop);
            }
            6 => {
                let other = &inputs[draw.below(inputs.len())].1;
                let from = draw.below(other.len() + 1);
                input.truncate(place);
                input.extend_from_slice(&other[from..]);
            }
            _ => {
                // Another digit for a digit, so that numbers stay numbers.
                if let Some(digit) = input.iter_mut().skip(place).find(|byte| byte.is_ascii_digit()) {
                    *digit = b'0' + byte % 10;
                }
            }
        }
    }
    input.truncate(LONGEST);
    input
}

/// Plays an input, and says which it was when it fails: a changed one is put where cargo-fuzz would put it.
#[track_caller]
fn play(target: FuzzTarget, input: &[u8], file: Option<&PathBuf>) {
    if catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_ok() {
        return;
    }
    let file = file.cloned().unwrap_or_else(|| {
        let folder = root().join("fuzz/artifacts").join(target.name);
        let path = folder.join(format!("changed-{}", Mint::new(1).uuid(&String::from_utf8_lossy(input), 0)));
        fs::create_dir_all(&folder).and_then(|()| fs::write(&path, input)).expect("it is written");
        path
    });
    panic!("{}: `{}` fails with it; keep it in fuzz/kept when that is mended", file.display(), target.name);
}

#[rstest]
fn kept_inputs_do_no_harm(#[values("plans", "bodies", "cases", "stdio", "responses", "logs")] name: &str) {
    for (path, input) in kept(name) {
        play(target(name), &input, Some(&path));
    }
}

#[rstest]
fn changed_inputs_do_no_harm(#[values("plans", "bodies", "cases", "stdio", "responses", "logs")] name: &str) {
    let inputs = kept(name);
    let seconds: Option<u64> = env::var("FUZZ_SECONDS").ok().map(|text| text.parse().expect("FUZZ_SECONDS is a number of seconds"));
    let Some(seconds) = seconds else {
        (0..CHANGED).for_each(|number| play(target(name), &changed(&inputs, &mut Draw::from(number)), None));
        return;
    };
    let (started, limit) = (Instant::now(), Duration::from_secs(seconds));
    let first = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs() << 32);
    let mut played = 0_u64;
    while started.elapsed() < limit {
        play(target(name), &changed(&inputs, &mut Draw::from(first.wrapping_add(played))), None);
        played += 1;
    }
    tell(&format!("{name}: {played} inputs in {seconds} s"));
}

#[expect(clippy::print_stderr, reason = "whoever lets it run for so long wants to know how far it came")]
fn tell(text: &str) {
    eprintln!("{text}");
}

#[test]
fn every_target_is_there_for_cargo_fuzz() {
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).expect("it is read");
    for FuzzTarget { name, .. } in ALL {
        let text = fs::read_to_string(root().join(format!("fuzz/fuzz_targets/{name}.rs"))).expect("it is read");
        assert!(text.contains(&format!("refundproof::testing::fuzz_targets::{name}(bytes)")), "{name}");
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
        assert!(!kept(name).is_empty(), "{name}");
    }
    let names: BTreeSet<String> = ALL.iter().map(|target| target.name.to_owned()).collect();
    let folders = fs::read_dir(root().join("fuzz/kept")).expect("it is read");
    let folders: BTreeSet<String> = folders.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(folders, names);
}

#[test]
fn kept_inputs_stay_few() {
    let all: u64 = ALL.iter().flat_map(|target| kept(target.name)).map(|(_, input)| input.len() as u64).sum();
    assert!(all <= MOST_KEPT, "kept inputs take {all} bytes; keep the smallest that show something");
}
