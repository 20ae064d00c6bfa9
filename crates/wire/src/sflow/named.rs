//! InMon's samples of names and values (enterprise 4300): `rtmetric` and `rtflow`.
//!
//! Host sFlow agents wrap what programs tell them in JSON. A sample names its data source; then come names, each with
//! the number of a type and a value, in XDR. There is no specification but the public decoder of their maker,
//! `sflowtool` (`readRTMetric`, `readRTFlow`). A value of an unknown type has no known length, so it ends its sample.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::xdr::{self, Padding};
use crate::{Problem, Reader, WireError};

/// `rtmetric` (4300:1002): metrics of a data source, by name.
#[derive(Clone, Copy, Debug)]
pub struct RtMetric<'a> {
    /// What is measured: its name.
    pub data_source: &'a [u8],
    count: u32,
    reader: Reader<'a>,
    cut: Option<WireError>,
}

/// `rtflow` (4300:1003): one of so many transactions of a data source, its fields by name.
#[derive(Clone, Copy, Debug)]
pub struct RtFlow<'a> {
    /// Where it was seen: a name.
    pub data_source: &'a [u8],
    /// One in so many is sampled.
    pub sampling_rate: u32,
    /// How many could have been sampled so far.
    pub sample_pool: u32,
    count: u32,
    reader: Reader<'a>,
    cut: Option<WireError>,
}

/// The value of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metric<'a> {
    /// Type 0.
    Text(&'a [u8]),
    /// Type 1.
    Counter32(u32),
    /// Type 2.
    Counter64(u64),
    /// Type 3.
    Gauge32(u32),
    /// Type 4.
    Gauge64(u64),
    /// Type 5.
    Float(f32),
    /// Type 6.
    Double(f64),
}

/// The value of a flow's field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FlowField<'a> {
    /// Type 0.
    Text(&'a [u8]),
    /// Type 1.
    Mac([u8; 6]),
    /// Type 2.
    Ipv4(Ipv4Addr),
    /// Type 3.
    Ipv6(Ipv6Addr),
    /// Type 4.
    Int32(i32),
    /// Type 5.
    Int64(i64),
    /// Type 6.
    Float(f32),
    /// Type 7.
    Double(f64),
}

impl<'a> RtMetric<'a> {
    pub(super) fn read(mut reader: Reader<'a>, cut: Option<WireError>) -> Result<Self, WireError> {
        let data_source = xdr::opaque(&mut reader, "rtmetric.data_source", Padding::Present)?;
        let count = reader.u32("rtmetric.metrics")?;
        Ok(Self { data_source, count, reader, cut })
    }

    /// Names and values. An `Err` is the last item: what follows it cannot be found.
    pub const fn metrics(&self) -> Named<'a, Metric<'a>> {
        Named { reader: self.reader, left: self.count, cut: self.cut, value: Metric::read, field: "rtmetric.name" }
    }
}

impl<'a> RtFlow<'a> {
    pub(super) fn read(mut reader: Reader<'a>, cut: Option<WireError>) -> Result<Self, WireError> {
        let data_source = xdr::opaque(&mut reader, "rtflow.data_source", Padding::Present)?;
        let sampling_rate = reader.u32("rtflow.sampling_rate")?;
        let sample_pool = reader.u32("rtflow.sample_pool")?;
        let count = reader.u32("rtflow.fields")?;
        Ok(Self { data_source, sampling_rate, sample_pool, count, reader, cut })
    }

    /// Names and values. An `Err` is the last item: what follows it cannot be found.
    pub const fn fields(&self) -> Named<'a, FlowField<'a>> {
        Named { reader: self.reader, left: self.count, cut: self.cut, value: FlowField::read, field: "rtflow.name" }
    }
}

impl<'a> Metric<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, WireError> {
        const VALUE: &str = "rtmetric.value";
        let start = *r;
        Ok(match r.u32("rtmetric.type")? {
            0 => Self::Text(xdr::opaque(r, VALUE, Padding::Present)?),
            1 => Self::Counter32(r.u32(VALUE)?),
            2 => Self::Counter64(r.u64(VALUE)?),
            3 => Self::Gauge32(r.u32(VALUE)?),
            4 => Self::Gauge64(r.u64(VALUE)?),
            5 => Self::Float(f32::from_bits(r.u32(VALUE)?)),
            6 => Self::Double(f64::from_bits(r.u64(VALUE)?)),
            other => return Err(start.error("rtmetric.type", Problem::Value(other.into()))),
        })
    }

    /// The type's name.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::Counter32(_) => "counter32",
            Self::Counter64(_) => "counter64",
            Self::Gauge32(_) => "gauge32",
            Self::Gauge64(_) => "gauge64",
            Self::Float(_) => "float",
            Self::Double(_) => "double",
        }
    }
}

impl<'a> FlowField<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, WireError> {
        const VALUE: &str = "rtflow.value";
        let start = *r;
        Ok(match r.u32("rtflow.type")? {
            0 => Self::Text(xdr::opaque(r, VALUE, Padding::Present)?),
            1 => Self::Mac(xdr::mac(r, VALUE, Padding::Present)?),
            2 => Self::Ipv4(xdr::ipv4(r, VALUE)?),
            3 => Self::Ipv6(xdr::ipv6(r, VALUE)?),
            4 => Self::Int32(r.u32(VALUE)?.cast_signed()),
            5 => Self::Int64(r.u64(VALUE)?.cast_signed()),
            6 => Self::Float(f32::from_bits(r.u32(VALUE)?)),
            7 => Self::Double(f64::from_bits(r.u64(VALUE)?)),
            other => return Err(start.error("rtflow.type", Problem::Value(other.into()))),
        })
    }

    /// The type's name.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::Mac(_) => "mac",
            Self::Ipv4(_) => "ip",
            Self::Ipv6(_) => "ip6",
            Self::Int32(_) => "int32",
            Self::Int64(_) => "int64",
            Self::Float(_) => "float",
            Self::Double(_) => "double",
        }
    }
}

/// Names and values of a sample. Each takes at least eight bytes, which bounds the walk, whatever the count says.
#[derive(Clone, Debug)]
pub struct Named<'a, V> {
    reader: Reader<'a>,
    left: u32,
    cut: Option<WireError>,
    value: fn(&mut Reader<'a>) -> Result<V, WireError>,
    field: &'static str,
}

impl<'a, V> Named<'a, V> {
    fn read(&mut self) -> Result<(&'a [u8], V), WireError> {
        let name = xdr::opaque(&mut self.reader, self.field, Padding::Present)?;
        Ok((name, (self.value)(&mut self.reader)?))
    }
}

impl<'a, V> Iterator for Named<'a, V> {
    type Item = Result<(&'a [u8], V), WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some(left) = self.left.checked_sub(1) else { return self.cut.take().map(Err) };
        self.left = left;
        Some(self.read().map_err(|error| {
            self.left = 0;
            self.cut.take().unwrap_or(error)
        }))
    }
}
