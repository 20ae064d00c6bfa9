//! The next generation: a section, a description for each port, and packets with what is known of them.

use std::fmt::{self, Write};

use finderscope_wire::sflow::{self, discard_reason};

use super::interfaces::{Belongs, Interface, Interfaces, Place};
use crate::{LinkType, Packet, Shaped};

const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const STATISTICS: u32 = 5;
const PACKET: u32 = 6;
const BYTE_ORDER: u32 = 0x1A2B_3C4D;
const COMMENT: u16 = 1;
/// Longer than any sampled header, and the same everywhere: tcpdump stops at an interface that differs.
const SNAP_BYTES: u32 = 65_535;
/// Options of a section.
const SHB_APPLICATION: u16 = 4;
/// Options of an interface.
const IF_NAME: u16 = 2;
const IF_DESCRIPTION: u16 = 3;
const IF_SPEED: u16 = 8;
const IF_TIME_RESOLUTION: u16 = 9;
/// Options of a packet.
const EPB_FLAGS: u16 = 2;
const EPB_DROPS: u16 = 4;
const INBOUND: u32 = 1;
const OUTBOUND: u32 = 2;
/// Options of statistics.
const ISB_IFDROP: u16 = 5;
/// Powers of ten of a second.
const NANOSECONDS: u8 = 9;

pub(super) fn head(out: &mut Vec<u8>) {
    block(out, SECTION, |out| {
        out.extend_from_slice(&BYTE_ORDER.to_ne_bytes());
        for half in [1_u16, 0] {
            out.extend_from_slice(&half.to_ne_bytes());
        }
        // The section's length is not known.
        out.extend_from_slice(&u64::MAX.to_ne_bytes());
        option(out, SHB_APPLICATION, concat!("finderscope ", env!("CARGO_PKG_VERSION")).as_bytes());
        end_of_options(out);
    });
}

pub(super) fn packet(
    link: LinkType,
    interfaces: &mut Interfaces,
    packet: &Packet<'_>,
    shaped: &Shaped<'_>,
    out: &mut Vec<u8>,
) {
    let (id, drops) = match interfaces.of(packet) {
        Belongs::Described { id, drops } => (id, drops),
        Belongs::New { id, drops, place, interface } => {
            describe(link, place, interface, out);
            (id, drops)
        }
        Belongs::NewRest { id } => {
            describe_rest(link, out);
            (id, 0)
        }
    };
    block(out, PACKET, |out| {
        // The format has no time before 1970.
        let time_ns = u64::try_from(packet.received_ns).unwrap_or(0);
        let words = [id, (time_ns >> 32) as u32, time_ns as u32, shaped.bytes.len() as u32, shaped.true_length];
        for word in words {
            out.extend_from_slice(&word.to_ne_bytes());
        }
        out.extend_from_slice(shaped.bytes);
        pad(out, shaped.bytes.len());
        option_with(out, COMMENT, |out| {
            // Writing into memory cannot fail.
            let _ = write!(Text(out), "{}", Comment(packet));
        });
        if let Some(inbound) = packet.is_inbound() {
            let flags = if inbound { INBOUND } else { OUTBOUND };
            option(out, EPB_FLAGS, &flags.to_ne_bytes());
        }
        if drops > 0 {
            option(out, EPB_DROPS, &u64::from(drops).to_ne_bytes());
        }
        end_of_options(out);
    });
}

/// Says how many datagrams did not find their way into the capture. Statistics belong to an interface: the first one.
pub(super) fn lost(at_ns: i64, datagrams: u64, out: &mut Vec<u8>) {
    block(out, STATISTICS, |out| {
        let time_ns = u64::try_from(at_ns).unwrap_or(0);
        for word in [0, (time_ns >> 32) as u32, time_ns as u32] {
            out.extend_from_slice(&word.to_ne_bytes());
        }
        option_with(out, COMMENT, |out| {
            // Writing into memory cannot fail.
            let _ = write!(Text(out), "{datagrams} datagrams lost: this reader was too slow");
        });
        option(out, ISB_IFDROP, &datagrams.to_ne_bytes());
        end_of_options(out);
    });
}

