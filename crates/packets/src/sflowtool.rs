//! What sflowtool prints: sFlow datagrams as text, CSV, JSON and log lines, with sflowtool's names.
//!
//! One walk tells a datagram as names and values ([`Names`]), and each form is a small writer of them: [`Text`],
//! [`Grep`], [`Json`], [`Fields`]. Lines of fixed columns are made of what was [`Seen`] of a sample when all its records
//! were read. [`Form`] is any of them; bytes, source and time come in, bytes go out, one call a datagram.
//!
//! Names stand in one place each: in `names` where they follow a record's fields, in `flows` and `counters` where they
//! do not. Nothing is allocated for a name or a value: all is written into one buffer, which the caller keeps.
//!
//! A damaged datagram is told as far as it is sound, every line and object is closed, and the damage is given back
//! for the caller to say. Samples that are not whole have no line of their own.

mod counters;
mod fields;
mod flows;
mod header;
mod json;
mod line;
mod name;
mod names;
pub mod netflow;
pub mod pcap;
mod seen;
mod teller;
mod text;
mod value;
mod vlans;
mod walk;
mod words;

use std::net::IpAddr;

use finderscope_wire::WireError;
use finderscope_wire::sflow::{DataSource, Datagram, Sample, Tag};

pub use fields::{Fields, FieldsTo};
pub use json::Json;
pub use name::{Name, Suffix};
pub use seen::Seen;
pub use text::{Grep, Text};
pub use value::Value;
pub use vlans::{VLAN_MAX, Vlans};
pub use walk::tell;

/// A datagram, and what its receiver knows of it.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// The datagram.
    pub bytes: &'a [u8],
    /// Who sent it.
    pub source: IpAddr,
    /// When it was received, in nanoseconds since 1970 UTC.
    pub received_ns: i64,
    /// Whether it was read from a capture, whose time this is.
    pub from_file: bool,
    /// The time as a person has it, with the zone: `2025-03-01T12:00:00+0000`.
    pub local_time: &'a str,
    /// The same as in a web server's log: `01/Mar/2025:12:00:00 +0000`.
    pub log_time: &'a str,
}

impl Received<'_> {
    /// The time in seconds, and microseconds beyond them.
    pub const fn seconds_and_micros(&self) -> (i64, u32) {
        let seconds = self.received_ns.div_euclid(1_000_000_000);
        (seconds, (self.received_ns.rem_euclid(1_000_000_000) / 1000) as u32)
    }
}

/// A part of a datagram that has parts or names of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// All of it.
    Datagram,
    /// Its samples.
    Samples,
    /// One sample.
    Sample(Tag),
    /// Its records.
    Elements,
    /// One record.
    Record(Tag),
    /// A list inside a record.
    List(&'static str),
    /// One item of such a list.
    Item,
}

impl Part {
    /// What the list is called, where the part is one.
    const fn list(self) -> Option<&'static str> {
        match self {
            Self::Samples => Some("samples"),
            Self::Elements => Some("elements"),
            Self::List(name) => Some(name),
            _ => None,
        }
    }
}

/// What takes names and values: a form.
pub trait Names {
    /// Whether lists inside records are told as lists, with short names; else by names that tell their items apart.
    const NESTED: bool = false;

    /// A datagram was received; its parts follow.
    fn received(&mut self, received: &Received<'_>) {
        let _ = received;
    }
    /// The datagram's header could be read; its names follow.
    fn datagram(&mut self, datagram: &Datagram<'_>) {
        let _ = datagram;
    }
    /// The sample that is open comes from this source.
    fn source(&mut self, source: DataSource) {
        let _ = source;
    }
    /// Something in the part that is open could not be read.
    fn damaged(&mut self) {}
    /// A part begins.
    fn open(&mut self, part: Part);
    /// The part that began last ends.
    fn close(&mut self, part: Part);
    /// A name and its value.
    fn name(&mut self, name: &Name<'_>, value: &Value<'_>);
}

/// One of the forms in which datagrams can be printed.
#[derive(Debug)]
pub enum Form {
    /// A pair a line.
    Text,
    /// A pair a line, with its context; room to work in.
    Grep(Vec<u8>),
    /// An object a datagram.
    Json {
        /// On many lines.
        indented: bool,
    },
    /// Fixed columns, a line a sample.
    Line,
    /// Columns by name, a line a sample.
    Fields(Fields),
    /// A web server's log.
    Log,
}

impl Form {
    /// Writes a datagram behind what is in `out`. Gives back the first damage in it.
    pub fn write(&mut self, received: &Received<'_>, vlans: Option<&Vlans>, out: &mut Vec<u8>) -> Option<WireError> {
        match self {
            Self::Text => tell(received, vlans, &mut Text { out }),
            Self::Grep(context) => tell(received, vlans, &mut Grep::new(out, context)),
            Self::Json { indented } => tell(received, vlans, &mut Json::new(out, *indented)),
            Self::Fields(fields) => tell(received, vlans, &mut fields.to(out)),
            Self::Line => samples(received.bytes, vlans, |datagram, sample| match sample {
                Sampled::Flow(seen) => line::write_flow(out, datagram.agent, seen),
                Sampled::Counters(counters) => line::write_counters(out, datagram.agent, &counters),
                Sampled::Discarded(_) => {}
            }),
            Self::Log => samples(received.bytes, vlans, |_, sample| {
                if let Sampled::Flow(seen) = sample {
                    line::write_log(out, received.log_time, seen);
                }
            }),
        }
    }
}

/// A sample that is whole.
#[derive(Clone, Copy, Debug)]
pub enum Sampled<'s, 'a> {
    /// A sampled packet.
    Flow(&'s Seen<'a>),
    /// A packet that was thrown away.
    Discarded(&'s Seen<'a>),
    /// Counters: those of an interface, zeros where there are none.
    Counters(finderscope_wire::sflow::GenericInterface),
}

/// Hands out the samples of a datagram that are whole and wanted. Gives back the first damage.
pub fn samples<'a>(
    bytes: &'a [u8],
    vlans: Option<&Vlans>,
    mut take: impl FnMut(&Datagram<'a>, Sampled<'_, 'a>),
) -> Option<WireError> {
    let datagram = match Datagram::read(bytes) {
        Ok(datagram) => datagram,
        Err(error) => return Some(error),
    };
    let mut damage = None;
    let wanted = |seen: &Seen<'a>| vlans.is_none_or(|vlans| vlans.wants(seen));
    for sample in datagram.samples() {
        match sample {
            Ok(Sample::Flow(it)) => {
                let seen = Seen::flow(&it);
                damage = damage.or(seen.damage);
                if seen.damage.is_none() && wanted(&seen) {
                    take(&datagram, Sampled::Flow(&seen));
                }
            }
            Ok(Sample::Discarded(it)) => {
                let seen = Seen::discarded(&it);
                damage = damage.or(seen.damage);
                if seen.damage.is_none() && wanted(&seen) {
                    take(&datagram, Sampled::Discarded(&seen));
                }
            }
            Ok(Sample::Counters(it)) => {
                let mut generic = None;
                let mut whole = true;
                for record in it.records() {
                    match record {
                        Ok(record) => generic = record.generic_interface().or(generic),
                        Err(error) => {
                            damage.get_or_insert(error);
                            whole = false;
                        }
                    }
                }
                if whole {
                    take(&datagram, Sampled::Counters(generic.unwrap_or_default()));
                }
            }
            Ok(_) => {}
            Err(error) => _ = damage.get_or_insert(error),
        }
    }
    damage
}
