//! Following runs: whole logs of short Jobs, and text that would act on a terminal.

mod hostile;
mod whole;
