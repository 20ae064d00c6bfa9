//! Classic pcap of UDP datagrams, with the headers that they would have had on an Ethernet.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};

use super::checksum;
use crate::unmapped;

const ETHERNET: u32 = 1;
const SNAP_BYTES: u32 = 262_144;
const UDP: u8 = 17;
const UDP_HEADER_BYTES: usize = 8;
const HOPS: u8 = 64;

/// Locally administered addresses that say nothing about anybody's hardware.
const MACS: [u8; 12] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];

/// How fine the file's times are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Precision {
    /// The classic format, which everything reads.
    Microseconds,
    /// The same with another magic number; keeps times exactly.
    Nanoseconds,
}

/// Writes datagrams into a capture file.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    precision: Precision,
    head: Vec<u8>,
    identification: u16,
}

/// Why a datagram could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// One end is IPv4 and the other IPv6.
    #[error("cannot write a packet from {0} to {1}: they are of different families")]
    Families(SocketAddr, SocketAddr),
    /// Longer than UDP can carry.
    #[error("a datagram of {0} bytes does not fit into UDP")]
    TooLong(usize),
    /// Before 1970 or after 2106, which the format cannot say.
    #[error("the time {0} ns cannot be written into a pcap file")]
    Time(i64),
    /// The file could not be written.
    #[error("cannot write the capture: {0}")]
    Io(#[from] io::Error),
}

impl<W: Write> Writer<W> {
    /// Writes the file's header. `out` should be buffered.
    pub fn new(mut out: W, precision: Precision) -> io::Result<Self> {
        let magic: u32 = match precision {
            Precision::Microseconds => 0xA1B2_C3D4,
            Precision::Nanoseconds => 0xA1B2_3C4D,
        };
        let versions: u32 = 2 | 4 << 16; // 2.4, two 16-bit numbers
        for word in [magic, versions, 0, 0, SNAP_BYTES, ETHERNET] {
            out.write_all(&word.to_le_bytes())?;
        }
        Ok(Self { out, precision, head: Vec::with_capacity(128), identification: 0 })
    }

    /// Writes one datagram with right lengths and checksums. Nothing is written where it fails for the datagram's sake.
    pub fn write(
        &mut self,
        received_ns: i64,
        source: SocketAddr,
        destination: SocketAddr,
        bytes: &[u8],
    ) -> Result<(), WriteError> {
        let seconds =
            u32::try_from(received_ns.div_euclid(1_000_000_000)).map_err(|_| WriteError::Time(received_ns))?;
        let nanoseconds = received_ns.rem_euclid(1_000_000_000) as u32;
        let fraction = match self.precision {
            Precision::Microseconds => nanoseconds / 1000,
            Precision::Nanoseconds => nanoseconds,
        };
        self.head.clear();
        self.head.extend_from_slice(&[0; 16]);
        self.head.extend_from_slice(&MACS);
        self.add_headers(unmapped(source), unmapped(destination), bytes)?;
        let length = (self.head.len() - 16 + bytes.len()) as u32;
        for (field, word) in self.head.chunks_exact_mut(4).zip([seconds, fraction, length, length]) {
            field.copy_from_slice(&word.to_le_bytes());
        }
        self.out.write_all(&self.head)?;
        self.out.write_all(bytes)?;
        Ok(())
    }

    /// Flushes what is buffered and gives the output back.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn add_headers(&mut self, source: SocketAddr, destination: SocketAddr, bytes: &[u8]) -> Result<(), WriteError> {
        let too_long = || WriteError::TooLong(bytes.len());
        let udp_length = u16::try_from(UDP_HEADER_BYTES + bytes.len()).map_err(|_| too_long())?;
        let addresses_sum = match (source.ip(), destination.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                let length = udp_length.checked_add(20).ok_or_else(too_long)?;
                let addresses = [from.octets(), to.octets()].concat();
                self.identification = self.identification.wrapping_add(1);
                self.add_ipv4(length, &addresses);
                checksum::add(0, &addresses)
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                let addresses = [from.octets(), to.octets()].concat();
                self.head.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
                self.head.extend(udp_length.to_be_bytes());
                self.head.extend([UDP, HOPS]);
                self.head.extend_from_slice(&addresses);
                checksum::add(0, &addresses)
            }
            _ => return Err(WriteError::Families(source, destination)),
        };
        // The pseudo-header: addresses, protocol and length (RFC 768, RFC 8200 section 8.1).
        let ports = u64::from(source.port()) + u64::from(destination.port());
        let sum = addresses_sum + u64::from(UDP) + 2 * u64::from(udp_length) + ports;
        let sum = match checksum::finish(checksum::add(sum, bytes)) {
            0 => 0xffff, // zero would say that there is none
            sum => sum,
        };
        for field in [source.port(), destination.port(), udp_length, sum] {
            self.head.extend(field.to_be_bytes());
        }
        Ok(())
    }

    fn add_ipv4(&mut self, length: u16, addresses: &[u8]) {
        let [l0, l1] = length.to_be_bytes();
        let [i0, i1] = self.identification.to_be_bytes();
        let header = [0x45, 0, l0, l1, i0, i1, 0x40, 0, HOPS, UDP];
        let sum = checksum::finish(checksum::add(0, &header) + checksum::add(0, addresses));
        self.head.extend([0x08, 0x00]);
        self.head.extend(header);
        self.head.extend(sum.to_be_bytes());
        self.head.extend_from_slice(addresses);
    }
}
