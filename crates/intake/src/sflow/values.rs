//! Values of structures as text, for the column `extra`.

use std::fmt::Write;

use finderscope_wire::sflow::{FlowField, Metric, Value};

use crate::text;

/// A value of a structure as text.
pub(super) fn put(out: &mut String, value: &Value<'_>) {
    let _ = match *value {
        Value::U32(value) | Value::Count(value) => write!(out, "{value}"),
        Value::I32(value) => write!(out, "{value}"),
        Value::U64(value) => write!(out, "{value}"),
        Value::F32(value) => write!(out, "{value}"),
        Value::Percent(value) => write!(out, "{}.{:02}", value / 100, value % 100),
        Value::Ip(address) => write!(out, "{address}"),
        Value::Address(Some(address)) => write!(out, "{address}"),
        Value::Address(None) => Ok(()),
        Value::Text(bytes) => {
            text::put_string(out, bytes);
            Ok(())
        }
        Value::Mac(mac) => {
            text::put_mac(out, mac);
            Ok(())
        }
        Value::Opaque(bytes) | Value::Fixed(bytes) => {
            text::put_hex(out, bytes);
            Ok(())
        }
    };
}

/// A metric as text.
pub(super) fn put_metric(out: &mut String, metric: &Metric<'_>) {
    match *metric {
        Metric::Text(bytes) => put(out, &Value::Text(bytes)),
        Metric::Counter32(value) | Metric::Gauge32(value) => put(out, &Value::U32(value)),
        Metric::Counter64(value) | Metric::Gauge64(value) => put(out, &Value::U64(value)),
        Metric::Float(value) => put(out, &Value::F32(value)),
        // Writing into a String cannot fail.
        Metric::Double(value) => _ = write!(out, "{value}"),
    }
}

/// A flow's field as text.
pub(super) fn put_field(out: &mut String, field: &FlowField<'_>) {
    match *field {
        FlowField::Text(bytes) => put(out, &Value::Text(bytes)),
        FlowField::Mac(mac) => put(out, &Value::Mac(mac)),
        FlowField::Ipv4(address) => put(out, &Value::Ip(address.into())),
        FlowField::Ipv6(address) => put(out, &Value::Ip(address.into())),
        FlowField::Int32(value) => put(out, &Value::I32(value)),
        // Writing into a String cannot fail.
        FlowField::Int64(value) => _ = write!(out, "{value}"),
        FlowField::Float(value) => put(out, &Value::F32(value)),
        FlowField::Double(value) => _ = write!(out, "{value}"),
    }
}
