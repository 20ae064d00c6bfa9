//! Frames out of pcap and pcapng.
//!
//! Blocks of pcapng are delimited here and only those that matter are parsed, so that a broken statistics block
//! does not cost the packets behind it.

use std::io::Read;
use std::ops::Range;

use pcap_parser::nom::Err as Nom;
use pcap_parser::nom::IResult;
use pcap_parser::pcapng::{
    parse_enhancedpacketblock_be, parse_enhancedpacketblock_le, parse_interfacedescriptionblock_be,
    parse_interfacedescriptionblock_le, parse_sectionheaderblock, parse_simplepacketblock_be,
    parse_simplepacketblock_le,
};
use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{
    LegacyPcapBlock, PcapError, PcapHeader, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified,
    parse_pcap_header,
};

use super::CaptureError;
use super::digits;
use super::feed::Feed;

/// libpcap and Wireshark take no longer packets of network interfaces either; a greater length is damage.
const PACKET_BYTES_MAX: u32 = 262_144;
/// Packets are far smaller; other blocks (secrets, names) can be large.
const BLOCK_BYTES_MAX: u32 = 16 << 20;
/// Interfaces of one section.
const INTERFACES_MAX: usize = 65_536;

/// LINKTYPE_ETHERNET.
const ETHERNET: u16 = 1;
const PCAP_HEADER_BYTES: usize = 24;
const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const PACKET_OBSOLETE: u32 = 2;
const PACKET_SIMPLE: u32 = 3;
const PACKET_ENHANCED: u32 = 6;

/// A frame within the feed's bytes.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) time_ns: i64,
    /// The link type; none where its interface was never described.
    pub(super) link: Option<u16>,
    pub(super) data: Range<usize>,
    /// How long it was, of which the data may be the beginning only.
    pub(super) length: u32,
}

impl Frame {
    /// A frame is never shorter than what was captured of it, whatever is claimed.
    fn new(time_ns: i64, link: Option<u16>, data: Range<usize>, claimed: u32) -> Self {
        let length = claimed.max(u32::try_from(data.len()).unwrap_or(u32::MAX));
        Self { time_ns, link, data, length }
    }
}

/// What the headers so far said.
#[derive(Debug)]
pub(super) struct Format {
    kind: Kind,
    /// The last frame's bytes, which stay in the feed until the next is asked for.
    consumed_next: usize,
}

#[derive(Debug)]
enum Kind {
    Pcap(PcapHeader),
    PcapNg(Section),
    /// Frames without times: when to assume that they were captured.
    Digits(i64),
}

#[derive(Debug, Default)]
struct Section {
    big_endian: bool,
    interfaces: Vec<Interface>,
    last_ns: i64,
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link: u16,
    snap_bytes: u32,
    /// Time stamps count units of 1 / `resolution` seconds.
    resolution: u128,
    offset_seconds: i64,
}

impl Format {
    pub(super) fn read<R: Read>(feed: &mut Feed<R>) -> Result<Self, CaptureError> {
        let cut = CaptureError::Cut { inside: "file header", offset: 0 };
        if !feed.ensure(4)? {
            return Err(cut);
        }
        if digits::are_in(feed.bytes()) {
            return Ok(Self { kind: Kind::Digits(0), consumed_next: 0 });
        }
        let magic = word(feed.bytes(), 0, false);
        if magic == SECTION {
            return Ok(Self { kind: Kind::PcapNg(Section::default()), consumed_next: 0 });
        }
        feed.ensure(PCAP_HEADER_BYTES)?;
        match parse_pcap_header(feed.bytes()) {
            Ok((_, header)) => Ok(Self { kind: Kind::Pcap(header), consumed_next: PCAP_HEADER_BYTES }),
            Err(Nom::Incomplete(_)) => Err(cut),
            Err(_) => Err(CaptureError::NotACapture(magic.to_le_bytes())),
        }
    }

    /// Frames that have no time of their own were captured then.
    pub(super) const fn assume_time(&mut self, at_ns: i64) {
        if let Kind::Digits(time_ns) = &mut self.kind {
            *time_ns = at_ns;
        }
    }

    /// The next frame, whose range holds until the next call.
    pub(super) fn next<R: Read>(&mut self, feed: &mut Feed<R>) -> Result<Option<Frame>, CaptureError> {
        feed.consume(std::mem::take(&mut self.consumed_next));
        match &mut self.kind {
            Kind::Pcap(header) => match next_record(header, feed)? {
                Some((frame, length)) => {
                    self.consumed_next = length;
                    Ok(Some(frame))
                }
                None => Ok(None),
            },
            Kind::Digits(time_ns) => loop {
                let Some((data, length)) = digits::next(feed)? else { return Ok(None) };
                if data.is_empty() {
                    feed.consume(length);
                    continue;
                }
                self.consumed_next = length;
                return Ok(Some(Frame::new(*time_ns, Some(ETHERNET), data, 0)));
            },
            Kind::PcapNg(section) => loop {
                let Some(block) = section.next_block(feed)? else { return Ok(None) };
                if let Some(frame) = section.frame(&block, feed)? {
                    self.consumed_next = block.length;
                    return Ok(Some(frame));
                }
                feed.consume(block.length);
            },
        }
    }
}

