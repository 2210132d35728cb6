//! Q-6: truncations, bit flips and extreme bytes over what Castaway's clients send. Whatever comes of it, nothing panics.

mod sweep;

use sweep::{EXTREMES, sweep};
use wire::fuzz;

#[test]
fn q_6_packets() {
    // Q-6
    let seeds = [
        r#"0/listener,{"id-token":"a.b.c","livestream-id":"residence"}"#,
        r#"51-/streamer,7["upload",{"a":[{"_placeholder":true,"num":0}],"b":"\u00e4"},1]"#,
        r#"2/streamer,["upload","data:audio/mp4;base64,AAAA"]"#,
        "1/streamer,",
    ];
    for seed in seeds {
        sweep(seed.as_bytes(), EXTREMES, fuzz::castaway_packet);
    }
}

#[test]
fn q_6_polls() {
    // Q-6
    let body = "451-/streamer,[\"upload\",{\"_placeholder\":true,\"num\":0}]\x1ebAP8C\x1e3\x1e2probe";
    sweep(body.as_bytes(), EXTREMES, fuzz::castaway_engine);
}

#[test]
fn q_6_bodies() {
    // Q-6
    let json = br#"{"title":"t","email":"a@b.example","password":"12345678","genres":["a"],"public":true}"#;
    sweep(json, EXTREMES, fuzz::castaway_body);
    sweep(b"title=t&email=a%40b.example&password=12345678&genres%5B%5D=a&public=true", EXTREMES, fuzz::castaway_body);
    let multipart = b"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--XX\r\n\
        Content-Disposition: form-data; name=\"b\"; filename=\"c\"\r\n\r\n\r\n--X\r\n--XX--\r\n";
    sweep(multipart, EXTREMES, fuzz::castaway_multipart);
    for range in ["bytes=0-499", "bytes=-500", "bytes=5-"] {
        sweep(range.as_bytes(), EXTREMES, fuzz::castaway_range);
    }
}

#[test]
fn q_6_sound() {
    // Q-6: frames of 24 and 26 bytes, with a tag before and one between.
    let mp3 = |fill: u8| [&[0xff, 0xf3, 0x14, 0xc4], [fill; 20].as_slice()].concat();
    let adts = [[0xff, 0xf1, 0x50, 0x80, 0x03, 0x5f, 0xfc].as_slice(), &[9; 19]].concat();
    let tag = b"ID3\x04\0\0\0\0\0\x02ab".to_vec();
    sweep(&[tag.clone(), mp3(1), mp3(2), tag.clone(), mp3(3)].concat(), EXTREMES, fuzz::castaway_mpeg);
    sweep(&[tag, adts.clone(), adts.clone(), adts].concat(), EXTREMES, fuzz::castaway_mpeg);
    sweep(b"OggS\0\x02RIFF\0\0\0\0WAVE", EXTREMES, fuzz::castaway_mpeg);
}
