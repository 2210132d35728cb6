//! Who is where, on the bus and for other gateways (E-03, E-05, E-06).

use crate::harness::{Server, message};
use bus::BusLimits;
use gateway::rooms::Credential;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[tokio::test]
async fn e_03_e_05_e_06_what_is_known_of_users_is_told_as_it_was_said() {
    // E-03, E-05, E-06
    let server = Server::start().await;
    let mut mako = server.person("first", "u1").await;
    let mut koko = server.person("first", "u2").await;
    koko.join("second", "u2").await;
    koko.say(message(
        "CHANNEL_USER_UPDATE",
        "first",
        "u2",
        json!({"userX": "1.23", "userY": 1.0, "userColor": "#ff0000"}),
    ))
    .await;
    koko.say(message("USER_UPDATE", "", "u2", json!({"userName": "Koko"}))).await;
    mako.say(message("CHANNEL_USER_UPDATE", "second", "u1", json!({"userZ": 4}))).await;
    loop {
        let channels = mako.hears_type("CHANNELS_UPDATED").await;
        assert!(channels["id"].as_str().is_some_and(|id| id.len() == 16 && id.bytes().all(|b| b.is_ascii_lowercase())));
        if channels["value"]["second"]["users"]["u1"].is_object()
            && channels["value"]["second"]["users"]["u2"]["userName"] == "Koko"
        {
            let expected = json!({
                "first": {"users": {
                    "u1": {"userName": "U1"},
                    "u2": {"userName": "Koko", "userX": "1.23", "userY": 1.0, "userColor": "#ff0000"},
                }},
                "second": {"users": {"u2": {"userName": "Koko"}, "u1": {"userName": "U1", "userZ": 4}}},
            });
            assert_eq!(channels["value"], expected);
            return;
        }
    }
}

#[tokio::test]
async fn e_03_others_see_the_buss_users_and_how_they_move() {
    // E-03, E-06
    let server = Server::start().await;
    let mut alice = server.try_guest("first", "alice", &[], Credential::Public).await.unwrap();
    let mut mako = server.open().await;
    mako.say(message("CHANNEL_USER_UPDATE", "first", "mako", json!({"userX": "1.230", "userColor": "#f00"}))).await;
    mako.hears_type("CHANNELS_UPDATED").await;
    server.room_holds("first", &["alice"]).await;
    mako.join("first", "mako").await;
    alice
        .sees("bus:mako", |who| {
            who.name == "MAKO" && who.attributes["userX"] == "1.23" && who.attributes["userColor"] == "#f00"
        })
        .await;
    mako.say(message("CHANNEL_USER_UPDATE", "first", "mako", json!({"userX": 7, "userColor": null}))).await;
    alice.sees("bus:mako", |who| who.attributes["userX"] == "7" && !who.attributes.contains_key("userColor")).await;
    mako.say(message("USER_UPDATE", "", "mako", json!({"userName": "007"}))).await;
    alice.sees("bus:mako", |who| who.name == "007").await;
    mako.say(message("CHANNEL_LEAVE", "first", "mako", Value::Null)).await;
    alice.sees("bus:mako", |who| who.disconnect_reason.is_some()).await;
    server.room_holds("first", &["alice"]).await;
}

#[tokio::test]
async fn e_03_positions_pass_to_others_twice_a_second() {
    // E-03
    let server = Server::start().await;
    let mut alice = server.try_guest("first", "alice", &[], Credential::Public).await.unwrap();
    let mut mako = server.person("first", "mako").await;
    alice.sees("bus:mako", |_| true).await;
    let start = Instant::now();
    let mut updates = 0;
    for step in 0..60 {
        mako.say(message("CHANNEL_USER_UPDATE", "first", "mako", json!({"userX": step}))).await;
        mako.hears_type("CHANNEL_USER_UPDATE").await;
        tokio::time::sleep(Duration::from_millis(25)).await;
        while alice.outbox.try_recv().is_some() {
            updates += 1;
        }
    }
    let allowed = start.elapsed().as_secs_f64() * 2.0 + 1.0;
    assert!(updates > 0 && f64::from(updates) <= allowed, "{updates} of {allowed}");
    mako.say(message("CHANNEL_USER_UPDATE", "first", "mako", json!({"userX": 60}))).await;
    alice.sees("bus:mako", |who| who.attributes.get("userX").is_some_and(|x| x == "60")).await;
}

