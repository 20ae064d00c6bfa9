//! What a name stands for, and how it is written.

use std::net::IpAddr;

use finderscope_flow::text::{write_address, write_hex, write_json_string, write_plain_text};
use finderscope_wire::sflow::{AsPath, AsPathSegment, DataSource, Interface, Numbers, Tag};

/// A value, still as it came. Only [`Value::Text`] can hold what has to be escaped.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// A number in decimal.
    Number(u64),
    /// A number that can be under zero.
    Signed(i64),
    /// A number as `0x1f`.
    Hex(u32),
    /// A word of sflowtool's own.
    Word(&'static str),
    /// Bytes off the wire that are text.
    Text(&'a [u8]),
    /// Text off the wire, with all but letters and digits as `%2F`.
    Encoded(&'a [u8]),
    /// A number between words of sflowtool's own.
    Numbered(&'static str, u32, &'static str),
    /// Six bytes without separators.
    Mac([u8; 6]),
    /// An address; `-` where there is none.
    Address(Option<IpAddr>),
    /// Bytes as `AA-BB-CC`.
    Bytes(&'a [u8]),
    /// Hundredths of a percent; all ones where not known.
    Percent(u32),
    /// Three decimals.
    Float(f64),
    /// `enterprise:format`.
    Tag(Tag),
    /// `class:index`.
    Source(DataSource),
    /// A port of a sample of version 5.
    Port(Interface),
    /// A port of a sample of version 2 or 4.
    PlainPort(Interface),
    /// AS numbers, sets in parentheses.
    Path(AsPath<'a>),
    /// Numbers with dashes between them.
    Numbers(Numbers<'a>),
    /// MPLS labels: `label.exp.s.ttl`, dashes between them.
    Labels(Numbers<'a>),
    /// VLAN tags, four bytes each, still on the wire: `0xTPID.pri.cfi.vlan`, dashes between them.
    Vlans(&'a [u8]),
    /// Sixteen bytes as a UUID.
    Uuid(&'a [u8]),
    /// What the caller has formatted: a time.
    Ready(&'a str),
}

/// More bytes than this are not shown: what sflowtool's buffer of 2,000 has room for.
const BYTES_MAX: usize = 666;

impl Value<'_> {
    /// Whether sflowtool prints nothing at all, not even the name.
    pub fn is_silent(&self) -> bool {
        match self {
            Self::Text(bytes) | Self::Encoded(bytes) | Self::Vlans(bytes) => bytes.is_empty(),
            Self::Numbers(numbers) | Self::Labels(numbers) => numbers.is_empty(),
            Self::Path(path) => path.segment_count() == 0,
            _ => false,
        }
    }

    /// Writes it for a line of text; control characters off the wire are escaped.
    #[inline]
    pub fn write_text(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Text(bytes) => write_plain_text(out, &lossy(bytes)),
            _ => self.write_harmless(out),
        }
    }

    /// Writes it as a JSON string with its quotes.
    #[inline]
    pub fn write_json(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Text(bytes) => write_json_string(out, &lossy(bytes)),
            _ => {
                out.push(b'"');
                self.write_harmless(out);
                out.push(b'"');
            }
        }
    }

    fn write_harmless(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Number(number) => write_number(out, number),
            Self::Signed(number) => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
            Self::Hex(number) => write_short_hex(out, number),
            Self::Word(word) => out.extend_from_slice(word.as_bytes()),
            Self::Ready(text) => out.extend_from_slice(text.as_bytes()),
            Self::Text(_) => self.write_text(out),
            Self::Encoded(bytes) => write_encoded(out, bytes),
            Self::Numbered(before, number, behind) => {
                out.extend_from_slice(before.as_bytes());
                write_number(out, number);
                out.extend_from_slice(behind.as_bytes());
            }
            Self::Mac(mac) => write_mac(out, mac),
            Self::Address(address) => write_ip(out, address),
            Self::Bytes(bytes) => write_bytes(out, bytes.get(..BYTES_MAX).unwrap_or(bytes)),
            Self::Percent(u32::MAX) => out.extend_from_slice(b"unknown"),
            Self::Percent(hundredths) => {
                write_number(out, hundredths / 100);
                out.extend_from_slice(&[b'.', b'0' + (hundredths / 10 % 10) as u8, b'0' + (hundredths % 10) as u8]);
            }
            Self::Float(number) => {
                use std::io::Write;
                write!(out, "{number:.3}").expect("a vector takes everything");
            }
            Self::Tag(tag) => write_pair(out, tag.enterprise, tag.format),
            Self::Source(source) => write_pair(out, source.class, source.index),
            Self::Port(port) => write_port(out, port),
            Self::PlainPort(Interface { format: 2, value: 0 }) => out.extend_from_slice(b"multiple >1"),
            Self::PlainPort(port) => write_port(out, port),
            Self::Path(path) => write_path(out, path),
            Self::Numbers(numbers) => joined(out, numbers.iter(), write_number),
            Self::Labels(labels) => joined(out, labels.iter(), write_label),
            Self::Vlans(bytes) => {
                let tags = bytes.as_chunks::<4>().0.iter();
                joined(out, tags.map(|tag| u32::from_be_bytes(*tag)), write_vlan);
            }
            Self::Uuid(bytes) => write_uuid(out, bytes),
        }
    }
}

fn lossy(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Writes a number in decimal.
#[inline]
pub(super) fn write_number(out: &mut Vec<u8>, number: impl Into<u64>) {
    out.extend_from_slice(itoa::Buffer::new().format(number.into()).as_bytes());
}

/// Writes an IPv4 address as usual, an IPv6 address as eight groups of four digits, and `-` for none.
#[inline]
pub(super) fn write_ip(out: &mut Vec<u8>, address: Option<IpAddr>) {
    match address {
        None => out.push(b'-'),
        Some(IpAddr::V4(address)) => write_address(out, &address.octets()),
        Some(IpAddr::V6(address)) => {
            let mut text = [b':'; 39];
            for (group, bytes) in text.chunks_mut(5).zip(address.octets().as_chunks::<2>().0) {
                group[..2].copy_from_slice(&hex(bytes[0]));
                group[2..4].copy_from_slice(&hex(bytes[1]));
            }
            out.extend_from_slice(&text);
        }
    }
}

/// Writes a MAC address without separators.
pub(super) fn write_mac(out: &mut Vec<u8>, mac: [u8; 6]) {
    let mut text = [0; 12];
    for (digits, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(mac) {
        *digits = hex(byte);
    }
    out.extend_from_slice(&text);
}

const fn hex(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[(byte >> 4) as usize], DIGITS[(byte & 0xf) as usize]]
}

/// Writes hexadecimal digits with zeros before them.
pub(super) fn write_padded_hex(out: &mut Vec<u8>, number: u32, digits: u32) {
    let needed = (u32::BITS - number.leading_zeros()).div_ceil(4).max(digits);
    for digit in (0..needed).rev() {
        out.push(b"0123456789abcdef"[(number >> (4 * digit) & 0xf) as usize]);
    }
}

fn write_short_hex(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(b"0x");
    write_padded_hex(out, number, 1);
}

fn write_pair(out: &mut Vec<u8>, one: u32, other: u32) {
    write_number(out, one);
    out.push(b':');
    write_number(out, other);
}

fn write_port(out: &mut Vec<u8>, port: Interface) {
    out.extend_from_slice(match port.format {
        0 => b"",
        1 => b"dropCode ",
        2 => b"multiple ",
        _ => b"format==3 ",
    });
    write_number(out, port.value);
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let start = out.len();
    out.resize(start + 3 * bytes.len(), b'-');
    for (text, byte) in out[start..].as_chunks_mut::<3>().0.iter_mut().zip(bytes) {
        text[0] = HEX[usize::from(byte >> 4)];
        text[1] = HEX[usize::from(byte & 0xf)];
    }
    if !bytes.is_empty() {
        out.pop();
    }
}

fn joined(out: &mut Vec<u8>, numbers: impl Iterator<Item = u32>, write: impl Fn(&mut Vec<u8>, u32)) {
    for (at, number) in numbers.enumerate() {
        if at > 0 {
            out.push(b'-');
        }
        write(out, number);
    }
}

fn write_label(out: &mut Vec<u8>, entry: u32) {
    write_number(out, entry >> 12);
    for part in [entry >> 9 & 7, entry >> 8 & 1, entry & 0xff] {
        out.push(b'.');
        write_number(out, part);
    }
}

fn write_vlan(out: &mut Vec<u8>, tag: u32) {
    out.extend_from_slice(b"0x");
    write_padded_hex(out, tag >> 16, 4);
    for part in [tag >> 13 & 7, tag >> 12 & 1, tag & 0xfff] {
        out.push(b'.');
        write_number(out, part);
    }
}

fn write_path(out: &mut Vec<u8>, path: AsPath<'_>) {
    for (at, segment) in path.segments().enumerate() {
        if at > 0 {
            out.push(b'-');
        }
        let set = segment.kind == AsPathSegment::SET;
        if set {
            out.push(b'(');
        }
        joined(out, segment.numbers.iter(), write_number);
        if set {
            out.push(b')');
        }
    }
}

fn write_uuid(out: &mut Vec<u8>, bytes: &[u8]) {
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        write_hex(out, &[*byte]);
    }
}

fn write_encoded(out: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => out.push(*byte),
            b' ' | b'\t' | b'\n' | b'\x0b' | b'\x0c' | b'\r' => out.push(b'+'),
            _ => {
                out.push(b'%');
                write_bytes(out, &[*byte]);
            }
        }
    }
}
