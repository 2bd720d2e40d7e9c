//! The binary. What it does is in the library beside it.

fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
