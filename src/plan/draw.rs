//! Drawing from a strategy: the same seed gives the same plan.

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// What a strategy draws from a seed; `None` where it rejects too much.
pub fn draw<S: Strategy>(strategy: &S, seed: u64) -> Option<S::Value> {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..].copy_from_slice(&(!seed).rotate_left(23).to_le_bytes());
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::XorShift, &bytes));
    strategy.new_tree(&mut runner).ok().map(|tree| tree.current())
}
