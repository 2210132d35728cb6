//! What was streamed is kept (C-19).

use crate::harness::{Server, eventually, mp3, sound_of, the_podcast, token};
use gateway::rooms::Access;
use serde_json::json;

#[tokio::test]
async fn c_19_pieces_of_mp3_become_one_podcast() {
    // C-19
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let livestream = server.livestream(&ann).await;
    let mut streamer = server.streamer(&ann.token, &livestream).await;
    // Each piece with a tag of its own, and one cut in the middle of a frame.
    let tag = b"ID3\x04\0\0\0\0\0\x02ab";
    streamer.upload(&[tag.as_slice(), &mp3(30)].concat()).await;
    let cut = mp3(30);
    streamer.upload(&cut[..1000]).await;
    streamer.upload(&cut[1000..]).await;
    streamer.say("41/streamer,").await;
    let podcast = the_podcast(&server).await;
    let told = (&podcast["title"], &podcast["description"], &podcast["artistName"]);
    assert_eq!(told, (&json!("Evening"), &json!("Sounds"), &json!("ann")));
    let kept = sound_of(&server, &podcast["podcastId"], &ann.token).await;
    assert!(kept.ends_with(&mp3(60)), "{} bytes", kept.len());
    assert!(kept.len() <= mp3(60).len() + 600, "and a frame that says how many there are");
    let left = std::fs::read_dir(server.dir.path().join("recordings")).unwrap().count();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn c_19_q_4_what_a_kill_has_left_is_joined_at_the_next_start() {
    // C-19, Q-4
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let livestream = server.livestream(&ann).await;
    let mut streamer = server.streamer(&ann.token, &livestream).await;
    streamer.upload(&mp3(50)).await;
    let (store, dir) = (std::sync::Arc::clone(&server.store), server.dir.clone());
    let recordings = dir.path().join("recordings");
    let written = || async {
        let folders = std::fs::read_dir(&recordings).unwrap().filter_map(|entry| Some(entry.ok()?.path()));
        folders.filter_map(|folder| std::fs::metadata(folder.join("000001.mp3")).ok()).any(|file| file.len() == 7200)
    };
    eventually("it is on the disk", written).await;
    // The first server never ends the livestream.
    let again = Server::start_with(|setting| {
        setting.store = Some(store);
        setting.dir = dir;
    })
    .await;
    let podcast = the_podcast(&again).await;
    assert!(sound_of(&again, &podcast["podcastId"], &ann.token).await.ends_with(&mp3(50)));
    drop(streamer);
}

#[tokio::test]
async fn c_19_q_4_a_folder_that_has_outlived_its_podcast_makes_no_second_one() {
    // C-19, Q-4
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let livestream = server.livestream(&ann).await;
    let mut streamer = server.streamer(&ann.token, &livestream).await;
    streamer.upload(&mp3(50)).await;
    let recordings = server.dir.path().join("recordings");
    let folders = || std::fs::read_dir(&recordings).unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    eventually("it is written", || async { folders().any(|folder| folder.join("000001.mp3").exists()) }).await;
    let folder = folders().next().unwrap();
    let about = std::fs::read(folder.join("about.json")).unwrap();
    streamer.say("41/streamer,").await;
    let podcast = the_podcast(&server).await;
    eventually("its folder is gone", || async { !folder.exists() }).await;
    // As a power cut may leave it: the record is on the disk, that the folder was removed is not.
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("about.json"), about).unwrap();
    std::fs::write(folder.join("000001.mp3"), mp3(50)).unwrap();
    let again = Server::start_with(|setting| {
        (setting.store, setting.dir) = (Some(std::sync::Arc::clone(&server.store)), server.dir.clone());
    })
    .await;
    eventually("its folder is gone again", || async { !folder.exists() }).await;
    assert_eq!(again.get("/api/podcasts").await.json().as_array().unwrap().len(), 1);
    assert!(sound_of(&again, &podcast["podcastId"], &ann.token).await.ends_with(&mp3(50)));
}

#[tokio::test]
async fn c_19_what_was_streamed_in_a_token_room_is_its_streamers_alone() {
    // C-19
    let server = Server::start_with(|setting| {
        setting.registry.declared.insert("rehearsal".into(), Access::Token);
    })
    .await;
    let alice = token("rehearsal", "alice", |_| {});
    let mut streamer = server.streamer(&alice, "rehearsal").await;
    streamer.upload(&mp3(50)).await;
    streamer.say("41/streamer,").await;
    let creations =
        || async { server.call("POST", "/api/users/creations", &[], &json!({ "idToken": alice })).await.json() };
    eventually("it is hers", || async { creations().await.as_array().unwrap().len() == 1 }).await;
    assert_eq!(server.get("/api/podcasts").await.json(), json!([]));
}

#[tokio::test]
async fn c_19_without_ffmpeg_pieces_wait_and_texts_are_not_kept() {
    // C-19
    let server = Server::start_with(|setting| setting.castaway.ffmpeg = "/nowhere/ffmpeg".into()).await;
    let ann = server.account("ann").await;
    let livestream = server.livestream(&ann).await;
    let mut streamer = server.streamer(&ann.token, &livestream).await;
    streamer.send("\"data:audio/mp4;base64,AAAA\"", &[]).await;
    streamer.succeeds().await;
    streamer.upload(b"\x1a\x45\xdf\xa3webm").await;
    streamer.say("41/streamer,").await;
    let recordings = server.dir.path().join("recordings");
    let waits = || async {
        let folders: Vec<_> = std::fs::read_dir(&recordings).unwrap().filter_map(Result::ok).collect();
        folders.len() == 1 && folders[0].path().join("list.txt").exists()
    };
    eventually("it waits", waits).await;
    assert_eq!(server.get("/api/podcasts").await.json(), json!([]));
}
