//! Q-6: truncations, bit flips and extreme bytes over what Castaway's clients send. Whatever comes of it, nothing panics.

use wire::fuzz;

/// Every truncation, every single bit flipped, every byte set to each extreme.
fn sweep(seed: &[u8], body: fn(&[u8])) {
    for cut in 0..=seed.len() {
        body(&seed[..cut]);
    }
    let mut bytes = seed.to_vec();
    for bit in 0..seed.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        body(&bytes);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    for index in 0..seed.len() {
        for extreme in [0x00, 0x7f, 0x80, 0xff] {
            let kept = std::mem::replace(&mut bytes[index], extreme);
            body(&bytes);
            bytes[index] = kept;
        }
    }
}

#[test]
fn q_6_packets() {
    // Q-6
    let seeds = [
        r#"0/listener,{"id-token":"a.b.c","livestream-id":"residence"}"#,
        r#"51-/streamer,7["upload",{"a":[{"_placeholder":true,"num":0}],"b":"\u00e4"},1]"#,
        r#"2/streamer,["upload","data:audio/mp4;base64,AAAA"]"#,
        "1/streamer,",
    ];
    seeds.iter().for_each(|seed| sweep(seed.as_bytes(), fuzz::castaway_packet));
}

#[test]
fn q_6_polls() {
    // Q-6
    let body = "451-/streamer,[\"upload\",{\"_placeholder\":true,\"num\":0}]\x1ebAP8C\x1e3\x1e2probe";
    sweep(body.as_bytes(), fuzz::castaway_engine);
}

#[test]
fn q_6_bodies() {
    // Q-6
    let json = br#"{"title":"t","email":"a@b.example","password":"12345678","genres":["a"],"public":true}"#;
    sweep(json, fuzz::castaway_body);
    sweep(b"title=t&email=a%40b.example&password=12345678&genres%5B%5D=a&public=true", fuzz::castaway_body);
    let multipart = b"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--XX\r\n\
        Content-Disposition: form-data; name=\"b\"; filename=\"c\"\r\n\r\n\r\n--X\r\n--XX--\r\n";
    sweep(multipart, fuzz::castaway_multipart);
    for range in ["bytes=0-499", "bytes=-500", "bytes=5-"] {
        sweep(range.as_bytes(), fuzz::castaway_range);
    }
}

#[test]
fn q_6_sound() {
    // Q-6: frames of 24 and 26 bytes, with a tag before and one between.
    let mp3 = |fill: u8| [&[0xff, 0xf3, 0x14, 0xc4], [fill; 20].as_slice()].concat();
    let adts = [[0xff, 0xf1, 0x50, 0x80, 0x03, 0x5f, 0xfc].as_slice(), &[9; 19]].concat();
    let tag = b"ID3\x04\0\0\0\0\0\x02ab".to_vec();
    sweep(&[tag.clone(), mp3(1), mp3(2), tag.clone(), mp3(3)].concat(), fuzz::castaway_mpeg);
    sweep(&[tag, adts.clone(), adts.clone(), adts].concat(), fuzz::castaway_mpeg);
    sweep(b"OggS\0\x02RIFF\0\0\0\0WAVE", fuzz::castaway_mpeg);
}
