//! The `llmctl-dev` binary: everything is in the library.

fn main() -> std::process::ExitCode {
    llmctl_dev::run(std::env::args_os())
}
