//! Open rooms and token rooms (product.md, «Access»): each row of the bus tried with both.

use crate::harness::{Client, SECRET, Server, eventually, message, token, token_rooms, token_with, types};
use gateway::rooms::{Access, Credential};
use serde_json::{Value, json};

/// What a client can say of a room: E-01 to E-14.
fn all_kinds(room: &str) -> Vec<Value> {
    let mut stored = message("ANYTHING", room, "mallory", json!("stored"));
    stored["store"] = json!(true);
    let kinds = [
        ("CHANNEL_JOIN", json!(null)),
        ("CHANNEL_LEAVE", json!(null)),
        ("USER_UPDATE", json!({"userX": 1})),
        ("CHANNEL_USER_UPDATE", json!({"userX": 1})),
        ("CHAT", json!("tere")),
        ("LIKE", json!("id")),
        ("HEART", json!("")),
        ("IMAGE_JOIN", json!("")),
        ("IMAGE", json!("data:image/jpeg;base64,AAAA")),
        ("IMAGE_LEAVE", json!("")),
        ("ANYTHING", json!(1)),
        ("SOMETHING_NEW", json!([])),
        ("STATS", json!([])),
        ("VIDEO", json!({})),
        ("CHANNELS_UPDATED", json!({})),
    ];
    let mut all: Vec<_> = kinds.into_iter().map(|(kind, value)| message(kind, room, "mallory", value)).collect();
    all.push(stored);
    all
}

#[tokio::test]
async fn e_01_to_e_14_nothing_gets_into_a_token_room_or_out_of_it_without_a_token() {
    // E-01, E-02, E-03, E-05, E-06, E-07, E-09, E-10, E-11, E-12, E-14
    let server = Server::start_with(token_rooms).await;
    let mut holder = server.open_with_token("stage").await;
    let mut public = server.open().await;
    let mut narrow = server.open_with("/?channel=stage", &[]).await;
    for said in all_kinds("stage") {
        for client in [&mut public, &mut narrow] {
            client.say(said.clone()).await;
            let answer = client.hear().await;
            assert_eq!((&answer["type"], &answer["channel"]), (&json!("ERROR"), &json!("stage")), "{said}");
            assert_eq!(answer["value"], "there is no such room");
        }
    }
    assert_eq!(holder.hears_until_now().await, [] as [Value; 0], "nothing got in");
    for said in all_kinds("stage") {
        holder.say(said.clone()).await;
        while holder.hear().await != said {}
    }
    for client in [&mut public, &mut narrow] {
        let heard = client.hears_until_now().await;
        let of_the_stage = |heard: &&Value| heard.to_string().contains("stage") && heard["type"] != "ERROR";
        assert_eq!(heard.iter().find(of_the_stage), None, "nothing got out");
    }
}

