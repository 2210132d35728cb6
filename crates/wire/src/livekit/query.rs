//! Query strings (`application/x-www-form-urlencoded`), as browsers and the Rust SDK write them.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// Most parameters that are looked at: the SDKs send about twenty.
pub const MAX_PARAMETERS: usize = 64;

/// The parameters of a query, decoded, the first value of each name winning.
#[derive(Clone, Debug, Default)]
pub struct Query<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Query<'a> {
    /// Reads `a=b&c=d`. What is not UTF-8 once decoded, and whatever follows [`MAX_PARAMETERS`], is left out.
    pub fn parse(text: &'a str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).take(MAX_PARAMETERS);
        Self { pairs: pairs.filter_map(decode_pair).collect() }
    }

    /// The value of `name`, if it is there and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.pairs.iter().find(|(key, _)| key == name)?;
        (!value.is_empty()).then_some(value)
    }

    /// `1`, `true` and `t` are yes, anything else is no; `default` where it isn't said.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name).map_or(default, |value| matches!(value, "1" | "true" | "t" | "T" | "TRUE" | "True"))
    }

    /// A number; 0 where it isn't said or isn't one.
    pub fn number(&self, name: &str) -> i32 {
        self.get(name).and_then(|value| value.parse().ok()).unwrap_or(0)
    }
}

fn decode_pair(pair: &str) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    Some((decode(name)?, decode(value)?))
}

fn decode(text: &str) -> Option<Cow<'_, str>> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return Some(Cow::Owned(percent_decode_str(&spaced).decode_utf8().ok()?.into_owned()));
    }
    percent_decode_str(text).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_percent_and_plus_and_takes_the_first_value() {
        let query = Query::parse("join_request=a-_%3D%3D&name=J%C3%B5e+Doe&sdk=js&sdk=go&empty=&flag");
        assert_eq!(query.get("join_request"), Some("a-_=="));
        assert_eq!(query.get("name"), Some("Jõe Doe"));
        assert_eq!(query.get("sdk"), Some("js"));
        assert_eq!((query.get("empty"), query.get("flag"), query.get("none")), (None, None, None));
    }

    #[test]
    fn flags_and_numbers_have_their_defaults() {
        let query = Query::parse("auto_subscribe=0&adaptive_stream=1&protocol=17&version=x");
        assert!(!query.flag("auto_subscribe", true));
        assert!(query.flag("adaptive_stream", false));
        assert!(query.flag("not_said", true));
        assert_eq!((query.number("protocol"), query.number("version"), query.number("none")), (17, 0, 0));
    }

    #[test]
    fn what_is_not_utf8_is_left_out_and_the_rest_stays() {
        let query = Query::parse("a=%ff%fe&b=%zz&c=%C3&d=1");
        assert_eq!((query.get("a"), query.get("c"), query.get("d")), (None, None, Some("1")));
        assert_eq!(query.get("b"), Some("%zz"));
        let many = "x=1&".repeat(MAX_PARAMETERS) + "late=1";
        assert_eq!(Query::parse(&many).get("late"), None);
    }
}
