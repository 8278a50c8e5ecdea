//! The JSON report: its schema, and that the same seed gives the same report.

use refundproof::{
    domain::Clock,
    reference::Fault,
    report::json,
    run::Options,
    verdict::{Shard, waivers::KnownFailures},
};
use serde_json::Value;

use crate::common::{certified, quick, root};

fn text(fault: Option<&str>, options: &Options) -> String {
    let fault = fault.map(|name| Fault::from_name(name).expect("a fault"));
    let mut text = Vec::new();
    json::write(&mut text, &certified(fault, options)).expect("memory can be written");
    String::from_utf8(text).expect("UTF-8")
}

fn without_times(text: &str) -> Value {
    fn clear(value: &mut Value) {
        match value {
            Value::Object(object) => {
                object.remove("durationMs");
                object.values_mut().for_each(clear);
            }
            Value::Array(list) => list.iter_mut().for_each(clear),
            _ => {}
        }
    }
    let mut value = serde_json::from_str(text).expect("JSON");
    clear(&mut value);
    value
}

#[track_caller]
fn check_valid(text: &str) {
    let schema = std::fs::read_to_string(root().join("schemas/refundproof-report-2.schema.json")).expect("the schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let report: Value = serde_json::from_str(text).expect("JSON");
    let errors: Vec<String> = validator.iter_errors(&report).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn a_clean_report_is_valid() {
    check_valid(&text(None, &quick(8, 1)));
}

#[test]
fn a_shard_with_known_failures_is_valid() {
    let today = Clock::manual(1_781_481_600).today();
    let list = "[[known]]\nrequirement = \"mixed-traffic\"\nfinding = \"0\"\nreason = \"x\"\nexpires = 2020-01-01\n";
    let known = KnownFailures::parse("known.toml", list, today).expect("a list");
    let shard = Some(Shard { number: 1, of: 2 });
    check_valid(&text(
        Some("counts-both-layers"),
        &quick(8, 1).with(|options| {
            options.known = known;
            options.shard = shard;
        }),
    ));
}

#[test]
fn a_report_of_failures_is_valid() {
    check_valid(&text(Some("counts-both-layers"), &Options::new().with(|options| options.cases = 8)));
}

#[test]
fn the_same_seed_gives_the_same_report() {
    let options = Options::new().with(|options| {
        options.cases = 16;
        options.seed = 5;
    });
    for fault in [None, Some("counts-both-layers")] {
        let one = without_times(&text(fault, &options));
        let other = without_times(&text(fault, &options.clone().with(|options| options.jobs = 3)));
        assert_eq!(one.to_string(), other.to_string());
    }
}

#[test]
fn another_seed_gives_other_cases() {
    let deliveries = |seed| certified(None, &quick(16, seed)).totals.deliveries;
    assert_ne!(deliveries(1), deliveries(2));
}
