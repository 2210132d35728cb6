//! What an offer proposes, what is to become of each section, and the finished answer.
//!
//! str0m answers with a random `msid` on every section, in its own codec order and, after an ICE restart, with
//! credentials that it drew. Here each section gets the stream it really carries (livekit.md 2.5).

use crate::credentials::Credentials;
use crate::sdp::{Direction, Sdp, Section};
use std::collections::{HashMap, HashSet};

/// What a section carries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SectionKind {
    /// Sound.
    Audio,
    /// Pictures.
    Video,
    /// Data channels.
    Application,
}

/// One section of an offer, as the media graph needs to know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OfferedSection {
    /// Its id.
    pub mid: String,
    /// What it carries.
    pub kind: SectionKind,
    /// The client wants to send on it.
    pub client_sends: bool,
    /// The client wants to receive on it.
    pub client_receives: bool,
    /// The track id of `a=msid`: the client's id of what it sends.
    pub track_id: Option<String>,
    /// Simulcast streams that it sends, in the offered order (`q`, `h`, `f`).
    pub rids: Vec<String>,
    /// Codecs that it names, lower case (`opus`, `red`, `vp8`), in the offered order, each once.
    pub codecs: Vec<String>,
}

impl OfferedSection {
    /// `None` for a section without mid or of a kind that we don't take; str0m refuses the offer for it.
    pub(crate) fn read(section: &Section) -> Option<Self> {
        let kind = match section.kind.as_str() {
            "audio" => SectionKind::Audio,
            "video" => SectionKind::Video,
            "application" => SectionKind::Application,
            _ => return None,
        };
        let direction = if kind == SectionKind::Application { Direction::Inactive } else { section.direction() };
        Some(Self {
            mid: section.mid()?.to_owned(),
            kind,
            client_sends: direction.sends(),
            client_receives: direction.receives(),
            track_id: section.attribute("msid").and_then(|msid| msid.split_once(' ')).map(|(_, id)| id.to_owned()),
            rids: section.attributes("rid").filter_map(sent_rid).collect(),
            codecs: section.codecs(),
        })
    }
}

/// `q send` or `q send pt=…` → `q`.
fn sent_rid(value: &str) -> Option<String> {
    let mut words = value.split_ascii_whitespace();
    let rid = words.next()?;
    (words.next() == Some("send")).then(|| rid.to_owned())
}

/// What becomes of a section in our answer or offer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SectionPlan {
    /// Nothing flows: free for a later track. `inactive`, so that a browser fires `track` when one comes (it fires
    /// only when the direction turns to receiving).
    Unused,
    /// The client sends.
    Receive(ReceivePlan),
    /// We send a track.
    Send {
        /// `PA_…|TR_…`
        stream_id: String,
        /// `TR_…`
        track_id: String,
    },
    /// Data channels: as str0m says.
    Data,
}

/// How we take what the client sends on a section.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReceivePlan {
    /// Codec names, first choice first; the others follow in the offered order.
    pub codecs: Vec<String>,
    /// Ask for two channels.
    pub stereo: bool,
    /// Don't ask for discontinuous transmission.
    pub no_dtx: bool,
}

/// Extensions that a section on which we send may carry.
const SENDABLE: [&str; 5] = [
    "urn:ietf:params:rtp-hdrext:sdes:mid",
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "urn:3gpp:video-orientation",
    "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
    crate::descriptor::URI,
];

/// Extensions that we accept on such a section, whether we send them or not: Chromium leaves out of its next offers what an answer
/// left out of the same kind's sections. Without the stream ids it could not offer simulcast later, without transport-wide
/// numbers nothing would tell it what its way up can carry.
const ACCEPTED: [&str; 3] = [
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    TRANSPORT_WIDE,
];
const TRANSPORT_WIDE: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

