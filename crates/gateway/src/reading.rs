//! Who may read what is said and seen in a room by HTTP: whoever could be in it.

use crate::client::bearer;
use crate::rooms::Access;
use crate::{Gateway, clock};
use http::HeaderMap;

/// Everybody where it is open; else those with a token for it, or an operator's, in `Authorization`. A page token that anybody
/// gets is none.
pub(crate) fn may_read(gateway: &Gateway, room: &str, headers: &HeaderMap) -> bool {
    if gateway.registry().access(room) == Access::Open {
        return true;
    }
    let token = bearer(headers);
    let claims = token.and_then(|token| auth::verify(token, &gateway.inner.keys, clock::unix_s()).ok());
    claims.is_some_and(|claims| {
        let joins = claims.video.room_join && claims.video.room == room && claims.video.may_subscribe();
        claims.is_operator() || (joins && !claims.odeon_page)
    })
}
