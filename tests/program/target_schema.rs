//! The JSON Schema of target files: what editors show of it is what the program reads.

use std::{fs, path::PathBuf};

use rstest::rstest;
use serde_json::Value;

use crate::common::{place::Place, root};

fn schema() -> Value {
    let text = fs::read_to_string(root().join("schemas/refundproof-target-1.schema.json")).expect("the schema");
    serde_json::from_str(&text).expect("JSON")
}

#[track_caller]
fn check(text: &str, fits: bool) {
    let file: Value = toml::from_str(text).expect("TOML");
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    assert_eq!(validator.is_valid(&file), fits, "{text}: {:?}", validator.validate(&file));
}

#[rstest]
fn samples_fit(#[files("samples/*/*.toml")] path: PathBuf) {
    if !path.ends_with("Cargo.toml") {
        check(&fs::read_to_string(&path).expect("a file"), true);
    }
}

#[rstest]
#[case::a_command(&["init", "--", "python3", "shop.py"])]
#[case::a_service(&["init", "--webhook-url", "http://127.0.0.1:9/w", "--state-url", "http://127.0.0.1:9/o/{orderId}", "--secret-env", "S"])]
fn what_init_writes_fits(#[case] args: &[&str]) {
    let place = Place::new();
    place.exits(args, 0);
    let text = place.read("refundproof.toml");
    assert!(text.starts_with("#:schema ./refundproof.schema.json\n"), "{text}");
    check(&text, true);
    let beside: Value = serde_json::from_str(&place.read("refundproof.schema.json")).expect("JSON");
    assert_eq!(beside, schema());
}

#[rstest]
#[case::unknown_table("[target]\n[htpp]\n")]
#[case::unknown_member("[target]\ncomand = ['x']\n")]
#[case::unknown_capability("[target]\n[capabilities]\nverifySignatures = true\n")]
#[case::wrong_type("[target]\ncommand = 'x'\n")]
#[case::no_target("[http]\nwebhook_url = 'x'\nstate_url = 'y'\n")]
#[case::half_an_address("[target]\n[http]\nwebhook_url = 'x'\n")]
#[case::unknown_status("[target]\n[mapping]\nrefundedAmount = '/a'\nstatus = '/b'\n[mapping.statuses]\nPAID = 'paid'\n")]
fn slips_do_not_fit(#[case] text: &str) {
    check(text, false);
}