#[tokio::test]
async fn e_02_e_14_nobody_without_a_token_reads_what_was_said_there() {
    // E-02, E-07, E-14
    let server = Server::start_with(token_rooms).await;
    let mut holder = server.open_with_token("stage").await;
    let mut said = message("CHAT", "stage", "h", json!("secret"));
    said["store"] = json!(true);
    holder.say(said.clone()).await;
    holder.hears_type("CHAT").await;
    holder.say(message("LIKE", "stage", "h", json!("secret"))).await;
    holder.hears_type("LIKE").await;
    let stored = || async { server.get("/messages?secret=open%20sesame").await.body };
    for path in [
        "/messages?secret=open%20sesame",
        "/messages?secret=open%20sesame&channel=stage",
        "/history",
        "/history?channel=stage",
    ] {
        assert_eq!(server.get(path).await.body, "[]", "{path}");
    }
    server.get("/messages/clear?secret=open%20sesame").await;
    let headers = [("Authorization", format!("Bearer {}", token("stage")))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let own = server.request("GET", "/messages?secret=open%20sesame", &headers, b"").await.json();
    assert_eq!(own, json!([said]), "its bearer may, and nobody else cleared it");
    assert_eq!(stored().await, "[]");
    let mut second = server.open_with_token("stage").await;
    second.say(message("CHANNEL_JOIN", "stage", "two", Value::Null)).await;
    assert_eq!(second.hears_type("CHAT_SYNC").await["value"], json!([said]));
}

#[tokio::test]
async fn e_03_each_sees_the_rooms_that_are_theirs() {
    // E-03
    let server = Server::start_with(token_rooms).await;
    let mut public = server.person("foyer", "pub").await;
    let mut holder = server.open_with_token("stage").await;
    holder.join("stage", "hold").await;
    let _alice = server.guest("stage", "alice", &[]).await;
    let both = holder.sees("stage", &["hold", "token:alice"]).await;
    assert_eq!(both["hold"], json!({"userName": "HOLD"}));
    holder.join("foyer", "hold").await;
    let channels = public.sees("foyer", &["hold", "pub"]).await;
    assert!(channels.get("token:alice").is_none());
    for heard in public.hears_until_now().await {
        assert!(heard["value"].get("stage").is_none(), "{heard}");
    }
}

#[tokio::test]
async fn tokens_that_anybody_can_get_or_that_are_for_another_room_open_nothing() {
    let server = Server::start_with(token_rooms).await;
    let page = token_with("stage", |claims| claims.odeon_page = true);
    let other = token("cellar");
    let operator = crate::harness::operator_token();
    for token in [page, other, operator] {
        let mut client = server.open_with(&format!("/?access_token={token}"), &[]).await;
        client.say(message("ANYTHING", "stage", "p", json!(1))).await;
        assert_eq!(client.hear().await["type"], "ERROR");
    }
    let forged = server.try_open("/?access_token=a.b.c", &[]).await.err().expect("no socket");
    assert_eq!(forged.status, 401);
}

#[tokio::test]
async fn a_token_says_what_its_bearer_may_do_in_the_room() {
    let server = Server::start_with(token_rooms).await;
    let mute = token_with("stage", |claims| claims.video.can_publish_data = Some(false));
    let deaf = token_with("stage", |claims| claims.video.can_subscribe = Some(false));
    let mut holder = server.open_with_token("stage").await;
    let mut mute = server.open_with(&format!("/?access_token={mute}"), &[]).await;
    let mut deaf = server.open_with(&format!("/?access_token={deaf}"), &[]).await;
    mute.say(message("CHAT", "stage", "m", json!("mmh"))).await;
    assert_eq!(mute.hear().await["type"], "ERROR");
    deaf.say(message("ANYTHING", "stage", "d", json!("HELLO?"))).await;
    assert_eq!(holder.hears_type("ANYTHING").await["value"], "HELLO?");
    assert_eq!(mute.hears_type("ANYTHING").await["value"], "HELLO?");
    assert_eq!(deaf.hears_until_now().await, [] as [Value; 0]);
}

#[tokio::test]
async fn e_03_when_a_token_comes_those_without_one_are_told_and_removed() {
    // E-03: token wins.
    let server = Server::start().await;
    let mut alice = server.person("stage", "alice").await;
    alice.sees("stage", &["alice"]).await;
    server.room_holds("stage", &["bus:alice"]).await;
    let mut holder = server.open_with_token("stage").await;
    let _bob = server.guest("stage", "bob", &[]).await;
    let told = alice.hears_type("ERROR").await;
    assert_eq!(
        (&told["channel"], &told["value"]),
        (&json!("stage"), &json!("the room is for token holders from now on"))
    );
    server.room_holds("stage", &["bob"]).await;
    holder.join("stage", "hold").await;
    holder.sees("stage", &["hold", "token:bob"]).await;
    alice.say(message("CHAT", "stage", "alice", json!("still here?"))).await;
    assert_eq!(alice.hears_type("ERROR").await["value"], "there is no such room");
    let last = alice.hears_until_now().await;
    assert!(!last.iter().any(|heard| heard["value"].get("stage").is_some()), "{last:?}");
    assert_eq!(server.registry().access("stage"), Access::Token);
}

#[tokio::test]
async fn a_token_on_the_bus_makes_an_undeclared_room_its_own() {
    let server = Server::start().await;
    let mut public = server.person("stage", "pub").await;
    let mut holder = server.open_with_token("stage").await;
    holder.say(message("ANYTHING", "stage", "hold", json!("just looking"))).await;
    assert_eq!(public.hears_type("ANYTHING").await["value"], "just looking", "speaking is not joining");
    holder.say(message("CHANNEL_JOIN", "stage", "hold", Value::Null)).await;
    assert_eq!(public.hears_type("ERROR").await["channel"], "stage");
    eventually("a token room", || async { server.registry().access("stage") == Access::Token }).await;
    server.room_holds("stage", &["bus:hold"]).await;
    holder.sees("stage", &["hold"]).await;
}

/// The race of both first joins: whoever is first, in the end only the token's bearer is in, and nothing has got out.
#[tokio::test]
async fn the_race_of_both_first_joins_is_won_by_the_token() {
    for round in 0..20 {
        let server = Server::start().await;
        let room = format!("stage{round}");
        let (mut public, mut holder) = (server.open().await, server.open_with_token(&room).await);
        let joins = async {
            let join = message("CHANNEL_JOIN", &room, "pub", Value::Null);
            let guest = server.try_guest(&room, "bob", &[], Credential::Token);
            if round % 2 == 0 {
                tokio::join!(public.say(join), guest).1
            } else {
                tokio::join!(guest, public.say(join)).0
            }
        };
        let _bob = joins.await.expect("a token opens it");
        server.room_holds(&room, &["bob"]).await;
        holder.join(&room, "hold").await;
        holder.sees(&room, &["hold", "token:bob"]).await;
        public.say(message("ANYTHING", &room, "pub", json!(1))).await;
        while public.hears_type("ERROR").await["value"] != "there is no such room" {}
        assert_eq!(public_rooms(&mut public).await, [] as [String; 0]);
    }
}

/// Rooms in the next CHANNELS_UPDATED.
async fn public_rooms(public: &mut Client) -> Vec<String> {
    public.hears_until_now().await;
    public.say(message("CHANNEL_JOIN", "foyer", "x", Value::Null)).await;
    let channels = public.hears_type("CHANNELS_UPDATED").await["value"].take();
    channels.as_object().unwrap().keys().filter(|room| *room != "foyer").cloned().collect()
}

#[tokio::test]
async fn identities_live_within_their_origin() {
    let server = Server::start().await;
    let mut mallory = server.person("foyer", "alice").await;
    // Public here: a token would take the room.
    let alice = server.try_guest("foyer", "alice", &[("userX", "1.5")], Credential::Public).await.unwrap();
    let users = mallory.sees("foyer", &["alice", "token:alice"]).await;
    assert_eq!(users["token:alice"], json!({"userName": "ALICE", "userX": 1.5}));
    mallory.say(message("CHANNEL_USER_UPDATE", "foyer", "token:alice", json!({"userX": 666}))).await;
    mallory.say(message("USER_UPDATE", "", "alice", json!({"userName": "Fool"}))).await;
    mallory.say(message("CHANNEL_LEAVE", "foyer", "token:alice", Value::Null)).await;
    let users = mallory.sees("foyer", &["alice", "token:alice"]).await;
    assert_eq!(users["token:alice"]["userX"], 1.5);
    server.room_holds("foyer", &["alice", "bus:alice"]).await;
    drop(alice);
}

#[tokio::test]
async fn undeclared_rooms_may_be_for_token_holders() {
    let server = Server::start_with(|setting| {
        setting.registry.undeclared = Access::Token;
        setting.registry.declared = [("foyer".to_owned(), Access::Open)].into();
    })
    .await;
    let mut public = server.open().await;
    public.say(message("ANYTHING", "new", "p", json!(1))).await;
    assert_eq!(public.hear().await["type"], "ERROR");
    public.say(message("ANYTHING", "foyer", "p", json!(2))).await;
    assert_eq!(public.hear().await["value"], 2);
    assert!(server.registry().find("new").is_none());
}

#[tokio::test]
async fn a_room_that_using_it_does_not_make_is_none() {
    let server = Server::start_with(|setting| setting.registry.auto_create = false).await;
    let mut public = server.open().await;
    for kind in ["ANYTHING", "CHANNEL_JOIN", "CHAT"] {
        public.say(message(kind, "new", "p", json!(1))).await;
        assert_eq!(public.hear().await["value"], "there is no such room", "{kind}");
    }
    assert_eq!(types(&public.hears_until_now().await), [""; 0]);
    let _ = SECRET;
}
