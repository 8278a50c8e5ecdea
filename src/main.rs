//! The command line of refundproof; everything is in [`refundproof::cli`].

use mimalloc::MiMalloc;

/// Much of a run is making and dropping small texts, which is quicker with this one than with most systems' own.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> std::process::ExitCode {
    refundproof::cli::main()
}
