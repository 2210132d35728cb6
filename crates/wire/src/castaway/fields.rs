//! Bodies of requests: JSON objects, or forms (what Flutter's `http` sends of a map).

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// Longest body that is read, in bytes: a token of 16 KiB, a description, and some names.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Fields of a form that are looked at: the app's largest has seven, and twenty genres.
const MAX_FIELDS: usize = 64;

/// What a body says, by name.
pub type Fields = Map<String, Value>;

/// The body can't be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("The body can not be read.")]
pub struct Unreadable;

/// Reads a body. Without a content type that names JSON it is a form; an empty one says nothing.
///
/// # Errors
/// It is neither, or too long.
pub fn parse(content_type: &str, body: &[u8]) -> Result<Fields, Unreadable> {
    if body.len() > MAX_BODY_BYTES {
        return Err(Unreadable);
    }
    if body.is_empty() {
        return Ok(Fields::new());
    }
    if content_type.to_ascii_lowercase().contains("json") {
        return serde_json::from_slice(body).map_err(|_| Unreadable);
    }
    form(std::str::from_utf8(body).map_err(|_| Unreadable)?)
}

fn form(text: &str) -> Result<Fields, Unreadable> {
    let mut fields = Fields::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()).take(MAX_FIELDS) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        add(&mut fields, &decode(name)?, decode(value)?);
    }
    Ok(fields)
}

fn decode(text: &str) -> Result<String, Unreadable> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| Unreadable)?;
    Ok(decoded.into_owned())
}

/// `a[]=1`, `a[0]=1` and a name that is said twice are lists.
fn add(fields: &mut Fields, name: &str, value: String) {
    let value = Value::String(value);
    let listed = name.strip_suffix(']').and_then(|name| name.split_once('['));
    let (name, listed) = listed.map_or((name, false), |(name, _)| (name, true));
    match fields.get_mut(name) {
        Some(Value::Array(list)) => list.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
        None if listed => drop(fields.insert(name.to_owned(), Value::Array(vec![value]))),
        None => drop(fields.insert(name.to_owned(), value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

    fn form(text: &str) -> Value {
        Value::Object(parse(FORM, text.as_bytes()).unwrap())
    }

    // C-15: bodies as JSON or form-encoded.
    #[test]
    fn c_15_a_form_says_the_same_as_json() {
        let body = parse("application/json", r#"{"title":"Jõgi & co","description":""}"#.as_bytes()).unwrap();
        assert_eq!(form("title=J%C3%B5gi+%26+co&description="), Value::Object(body));
        assert_eq!(form(""), json!({}));
    }

    #[test]
    fn c_21_lists_in_forms_are_written_in_three_ways() {
        for text in ["genres[]=a&genres[]=b", "genres%5B0%5D=a&genres%5B1%5D=b", "genres=a&genres=b"] {
            assert_eq!(form(text), json!({ "genres": ["a", "b"] }), "{text}");
        }
        assert_eq!(form("genres[]=a"), json!({ "genres": ["a"] }));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for body in ["[]", "1", "{", "{\"a\":}", "null"] {
            assert_eq!(parse("application/json", body.as_bytes()), Err(Unreadable), "{body}");
        }
        assert_eq!(parse(FORM, b"a=\xff"), Err(Unreadable));
        assert_eq!(parse(FORM, b"a=%ff"), Err(Unreadable));
        assert_eq!(parse(FORM, &vec![b'a'; MAX_BODY_BYTES + 1]), Err(Unreadable));
    }
}
