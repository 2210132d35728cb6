//! Requests that the server makes itself, to addresses that somebody named: nobody may use them to reach what only the
//! server can reach.
//!
//! A name is resolved once, by us; what it resolves to is judged ([`auth::address`]), and exactly that is connected to.
//! So a name that resolves differently the next time gains nothing. Redirects are answers like others: not followed.
//!
//! | file | what |
//! |---|---|
//! | `target` | where to: an http or https URL |
//! | `policy` | which addresses may be connected to |
//! | `connection` | resolve, connect, TLS, request |

mod connection;
mod policy;
mod target;

pub use connection::{Answer, Connection, Outbound, OutboundError, Resolve, SystemResolver};
pub use policy::Policy;
pub use target::{HostPort, Target, TargetError};
