//! The checks: each a judgement of the facts, with one sentence of what to do.

mod machine;
mod network;
mod page;

use super::{Facts, Finding};

/// All of them, in the order in which they are told.
pub const CHECKS: &[fn(&Facts) -> Finding] = &[
    machine::ports,
    network::udp,
    network::address,
    network::container,
    network::ipv6,
    page::certificate,
    page::origin,
    network::turn,
    machine::clock,
    machine::buffers,
    machine::descriptors,
    machine::disk,
    machine::ffmpeg,
];

/// Makes them all.
pub fn all(facts: &Facts) -> Vec<Finding> {
    CHECKS.iter().map(|check| check(facts)).collect()
}

#[cfg(test)]
#[path = "checks_tests.rs"]
mod tests;