/// In a bundle a payload type means one thing on all sections (RFC 8843 section 10.1.2): codec, and for pictures its
/// format, but for the rates that libwebrtc's clients write into some sections. str0m takes that for granted.
///
/// # Errors
/// Which payload type means two things.
pub(crate) fn check_payload_types(sdp: &Sdp) -> Result<(), String> {
    let mut meanings: HashMap<&str, (String, Vec<&str>)> = HashMap::new();
    for section in &sdp.sections {
        let mut named = HashSet::new();
        for (pt, codec) in section.attributes("rtpmap").filter_map(|map| map.split_once(' ')) {
            let format = if section.kind == "video" { format_of(section, pt) } else { Vec::new() };
            let meaning = (codec.to_ascii_lowercase(), format);
            let known = meanings.entry(pt).or_insert_with(|| meaning.clone());
            if !named.insert(pt) || *known != meaning {
                return Err(format!("payload type {pt} means two things"));
            }
        }
    }
    Ok(())
}

/// The parameters of a payload type's `a=fmtp` lines, in a fixed order.
fn format_of<'a>(section: &'a Section, pt: &str) -> Vec<&'a str> {
    let lines = section.attributes("fmtp").filter_map(|format| format.split_once(' ').filter(|(of, _)| *of == pt));
    let fields = lines.flat_map(|(_, fields)| fields.split(';')).map(str::trim);
    let mut fields: Vec<_> = fields.filter(|field| !field.starts_with("x-google-")).collect();
    fields.sort_unstable();
    fields
}

/// What was taken out of an offer's sections and belongs into their answer all the same, by position.
pub(crate) type Accepted = Vec<Vec<String>>;

/// Takes out of an offer what we don't want str0m to act on.
///
/// * Candidates: we are ICE-lite and learn addresses from verified checks, so no offer makes us send anywhere.
/// * `sctp-init`: SNAP would be answered in kind; the classic handshake works with everybody.
/// * On sections where the client receives: extensions and feedback that we don't serve. Transport-wide numbers cost the
///   receiver feedback: only pictures carry them, and only where `estimated` says that somebody reads it.
pub(crate) fn prepare_offer(offer: &mut Sdp, estimated: bool) -> Accepted {
    offer.sections.iter_mut().map(|section| prepare_section(section, estimated)).collect()
}

fn prepare_section(section: &mut Section, estimated: bool) -> Vec<String> {
    for name in ["candidate", "end-of-candidates", "sctp-init"] {
        section.remove_attribute(name);
    }
    if section.kind == "application" || !section.direction().receives() {
        return Vec::new();
    }
    let numbered = estimated && section.kind == "video";
    let accepted = section.lines.iter().filter(|line| is_accepted(line)).cloned().collect();
    section.lines.retain(|line| is_served(line) || (numbered && is_transport_wide(line)));
    accepted
}

fn names_extension(line: &str, known: &[&str]) -> bool {
    line.split_ascii_whitespace().any(|word| known.contains(&word))
}

/// Receiver estimates. The way up is told by transport-wide feedback, and nothing here sends them; of a receiver that
/// gives no such feedback they are taken.
fn is_remb(line: &str) -> bool {
    line.starts_with("a=rtcp-fb:") && line.ends_with(" goog-remb")
}

fn is_transport_feedback(line: &str) -> bool {
    line.starts_with("a=rtcp-fb:") && line.ends_with(" transport-cc")
}

/// What send-side estimation needs of a section.
fn is_transport_wide(line: &str) -> bool {
    (line.starts_with("a=extmap:") && names_extension(line, &[TRANSPORT_WIDE])) || is_transport_feedback(line)
}

fn is_accepted(line: &str) -> bool {
    (line.starts_with("a=extmap:") && names_extension(line, &ACCEPTED)) || is_transport_feedback(line)
}

fn is_served(line: &str) -> bool {
    if line.starts_with("a=extmap:") { names_extension(line, &SENDABLE) } else { !is_transport_feedback(line) }
}