#[tokio::test]
async fn e_03_people_of_other_gateways_are_in_channels_updated() {
    // E-03
    let server = Server::start().await;
    let mut mako = server.open().await;
    let attributes = [("userX", "1.5"), ("userColor", "#00f"), ("seat", "12")];
    let alice = server.try_guest("first", "alice", &attributes, Credential::Public).await.unwrap();
    let users = mako.sees("first", &["token:alice"]).await;
    assert_eq!(users["token:alice"], json!({"userName": "ALICE", "userX": 1.5, "userColor": "#00f", "seat": "12"}));
    let session = alice.handle.id();
    let attributes = [("userX".to_owned(), "2".to_owned())].into();
    let update = room::RoomInput::UpdateMetadata { session, request_id: 1, name: None, metadata: None, attributes };
    alice.handle.send(update).await.unwrap();
    while mako.sees("first", &["token:alice"]).await["token:alice"]["userX"] != 2 {}
    alice.handle.leave(room::participant::DisconnectReason::ClientInitiated).await;
    assert_eq!(mako.hears_type("CHANNELS_UPDATED").await["value"], json!({}));
}

#[tokio::test]
async fn e_03_so_many_of_a_room_are_shown_to_others() {
    // E-03: the first 200 of a room (config).
    let limits = BusLimits { visible_users: 2, ..BusLimits::default() };
    let server = Server::start_with(|setting| setting.bus.limits = limits).await;
    let mut people = Vec::new();
    for user in ["a", "b", "c"] {
        people.push(server.person("first", user).await);
    }
    server.room_holds("first", &["bus:a", "bus:b"]).await;
    people[2].sees("first", &["a", "b", "c"]).await;
    people[0].say(message("CHANNEL_LEAVE", "first", "a", Value::Null)).await;
    server.room_holds("first", &["bus:b", "bus:c"]).await;
    people[1].sees("first", &["b", "c"]).await;
    people[0].join("first", "a").await;
    // Sockets are heard in no order among each other: Ann is back before Bob goes.
    people[1].sees("first", &["a", "b", "c"]).await;
    people[1].say(message("CHANNEL_LEAVE", "first", "b", Value::Null)).await;
    people[1].join("first", "b").await;
    server.room_holds("first", &["bus:a", "bus:c"]).await;
}

#[tokio::test]
async fn whoever_leaves_and_joins_at_once_is_there() {
    let server = Server::start_with(|setting| setting.bus.messages_per_s = 1_000).await;
    let mut mako = server.person("first", "mako").await;
    for _ in 0..100 {
        mako.say(message("CHANNEL_LEAVE", "first", "mako", Value::Null)).await;
        mako.say(message("CHANNEL_JOIN", "first", "mako", Value::Null)).await;
    }
    for _ in 0..100 {
        mako.hears_type("CHANNEL_JOIN").await;
    }
    server.room_holds("first", &["bus:mako"]).await;
    mako.say(message("CHANNEL_LEAVE", "first", "mako", Value::Null)).await;
    mako.hears_type("CHANNEL_LEAVE").await;
    server.room_holds("first", &[]).await;
}

#[tokio::test]
async fn e_05_updates_that_are_no_objects_or_too_much_are_passed_on_and_change_nothing() {
    // E-05, E-06
    let server = Server::start().await;
    let mut mako = server.person("first", "mako").await;
    for value in [json!(5), json!([1]), json!("text"), Value::Null] {
        mako.say(message("CHANNEL_USER_UPDATE", "first", "mako", value.clone())).await;
        assert_eq!(mako.hears_type("CHANNEL_USER_UPDATE").await["value"], value);
    }
    let large = json!({"note": "x".repeat(5_000)});
    mako.say(message("USER_UPDATE", "first", "mako", large.clone())).await;
    let (one, two) = (mako.hear().await, mako.hear().await);
    let mut kinds = [one["type"].as_str().unwrap(), two["type"].as_str().unwrap()];
    kinds.sort_unstable();
    assert_eq!(kinds, ["ERROR", "USER_UPDATE"]);
    mako.join("first", "mako").await;
    assert_eq!(mako.sees("first", &["mako"]).await, json!({"mako": {"userName": "MAKO"}}));
}
