//! The command line as scripts use it: the real program, its exit codes, its documents.

mod codes;
mod interface;
mod kept;
mod refusals;
mod samples;
mod served;
