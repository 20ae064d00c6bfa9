//! Writes InMon's samples of names and values.

use super::named::{FlowField, Metric};
use super::xdr;
use crate::Writer;

/// Writes the body of an `rtmetric`.
pub(super) fn put_metrics(w: &mut Writer<'_>, data_source: &[u8], metrics: &[(&[u8], Metric<'_>)]) {
    xdr::put_opaque(w, data_source);
    w.u32(xdr::count(metrics.len()));
    for (name, metric) in metrics {
        xdr::put_opaque(w, name);
        match *metric {
            Metric::Text(text) => xdr::put_opaque(w.u32(0), text),
            Metric::Counter32(value) => _ = w.u32(1).u32(value),
            Metric::Counter64(value) => _ = w.u32(2).u64(value),
            Metric::Gauge32(value) => _ = w.u32(3).u32(value),
            Metric::Gauge64(value) => _ = w.u32(4).u64(value),
            Metric::Float(value) => _ = w.u32(5).u32(value.to_bits()),
            Metric::Double(value) => _ = w.u32(6).u64(value.to_bits()),
        }
    }
}

/// Writes the names and values of an `rtflow`.
pub(super) fn put_fields(w: &mut Writer<'_>, fields: &[(&[u8], FlowField<'_>)]) {
    w.u32(xdr::count(fields.len()));
    for (name, field) in fields {
        xdr::put_opaque(w, name);
        match *field {
            FlowField::Text(text) => xdr::put_opaque(w.u32(0), text),
            FlowField::Mac(mac) => xdr::put_fixed(w.u32(1), &mac),
            FlowField::Ipv4(address) => _ = w.u32(2).bytes(&address.octets()),
            FlowField::Ipv6(address) => _ = w.u32(3).bytes(&address.octets()),
            FlowField::Int32(value) => _ = w.u32(4).u32(value.cast_unsigned()),
            FlowField::Int64(value) => _ = w.u32(5).u64(value.cast_unsigned()),
            FlowField::Float(value) => _ = w.u32(6).u32(value.to_bits()),
            FlowField::Double(value) => _ = w.u32(7).u64(value.to_bits()),
        }
    }
}
