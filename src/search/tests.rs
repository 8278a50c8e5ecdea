//! Which cases a seed comes to: the same as before, unless somebody means them to differ. Whoever saved a seed counts on it, and so
//! does whoever compares two runs; what changes here is said in the changelog.

use std::fmt::Write;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::case_for;
use crate::{
    adapter::Capabilities,
    domain::hex,
    plan::{Afterwards, draw, for_recipe},
    provider::{Provider, registered},
};

/// How many plans of a requirement, beside a long one, stand for all.
const SAMPLES: u32 = 4;

/// The beginning of a digest: enough to see that something differs.
struct Drawn(Sha256);

impl Drawn {
    fn add(&mut self, what: &impl Serialize) {
        self.0.update(serde_json::to_vec(what).expect("it can be written"));
    }

    fn beginning(self) -> String {
        hex(&self.0.finalize()[..4])
    }
}

/// A line for each requirement: what its plans are, and the cases of them as different targets get them.
fn drawn(provider: &dyn Provider) -> String {
    let everything = || Capabilities::everything();
    let claims = [
        everything(),
        Capabilities { clock: true, calls_back: true, ..everything() },
        Capabilities { older_api_version: true, ..everything() },
        Capabilities::default(),
    ];
    let mut text = String::new();
    for (index, requirement) in (1_u64..).zip(&provider.corpus().requirements) {
        let Some(recipe) = requirement.recipe else { continue };
        let strategy = for_recipe(recipe, provider.palette());
        let afterwards = Afterwards::of(recipe, provider.palette());
        let [mut plans, mut cases] = [(); 2].map(|()| Drawn(Sha256::new()));
        for number in (0..SAMPLES).chain([Afterwards::LONG]) {
            let seed = u64::from(number);
            let plan = draw(&strategy, seed).map(|plan| afterwards.befall(plan, number, seed, true, true)).expect("a plan is drawn");
            for capabilities in &claims {
                let mut case = case_for(provider, requirement, &plan, index * 1_000_000 + seed, capabilities);
                case.plan = None;
                cases.add(&case);
            }
            plans.add(&plan);
        }
        let _ = writeln!(text, "{} plans {} cases {}", requirement.id, plans.beginning(), cases.beginning());
    }
    text
}

#[test]
fn a_seed_comes_to_the_same_cases_as_before() {
    for (number, provider) in (1..).zip(registered()) {
        insta::assert_snapshot!(format!("provider_{number}"), drawn(provider.embedded()));
    }
}
