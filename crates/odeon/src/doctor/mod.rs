//! `odeon doctor`: what is wrong with the machine, the network or the settings, and what to do about it (F-3).
//!
//! [`gather`] finds out, [`checks`] judge, [`finding`] tells. The judgements are pure, so that each fault can be planted.

mod checks;
mod facts;
mod finding;
mod gather;

pub use facts::Facts;
pub use finding::Finding;

use crate::cli::DoctorRequest;
use crate::cli::Flags;
use crate::config::Loaded;
use crate::failure::Failure;
use crate::start;

/// Looks at everything, tells it, and fails where a fault was found.
pub fn run(flags: &Flags, request: &DoctorRequest) -> Result<(), Failure> {
    let loaded = start::settings(flags)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let findings = checks::all(&runtime.block_on(gather::everything(&loaded.config, &request.time_server)));
    if request.json {
        println!("{}", serde_json::to_string_pretty(&findings).map_err(Failure::other)?);
    } else {
        print!("{}", finding::report(&findings));
    }
    match findings.iter().filter(|finding| finding.level == finding::Level::Fault).count() {
        0 => Ok(()),
        1 => Err(Failure::other("1 fault")),
        faults => Err(Failure::other(format!("{faults} faults"))),
    }
}

/// What can be told at a start without asking anybody, in one line; empty where all is well.
pub fn at_start(loaded: &Loaded) -> String {
    finding::summary(&checks::all(&gather::at_start(&loaded.config)))
}
