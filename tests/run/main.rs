//! Whole certifications in this process: what passes, what fails and what is said of it, whatever the target claims and however it
//! is driven; and what follows from a report.

mod besides;
mod canaries;
mod chosen;
#[path = "../common/mod.rs"]
mod common;
mod company;
mod conforming;
mod consumers;
mod dear;
mod driver;
mod expected;
mod findings;
mod gates;
mod hangs;
mod known_later;
mod late_work;
#[path = "../made_up_provider/mod.rs"]
mod made_up_provider;
mod null_models;
mod own_clock;
mod own_snapshots;
mod seams;
mod time_passes;
