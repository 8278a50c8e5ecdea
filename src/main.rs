//! The command line of refundproof; everything is in [`refundproof::cli`].

fn main() -> std::process::ExitCode {
    refundproof::cli::main()
}
