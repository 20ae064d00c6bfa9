//! Frames: packets and ports as they travel between programs. The outer length is their carrier's.
//!
//! | bytes | packet's field | what |
//! |---|---|---|
//! | 1 | `version` | 1; another layout gets another number |
//! | 2 | `flags` | 1: the exporter is IPv6; 2: the agent is; 4: a source is there; 8: an input; 16: an output; 32: a rate; 64: a reason |
//! | 8 | `received_ns` | signed, ns since 1970 UTC |
//! | 4 or 16 | `exporter` | |
//! | 4 or 16 | `agent` | |
//! | 8 | `source` | with flag 4: class, index |
//! | 8 | `input` | with flag 8: format, value |
//! | 8 | `output` | with flag 16: format, value |
//! | 4 | `sampling_rate` | with flag 32 |
//! | 4 | `discard` | with flag 64 |
//! | 4 | `sample_pool` | |
//! | 4 | `drops` | |
//! | 4 | `protocol` | sFlow's number |
//! | 4 | `frame_length` | |
//! | 4 | `stripped` | |
//! | the rest | `bytes` | at most 65,535 |
//!
//! A port is a version, a byte of flags (1: the agent is IPv6; 2: a name is there; 4: a speed), the agent, the
//! index (4), the speed (8), and the name as the rest. Integers are big-endian, as in a delivery's frame.

use std::net::IpAddr;

use finderscope_wire::packet::HeaderProtocol;
use finderscope_wire::sflow::{DataSource, Interface};
use finderscope_wire::{Problem, Reader, WireError, Writer};

use crate::port::NAME_BYTES_MAX;
use crate::{Packet, Port};

/// The longest header: no datagram can carry more.
const HEADER_BYTES_MAX: usize = 65_535;
/// The longest frame of a packet.
pub(crate) const PACKET_BYTES_MAX: usize = 3 + 8 + 2 * 16 + 3 * 8 + 7 * 4 + HEADER_BYTES_MAX;

const VERSION: u8 = 1;

const EXPORTER_IS_V6: u16 = 1;
const AGENT_IS_V6: u16 = 2;
const HAS_SOURCE: u16 = 4;
const HAS_INPUT: u16 = 8;
const HAS_OUTPUT: u16 = 16;
const HAS_RATE: u16 = 32;
const HAS_REASON: u16 = 64;
const ALL: u16 = 127;

impl<'a> Packet<'a> {
    /// Appends the frame to `out`. Bytes beyond what a datagram can carry are left out.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let bytes = &self.bytes[..self.bytes.len().min(HEADER_BYTES_MAX)];
        let flag = |is_there: bool, flag: u16| if is_there { flag } else { 0 };
        let flags = flag(self.exporter.is_ipv6(), EXPORTER_IS_V6)
            | flag(self.agent.is_ipv6(), AGENT_IS_V6)
            | flag(self.source.is_some(), HAS_SOURCE)
            | flag(self.input.is_some(), HAS_INPUT)
            | flag(self.output.is_some(), HAS_OUTPUT)
            | flag(self.sampling_rate.is_some(), HAS_RATE)
            | flag(self.discard.is_some(), HAS_REASON);
        out.reserve(PACKET_BYTES_MAX - HEADER_BYTES_MAX + bytes.len());
        let mut w = Writer::new(out);
        w.u8(VERSION).u16(flags).bytes(&self.received_ns.to_be_bytes());
        address(&mut w, self.exporter);
        address(&mut w, self.agent);
        if let Some(source) = self.source {
            w.u32(source.class).u32(source.index);
        }
        for interface in [self.input, self.output].into_iter().flatten() {
            w.u32(interface.format).u32(interface.value);
        }
        for word in [self.sampling_rate, self.discard].into_iter().flatten() {
            w.u32(word);
        }
        w.u32(self.sample_pool).u32(self.drops).u32(self.protocol.0).u32(self.frame_length).u32(self.stripped);
        w.bytes(bytes);
    }

    /// Reads a whole frame, which its carrier has cut to length. The packet's bytes stay where they are.
    ///
    /// # Errors
    /// When the frame is cut, of another version, or too long.
    pub fn decode(frame: &'a [u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(frame);
        version(&mut r, "packet.version")?;
        let offset = r.offset();
        let flags = r.u16("packet.flags")?;
        if flags & !ALL != 0 {
            return Err(WireError::new("packet.flags", offset, Problem::Value(flags.into())));
        }
        let has = |flag| flags & flag != 0;
        let packet = Self {
            received_ns: i64::from_be_bytes(r.array("packet.received_ns")?),
            exporter: read_address(&mut r, "packet.exporter", has(EXPORTER_IS_V6))?,
            agent: read_address(&mut r, "packet.agent", has(AGENT_IS_V6))?,
            source: pair(&mut r, "packet.source", has(HAS_SOURCE))?.map(|(class, index)| DataSource { class, index }),
            input: pair(&mut r, "packet.input", has(HAS_INPUT))?.map(|(format, value)| Interface { format, value }),
            output: pair(&mut r, "packet.output", has(HAS_OUTPUT))?.map(|(format, value)| Interface { format, value }),
            sampling_rate: has(HAS_RATE).then(|| r.u32("packet.sampling_rate")).transpose()?,
            discard: has(HAS_REASON).then(|| r.u32("packet.discard")).transpose()?,
            sample_pool: r.u32("packet.sample_pool")?,
            drops: r.u32("packet.drops")?,
            protocol: HeaderProtocol(r.u32("packet.protocol")?),
            frame_length: r.u32("packet.frame_length")?,
            stripped: r.u32("packet.stripped")?,
            bytes: r.rest(),
        };
        if packet.bytes.len() > HEADER_BYTES_MAX {
            let problem = Problem::TooLong { length: packet.bytes.len(), maximum: HEADER_BYTES_MAX };
            return Err(r.error("packet.bytes", problem));
        }
        Ok(packet)
    }
}

