//! Accounts (C-18) and what is theirs (C-20).

use crate::harness::{Server, keys, unix_s};
use serde_json::{Value, json};

fn sign_up(email: &str) -> Value {
    json!({ "email": email, "displayName": "Ann", "password": "correct horse" })
}

#[tokio::test]
async fn c_18_somebody_signs_up_logs_in_and_refreshes() {
    // C-18
    let server = Server::start().await;
    let signed_up = server.call("POST", "/api/auth/signup", &[], &sign_up("ann@venue.example")).await;
    let login = json!({ "email": "Ann@Venue.example", "password": "correct horse" });
    let logged_in = server.call("POST", "/app/api/auth/login", &[], &login).await;
    let again = json!({ "refreshToken": logged_in.json()["refreshToken"] });
    let refreshed = server.call("POST", "/api/auth/refreshToken", &[], &again).await;
    for answer in [signed_up, logged_in, refreshed] {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let json = answer.json();
        assert_eq!((&json["displayName"], &json["expiresIn"]), (&json!("Ann"), &json!("3600")));
        let claims = auth::verify(json["idToken"].as_str().unwrap(), &keys(), unix_s()).unwrap();
        assert!(claims.odeon_account && claims.is_anybodys() && !claims.video.room_join);
    }
    let taken = server.call("POST", "/api/auth/signup", &[], &sign_up("ann@venue.example")).await;
    assert_eq!(taken.status, 409);
}

#[tokio::test]
async fn c_18_no_password_is_in_the_store() {
    // C-18
    let server = Server::start().await;
    server.call("POST", "/api/auth/signup", &[], &sign_up("ann@venue.example")).await;
    let rows = server.store.list(store::Table("castaway.users"), "", "", 9).await.unwrap();
    let text = String::from_utf8_lossy(&rows[0].document.value).into_owned();
    assert!(text.contains("$argon2id$") && !text.contains("correct horse"), "{text}");
}

#[tokio::test]
async fn c_18_a_failed_login_says_nothing_of_who_is_there_and_guessing_ends() {
    // C-18
    let server = Server::start().await;
    server.call("POST", "/api/auth/signup", &[], &sign_up("ann@venue.example")).await;
    let mut statuses = Vec::new();
    for email in ["ann@venue.example", "nobody@venue.example"].repeat(6) {
        let answer = server.call("POST", "/api/auth/login", &[], &json!({ "email": email, "password": "guess" })).await;
        if answer.status == 404 {
            assert_eq!(crate::harness::error(&answer), "User not found. Sign up now?");
        }
        statuses.push(answer.status);
    }
    assert_eq!(statuses[..2], [404, 404]);
    assert_eq!(statuses.last(), Some(&429));
    let right = json!({ "email": "ann@venue.example", "password": "correct horse" });
    assert_eq!(server.call("POST", "/api/auth/login", &[], &right).await.status, 429);
}

#[tokio::test]
async fn c_18_what_is_no_account_is_told() {
    // C-18
    let server = Server::start().await;
    let wrong = json!({ "email": "ann", "displayName": "", "password": "short" });
    let answer = server.call("POST", "/api/auth/signup", &[], &wrong).await;
    assert_eq!((answer.status, answer.json()["errors"].as_array().unwrap().len()), (400, 3));
    for token in ["", "a.b", "x"] {
        let answer = server.call("POST", "/api/auth/refreshToken", &[], &json!({ "refreshToken": token })).await;
        assert!([400, 401].contains(&answer.status), "{token}");
    }
}

#[tokio::test]
async fn c_18_a_refresh_token_is_no_id_token_and_an_id_token_opens_nothing_else() {
    // C-18
    let server = Server::start().await;
    let tokens = server.call("POST", "/api/auth/signup", &[], &sign_up("ann@venue.example")).await.json();
    let info = server.call("POST", "/api/users/info", &[], &json!({ "idToken": tokens["refreshToken"] })).await;
    assert_eq!(info.status, 401);
    let bearer = format!("Bearer {}", tokens["idToken"].as_str().unwrap());
    let listed =
        server.call("POST", "/twirp/livekit.RoomService/ListRooms", &[("authorization", &bearer)], &json!({})).await;
    assert!([401, 403].contains(&listed.status), "{}", listed.status);
    let joined = server.get(&format!("/rtc/validate?access_token={}", tokens["idToken"].as_str().unwrap())).await;
    assert!([401, 403].contains(&joined.status), "{}", joined.status);
}

#[tokio::test]
async fn c_20_the_app_asks_who_somebody_is_and_what_they_have() {
    // C-20
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let me = json!({ "idToken": ann.token });
    let info =
        |name: &str| json!({ "email": ann.email, "displayName": name, "numberOfCreations": 0, "numberOfFavorites": 0 });
    assert_eq!(server.call("POST", "/app/api/users/info", &[], &me).await.json(), info("ann"));
    for list in ["creations", "favorites"] {
        assert_eq!(server.call("POST", &format!("/api/users/{list}"), &[], &me).await.json(), json!([]));
    }
    let rename = json!({ "idToken": ann.token, "updatedDisplayName": "Ännchen" });
    let renamed = server.call("PUT", "/api/users/displayName", &[], &rename).await;
    assert_eq!(renamed.json(), json!({ "status": "OK", "message": "Your display name is updated." }));
    assert_eq!(server.call("POST", "/api/users/info", &[], &me).await.json(), info("Ännchen"));
    assert_eq!(server.call("POST", "/api/users/info", &[], &json!({})).await.status, 400);
    assert_eq!(server.call("POST", "/api/users/info", &[], &json!({ "idToken": "x" })).await.status, 401);
}
