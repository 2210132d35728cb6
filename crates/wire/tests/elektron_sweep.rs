//! Q-6: truncations and bit flips of the bus's messages, through the body of the fuzz target.

mod sweep;

use sweep::sweep;
use wire::fuzz;

/// Bytes that JSON and UTF-8 care about.
const TELLING: &[u8] = b"\0\x1f\"\\{}[],:0-1eEun\x7f\x80\xc3\xe2\xf0\xff";

#[test]
fn q_6_messages_of_the_bus() {
    // Q-6
    let seeds = [
        r#"{"id":"xykwphlsmcouazdg","type":"CHAT","channel":"residence","userId":"sa","userName":"Treasured Ape","value":"hello","store":true}"#,
        r##"{"type":"CHANNEL_USER_UPDATE","channel":"c","userid":"m","value":{"userX":"1.23","userY":-1e-3,"userColor":"#f00","n":null,"o":{"a":[1,{}]}}}"##,
        r#"{"userName":"J\u00f5\ud83d\ude00\"\\","value":"\ud83dä€😀","history":false,"save":true,"channel":5}"#,
        "[object Object]",
    ];
    let cases: usize = seeds.iter().map(|seed| sweep(seed.as_bytes(), TELLING, fuzz::elektron_frame)).sum();
    assert!(cases > 10_000);
}
