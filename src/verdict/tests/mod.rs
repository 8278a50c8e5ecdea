//! What follows from reports that were written by hand: nothing is run for it.

mod by_hand;
mod conclude;
mod merge;
mod outcome;
mod tally;
mod waive;
mod waivers;
