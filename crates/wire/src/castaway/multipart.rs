//! Bodies that carry files (RFC 7578), as they arrive: nothing but a part's head is ever held.

use std::borrow::Cow;

/// Longest head of a part, in bytes: two or three lines with a file's name.
pub const MAX_HEAD_BYTES: usize = 4 * 1024;

/// Parts of one body: a token, a file, and what an app may add.
pub const MAX_PARTS: usize = 16;

/// Longest boundary, in bytes (RFC 2046, 5.1.1).
const MAX_BOUNDARY_BYTES: usize = 70;

/// The body is no form, or over a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the body is no multipart form")]
pub struct Malformed;

/// What came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A field begins. A file's name is not looked at: it says nothing that we would believe.
    Part {
        /// The field's name.
        name: String,
    },
    /// Some of its content.
    Data(Vec<u8>),
    /// It has ended.
    End,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Before the first delimiter.
    Preamble,
    /// Right after a delimiter: another part, or the end.
    Delimited,
    Head,
    Content,
    Done,
}

/// Takes a body apart.
#[derive(Debug)]
pub struct Multipart {
    /// Line break, two dashes, boundary.
    delimiter: Vec<u8>,
    waiting: Vec<u8>,
    state: State,
    parts: usize,
}

impl Multipart {
    /// With the boundary that the content type names.
    ///
    /// # Errors
    /// It names none.
    pub fn new(content_type: &str) -> Result<Self, Malformed> {
        let boundary = boundary(content_type).ok_or(Malformed)?;
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        // The first delimiter has no line before it: this makes it like the others.
        Ok(Self { delimiter, waiting: b"\r\n".to_vec(), state: State::Preamble, parts: 0 })
    }

