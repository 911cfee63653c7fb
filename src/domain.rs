//! Plain types and every rule of llmctl-dev. No IO, no clock, no randomness: what a rule needs is an argument.

pub mod audit;
pub mod cancel;
pub mod contract;
pub mod guard;
pub mod hidden;
pub mod identity;
pub mod logs;
pub mod manifest;
pub mod masking;
pub mod migration;
pub mod nodes;
pub mod observed;
pub mod occasion;
pub mod orphans;
pub mod overlays;
pub mod payload;
pub mod preflight;
pub mod profile;
pub mod runs;
pub mod samples;
pub mod settings;
pub mod target;
pub mod verdict;
pub mod why;