impl<'a> Port<'a> {
    /// Appends the frame to `out`. A name that is too long is cut.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let flags =
            u8::from(self.agent.is_ipv6()) | u8::from(self.name.is_some()) << 1 | u8::from(self.speed.is_some()) << 2;
        let mut w = Writer::new(out);
        w.u8(VERSION).u8(flags);
        address(&mut w, self.agent);
        w.u32(self.if_index);
        if let Some(speed) = self.speed {
            w.u64(speed);
        }
        let name = self.name.unwrap_or_default();
        w.bytes(&name[..name.len().min(NAME_BYTES_MAX)]);
    }

    /// Reads a whole frame, which its carrier has cut to length.
    ///
    /// # Errors
    /// When the frame is cut, of another version, or too long.
    pub fn decode(frame: &'a [u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(frame);
        version(&mut r, "port.version")?;
        let offset = r.offset();
        let flags = r.u8("port.flags")?;
        if flags & !7 != 0 {
            return Err(WireError::new("port.flags", offset, Problem::Value(flags.into())));
        }
        let agent = read_address(&mut r, "port.agent", flags & 1 != 0)?;
        let if_index = r.u32("port.if_index")?;
        let speed = if flags & 4 != 0 { Some(r.u64("port.speed")?) } else { None };
        let rest = r.rest();
        let most = if flags & 2 != 0 { NAME_BYTES_MAX } else { 0 };
        if rest.len() > most {
            return Err(r.error("port.name", Problem::TooLong { length: rest.len(), maximum: most }));
        }
        Ok(Self { agent, if_index, name: (flags & 2 != 0).then_some(rest), speed })
    }
}

fn version(r: &mut Reader<'_>, field: &'static str) -> Result<(), WireError> {
    match r.u8(field)? {
        VERSION => Ok(()),
        other => Err(WireError::new(field, 0, Problem::Version(other.into()))),
    }
}

fn address(w: &mut Writer<'_>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => w.bytes(&address.octets()),
        IpAddr::V6(address) => w.bytes(&address.octets()),
    };
}

fn read_address(r: &mut Reader<'_>, field: &'static str, is_v6: bool) -> Result<IpAddr, WireError> {
    Ok(match is_v6 {
        true => r.array::<16>(field)?.into(),
        false => r.array::<4>(field)?.into(),
    })
}

fn pair(r: &mut Reader<'_>, field: &'static str, is_there: bool) -> Result<Option<(u32, u32)>, WireError> {
    if !is_there {
        return Ok(None);
    }
    Ok(Some((r.u32(field)?, r.u32(field)?)))
}