fn next_record<R: Read>(header: &PcapHeader, feed: &mut Feed<R>) -> Result<Option<(Frame, usize)>, CaptureError> {
    let offset = feed.offset();
    let head = if header.is_modified_format() { 24 } else { 16 };
    let cut = || CaptureError::Cut { inside: "packet", offset };
    if !feed.ensure(head)? {
        return if feed.bytes().is_empty() { Ok(None) } else { Err(cut()) };
    }
    let captured = word(feed.bytes(), 8, header.is_bigendian());
    if captured > PACKET_BYTES_MAX {
        let problem = format!("packet of {captured} bytes, where at most {PACKET_BYTES_MAX} make sense");
        return Err(CaptureError::Damaged { offset, problem });
    }
    let length = head + captured as usize;
    if !feed.ensure(length)? {
        return Err(cut());
    }
    let parse = match (header.is_modified_format(), header.is_bigendian()) {
        (true, _) => parse_pcap_frame_modified,
        (false, true) => parse_pcap_frame_be,
        (false, false) => parse_pcap_frame,
    };
    let record: LegacyPcapBlock<'_> = whole("packet", parse(feed.bytes()), offset)?;
    let units = if header.is_nanosecond_precision() { 1 } else { 1000 };
    let time_ns = i64::from(record.ts_sec) * 1_000_000_000 + i64::from(record.ts_usec) * units;
    // The upper bits of the field say how long the frame check sequence is.
    let link = Some(header.network.0 as u16);
    Ok(Some((Frame::new(time_ns, link, head..head + record.data.len(), record.origlen), length)))
}

/// A block's type and whole length.
struct BlockAt {
    kind: u32,
    length: usize,
    offset: u64,
}

impl Section {
    /// Makes sure that the next block is whole, and that both its lengths agree.
    fn next_block<R: Read>(&mut self, feed: &mut Feed<R>) -> Result<Option<BlockAt>, CaptureError> {
        let offset = feed.offset();
        let cut = || CaptureError::Cut { inside: "block", offset };
        let damaged = |problem: String| CaptureError::Damaged { offset, problem };
        if !feed.ensure(12)? {
            return if feed.bytes().is_empty() { Ok(None) } else { Err(cut()) };
        }
        if word(feed.bytes(), 0, false) == SECTION {
            *self = match word(feed.bytes(), 8, false) {
                0x1A2B_3C4D => Self { big_endian: false, ..Self::default() },
                0x4D3C_2B1A => Self { big_endian: true, ..Self::default() },
                other => return Err(damaged(format!("byte-order magic {other:#010x} is not known"))),
            };
        }
        let kind = word(feed.bytes(), 0, self.big_endian);
        let length = word(feed.bytes(), 4, self.big_endian);
        if !(12..=BLOCK_BYTES_MAX).contains(&length) || !length.is_multiple_of(4) {
            return Err(damaged(format!("block length {length} is not a multiple of 4 from 12 to {BLOCK_BYTES_MAX}")));
        }
        let size = length as usize;
        if !feed.ensure(size)? {
            return Err(cut());
        }
        let again = word(feed.bytes(), size - 4, self.big_endian);
        if again != length {
            return Err(damaged(format!("block length is {length} before the block and {again} after it")));
        }
        Ok(Some(BlockAt { kind, length: size, offset }))
    }

    /// The block's frame where it is a packet; else learns from it, if it is of any use.
    fn frame<R: Read>(&mut self, block: &BlockAt, feed: &Feed<R>) -> Result<Option<Frame>, CaptureError> {
        let bytes = &feed.bytes()[..block.length];
        match block.kind {
            SECTION => {
                whole("section header", parse_sectionheaderblock(bytes), block.offset)?;
                Ok(None)
            }
            INTERFACE => self.learn(bytes, block.offset).map(|()| None),
            PACKET_ENHANCED => self.enhanced(bytes, block.offset).map(Some),
            PACKET_SIMPLE => self.simple(bytes, block.offset).map(Some),
            PACKET_OBSOLETE => self.obsolete(bytes, block.offset).map(Some),
            _ => Ok(None),
        }
    }

