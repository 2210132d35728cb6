//! Q-6: truncations and bit flips of the bus's messages, through the body of the fuzz target.

use wire::fuzz;

/// Every truncation, every bit flipped, and every byte set to what JSON and UTF-8 care about.
fn sweep(seed: &[u8]) -> usize {
    let body = fuzz::elektron_frame;
    for cut in 0..=seed.len() {
        body(&seed[..cut]);
    }
    let mut bytes = seed.to_vec();
    for bit in 0..seed.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        body(&bytes);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    const TELLING: &[u8] = b"\0\x1f\"\\{}[],:0-1eEun\x7f\x80\xc3\xe2\xf0\xff";
    for index in 0..seed.len() {
        for telling in TELLING {
            let kept = std::mem::replace(&mut bytes[index], *telling);
            body(&bytes);
            bytes[index] = kept;
        }
    }
    seed.len() * (9 + TELLING.len()) + 1
}

#[test]
fn q_6_messages_of_the_bus() {
    // Q-6
    let seeds = [
        r#"{"id":"xykwphlsmcouazdg","type":"CHAT","channel":"residence","userId":"sa","userName":"Treasured Ape","value":"hello","store":true}"#,
        r##"{"type":"CHANNEL_USER_UPDATE","channel":"c","userid":"m","value":{"userX":"1.23","userY":-1e-3,"userColor":"#f00","n":null,"o":{"a":[1,{}]}}}"##,
        r#"{"userName":"J\u00f5\ud83d\ude00\"\\","value":"\ud83dä€😀","history":false,"save":true,"channel":5}"#,
        "[object Object]",
    ];
    let cases: usize = seeds.iter().map(|seed| sweep(seed.as_bytes())).sum();
    assert!(cases > 10_000);
}
