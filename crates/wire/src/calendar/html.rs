//! Descriptions that were typed into a web page: Google keeps them as HTML, people wrote text.
//!
//! Only the tags that its editor writes are taken out; anything else that looks like one stays, as text. So nothing that
//! somebody wrote is lost, and nothing becomes a tag: whoever shows the text writes it as text.

/// Bytes of a tag with its attributes: a link's address is in it.
const MAX_TAG_BYTES: usize = 4_096;

/// Bytes of an entity's name.
const MAX_ENTITY_BYTES: usize = 10;

/// What a tag of the editor's stands for.
#[derive(Clone, Copy, PartialEq)]
enum Tag {
    /// Nothing: it is looks.
    Style,
    /// A new line.
    Break,
    /// A line of its own.
    Block,
    /// A new line, and a bullet.
    Item,
    /// A line across.
    Rule,
    /// A link begins or ends.
    Link,
}

fn known(name: &str) -> Option<Tag> {
    const TAGS: [(&str, Tag); 24] = [
        ("a", Tag::Link),
        ("b", Tag::Style),
        ("blockquote", Tag::Block),
        ("br", Tag::Break),
        ("code", Tag::Style),
        ("div", Tag::Block),
        ("em", Tag::Style),
        ("font", Tag::Style),
        ("h1", Tag::Block),
        ("h2", Tag::Block),
        ("h3", Tag::Block),
        ("h4", Tag::Block),
        ("hr", Tag::Rule),
        ("html-blob", Tag::Style),
        ("i", Tag::Style),
        ("li", Tag::Item),
        ("ol", Tag::Block),
        ("p", Tag::Block),
        ("pre", Tag::Block),
        ("s", Tag::Style),
        ("span", Tag::Style),
        ("strong", Tag::Style),
        ("u", Tag::Style),
        ("ul", Tag::Block),
    ];
    TAGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, tag)| *tag)
}

/// A tag at the beginning of a text.
struct Found<'a> {
    tag: Tag,
    closing: bool,
    attributes: &'a str,
    bytes: usize,
}

fn tag_at(text: &str) -> Option<Found<'_>> {
    let inner = text.strip_prefix('<')?;
    let end = inner.bytes().take(MAX_TAG_BYTES).position(|byte| byte == b'>')?;
    let inner = inner.get(..end)?;
    let (closing, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
    let name_end = inner.find(|character: char| character.is_whitespace() || character == '/').unwrap_or(inner.len());
    let (name, attributes) = inner.split_at(name_end);
    Some(Found { tag: known(name)?, closing, attributes, bytes: end + 2 })
}

/// Does it have a tag of the editor's?
pub fn looks_like_html(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| text.get(at..).and_then(tag_at).is_some())
}

/// The text that was written. Links keep their addresses as Markdown writes them, unless the address is what one reads.
pub fn to_text(html: &str) -> String {
    let mut writer = Writer::default();
    let mut rest = html;
    while let Some(first) = rest.chars().next() {
        let (bytes, taken) = match first {
            '<' => tag_at(rest).map_or((1, false), |found| (found.bytes, writer.tag(&found))),
            '&' => entity(rest).map_or((1, false), |(character, bytes)| (bytes, writer.push(character))),
            other => (other.len_utf8(), writer.push(other)),
        };
        if !taken {
            writer.push(first);
        }
        rest = rest.get(bytes..).unwrap_or_default();
    }
    writer.text
}

#[derive(Default)]
struct Writer {
    text: String,
    /// Where the open link's text begins, and where it leads.
    link: Option<(usize, String)>,
}

impl Writer {
    fn push(&mut self, character: char) -> bool {
        self.text.push(character);
        true
    }

    fn tag(&mut self, found: &Found<'_>) -> bool {
        match (found.tag, found.closing) {
            (Tag::Style, _) | (Tag::Item, true) => {}
            (Tag::Break, _) => self.text.push('\n'),
            (Tag::Block, _) => self.begin_line(),
            (Tag::Item, false) => {
                self.begin_line();
                self.text.push_str("- ");
            }
            (Tag::Rule, _) => {
                self.begin_line();
                self.text.push_str("---\n");
            }
            (Tag::Link, false) => self.link = href(found.attributes).map(|href| (self.text.len(), href)),
            (Tag::Link, true) => self.end_link(),
        }
        true
    }

    fn begin_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    fn end_link(&mut self) {
        let Some((start, href)) = self.link.take() else { return };
        let label = self.text.get(start..).unwrap_or_default().trim();
        let says_it = label.contains("://") || label.starts_with("www.") || label.is_empty() || label == href;
        if says_it {
            return;
        }
        let link = format!("[{label}]({href})");
        self.text.truncate(start);
        self.text.push_str(&link);
    }
}

fn href(attributes: &str) -> Option<String> {
    let (_, value) = attributes.split_once("href=")?;
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let value = value.get(1..)?.split(quote).next()?;
    let value = decode_entities(value);
    let plain = value.starts_with("https://") || value.starts_with("http://") || value.starts_with("mailto:");
    (plain && !value.contains([' ', ')', '\n'])).then_some(value)
}

fn decode_entities(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (character, bytes) = entity(rest).unwrap_or((first, first.len_utf8()));
        decoded.push(character);
        rest = rest.get(bytes..).unwrap_or_default();
    }
    decoded
}

/// An entity at the beginning of a text, and its length.
fn entity(text: &str) -> Option<(char, usize)> {
    let inner = text.strip_prefix('&')?;
    let end = inner.bytes().take(MAX_ENTITY_BYTES).position(|byte| byte == b';')?;
    let name = inner.get(..end)?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => numbered(name.strip_prefix('#')?)?,
    };
    Some((character, end + 2))
}

fn numbered(number: &str) -> Option<char> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_32_what_googles_editor_wrote_is_the_text_that_was_typed() {
        // E-32
        let html = "<p>Wolves &amp; sheep</p>by <a href=\"https://x.example/?a=1&amp;b=2\">us</a><br><br>---<br>\
            id: residence<br/>youtube: <a href=\"https://www.google.com/url?q=https://youtu.be/x\">https://youtu.be/x</a>";
        let text =
            "Wolves & sheep\nby [us](https://x.example/?a=1&b=2)\n\n---\nid: residence\nyoutube: https://youtu.be/x";
        assert_eq!(to_text(html), text);
        assert_eq!(to_text("<ul><li>one</li><li>two</li></ul>"), "- one\n- two\n");
    }

    #[test]
    fn q_23_what_no_editor_wrote_stays_text() {
        // Q-23
        let text = "<script>alert(1)</script> <img src=x onerror=alert(1)> a < b && c <";
        assert!(!looks_like_html(text));
        assert_eq!(to_text(text), text);
        assert_eq!(to_text("<a href=\"javascript:alert(1)\">here</a>"), "here");
        assert_eq!(to_text("&lt;script&gt;"), "<script>");
    }
}
