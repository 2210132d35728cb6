//! What is asked of a request's fields, and the words for what is wrong (C-16): those of express-validator, which the phone
//! app was written against.

use super::fields::Fields;
use serde::Serialize;
use serde_json::Value;

/// Longest title, display name or genre, in bytes.
pub const MAX_NAME_BYTES: usize = 256;
/// Longest description, in bytes.
pub const MAX_DESCRIPTION_BYTES: usize = 8 * 1024;
/// Longest id and token, in bytes: that of an access token, by which all ids are shorter.
pub const MAX_ID_BYTES: usize = 16 * 1024;
/// Longest e-mail address, in bytes (RFC 5321, 4.5.3.1.3).
pub const MAX_EMAIL_BYTES: usize = 254;
/// Shortest and longest password, in bytes: shorter ones are guessed, and hashing longer ones is work for nothing.
pub const MIN_PASSWORD_BYTES: usize = 8;
/// See [`MIN_PASSWORD_BYTES`].
pub const MAX_PASSWORD_BYTES: usize = 1024;
/// Genres of one podcast.
pub const MAX_GENRES: usize = 20;

/// Something that is wrong with a field.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Fault {
    /// What was said, trimmed; `None` where nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// For people.
    pub msg: String,
    /// The field.
    pub param: &'static str,
    /// `body` or `headers`.
    pub location: &'static str,
}

/// A field that is a text: which, what people call it, and how long it may be, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    param: &'static str,
    label: &'static str,
    max_bytes: usize,
}

/// The token of whoever asks.
pub const ID_TOKEN: Text = Text { param: "idToken", label: "Id token", max_bytes: MAX_ID_BYTES };
/// Of a livestream or a podcast.
pub const TITLE: Text = Text { param: "title", label: "Title", max_bytes: MAX_NAME_BYTES };
/// Of a livestream or a podcast.
pub const DESCRIPTION: Text = Text { param: "description", label: "Description", max_bytes: MAX_DESCRIPTION_BYTES };
/// Of an account that begins.
pub const DISPLAY_NAME: Text = Text { param: "displayName", label: "Display name", max_bytes: MAX_NAME_BYTES };
/// Of an account from now on.
pub const UPDATED_DISPLAY_NAME: Text =
    Text { param: "updatedDisplayName", label: "Updated display name", max_bytes: MAX_NAME_BYTES };
/// What a new id token is given for.
pub const REFRESH_TOKEN: Text = Text { param: "refreshToken", label: "Refresh token", max_bytes: MAX_ID_BYTES };
/// A favourite.
pub const PODCAST_ID: Text = Text { param: "podcastId", label: "Podcast id", max_bytes: MAX_ID_BYTES };
/// The sound of a podcast that begins.
pub const PODCAST_UPLOAD_ID: Text =
    Text { param: "podcastUploadId", label: "Podcast upload id", max_bytes: MAX_ID_BYTES };
/// The picture of a podcast that begins.
pub const IMAGE_UPLOAD_ID: Text = Text { param: "imageUploadId", label: "Image upload id", max_bytes: MAX_ID_BYTES };
/// The sound of a podcast from now on.
pub const UPDATED_PODCAST_UPLOAD_ID: Text =
    Text { param: "updatedPodcastUploadId", label: "Podcast upload id", max_bytes: MAX_ID_BYTES };
/// The picture of a podcast from now on.
pub const UPDATED_IMAGE_UPLOAD_ID: Text =
    Text { param: "updatedImageUploadId", label: "Image upload id", max_bytes: MAX_ID_BYTES };

/// Reads fields one after the other and remembers what is wrong.
#[derive(Debug)]
pub struct Checks<'a> {
    fields: &'a Fields,
    faults: Vec<Fault>,
}

impl<'a> Checks<'a> {
    /// Of these fields.
    pub fn of(fields: &'a Fields) -> Self {
        Self { fields, faults: Vec::new() }
    }

    /// What was read, if nothing is wrong.
    ///
    /// # Errors
    /// Everything that is.
    pub fn done<T>(self, read: T) -> Result<T, Vec<Fault>> {
        if self.faults.is_empty() { Ok(read) } else { Err(self.faults) }
    }

