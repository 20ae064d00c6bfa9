//! What one field of a structure holds.

use std::net::IpAddr;

use super::layouts::FieldType;
use super::xdr::{self, Padding};
use crate::{Reader, WireError, Writer};

/// A field's value. Strings are bytes: nothing makes agents send UTF-8.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// An unsigned integer; as a counter, all ones where the agent does not count it.
    U32(u32),
    /// A signed integer.
    I32(i32),
    /// An unsigned hyper integer; as a counter, all ones where the agent does not count it.
    U64(u64),
    /// An IEEE single.
    F32(f32),
    /// Hundredths of a percent; all ones where not known.
    Percent(u32),
    /// A string.
    Text(&'a [u8]),
    /// Bytes that came with a length.
    Opaque(&'a [u8]),
    /// As many bytes as the structure says.
    Fixed(&'a [u8]),
    /// A MAC address.
    Mac([u8; 6]),
    /// An address of a fixed kind.
    Ip(IpAddr),
    /// An address with its kind; none where the agent does not know it.
    Address(Option<IpAddr>),
    /// How often the fields that follow are repeated.
    Count(u32),
}

impl<'a> Value<'a> {
    pub(super) fn read(
        kind: FieldType,
        field: &'static str,
        r: &mut Reader<'a>,
        padding: Padding,
    ) -> Result<Self, WireError> {
        Ok(match kind {
            FieldType::U32 => Self::U32(r.u32(field)?),
            FieldType::I32 => Self::I32(r.u32(field)?.cast_signed()),
            FieldType::U64 => Self::U64(r.u64(field)?),
            FieldType::F32 => Self::F32(f32::from_bits(r.u32(field)?)),
            FieldType::Percent => Self::Percent(r.u32(field)?),
            FieldType::Text => Self::Text(xdr::opaque(r, field, padding)?),
            FieldType::Opaque => Self::Opaque(xdr::opaque(r, field, padding)?),
            FieldType::Fixed(length) => Self::Fixed(xdr::fixed(r, field, length, padding)?),
            FieldType::Mac => Self::Mac(xdr::mac(r, field, padding)?),
            FieldType::Ipv4 => Self::Ip(xdr::ipv4(r, field)?.into()),
            FieldType::Ipv6 => Self::Ip(xdr::ipv6(r, field)?.into()),
            FieldType::Address => Self::Address(xdr::address(r, field)?),
            FieldType::Array(_) => Self::Count(r.u32(field)?),
        })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        match *self {
            Self::U32(value) | Self::Percent(value) | Self::Count(value) => _ = writer.u32(value),
            Self::I32(value) => _ = writer.u32(value.cast_unsigned()),
            Self::U64(value) => _ = writer.u64(value),
            Self::F32(value) => _ = writer.u32(value.to_bits()),
            Self::Text(bytes) | Self::Opaque(bytes) => xdr::put_opaque(writer, bytes),
            Self::Fixed(bytes) => xdr::put_fixed(writer, bytes),
            Self::Mac(mac) => xdr::put_fixed(writer, &mac),
            Self::Ip(IpAddr::V4(address)) => _ = writer.bytes(&address.octets()),
            Self::Ip(IpAddr::V6(address)) => _ = writer.bytes(&address.octets()),
            Self::Address(address) => xdr::put_address(writer, address),
        }
    }

    /// The number, where the value is one and the agent knows it: all ones mean that it does not.
    ///
    /// Percentages are in percent, so that 12.34 is 1234 hundredths.
    pub fn number(&self) -> Option<f64> {
        match *self {
            Self::U32(u32::MAX) | Self::U64(u64::MAX) | Self::Percent(u32::MAX) => None,
            Self::U32(value) | Self::Count(value) => Some(value.into()),
            Self::I32(value) => Some(value.into()),
            Self::U64(value) => Some(value as f64),
            Self::F32(value) => Some(value.into()),
            Self::Percent(value) => Some(f64::from(value) / 100.0),
            _ => None,
        }
    }

    /// The bytes, where the value is text or bytes.
    pub const fn bytes(&self) -> Option<&'a [u8]> {
        match *self {
            Self::Text(bytes) | Self::Opaque(bytes) | Self::Fixed(bytes) => Some(bytes),
            _ => None,
        }
    }
}
