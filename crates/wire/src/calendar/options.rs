//! Options of an event: what elektron's pages find in its description after a line `---` (E-32).

use super::event::clean;
use room::limits::MAX_NAME_BYTES;

/// Options of one event: elektron knows fifteen.
const MAX_OPTIONS: usize = 64;

/// Bytes of an option's name.
const MAX_KEY_BYTES: usize = 64;

/// Bytes of an option's value: a URL.
const MAX_VALUE_BYTES: usize = 2_048;

/// Cameras of an event (E-34).
const CAMERAS: [&str; 4] = ["id", "id2", "id3", "id4"];

/// All that [`Options`] has a word for. Others are passed on.
const KNOWN: [&str; 13] = [
    "id",
    "id2",
    "id3",
    "id4",
    "youtube",
    "image",
    "color",
    "hidden",
    "access",
    "audience",
    "chat",
    "experimental",
    "sheetid",
];

/// `key: value` lines, in their order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Options(Vec<(String, String)>);

impl Options {
    /// Adds one, if it is one and there is room.
    pub fn push(&mut self, key: &str, value: &str) {
        let value = clean(value, MAX_VALUE_BYTES).replace(['\n', '\t'], " ");
        if is_key(key) && self.0.len() < MAX_OPTIONS {
            self.0.push((key.to_owned(), value.trim().to_owned()));
        }
    }

    /// The value of the first with this name, in whatever case it is written; `None` if it is empty.
    pub fn get(&self, key: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(key))?;
        (!value.is_empty()).then_some(value)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Those that have no meaning here.
    pub fn unknown(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter().filter(|(key, _)| !KNOWN.iter().any(|known| known.eq_ignore_ascii_case(key)))
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The room that it is in.
    pub fn room(&self) -> Option<&str> {
        self.name("id")
    }

    /// Its cameras' streams, the first of which is the room's.
    pub fn cameras(&self) -> impl Iterator<Item = &str> {
        CAMERAS.iter().filter_map(|key| self.name(key))
    }

    fn name(&self, key: &str) -> Option<&str> {
        self.get(key).filter(|name| name.len() <= MAX_NAME_BYTES)
    }

    /// It is in no list.
    pub fn hidden(&self) -> bool {
        self.flag("hidden", false)
    }

    /// Is this on? `no`, `off`, `false`, `0` and an empty value say no, all else says yes.
    pub fn flag(&self, key: &str, default: bool) -> bool {
        let value = self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value);
        let no = |value: &String| ["", "no", "off", "false", "0"].iter().any(|word| value.eq_ignore_ascii_case(word));
        value.map_or(default, |value| !no(value))
    }

    /// A colour as style sheets write it: `#` and digits, or a name.
    pub fn color(&self) -> Option<&str> {
        self.get("color").filter(|color| {
            let digits = color.strip_prefix('#');
            let hexadecimal = digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
            (hexadecimal && (4..=9).contains(&color.len()))
                || (color.len() <= 32 && color.bytes().all(|byte| byte.is_ascii_alphabetic()))
        })
    }

    /// A picture on the web, or of this server.
    pub fn image(&self) -> Option<&str> {
        self.get("image").filter(|url| is_web_address(url))
    }
}

/// A URL that a page may load: no script, no data.
fn is_web_address(url: &str) -> bool {
    let own = url.starts_with('/') && !url.starts_with("//");
    own || url.starts_with("https://") || url.starts_with("http://")
}

fn is_key(key: &str) -> bool {
    let letters = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    letters && (1..=MAX_KEY_BYTES).contains(&key.len())
}

/// A description, taken apart: what is for people, and the options.
pub fn split(description: &str) -> (String, Options) {
    let Some((text, lines)) = halves(description) else {
        return (description.trim_end().to_owned(), Options::default());
    };
    let mut options = Options::default();
    for line in lines.lines() {
        // `https://…` in a line of its own is no option.
        if let Some((key, value)) = line.split_once(':').filter(|(_, value)| !value.starts_with("//")) {
            options.push(key.trim(), value);
        }
    }
    (text.trim_end().to_owned(), options)
}

/// What is before the first line of dashes, and what is behind it.
fn halves(description: &str) -> Option<(&str, &str)> {
    let mut start = 0;
    for line in description.split_inclusive('\n') {
        let end = start + line.len();
        let dashes = line.trim();
        if dashes.len() >= 3 && dashes.bytes().all(|byte| byte == b'-') {
            return Some((description.get(..start)?, description.get(end..)?));
        }
        start = end;
    }
    None
}

/// A description, put together again.
pub fn join(text: &str, options: &Options) -> String {
    if options.is_empty() {
        return text.to_owned();
    }
    let lines: String = options.iter().map(|(key, value)| format!("\n{key}: {value}")).collect();
    format!("{text}\n---{lines}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCRIPTION: &str = "Wolves, live.\n\nTwo acts: one break.\n---\nid: residence\nid2: stage2\n\
        youtube: https://youtu.be/x?t=1\nColor: #ff0000\nhidden: no\nchat: off\nnot an option\ntickets: at the door\n";

    #[test]
    fn e_32_what_follows_the_line_of_dashes_are_options_and_unknown_ones_are_passed_on() {
        // E-32
        let (text, options) = split(DESCRIPTION);
        assert_eq!(text, "Wolves, live.\n\nTwo acts: one break.");
        assert_eq!(options.room(), Some("residence"));
        assert_eq!(options.cameras().collect::<Vec<_>>(), ["residence", "stage2"]);
        assert_eq!(options.get("youtube"), Some("https://youtu.be/x?t=1"));
        assert_eq!(options.color(), Some("#ff0000"));
        assert!(!options.hidden() && !options.flag("chat", true) && options.flag("audience", true));
        assert_eq!(options.unknown().collect::<Vec<_>>(), [("tickets", "at the door")]);
    }

    #[test]
    fn e_32_a_description_is_the_same_after_it_was_taken_apart_and_put_together() {
        // E-32
        let (text, options) = split(DESCRIPTION);
        assert_eq!(split(&join(&text, &options)), (text, options));
        assert_eq!(split("no dashes - here"), ("no dashes - here".to_owned(), Options::default()));
    }

    #[test]
    fn q_23_options_that_pages_load_are_what_they_say() {
        //
        let (_, options) = split("\n---\nimage: javascript:alert(1)\ncolor: red;background:url(//x)\n");
        assert_eq!((options.image(), options.color()), (None, None));
        let (_, options) = split("\n---\nimage: //evil.example/x.png\n");
        assert_eq!(options.image(), None);
        let (_, options) = split("\n---\nimage: /media/x.png\ncolor: rebeccapurple\n");
        assert_eq!((options.image(), options.color()), (Some("/media/x.png"), Some("rebeccapurple")));
    }
}
