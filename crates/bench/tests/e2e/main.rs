//! Our own client against the real binary. `ODEON_BIN` names it; `e2e/run.sh` sets that and runs these tests, which
//! are ignored otherwise: a plain `cargo test` has no server.

mod bad_input;
mod common;
mod counters;
mod data;
mod joining;
mod leaks;
mod lossy;
mod moderation;
mod order;
mod republish;
mod shards;
