//! A session description as lines (RFC 8866): enough to read what a client offers and to finish what we answer.
//!
//! str0m parses SDP too, into types that it keeps to itself. This one keeps every line that it doesn't understand,
//! in order, so that finishing an answer changes what is named and nothing else.

use std::collections::HashMap;
use std::fmt;

/// A description with 200 video sections of 4 KiB each is 800 KiB; more is no client's.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Sections: a client that receives 200 tracks and sends a few.
pub const MAX_SECTIONS: usize = 512;
/// Lines of one section, 130 in a Chrome offer.
pub const MAX_LINES: usize = 1024;
/// Bytes of one line; the longest is `a=sctp-init` or a fingerprint.
pub const MAX_LINE: usize = 8 * 1024;

/// Why a description was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SdpError {
    /// Over [`MAX_BYTES`].
    #[error("session description over {MAX_BYTES} bytes")]
    TooLarge,
    /// Over [`MAX_SECTIONS`].
    #[error("more than {MAX_SECTIONS} media sections")]
    TooManySections,
    /// Over [`MAX_LINES`] or [`MAX_LINE`].
    #[error("a section with too many or too long lines")]
    TooManyLines,
    /// Not `x=…`.
    #[error("line {0} is not of the form <letter>=<value>")]
    Malformed(usize),
    /// An `m=` line without kind, port, protocol and formats.
    #[error("line {0}: incomplete m= line")]
    MalformedMedia(usize),
    /// Doesn't begin with `v=0`.
    #[error("does not begin with v=0")]
    NoVersion,
}

/// A description: the session's lines, then the sections.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sdp {
    /// Lines before the first `m=`, without line ends.
    pub session: Vec<String>,
    /// One for each `m=`.
    pub sections: Vec<Section>,
}

/// An m-line and what follows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// `audio`, `video`, `application`.
    pub kind: String,
    /// 0: rejected, or bundled with an earlier one.
    pub port: String,
    /// `UDP/TLS/RTP/SAVPF`, …
    pub protocol: String,
    /// Payload types in order of preference, or `webrtc-datachannel`.
    pub formats: Vec<String>,
    /// The lines after it, without line ends.
    pub lines: Vec<String>,
}

impl Sdp {
    /// Reads a description within the limits above.
    ///
    /// # Errors
    /// Says which limit or rule was broken, never more than a line number.
    pub fn parse(text: &str) -> Result<Self, SdpError> {
        if text.len() > MAX_BYTES {
            return Err(SdpError::TooLarge);
        }
        let mut sdp = Self::default();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
            sdp.push(index + 1, line)?;
        }
        if sdp.session.first().map(String::as_str) != Some("v=0") {
            return Err(SdpError::NoVersion);
        }
        Ok(sdp)
    }

    fn push(&mut self, number: usize, line: &str) -> Result<(), SdpError> {
        if !line.as_bytes().first().is_some_and(u8::is_ascii_lowercase) || line.as_bytes().get(1) != Some(&b'=') {
            return Err(SdpError::Malformed(number));
        }
        if let Some(media) = line.strip_prefix("m=") {
            if self.sections.len() == MAX_SECTIONS {
                return Err(SdpError::TooManySections);
            }
            self.sections.push(Section::begin(media).ok_or(SdpError::MalformedMedia(number))?);
            return Ok(());
        }
        let lines = self.sections.last_mut().map_or(&mut self.session, |section| &mut section.lines);
        if lines.len() == MAX_LINES || line.len() > MAX_LINE {
            return Err(SdpError::TooManyLines);
        }
        lines.push(line.to_owned());
        Ok(())
    }

    /// Removes session lines `a=name` and `a=name:…`.
    pub fn remove_session_attribute(&mut self, name: &str) {
        self.session.retain(|line| !is_attribute(line, name));
    }
}

impl fmt::Display for Sdp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.session {
            write!(f, "{line}\r\n")?;
        }
        for section in &self.sections {
            let Section { kind, port, protocol, formats, lines } = section;
            write!(f, "m={kind} {port} {protocol} {}\r\n", formats.join(" "))?;
            for line in lines {
                write!(f, "{line}\r\n")?;
            }
        }
        Ok(())
    }
}

/// Which way media flows, from the describer's side (RFC 8866 section 6.7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Both.
    SendRecv,
    /// It sends.
    SendOnly,
    /// It receives.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    const ALL: [(Direction, &'static str); 4] = [
        (Direction::SendRecv, "sendrecv"),
        (Direction::SendOnly, "sendonly"),
        (Direction::RecvOnly, "recvonly"),
        (Direction::Inactive, "inactive"),
    ];

    /// The attribute's name.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(direction, _)| *direction == self).map_or("inactive", |(_, name)| name)
    }

    /// The describer sends.
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// The describer receives.
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }
}

impl Section {
    fn begin(media: &str) -> Option<Self> {
        let mut words = media.split_ascii_whitespace().map(str::to_owned);
        let section = Self {
            kind: words.next()?,
            port: words.next()?,
            protocol: words.next()?,
            formats: words.collect(),
            lines: Vec::new(),
        };
        (!section.formats.is_empty()).then_some(section)
    }

