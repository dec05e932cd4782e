//! The function's program: bootstrap and nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    exchange_key_rotation::start()
}
