//! An outside issuer's ID tokens (castaway.md, «Tokens»): its keys from a file, or from a URL under the policy of Q-22.

use crate::harness::{Dir, Server, eventually, unix_s};
use auth::external::Issuer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use gateway::castaway::{KeySource, OutsideIssuer};
use gateway::outbound::{Outbound, Policy};
use serde_json::json;
use std::sync::OnceLock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const ISSUER: &str = "https://id.example/app";

fn key() -> &'static RsaKeyPair {
    static KEY: OnceLock<RsaKeyPair> = OnceLock::new();
    KEY.get_or_init(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
}

fn jwks() -> String {
    // The modulus of a 2048-bit key stands here in its PKCS#1 form.
    let modulus = &key().public_key().as_ref()[9..265];
    json!({ "keys": [{ "kty": "RSA", "kid": "one", "e": "AQAB", "n": BASE64URL.encode(modulus) }] }).to_string()
}

fn id_token(subject: &str) -> String {
    let claims = json!({ "iss": ISSUER, "aud": "app", "sub": subject, "name": "Mari", "exp": unix_s() + 600 });
    let header = r#"{"alg":"RS256","kid":"one"}"#;
    let message = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(claims.to_string()));
    let mut signature = vec![0; key().public_modulus_len()];
    key().sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", BASE64URL.encode(signature))
}

async fn server(keys: KeySource) -> Server {
    let issuer = Issuer { issuer: ISSUER.to_owned(), audience: "app".to_owned() };
    Server::start_with(|setting| setting.castaway.outside = Some(OutsideIssuer { issuer, keys })).await
}

async fn status(server: &Server, token: &str) -> u16 {
    server.call("POST", "/api/users/info", &[], &json!({ "idToken": token })).await.status
}

#[tokio::test]
async fn c_05_an_outside_user_announces_and_streams_and_is_nobody_elses_double() {
    // C-05
    let folder = Dir::new();
    std::fs::create_dir_all(folder.path()).unwrap();
    let file = folder.path().join("jwks.json");
    std::fs::write(&file, jwks()).unwrap();
    let server = server(KeySource::File(file)).await;
    let mari = id_token("uid-1");
    eventually("the keys are read", || async { status(&server, &mari).await == 200 }).await;
    let body = json!({ "title": "t", "description": "d" });
    let id = server.call("POST", "/app/api/livestreams", &[("idToken", &mari)], &body).await.json();
    let id = id["livestreamId"].as_str().unwrap();
    let mut streamer = server.join("/streamer", &mari, id).await;
    streamer.hears("success", &format!("User uid-1 connected as streamer to livestream {id}.")).await;
    for forged in [id_token("u_abc"), id_token("token:alice"), mari[..mari.len() - 4].to_owned()] {
        assert_eq!(status(&server, &forged).await, 401);
    }
}

#[tokio::test]
async fn q_22_keys_are_fetched_where_the_policy_lets_us() {
    // Q-22
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            let body = jwks();
            let head =
                format!("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all((head + &body).as_bytes()).await;
        }
    });
    let mari = id_token("uid-1");
    let kept_out = server(KeySource::Url(url.clone(), Outbound::of_this_machine(Policy::default()))).await;
    let let_in = server(KeySource::Url(url, Outbound::of_this_machine(Policy::everybody()))).await;
    eventually("the keys are fetched", || async { status(&let_in, &mari).await == 200 }).await;
    assert_eq!(status(&kept_out, &mari).await, 401);
}
