//! Protobuf's wire format, field by field, without unpacking: what isn't understood is passed on as it came.
//! <https://protobuf.dev/programming-guides/encoding/>

/// A field as it lies in its message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) number: u32,
    /// The value of a varint field; 0 for others.
    pub(crate) value: u64,
    /// The payload of a length-delimited field; empty for others.
    pub(crate) payload: &'a [u8],
    /// It is length-delimited.
    pub(crate) delimited: bool,
    /// Tag, length and payload.
    pub(crate) raw: &'a [u8],
}

/// The bytes are no protobuf message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Malformed;

/// The fields of a message, in the order they lie there.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = read_field(self.0);
        // After an error there is no telling where the next field would be.
        self.0 = field.as_ref().map_or(&[], |field| &self.0[field.raw.len()..]);
        Some(field)
    }
}

fn read_field(bytes: &[u8]) -> Result<Field<'_>, Malformed> {
    let (tag, rest) = read_varint(bytes)?;
    let number = u32::try_from(tag >> 3).ok().filter(|n| (1..1 << 29).contains(n)).ok_or(Malformed)?;
    let mut value = 0;
    let (payload, rest, delimited) = match tag & 7 {
        0 => {
            let (number, rest) = read_varint(rest)?;
            value = number;
            (&[][..], rest, false)
        }
        1 => (&[][..], rest.get(8..).ok_or(Malformed)?, false),
        2 => {
            let (length, rest) = read_varint(rest)?;
            let length = usize::try_from(length).map_err(|_| Malformed)?;
            let (payload, rest) = rest.split_at_checked(length).ok_or(Malformed)?;
            (payload, rest, true)
        }
        5 => (&[][..], rest.get(4..).ok_or(Malformed)?, false),
        // Groups: gone since proto3.
        _ => return Err(Malformed),
    };
    Ok(Field { number, value, payload, delimited, raw: &bytes[..bytes.len() - rest.len()] })
}

fn read_varint(bytes: &[u8]) -> Result<(u64, &[u8]), Malformed> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok((value, &bytes[index + 1..]));
        }
    }
    Err(Malformed)
}

/// Appends a varint field.
pub(crate) fn put_varint(out: &mut Vec<u8>, number: u32, value: u64) {
    write_varint(out, u64::from(number) << 3);
    write_varint(out, value);
}

/// Appends a length-delimited field.
pub(crate) fn put_bytes(out: &mut Vec<u8>, number: u32, payload: &[u8]) {
    write_varint(out, u64::from(number) << 3 | 2);
    write_varint(out, payload.len() as u64);
    out.extend_from_slice(payload);
}

fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
