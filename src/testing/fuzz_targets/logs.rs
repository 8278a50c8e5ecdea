//! Logs of real traffic.

use super::{assert_saved, assert_told, played};
use crate::{
    case::Case,
    check::FailureKind,
    import::{Import, ImportError, Told},
    json::Value,
    provider::{Provider, registered},
    run::{Way, varied},
};

/// Import logs: every delivery is used or told, nothing personal is left, and a conforming consumer takes the cases that are made, in every
/// way.
pub fn logs(bytes: &[u8]) {
    for provider in registered() {
        log(provider.embedded(), bytes);
    }
}

fn log(provider: &dyn Provider, bytes: &[u8]) {
    let (mut told, mut cases): (Vec<Told>, Vec<Case>) = (Vec::new(), Vec::new());
    let import = Import { provider, format: None, seed: 7, most_alike: 2 };
    let imported = import.run_on(bytes, &mut |what| told.push(what), &mut |case| {
        cases.push(case);
        Ok(())
    });
    let imported = match imported {
        Ok(imported) => imported,
        Err(ImportError::Io(error)) => panic!("memory is always read: {error}"),
        Err(error) => return assert_told(&error.to_string()),
    };
    let (mut unused, mut findings) = (0, 0);
    for told in &told {
        match told {
            Told::Unused { place, why } => {
                unused += 1;
                assert_told(&format!("{place}: {why}"));
            }
            Told::Finding { place, what } => {
                (unused, findings) = (unused + 1, findings + 1);
                assert_told(&format!("{place}: {what}"));
            }
            Told::Note { order, what } => assert_told(&format!("{order}: {what}")),
        }
    }
    assert_eq!((imported.unused, imported.findings), (unused, findings), "what is counted is told");
    assert_eq!(imported.read, imported.used + imported.unused + imported.with_order, "nothing is lost: {imported:?}");
    assert_eq!(imported.cases.len(), cases.len());
    for case in &cases {
        assert_saved(case);
        case.all_deliveries().filter_map(|delivery| delivery.body.text()).for_each(assert_nothing_personal);
        for way in Way::ALL {
            let Some(case) = varied(case, way, case, 7).filter(|_| way != Way::Interleaved) else { continue };
            // Who is strict may refuse a body that lacks what the provider always writes, and the import does not need.
            if let Some(failure) = played(provider, &case).failure.filter(|failure| failure.kind == FailureKind::State) {
                panic!("{}: {}\n{}\n{}\n{}", provider.name(), case.title, failure.message, failure.diff, case.to_json());
            }
        }
    }
}

/// Mail addresses are gone.
#[track_caller]
fn assert_nothing_personal(body: &str) {
    let body: Value = serde_json::from_str(body).expect("a body of a case is JSON");
    let mut rest = vec![&body];
    while let Some(value) = rest.pop() {
        match value {
            Value::String(text) => {
                let is_mail = text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
                assert!(!is_mail || text.contains(char::is_whitespace) || text.ends_with("@example.com"), "{text} is left");
            }
            Value::Array(elements) => rest.extend(elements),
            Value::Object(members) => rest.extend(members.iter().map(|(_, value)| value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