/// The description of a port.
fn describe(link: LinkType, (agent, if_index): Place, interface: &Interface, out: &mut Vec<u8>) {
    let (fallback, description) = match if_index {
        Some(index) => (format!("ifIndex {index}"), format!("agent {agent}, ifIndex {index}")),
        None => ("unknown".to_owned(), format!("agent {agent}, a port that is not known")),
    };
    let name = interface.name.as_deref().unwrap_or(&fallback);
    description_block(link, name, &description, interface.speed, out);
}

fn describe_rest(link: LinkType, out: &mut Vec<u8>) {
    description_block(link, "others", "ports beyond the most that are told apart", None, out);
}

fn description_block(link: LinkType, name: &str, description: &str, speed: Option<u64>, out: &mut Vec<u8>) {
    block(out, INTERFACE, |out| {
        for half in [link.0, 0] {
            out.extend_from_slice(&half.to_ne_bytes());
        }
        out.extend_from_slice(&SNAP_BYTES.to_ne_bytes());
        option(out, IF_NAME, name.as_bytes());
        option(out, IF_DESCRIPTION, description.as_bytes());
        if let Some(speed) = speed {
            option(out, IF_SPEED, &speed.to_ne_bytes());
        }
        option(out, IF_TIME_RESOLUTION, &[NANOSECONDS]);
        end_of_options(out);
    });
}

/// A block: its type and length before it, the length behind it once more.
fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&kind.to_ne_bytes());
    out.extend_from_slice(&[0; 4]);
    body(out);
    let length = ((out.len() - start + 4) as u32).to_ne_bytes();
    out[start + 4..start + 8].copy_from_slice(&length);
    out.extend_from_slice(&length);
}

/// An option: number, length, value, filled up to four bytes.
fn option(out: &mut Vec<u8>, number: u16, value: &[u8]) {
    option_with(out, number, |out| out.extend_from_slice(value));
}

fn option_with(out: &mut Vec<u8>, number: u16, value: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&number.to_ne_bytes());
    let start = out.len() + 2;
    out.extend_from_slice(&[0; 2]);
    value(out);
    // Names have a limit; comments are short.
    let length = u16::try_from(out.len() - start).unwrap_or(u16::MAX);
    out.truncate(start + usize::from(length));
    out[start - 2..start].copy_from_slice(&length.to_ne_bytes());
    pad(out, length.into());
}

fn end_of_options(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0; 4]);
}

fn pad(out: &mut Vec<u8>, length: usize) {
    out.resize(out.len() + length.next_multiple_of(4) - length, 0);
}

/// What a sample says of its packet, as words that a program can take apart.
struct Comment<'a>(&'a Packet<'a>);

impl fmt::Display for Comment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let packet = self.0;
        write!(f, "agent={}", packet.agent)?;
        if packet.exporter != packet.agent {
            write!(f, " exporter={}", packet.exporter)?;
        }
        if let Some(rate) = packet.sampling_rate {
            write!(f, " rate={rate}")?;
        }
        for (name, interface) in [("in", packet.input), ("out", packet.output)] {
            if let Some(interface) = interface.filter(|interface| !interface.is_unknown()) {
                write!(f, " {name}={}", Port(interface))?;
            }
        }
        write!(f, " drops={}", packet.drops)?;
        if let Some(reason) = packet.discard {
            write!(f, " reason={}", Reason(reason))?;
        }
        Ok(())
    }
}

/// Where a packet came in or went out.
struct Port(sflow::Interface);

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sflow::Interface { format, value } = self.0;
        match format {
            0 if self.0.is_internal() => f.write_str("internal"),
            0 => value.fmt(f),
            1 => write!(f, "discarded:{}", Reason(value)),
            2 => write!(f, "multiple:{value}"),
            _ => write!(f, "{format}:{value}"),
        }
    }
}

struct Reason(u32);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match discard_reason(self.0) {
            Some(name) => f.write_str(name),
            None => self.0.fmt(f),
        }
    }
}

/// Text at the end of bytes.
struct Text<'a>(&'a mut Vec<u8>);

impl Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