    /// The value of the first `a=name:value`.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| value_of(line, name))
    }

    /// The values of all `a=name:value`.
    pub fn attributes<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.lines.iter().filter_map(move |line| value_of(line, name))
    }

    /// `a=mid`.
    pub fn mid(&self) -> Option<&str> {
        self.attribute("mid")
    }

    /// Sends and receives unless it says otherwise.
    pub fn direction(&self) -> Direction {
        let said = |name: &str| self.lines.iter().any(|line| line.strip_prefix("a=") == Some(name));
        Direction::ALL.iter().find(|(_, name)| said(name)).map_or(Direction::SendRecv, |(direction, _)| *direction)
    }

    /// Replaces the direction, or adds it.
    pub fn set_direction(&mut self, direction: Direction) {
        let is_direction = |line: &str| Direction::ALL.iter().any(|(_, name)| line.strip_prefix("a=") == Some(name));
        let wanted = format!("a={}", direction.as_str());
        match self.lines.iter_mut().find(|line| is_direction(line)) {
            Some(line) => *line = wanted,
            None => self.lines.push(wanted),
        }
    }

    /// Removes `a=name` and `a=name:…`.
    pub fn remove_attribute(&mut self, name: &str) {
        self.lines.retain(|line| !is_attribute(line, name));
    }

    /// Puts `a=name:value` where the first `a=name` stood (or at the end) and removes the others.
    pub fn set_attribute(&mut self, name: &str, value: &str) {
        let at = self.lines.iter().position(|line| is_attribute(line, name)).unwrap_or(self.lines.len());
        self.remove_attribute(name);
        self.lines.insert(at.min(self.lines.len()), format!("a={name}:{value}"));
    }

    /// The codecs that it names, lower case, in order of preference, each once; repair formats aren't any.
    pub fn codecs(&self) -> Vec<String> {
        let maps: HashMap<&str, &str> = self.attributes("rtpmap").filter_map(|map| map.split_once(' ')).collect();
        let names = self.formats.iter().filter_map(|pt| maps.get(pt.as_str())?.split('/').next());
        let mut codecs = Vec::new();
        for name in names.map(str::to_ascii_lowercase).filter(|name| name != "rtx" && name != "ulpfec") {
            if !codecs.contains(&name) {
                codecs.push(name);
            }
        }
        codecs
    }

    /// The payload types whose `a=rtpmap` names this codec, in order of preference.
    pub fn payload_types(&self, codec: &str) -> Vec<String> {
        let names = |pt: &str| {
            self.attributes("rtpmap").any(|map| {
                map.split_once(' ').is_some_and(|(number, encoding)| {
                    number == pt && encoding.split('/').next().is_some_and(|name| name.eq_ignore_ascii_case(codec))
                })
            })
        };
        self.formats.iter().filter(|pt| names(pt)).cloned().collect()
    }

    /// Appends `;extra` to a payload type's `a=fmtp`, or adds the line.
    pub fn extend_format(&mut self, payload_type: &str, extra: &str) {
        let prefix = format!("a=fmtp:{payload_type} ");
        match self.lines.iter_mut().find(|line| line.starts_with(&prefix)) {
            Some(line) => *line = format!("{line};{extra}"),
            None => self.lines.push(format!("{prefix}{extra}")),
        }
    }
}

fn value_of<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':')
}

fn is_attribute(line: &str, name: &str) -> bool {
    line.strip_prefix("a=")
        .and_then(|attribute| attribute.strip_prefix(name))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 63 111\r\na=mid:0\r\na=recvonly\r\na=rtpmap:111 opus/48000/2\r\n\
        a=rtpmap:63 red/48000/2\r\na=fmtp:111 minptime=10\r\n\
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:1\r\na=sctp-port:5000\r\n";

    #[test]
    fn a_description_survives_reading_and_writing() {
        assert_eq!(Sdp::parse(OFFER).map(|sdp| sdp.to_string()), Ok(OFFER.to_owned()));
    }

    #[test]
    fn a_section_is_read_and_changed() {
        let mut section = Sdp::parse(OFFER).unwrap().sections.remove(0);
        assert_eq!((section.mid(), section.direction()), (Some("0"), Direction::RecvOnly));
        assert_eq!(section.payload_types("OPUS"), ["111"]);
        assert_eq!(section.codecs(), ["red", "opus"]);
        section.extend_format("111", "usedtx=1");
        section.set_direction(Direction::Inactive);
        section.set_attribute("mid", "7");
        assert_eq!((section.mid(), section.direction()), (Some("7"), Direction::Inactive));
        assert_eq!(section.attribute("fmtp"), Some("111 minptime=10;usedtx=1"));
    }

    #[test]
    fn what_is_no_description_is_refused() {
        let too_many = format!("v=0\n{}", "m=audio 9 RTP 0\n".repeat(MAX_SECTIONS + 1));
        for (text, error) in [
            ("", SdpError::NoVersion),
            ("o=-", SdpError::NoVersion),
            ("v=0\nnonsense", SdpError::Malformed(2)),
            ("v=0\nm=audio 9", SdpError::MalformedMedia(2)),
            (too_many.as_str(), SdpError::TooManySections),
            (&"x".repeat(MAX_BYTES + 1), SdpError::TooLarge),
        ] {
            assert_eq!(Sdp::parse(text), Err(error));
        }
    }
}