/// Puts back into an answer what was accepted: extensions, and feedback of the payload types that it names.
pub(crate) fn accept(sdp: &mut Sdp, accepted: &Accepted) {
    for (section, lines) in sdp.sections.iter_mut().zip(accepted) {
        for line in lines {
            let feedback = line.strip_prefix("a=rtcp-fb:").and_then(|rest| rest.split(' ').next());
            let named = feedback.is_none_or(|pt| pt == "*" || section.formats.iter().any(|format| format == pt));
            if named && !section.lines.contains(line) {
                section.lines.push(line.clone());
            }
        }
    }
}

/// Puts the plan into a description of str0m's making. Plans are by position; sections without one stay unused.
pub(crate) fn finish(sdp: &mut Sdp, plans: &[SectionPlan], credentials: &Credentials) {
    sdp.remove_session_attribute("msid-semantic");
    for (index, section) in sdp.sections.iter_mut().enumerate() {
        let feedback = section.lines.iter().any(|line| is_transport_wide(line));
        section.lines.retain(|line| !is_remb(line) || (is_sent(plans.get(index)) && !feedback));
        section.set_attribute("ice-ufrag", &credentials.ufrag);
        section.set_attribute("ice-pwd", &credentials.password);
        match plans.get(index).unwrap_or(&SectionPlan::Unused) {
            SectionPlan::Data => {}
            SectionPlan::Unused if section.kind == "application" => {}
            SectionPlan::Unused => {
                remove_stream(section);
                section.set_direction(Direction::Inactive);
            }
            SectionPlan::Receive(plan) => receive(section, plan),
            SectionPlan::Send { stream_id, track_id } => send(section, stream_id, track_id),
        }
    }
}

fn is_sent(plan: Option<&SectionPlan>) -> bool {
    matches!(plan, Some(SectionPlan::Send { .. }))
}

fn remove_stream(section: &mut Section) {
    for name in ["msid", "ssrc", "ssrc-group"] {
        section.remove_attribute(name);
    }
}

fn send(section: &mut Section, stream_id: &str, track_id: &str) {
    let msid = format!("{stream_id} {track_id}");
    section.set_attribute("msid", &msid);
    for line in &mut section.lines {
        if let Some(head) = line.strip_prefix("a=ssrc:").and_then(|ssrc| ssrc.split_once(' ')).map(|(ssrc, _)| ssrc) {
            let value = if line.contains(" cname:") { format!("cname:{stream_id}") } else { format!("msid:{msid}") };
            *line = format!("a=ssrc:{head} {value}");
        }
    }
}