    /// A text with something in it. What is returned where there is a fault means nothing.
    pub fn text(&mut self, text: Text) -> String {
        let said = self.fields.get(text.param);
        let Some(Value::String(written)) = said else {
            return self.fault(said.cloned(), format!("{} must be a string.", text.label), text.param);
        };
        let trimmed = written.trim();
        match trimmed.len() {
            0 => self.fault(Some("".into()), format!("{} must not be empty.", text.label), text.param),
            length if length > text.max_bytes => self.fault(None, format!("{} is too long.", text.label), text.param),
            _ => trimmed.to_owned(),
        }
    }

    /// A text that may be missing.
    pub fn optional(&mut self, text: Text) -> Option<String> {
        self.fields.contains_key(text.param).then(|| self.text(text))
    }

    /// An e-mail address, in lower case.
    pub fn email(&mut self) -> String {
        let said = self.fields.get("email");
        let address = said.and_then(Value::as_str).map(str::trim).unwrap_or_default();
        if is_email(address) {
            return address.to_lowercase();
        }
        self.fault(said.cloned(), "Email must be a valid email address.".to_owned(), "email")
    }

    /// A password that somebody has: any text. It is never repeated in an answer.
    pub fn password(&mut self) -> String {
        let said = self.fields.get("password").and_then(Value::as_str);
        match said {
            None => self.fault(None, "Password must be a string.".to_owned(), "password"),
            Some("") => self.fault(None, "Password must not be empty.".to_owned(), "password"),
            Some(password) => password.to_owned(),
        }
    }

    /// A password that somebody wants to have.
    pub fn new_password(&mut self) -> String {
        let password = self.password();
        let fits = (MIN_PASSWORD_BYTES..=MAX_PASSWORD_BYTES).contains(&password.len());
        if fits || !self.faults.iter().all(|fault| fault.param != "password") {
            return password;
        }
        self.fault(None, "Please use a stronger password.".to_owned(), "password")
    }

    /// One genre at least.
    pub fn genres(&mut self) -> Vec<String> {
        let said = self.fields.get("genres");
        let list = said.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let genres: Option<Vec<String>> = list.iter().map(genre).collect();
        match genres {
            Some(genres) if (1..=MAX_GENRES).contains(&genres.len()) => genres,
            _ => {
                let msg = "Genres must be an array containing at least one genre.".to_owned();
                self.fault::<String>(said.cloned(), msg, "genres");
                Vec::new()
            }
        }
    }

    /// `public`: yes or no; forms say it as a text.
    pub fn public(&mut self) -> bool {
        let said = self.fields.get("public");
        let word = said.and_then(Value::as_str);
        match (said.and_then(Value::as_bool), word) {
            (Some(public), _) => public,
            (_, Some("true" | "1")) => true,
            (_, Some("false" | "0")) => false,
            _ => {
                self.fault::<String>(said.cloned(), "Public must be a boolean.".to_owned(), "public");
                false
            }
        }
    }

    fn fault<T: Default>(&mut self, value: Option<Value>, msg: String, param: &'static str) -> T {
        self.faults.push(Fault { value, msg, param, location: "body" });
        T::default()
    }
}

/// The token of a request's `idToken` header.
///
/// # Errors
/// It is missing or empty.
pub fn token_header(header: Option<&str>) -> Result<&str, Fault> {
    let fault = |value: Option<Value>, msg: &str| Fault {
        value,
        msg: msg.to_owned(),
        // Node says headers in lower case.
        param: "idtoken",
        location: "headers",
    };
    match header.map(str::trim) {
        None => Err(fault(None, "Id token must be a string.")),
        Some("") => Err(fault(Some("".into()), "Id token must not be empty.")),
        Some(token) => Ok(token),
    }
}

fn genre(value: &Value) -> Option<String> {
    let genre = value.as_str()?.trim();
    (1..=MAX_NAME_BYTES).contains(&genre.len()).then(|| genre.to_owned())
}