    fn learn(&mut self, bytes: &[u8], offset: u64) -> Result<(), CaptureError> {
        let parse =
            if self.big_endian { parse_interfacedescriptionblock_be } else { parse_interfacedescriptionblock_le };
        let block = whole("interface description", parse(bytes), offset)?;
        if self.interfaces.len() == INTERFACES_MAX {
            let problem = format!("more than {INTERFACES_MAX} interfaces in one section");
            return Err(CaptureError::Damaged { offset, problem });
        }
        // The parser reads this option as little-endian always, and refuses resolutions that are powers of two.
        let offset_seconds = if self.big_endian { block.if_tsoffset.swap_bytes() } else { block.if_tsoffset };
        let exponent = u32::from(block.if_tsresol & 0x7f);
        let resolution =
            if block.if_tsresol & 0x80 == 0 { 10_u128.checked_pow(exponent) } else { 1_u128.checked_shl(exponent) };
        let resolution = resolution.ok_or_else(|| CaptureError::Damaged {
            offset,
            problem: format!("time resolution 10^-{exponent} is finer than anything"),
        })?;
        let link = block.linktype.0 as u16;
        self.interfaces.push(Interface { link, snap_bytes: block.snaplen, resolution, offset_seconds });
        Ok(())
    }

    fn enhanced(&mut self, bytes: &[u8], offset: u64) -> Result<Frame, CaptureError> {
        let parse = if self.big_endian { parse_enhancedpacketblock_be } else { parse_enhancedpacketblock_le };
        let block = whole("enhanced packet", parse(bytes), offset)?;
        let ticks = u64::from(block.ts_high) << 32 | u64::from(block.ts_low);
        Ok(self.packet(block.if_id, ticks, 28..28 + block.packet_data().len(), block.origlen))
    }

    /// Type 2, from before 2009: an enhanced packet with other fields before it.
    fn obsolete(&mut self, bytes: &[u8], offset: u64) -> Result<Frame, CaptureError> {
        const HEAD: usize = 28;
        let damaged =
            || CaptureError::Damaged { offset, problem: "the packet block is shorter than its packet".into() };
        let room = bytes.len().checked_sub(HEAD + 4).ok_or_else(damaged)?;
        let captured = word(bytes, 20, self.big_endian) as usize;
        if captured > room {
            return Err(damaged());
        }
        let half = [bytes[8], bytes[9]];
        let interface = if self.big_endian { u16::from_be_bytes(half) } else { u16::from_le_bytes(half) };
        let ticks = u64::from(word(bytes, 12, self.big_endian)) << 32 | u64::from(word(bytes, 16, self.big_endian));
        let length = word(bytes, 24, self.big_endian);
        Ok(self.packet(interface.into(), ticks, HEAD..HEAD + captured, length))
    }

    fn packet(&mut self, interface: u32, ticks: u64, data: Range<usize>, length: u32) -> Frame {
        let Some(interface) = self.interfaces.get(interface as usize) else {
            return Frame::new(self.last_ns, None, data, length);
        };
        self.last_ns = interface.nanoseconds(ticks);
        Frame::new(self.last_ns, Some(interface.link), data, length)
    }

    /// Without a time of its own: the last packet's is the nearest there is. It belongs to the first interface.
    fn simple(&mut self, bytes: &[u8], offset: u64) -> Result<Frame, CaptureError> {
        let parse = if self.big_endian { parse_simplepacketblock_be } else { parse_simplepacketblock_le };
        let block = whole("simple packet", parse(bytes), offset)?;
        let interface = self.interfaces.first();
        let snap = interface.map_or(0, |interface| interface.snap_bytes);
        let snap = if snap == 0 { usize::MAX } else { snap as usize };
        let captured = block.packet_data().len().min(snap);
        let link = interface.map(|interface| interface.link);
        Ok(Frame::new(self.last_ns, link, 12..12 + captured, block.origlen))
    }
}

impl Interface {
    fn nanoseconds(&self, ticks: u64) -> i64 {
        let since = u128::from(ticks).saturating_mul(1_000_000_000) / self.resolution;
        let offset = i128::from(self.offset_seconds).saturating_mul(1_000_000_000);
        let time = i128::try_from(since).unwrap_or(i128::MAX).saturating_add(offset);
        i64::try_from(time).unwrap_or(if time < 0 { i64::MIN } else { i64::MAX })
    }
}

/// All bytes are there, so a parser that wants more has met a length that lies.
fn whole<'a, T>(what: &str, parsed: IResult<&'a [u8], T, PcapError<&'a [u8]>>, offset: u64) -> Result<T, CaptureError> {
    match parsed {
        Ok((_, value)) => Ok(value),
        Err(Nom::Incomplete(_)) => {
            Err(CaptureError::Damaged { offset, problem: format!("the {what} is shorter than it says") })
        }
        Err(_) => Err(CaptureError::Damaged { offset, problem: format!("the {what} makes no sense") }),
    }
}

/// The 32-bit number at `at`; 0 past the end, which callers have excluded.
fn word(bytes: &[u8], at: usize, big_endian: bool) -> u32 {
    let word = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()).copied().unwrap_or_default();
    if big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
}
