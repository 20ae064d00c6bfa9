//! The way into a tool: whole packets only, and an end that does not wait for a tool that is slow.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use finderscope_packets::capture::{Format, Records};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::live::Stop;

/// A reason to stop that comes while the pipe is full is noticed after this long.
const LOOK_UP: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// Takes a capture in pieces of whole packets. When there is a reason to stop, the packet that is under way is finished, and
/// what follows is left out and counted: a tool that asks a name server about each address would take minutes for it.
#[derive(Debug)]
pub(super) struct Pipe {
    end: OwnedFd,
    format: Format,
    stop: Stop,
    begun: bool,
    /// Whether nobody reads it any more.
    closed: bool,
    left: Left,
}

/// How many packets were left out. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Left(Arc<AtomicU64>);

impl Left {
    pub(super) fn packets(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Pipe {
    pub(super) fn new(end: OwnedFd, format: Format, stop: Stop) -> io::Result<Self> {
        // The other end has a setting of its own, and goes on to wait for what is read.
        rustix::io::ioctl_fionbio(&end, true)?;
        Ok(Self { end, format, stop, begun: false, closed: false, left: Left::default() })
    }

    pub(super) fn left(&self) -> Left {
        self.left.clone()
    }

    /// Waits until there is room, or for a moment.
    fn wait(&self) -> io::Result<()> {
        match poll(&mut [PollFd::new(&self.end, PollFlags::OUT)], Some(&LOOK_UP)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Write for Pipe {
    /// All of it, as far as there is a reader: what a tool has taken when it ends, it was given.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let (mut at, mut until) = (0, bytes.len());
        // A capture without its head would be one more thing to complain of.
        let mut whole = !std::mem::replace(&mut self.begun, true);
        while at < until {
            if !whole && self.stop.is_set() {
                (until, whole) = (boundary(self.format, bytes, at), true);
                continue;
            }
            match rustix::io::write(&self.end, &bytes[at..until]) {
                Ok(written) => at += written,
                Err(Errno::AGAIN) => self.wait()?,
                Err(Errno::INTR) => {}
                Err(Errno::PIPE) if at > 0 => {
                    self.closed = true;
                    return Ok(at);
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.left.0.fetch_add(packets(self.format, &bytes[until..]), Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The first end of a record that is not before `at`.
fn boundary(format: Format, bytes: &[u8], at: usize) -> usize {
    let mut end = 0;
    for (length, _) in Records::new(format, bytes) {
        if end >= at {
            break;
        }
        end += length;
    }
    if end < at { bytes.len() } else { end }
}

fn packets(format: Format, bytes: &[u8]) -> u64 {
    Records::new(format, bytes).packets()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use std::io::Read;

    use finderscope_packets::capture::{Options, Writer};
    use finderscope_packets::{Packet, Shaped};
    use finderscope_wire::packet::HeaderProtocol;

    use super::*;

    fn packet() -> Packet<'static> {
        Packet {
            received_ns: 0,
            exporter: [10, 0, 0, 1].into(),
            agent: [10, 0, 0, 1].into(),
            source: None,
            input: None,
            output: None,
            sampling_rate: None,
            sample_pool: 0,
            drops: 0,
            discard: None,
            protocol: HeaderProtocol::ETHERNET,
            frame_length: 1_000,
            stripped: 0,
            bytes: &[],
        }
    }

    /// So many packets of a classic capture, each of `length` bytes.
    fn records(count: usize, length: usize) -> Vec<u8> {
        let one = [0, 0, length as u32, length as u32].map(u32::to_ne_bytes).concat();
        [one, vec![7; length]].concat().repeat(count)
    }

    #[test]
    fn records_end_where_the_next_begins() {
        let bytes = records(3, 60);
        assert_eq!(packets(Format::Pcap, &bytes), 3);
        for (at, wanted) in [(0, 0), (1, 76), (75, 76), (76, 76), (77, 152), (153, 228), (228, 228)] {
            assert_eq!(boundary(Format::Pcap, &bytes, at), wanted, "{at}");
        }
        // A description of an interface, and a packet.
        let block = |kind: u32, body: usize| [kind, 12 + body as u32].map(u32::to_ne_bytes).concat();
        let block = |kind: u32, body: usize| [block(kind, body), vec![0; body + 4]].concat();
        let bytes = [block(1, 8), block(6, 40)].concat();
        assert_eq!(packets(Format::Pcapng, &bytes), 1);
        for (at, wanted) in [(1, 20), (20, 20), (21, 72)] {
            assert_eq!(boundary(Format::Pcapng, &bytes, at), wanted, "{at}");
        }
    }

    #[test]
    fn a_reason_to_stop_ends_behind_a_whole_packet() {
        let (mut reader, writer) = io::pipe().unwrap();
        let stop = Stop::by_hand().unwrap();
        let mut pipe = Pipe::new(writer.into(), Format::Pcap, stop.clone()).unwrap();
        let left = pipe.left();
        pipe.write_all(b"the head").unwrap();
        // More than a pipe holds, so that it is full in the middle of a packet when the reason comes.
        let sent = records(400, 1_000);
        let taker = std::thread::spawn(move || {
            let mut first = vec![0; 8 + 3_000];
            reader.read_exact(&mut first).unwrap();
            stop.now();
            let mut rest = Vec::new();
            reader.read_to_end(&mut rest).unwrap();
            8 + 3_000 + rest.len()
        });
        pipe.write_all(&sent).unwrap();
        pipe.write_all(&records(5, 10)).unwrap();
        drop(pipe);
        let taken = taker.join().unwrap() - 8;
        assert_eq!(taken % 1_016, 0, "the last packet is whole");
        assert_eq!(taken / 1_016 + left.packets() as usize, 405);
        assert!(taken < sent.len());
    }

    #[test]
    fn the_head_is_written_even_when_there_is_a_reason_to_stop() {
        let (mut reader, writer) = io::pipe().unwrap();
        let stop = Stop::by_hand().unwrap();
        stop.now();
        let mut pipe = Pipe::new(writer.into(), Format::Pcap, stop).unwrap();
        pipe.write_all(b"the head").unwrap();
        pipe.write_all(&records(2, 10)).unwrap();
        assert_eq!(pipe.left().packets(), 2);
        drop(pipe);
        let mut taken = Vec::new();
        reader.read_to_end(&mut taken).unwrap();
        assert_eq!(taken, b"the head");
    }

    #[test]
    fn a_tool_that_ends_was_given_what_went_into_its_pipe() {
        let (mut reader, writer) = io::pipe().unwrap();
        let pipe = Pipe::new(writer.into(), Format::Pcap, Stop::by_hand().unwrap()).unwrap();
        let bytes = [0; 984];
        let it = Packet { bytes: &bytes, ..packet() };
        let taker = std::thread::spawn(move || {
            let mut first = vec![0; 24 + 5_000];
            reader.read_exact(&mut first).unwrap();
        });
        let mut writer = Writer::new(pipe, Options::default()).unwrap();
        let shaped = Shaped { bytes: &bytes, frame_length: 1_000, true_length: 1_000 };
        let failed = (0..10_000).find_map(|_| writer.packet(&it, &shaped).err());
        taker.join().unwrap();
        assert_eq!(failed.unwrap().kind(), io::ErrorKind::BrokenPipe);
        // What it has read, and at most what a pipe holds beyond that.
        assert!((5..200).contains(&writer.written()), "{}", writer.written());
    }

    #[test]
    fn a_tool_that_has_ended_is_an_error() {
        let (reader, writer) = io::pipe().unwrap();
        let mut pipe = Pipe::new(writer.into(), Format::Pcap, Stop::by_hand().unwrap()).unwrap();
        drop(reader);
        assert_eq!(pipe.write(b"the head").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