/// Whether letters could get there is for a letter to find out.
fn is_email(text: &str) -> bool {
    let plain = text.len() <= MAX_EMAIL_BYTES && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    let halves = text.rsplit_once('@').is_some_and(|(who, host)| {
        !who.is_empty()
            && !who.contains('@')
            && host.split('.').count() > 1
            && host.split('.').all(|part| !part.is_empty())
    });
    plain && halves
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(body: Value, read: impl FnOnce(&mut Checks<'_>)) -> Value {
        let Value::Object(fields) = body else { panic!("no object") };
        let mut checks = Checks::of(&fields);
        read(&mut checks);
        serde_json::to_value(checks.done(()).err().unwrap_or_default()).unwrap()
    }

    // C-16: the texts are exact.
    #[test]
    fn c_16_a_title_that_is_empty_or_missing_has_its_words() {
        let read = |checks: &mut Checks<'_>| drop(checks.text(TITLE));
        let empty = json!([{"value":"","msg":"Title must not be empty.","param":"title","location":"body"}]);
        assert_eq!(faults(json!({"title":""}), read), empty);
        assert_eq!(faults(json!({"title":" \n"}), read), empty);
        let missing = json!([{"msg":"Title must be a string.","param":"title","location":"body"}]);
        assert_eq!(faults(json!({}), read), missing);
        let number = json!([{"value":5,"msg":"Title must be a string.","param":"title","location":"body"}]);
        assert_eq!(faults(json!({"title":5}), read), number);
        assert_eq!(faults(json!({"title":" t "}), |checks| assert_eq!(checks.text(TITLE), "t")), json!([]));
    }

    #[test]
    fn c_16_the_keys_are_in_the_order_of_the_original() {
        let fault = Fault { value: Some("".into()), msg: "m".into(), param: "p", location: "body" };
        let written = r#"{"value":"","msg":"m","param":"p","location":"body"}"#;
        assert_eq!(serde_json::to_string(&fault).unwrap(), written);
    }

    #[test]
    fn c_16_several_faults_are_told_together() {
        let told = faults(json!({"title":"","description":1,"genres":[],"public":"maybe"}), |checks| {
            checks.text(TITLE);
            checks.text(DESCRIPTION);
            checks.genres();
            checks.public();
        });
        let words: Vec<_> = told.as_array().unwrap().iter().map(|fault| fault["msg"].as_str().unwrap()).collect();
        assert_eq!(
            words,
            [
                "Title must not be empty.",
                "Description must be a string.",
                "Genres must be an array containing at least one genre.",
                "Public must be a boolean.",
            ]
        );
    }

    #[test]
    fn c_18_addresses_are_normalised_and_passwords_never_repeated() {
        let fields = json!({"email":" Mari@Venue.EXAMPLE ","password":"12345678"});
        let Value::Object(fields) = fields else { panic!() };
        let mut checks = Checks::of(&fields);
        assert_eq!((checks.email(), checks.new_password()), ("mari@venue.example".into(), "12345678".into()));
        for email in ["", "a", "@b.example", "a@", "a@b", "a@@b.example", "a b@c.example", "a@.example", "a@b..example"]
        {
            let told = faults(json!({"email":email}), |checks| drop(checks.email()));
            assert_eq!(told[0]["msg"], "Email must be a valid email address.", "{email}");
        }
        let told = faults(json!({"password":"short"}), |checks| drop(checks.new_password()));
        assert_eq!(told, json!([{"msg":"Please use a stronger password.","param":"password","location":"body"}]));
        let told = faults(json!({"password":""}), |checks| drop(checks.new_password()));
        assert_eq!(told.as_array().unwrap().len(), 1);
    }

    #[test]
    fn c_21_a_form_says_yes_in_words() {
        let read = |value: Value| {
            let Value::Object(fields) = json!({ "public": value }) else { panic!() };
            let mut checks = Checks::of(&fields);
            let public = checks.public();
            checks.done(public).ok()
        };
        assert_eq!(["true", "1", "false", "0"].map(|word| read(word.into())), [true, true, false, false].map(Some));
        assert_eq!([read(true.into()), read("yes".into())], [Some(true), None]);
    }

    #[test]
    fn the_token_of_a_header_has_its_words_too() {
        assert_eq!(token_header(Some(" t ")).unwrap(), "t");
        let missing = serde_json::to_value(token_header(None).unwrap_err()).unwrap();
        assert_eq!(missing, json!({"msg":"Id token must be a string.","param":"idtoken","location":"headers"}));
    }
}