fn receive(section: &mut Section, plan: &ReceivePlan) {
    remove_stream(section);
    section.set_direction(Direction::RecvOnly);
    for codec in plan.codecs.iter().rev() {
        let first = section.payload_types(codec);
        section.formats.sort_by_key(|pt| !first.contains(pt));
    }
    for opus in section.payload_types("opus") {
        if plan.stereo {
            section.extend_format(&opus, "stereo=1;maxaveragebitrate=510000");
        }
        if !plan.no_dtx {
            section.extend_format(&opus, "usedtx=1");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sdp(body: &str) -> Sdp {
        Sdp::parse(&format!("v=0\r\ns=-\r\n{body}")).unwrap()
    }

    fn credentials() -> Credentials {
        Credentials { ufrag: "00abc".into(), password: "secret".into() }
    }

    #[test]
    fn an_offer_is_read_section_by_section() {
        let offer = sdp("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=sendonly\r\na=msid:stream track\r\n\
            a=rid:q send\r\na=rid:h send\r\na=rid:x recv\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\n");
        let video = OfferedSection::read(&offer.sections[0]).unwrap();
        assert_eq!((video.client_sends, video.client_receives), (true, false));
        assert_eq!((video.track_id.as_deref(), video.rids.as_slice()), (Some("track"), &["q".into(), "h".into()][..]));
        let data = OfferedSection::read(&offer.sections[1]).unwrap();
        assert_eq!((data.client_sends, data.client_receives), (false, false));
    }

    #[test]
    fn an_unused_section_carries_no_stream() {
        let mut answer = sdp("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:x\r\na=ice-pwd:y\r\na=sendonly\r\n\
            a=msid:a b\r\na=ssrc:1 cname:c\r\na=ssrc:1 msid:a b\r\n");
        finish(&mut answer, &[SectionPlan::Unused], &credentials());
        let text = answer.to_string();
        assert!(!text.contains("msid") && !text.contains("ssrc") && text.contains("a=inactive\r\n"), "{text}");
        assert!(text.contains("a=ice-ufrag:00abc\r\n") && text.contains("a=ice-pwd:secret\r\n"), "{text}");
    }

    #[test]
    fn a_sent_track_has_its_own_msid_everywhere() {
        let mut answer = sdp("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=sendonly\r\na=msid:a b\r\na=ssrc:1 cname:c\r\n\
            a=ssrc:1 msid:a b\r\na=ssrc:2 msid:a b\r\na=ssrc-group:FID 1 2\r\n");
        let plan = SectionPlan::Send { stream_id: "PA_1|TR_2".into(), track_id: "TR_2".into() };
        finish(&mut answer, &[plan], &credentials());
        assert_eq!(answer.sections[0].attribute("msid"), Some("PA_1|TR_2 TR_2"));
        let ssrcs: Vec<_> = answer.sections[0].attributes("ssrc").collect();
        assert_eq!(ssrcs, ["1 cname:PA_1|TR_2", "1 msid:PA_1|TR_2 TR_2", "2 msid:PA_1|TR_2 TR_2"]);
    }

    #[test]
    fn the_announced_codec_comes_first_and_opus_without_red() {
        let mut answer = sdp("m=video 9 UDP/TLS/RTP/SAVPF 96 97 102\r\na=recvonly\r\na=rtpmap:96 VP8/90000\r\n\
            a=rtpmap:97 rtx/90000\r\na=rtpmap:102 H264/90000\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
            a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\n");
        let video = ReceivePlan { codecs: vec!["h264".into()], ..ReceivePlan::default() };
        let audio = ReceivePlan { stereo: true, no_dtx: true, ..ReceivePlan::default() };
        finish(&mut answer, &[SectionPlan::Receive(video), SectionPlan::Receive(audio)], &credentials());
        assert_eq!(answer.sections[0].formats, ["102", "96", "97"]);
        assert_eq!(answer.sections[1].attribute("fmtp"), Some("111 minptime=10;stereo=1;maxaveragebitrate=510000"));
    }

    #[test]
    fn an_offer_can_make_us_send_nowhere() {
        let mut offer =
            sdp("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=recvonly\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n\
            a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n\
            a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=rtcp-fb:111 transport-cc\r\n");
        let accepted = prepare_offer(&mut offer, true);
        assert_eq!(offer.sections[0].lines, ["a=recvonly", "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid"]);
        assert_eq!(accepted[0].len(), 2, "but transport-wide numbers stay accepted: {accepted:?}");
        accept(&mut offer, &accepted);
        assert_eq!(offer.sections[0].lines.len(), 4);
    }

    #[test]
    fn l_39_pictures_carry_transport_wide_numbers_where_the_way_is_estimated() {
        let transport_wide = format!("a=extmap:3 {TRANSPORT_WIDE}");
        let body = format!(
            "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=recvonly\r\n{transport_wide}\r\na=rtcp-fb:96 transport-cc\r\n"
        );
        for (estimated, lines) in [(true, 3), (false, 1)] {
            let mut offer = sdp(&body);
            prepare_offer(&mut offer, estimated);
            assert_eq!(offer.sections[0].lines.len(), lines);
        }
    }

    #[test]
    fn l_39_receiver_estimates_are_taken_of_whom_gives_no_feedback() {
        let plan = SectionPlan::Send { stream_id: "PA_1|TR_2".into(), track_id: "TR_2".into() };
        for (feedback, kept) in [("", 1), ("a=rtcp-fb:96 transport-cc\r\n", 0)] {
            let mut answer = sdp(&format!("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtcp-fb:96 goog-remb\r\n{feedback}"));
            finish(&mut answer, std::slice::from_ref(&plan), &credentials());
            assert_eq!(answer.to_string().matches("goog-remb").count(), kept);
        }
    }
}
