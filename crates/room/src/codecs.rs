//! Which codecs may be published: the room's, less what a client's encoder is known to do badly.

use crate::participant::ClientInfo;

/// What we forward, as LiveKit writes it in lists of codecs.
pub const FORWARDED: [&str; 6] = ["video/VP8", "video/H264", "video/VP9", "video/AV1", "audio/opus", "audio/red"];

/// All of [`FORWARDED`].
pub fn forwarded() -> Vec<String> {
    FORWARDED.map(str::to_owned).into()
}

/// What this client may publish of a room's codecs. LiveKit: `clientconfiguration`.
pub fn publishable(enabled: &[String], client: &ClientInfo) -> Vec<String> {
    enabled.iter().filter(|mime| !is_avoided(mime, client)).cloned().collect()
}

/// `video/VP8` → `vp8`.
pub fn name(mime: &str) -> String {
    mime.rsplit('/').next().unwrap_or_default().to_ascii_lowercase()
}

fn is_avoided(mime: &str, client: &ClientInfo) -> bool {
    let safari = client.browser == "safari";
    let firefox = client.browser == "firefox" || client.browser == "firefox mobile";
    match name(mime).as_str() {
        "av1" => safari,
        "vp9" => safari && version(&client.browser_version) > (18, 3),
        "h264" => firefox && matches!(client.os.as_str(), "linux" | "android"),
        _ => false,
    }
}

/// `18.3.1` → (18, 3). What is no number counts as none.
fn version(text: &str) -> (u32, u32) {
    let mut numbers = text.split('.').map(|number| number.parse().unwrap_or_default());
    (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lacks(browser: &str, browser_version: &str, os: &str) -> Vec<String> {
        let client = ClientInfo {
            browser: browser.into(),
            browser_version: browser_version.into(),
            os: os.into(),
            ..ClientInfo::default()
        };
        let publishable = publishable(&forwarded(), &client);
        forwarded().into_iter().filter(|mime| !publishable.contains(mime)).collect()
    }

    #[test]
    fn clients_publish_what_their_encoders_do_well() {
        assert_eq!(lacks("chrome", "143.0", "linux"), [""; 0]);
        assert_eq!(lacks("safari", "18.3", "mac os"), ["video/AV1"]);
        assert_eq!(lacks("safari", "18.4.1", "mac os"), ["video/VP9", "video/AV1"]);
        assert_eq!(lacks("firefox", "146.0", "linux"), ["video/H264"]);
        assert_eq!(lacks("firefox", "146.0", "windows"), [""; 0]);
        assert_eq!(lacks("safari", "?", ""), ["video/AV1"]);
    }

    #[test]
    fn a_room_allows_what_it_lists() {
        assert_eq!(publishable(&["video/VP8".into()], &ClientInfo::default()), ["video/VP8"]);
    }
}
