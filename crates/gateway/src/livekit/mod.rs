//! LiveKit's clients and backends, unmodified.
//!
//! | file | what |
//! |---|---|
//! | `connect` | `/rtc`, `/rtc/v1` and their `validate`: HTTP, up to the upgrade |
//! | `admission` | the token and the parameters → who joins what, or which status |
//! | `grants` | a token's grants → permissions |
//! | `session` | one WebSocket, from its join to its end |
//! | `pace` | how much a session may say |
//! | `api`, `room_service` | `/twirp`: the server API |
//! | [`agents`] | `/agent`: workers, their jobs, and the API for them |
//! | `nonces` | each SendData once |
//! | `data_dialect` | data packets on the shards |

mod admission;
pub mod agents;
mod api;
mod connect;
mod data_dialect;
mod grants;
mod ice;
pub(crate) mod nonces;
mod pace;
mod perform_rpc;
mod room_service;
mod session;

pub use data_dialect::LiveKitData;

use crate::Gateway;
use axum::Router;
use axum::routing::{any, get};

pub(crate) fn routes() -> Router<Gateway> {
    Router::new()
        .route("/rtc", get(connect::rtc))
        .route("/rtc/v1", get(connect::rtc_v1))
        .route("/rtc/validate", get(connect::validate))
        .route("/rtc/v1/validate", get(connect::validate_v1))
        .route("/agent", get(agents::agent))
        .route("/twirp/{*method}", any(api::call))
}