    /// Takes the next bytes of the body; says what they hold.
    ///
    /// # Errors
    /// This is no form; the parser is of no use any more.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, Malformed> {
        self.waiting.extend_from_slice(bytes);
        let mut events = Vec::new();
        while self.step(&mut events)? {}
        Ok(events)
    }

    /// The body has ended: was that all?
    pub fn is_complete(&self) -> bool {
        self.state == State::Done
    }

    /// False: more bytes are needed.
    fn step(&mut self, events: &mut Vec<Event>) -> Result<bool, Malformed> {
        match self.state {
            State::Preamble => Ok(self.skip_preamble()),
            State::Delimited => self.after_delimiter(),
            State::Head => self.head(events),
            State::Content => Ok(self.content(events)),
            State::Done => {
                // An epilogue says nothing.
                self.waiting.clear();
                Ok(false)
            }
        }
    }

    fn skip_preamble(&mut self) -> bool {
        let found = find(&self.waiting, &self.delimiter);
        match found {
            Some(at) => self.take(at + self.delimiter.len(), State::Delimited),
            None => {
                let kept = self.kept();
                self.waiting.drain(..self.waiting.len() - kept);
            }
        }
        found.is_some()
    }

    fn after_delimiter(&mut self) -> Result<bool, Malformed> {
        // Blanks may stand behind a delimiter (RFC 2046, 5.1.1); nobody writes more than a few.
        let blanks = self.waiting.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let rest = self.waiting.get(blanks..).unwrap_or_default();
        match rest {
            [b'\r', b'\n', ..] => self.take(blanks + 2, State::Head),
            [b'-', b'-', ..] => self.take(blanks + 2, State::Done),
            _ if rest.len() >= 2 || blanks > MAX_BOUNDARY_BYTES => return Err(Malformed),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn head(&mut self, events: &mut Vec<Event>) -> Result<bool, Malformed> {
        let end = find(&self.waiting, b"\r\n\r\n");
        if end.unwrap_or(self.waiting.len()) > MAX_HEAD_BYTES {
            return Err(Malformed);
        }
        let Some(end) = end else { return Ok(false) };
        let head = self.waiting.get(..end).and_then(|head| std::str::from_utf8(head).ok()).ok_or(Malformed)?;
        let name = field_name(head).ok_or(Malformed)?;
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return Err(Malformed);
        }
        events.push(Event::Part { name });
        self.take(end + 4, State::Content);
        Ok(true)
    }

    fn content(&mut self, events: &mut Vec<Event>) -> bool {
        let found = find(&self.waiting, &self.delimiter);
        let length = found.unwrap_or_else(|| self.waiting.len() - self.kept());
        if length > 0 {
            events.push(Event::Data(self.waiting.drain(..length).collect()));
        }
        if found.is_some() {
            events.push(Event::End);
            self.take(self.delimiter.len(), State::Delimited);
        }
        found.is_some()
    }

    fn take(&mut self, bytes: usize, next: State) {
        self.waiting.drain(..bytes.min(self.waiting.len()));
        self.state = next;
    }

    /// How much of what waits may be the beginning of a delimiter.
    fn kept(&self) -> usize {
        let longest = self.waiting.len().min(self.delimiter.len() - 1);
        (0..=longest).rev().find(|length| self.waiting.ends_with(&self.delimiter[..*length])).unwrap_or(0)
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    while let Some(at) = text.get(from..)?.iter().position(|byte| *byte == first) {
        let at = from + at;
        if text.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

fn boundary(content_type: &str) -> Option<Cow<'_, str>> {
    let mut parts = content_type.split(';');
    let form = parts.next()?.trim().eq_ignore_ascii_case("multipart/form-data");
    let boundary = parts.find_map(|part| parameter(part, "boundary"))?;
    let fits = (1..=MAX_BOUNDARY_BYTES).contains(&boundary.len()) && !boundary.contains(['\r', '\n']);
    (form && fits).then_some(boundary)
}

fn field_name(head: &str) -> Option<String> {
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    disposition.split(';').find_map(|part| parameter(part, "name")).map(Cow::into_owned)
}

/// `name="value"` or `name=value`. Names with `;` or `"` in them are not ours.
fn parameter<'a>(text: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let (key, value) = text.trim().split_once('=')?;
    let value = value.trim();
    let value = value.strip_prefix('"').map_or(value, |value| value.strip_suffix('"').unwrap_or(value));
    key.trim().eq_ignore_ascii_case(name).then_some(Cow::Borrowed(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=XX";
    const BODY: &[u8] = b"--XX\r\nContent-Disposition: form-data; name=\"idToken\"\r\n\r\ntoken\r\n--XX\r\n\
        content-disposition: form-data; name=\"podcast\"; filename=\"../../a.mp3\"\r\nContent-Type: audio/mpeg\r\n\r\n\
        \r\n--X\r\n\r\n--XX--\r\n";

    fn fields(parser: &mut Multipart, pieces: impl Iterator<Item = Vec<u8>>) -> Vec<(String, Vec<u8>)> {
        let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
        for piece in pieces {
            for event in parser.push(&piece).unwrap() {
                match event {
                    Event::Part { name } => fields.push((name, Vec::new())),
                    Event::Data(data) => fields.last_mut().unwrap().1.extend(data),
                    Event::End => {}
                }
            }
        }
        fields
    }

    // C-22: whatever way the body is cut into pieces by the network.
    #[test]
    fn c_22_fields_and_files_come_whole_however_the_body_is_cut() {
        let expected = [("idToken".to_owned(), b"token".to_vec()), ("podcast".to_owned(), b"\r\n--X\r\n".to_vec())];
        for size in 1..BODY.len() {
            let mut parser = Multipart::new(TYPE).unwrap();
            assert_eq!(fields(&mut parser, BODY.chunks(size).map(<[u8]>::to_vec)), expected, "pieces of {size}");
            assert!(parser.is_complete());
        }
    }

    #[test]
    fn an_empty_field_is_a_field() {
        let mut parser = Multipart::new("Multipart/Form-Data;boundary=\"XX\"").unwrap();
        let body = b"preamble\r\n--XX \r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--XX--".to_vec();
        assert_eq!(fields(&mut parser, [body].into_iter()), [("a".to_owned(), Vec::new())]);
        assert!(parser.is_complete());
    }

    #[test]
    fn what_is_cut_short_is_not_complete() {
        for cut in 0..BODY.len() - 4 {
            let mut parser = Multipart::new(TYPE).unwrap();
            parser.push(&BODY[..cut]).unwrap();
            assert!(!parser.is_complete(), "{cut}");
        }
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for wrong in ["", "multipart/form-data", "text/plain; boundary=a", "multipart/form-data; boundary="] {
            assert!(Multipart::new(wrong).is_err(), "{wrong}");
        }
        let refused = |body: &[u8]| Multipart::new(TYPE).unwrap().push(body).is_err();
        assert!(refused(b"--XXab"));
        assert!(refused(b"--XX\r\nContent-Type: a\r\n\r\n"), "a field without a name");
        assert!(refused(&[b"--XX\r\n".to_vec(), vec![b'a'; MAX_HEAD_BYTES + 1]].concat()));
        let part = b"--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n".repeat(MAX_PARTS + 1);
        assert!(refused(&part));
    }

    #[test]
    fn q_18_nothing_is_held_but_a_head_or_a_delimiter() {
        //
        let mut parser = Multipart::new(TYPE).unwrap();
        parser.push(&vec![b'\r'; 1 << 20]).unwrap();
        assert!(parser.waiting.len() <= parser.delimiter.len());
        parser.push(b"\r\n--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n").unwrap();
        parser.push(&vec![b'-'; 1 << 20]).unwrap();
        assert!(parser.waiting.len() <= parser.delimiter.len());
    }
}
