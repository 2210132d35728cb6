//! Server API JSON as LiveKit's server writes it: proto field names (snake_case) and defaults said (livekit.md 3).
//!
//! The generated types write lowerCamelCase without defaults. A [`Shape`] lists a message's fields, and
//! [`Shape::of`] turns the one form into the other. A test keeps the shapes true to the generated types.

use serde_json::{Map, Value, json};

/// The fields of a message, in proto order.
#[derive(Debug)]
pub struct Shape(pub &'static [(&'static str, Kind)]);

/// What a field holds, and so what it says when it isn't set.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `""` (also bytes).
    Text,
    /// `0`.
    Number,
    /// 64 bits: a number in quotes.
    Long,
    /// `false`.
    Flag,
    /// The name of its first value.
    Enum(&'static str),
    /// A message: `null`.
    One(&'static Shape),
    /// Messages: `[]`.
    Many(&'static Shape),
    /// Names or numbers: `[]`.
    List,
    /// Free keys: `{}`.
    Map,
}

use Kind::{Enum, Flag, List, Long, Many, Number, One, Text};

/// A message without fields.
pub const EMPTY: Shape = Shape(&[]);

/// `livekit.ListRoomsResponse`
pub const LIST_ROOMS: Shape = Shape(&[("rooms", Many(&ROOM))]);

/// `livekit.ListParticipantsResponse`
pub const LIST_PARTICIPANTS: Shape = Shape(&[("participants", Many(&PARTICIPANT))]);

/// `livekit.PerformRpcResponse`
pub const PERFORM_RPC: Shape = Shape(&[("payload", Text)]);

/// `livekit.AgentDispatch`
pub const AGENT_DISPATCH: Shape = Shape(&[
    ("id", Text),
    ("agent_name", Text),
    ("room", Text),
    ("metadata", Text),
    ("state", One(&AGENT_DISPATCH_STATE)),
    ("restart_policy", Enum("JRP_ON_FAILURE")),
    ("deployment", Text),
    ("attributes", Kind::Map),
]);

/// `livekit.AgentDispatchState`
pub const AGENT_DISPATCH_STATE: Shape = Shape(&[("jobs", Many(&JOB)), ("created_at", Long), ("deleted_at", Long)]);

/// `livekit.ListAgentDispatchResponse`
pub const LIST_DISPATCH: Shape = Shape(&[("agent_dispatches", Many(&AGENT_DISPATCH))]);

/// `livekit.Job`
pub const JOB: Shape = Shape(&[
    ("id", Text),
    ("dispatch_id", Text),
    ("type", Enum("JT_ROOM")),
    ("room", One(&ROOM)),
    ("participant", One(&PARTICIPANT)),
    ("namespace", Text),
    ("metadata", Text),
    ("agent_name", Text),
    ("state", One(&JOB_STATE)),
    ("enable_recording", Flag),
    ("deployment", Text),
    ("attributes", Kind::Map),
    ("enable_redaction", Flag),
]);

/// `livekit.JobState`
pub const JOB_STATE: Shape = Shape(&[
    ("status", Enum("JS_PENDING")),
    ("error", Text),
    ("started_at", Long),
    ("ended_at", Long),
    ("updated_at", Long),
    ("participant_identity", Text),
    ("worker_id", Text),
    ("agent_id", Text),
]);

/// `livekit.Room`
pub const ROOM: Shape = Shape(&[
    ("sid", Text),
    ("name", Text),
    ("empty_timeout", Number),
    ("departure_timeout", Number),
    ("max_participants", Number),
    ("creation_time", Long),
    ("creation_time_ms", Long),
    ("turn_password", Text),
    ("enabled_codecs", Many(&CODEC)),
    ("metadata", Text),
    ("num_participants", Number),
    ("num_publishers", Number),
    ("active_recording", Flag),
    ("version", One(&TIMED_VERSION)),
]);

/// `livekit.ParticipantInfo`
pub const PARTICIPANT: Shape = Shape(&[
    ("sid", Text),
    ("identity", Text),
    ("state", Enum("JOINING")),
    ("tracks", Many(&TRACK)),
    ("metadata", Text),
    ("joined_at", Long),
    ("joined_at_ms", Long),
    ("name", Text),
    ("version", Number),
    ("permission", One(&PERMISSION)),
    ("region", Text),
    ("is_publisher", Flag),
    ("kind", Enum("STANDARD")),
    ("attributes", Kind::Map),
    ("disconnect_reason", Enum("UNKNOWN_REASON")),
    ("kind_details", List),
    ("data_tracks", List),
    ("client_protocol", Number),
    ("capabilities", List),
]);

/// `livekit.ParticipantPermission`
pub const PERMISSION: Shape = Shape(&[
    ("can_subscribe", Flag),
    ("can_publish", Flag),
    ("can_publish_data", Flag),
    ("can_publish_sources", List),
    ("hidden", Flag),
    ("recorder", Flag),
    ("can_update_metadata", Flag),
    ("agent", Flag),
    ("can_subscribe_metrics", Flag),
    ("can_manage_agent_session", Flag),
]);

/// `livekit.TrackInfo`
pub const TRACK: Shape = Shape(&[
    ("sid", Text),
    ("type", Enum("AUDIO")),
    ("name", Text),
    ("muted", Flag),
    ("width", Number),
    ("height", Number),
    ("simulcast", Flag),
    ("disable_dtx", Flag),
    ("source", Enum("UNKNOWN")),
    ("layers", Many(&LAYER)),
    ("mime_type", Text),
    ("mid", Text),
    ("codecs", Many(&CODEC_INFO)),
    ("stereo", Flag),
    ("disable_red", Flag),
    ("encryption", Enum("NONE")),
    ("stream", Text),
    ("version", One(&TIMED_VERSION)),
    ("audio_features", List),
    ("backup_codec_policy", Enum("PREFER_REGRESSION")),
    ("packet_trailer_features", List),
]);

/// `livekit.SimulcastCodecInfo`
pub const CODEC_INFO: Shape = Shape(&[
    ("mime_type", Text),
    ("mid", Text),
    ("cid", Text),
    ("layers", Many(&LAYER)),
    ("video_layer_mode", Enum("MODE_UNUSED")),
    ("sdp_cid", Text),
]);

/// `livekit.VideoLayer`
pub const LAYER: Shape = Shape(&[
    ("quality", Enum("LOW")),
    ("width", Number),
    ("height", Number),
    ("bitrate", Number),
    ("ssrc", Number),
    ("spatial_layer", Number),
    ("rid", Text),
    ("repair_ssrc", Number),
]);

/// `livekit.Codec`
pub const CODEC: Shape = Shape(&[("mime", Text), ("fmtp_line", Text)]);

/// `livekit.TimedVersion`
pub const TIMED_VERSION: Shape = Shape(&[("unix_micro", Long), ("ticks", Number)]);

impl Shape {
    /// `value` with the names and defaults of this shape.
    pub fn of(&self, value: &Value) -> Value {
        let field = |(name, kind): &(&str, Kind)| ((*name).to_owned(), kind.of(value.get(camel_case(name))));
        Value::Object(self.0.iter().map(field).collect::<Map<_, _>>())
    }
}

impl Kind {
    fn of(self, value: Option<&Value>) -> Value {
        match (self, value) {
            (One(shape), Some(value)) => shape.of(value),
            (Many(shape), Some(Value::Array(items))) => items.iter().map(|item| shape.of(item)).collect(),
            (_, Some(value)) => value.clone(),
            (_, None) => self.default(),
        }
    }

    fn default(self) -> Value {
        match self {
            Text => json!(""),
            Number => json!(0),
            Long => json!("0"),
            Flag => json!(false),
            Enum(first) => json!(first),
            One(_) => Value::Null,
            Many(_) | List => json!([]),
            Kind::Map => json!({}),
        }
    }
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut all, word| {
        let mut letters = word.chars();
        all.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        all.extend(letters);
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::livekit::proto;
    use serde::de::{Deserialize, Deserializer, Visitor, value::Error};
    use serde::forward_to_deserialize_any;

    /// Asks a generated type for the names that it reads.
    struct FieldNames<'a>(&'a mut Vec<String>);

    impl<'de> Deserializer<'de> for FieldNames<'_> {
        type Error = Error;

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Error> {
            let snake = fields.iter().filter(|name| !name.contains(|c: char| c.is_ascii_uppercase()));
            self.0.extend(snake.map(|name| (*name).to_owned()));
            Err(serde::de::Error::custom("that's all"))
        }

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
            Err(serde::de::Error::custom("not a message"))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    fn same_fields<T: for<'de> Deserialize<'de>>(shape: &Shape) {
        let mut names = Vec::new();
        let _ = T::deserialize(FieldNames(&mut names));
        let ours: Vec<_> = shape.0.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(ours, names);
    }

    #[test]
    fn the_shapes_have_the_fields_of_the_generated_types() {
        same_fields::<proto::ListRoomsResponse>(&LIST_ROOMS);
        same_fields::<proto::ListParticipantsResponse>(&LIST_PARTICIPANTS);
        same_fields::<proto::AgentDispatch>(&AGENT_DISPATCH);
        same_fields::<proto::AgentDispatchState>(&AGENT_DISPATCH_STATE);
        same_fields::<proto::ListAgentDispatchResponse>(&LIST_DISPATCH);
        same_fields::<proto::Job>(&JOB);
        same_fields::<proto::JobState>(&JOB_STATE);
        same_fields::<proto::Room>(&ROOM);
        same_fields::<proto::ParticipantInfo>(&PARTICIPANT);
        same_fields::<proto::ParticipantPermission>(&PERMISSION);
        same_fields::<proto::TrackInfo>(&TRACK);
        same_fields::<proto::SimulcastCodecInfo>(&CODEC_INFO);
        same_fields::<proto::VideoLayer>(&LAYER);
        same_fields::<proto::Codec>(&CODEC);
        same_fields::<proto::TimedVersion>(&TIMED_VERSION);
    }

    #[test]
    fn defaults_are_the_names_that_the_generated_types_would_write() {
        let said = Shape::of(&PARTICIPANT, &json!({"tracks": [{"codecs": [{}], "layers": [{}]}], "permission": {}}));
        let read: proto::ParticipantInfo = serde_json::from_value(said.clone()).unwrap();
        let track = proto::TrackInfo {
            codecs: vec![Default::default()],
            #[allow(deprecated)]
            layers: vec![Default::default()],
            ..Default::default()
        };
        let expected =
            proto::ParticipantInfo { tracks: vec![track], permission: Some(Default::default()), ..Default::default() };
        assert_eq!(read, expected);
        assert_eq!(said["tracks"][0]["version"], Value::Null);
        assert_eq!(said["joined_at_ms"], "0");
    }

    #[test]
    fn free_keys_keep_their_spelling() {
        let said = PARTICIPANT.of(&json!({"attributes": {"lkAgent_name": "x"}, "isPublisher": true}));
        assert_eq!(said["attributes"]["lkAgent_name"], "x");
        assert_eq!(said["is_publisher"], true);
    }
}
