//! What a reader gets of a parcel: the format that it asked for, of the exporters that it asked for.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use finderscope_packets::capture::{Encoder, Options};
use finderscope_packets::live::Frame;
use finderscope_packets::{Counts, Item, Shape as Fitting, is_sflow, sflow};
use finderscope_transport::bpf::Filter;

use crate::agents::Agents;
use crate::tap::Parcel;

/// Makes the bytes of a stream. Each reader has one, in its own thread.
pub(super) trait Shape: Send {
    /// What the stream begins with, before anything comes.
    fn begin(&mut self, out: &mut Vec<u8>) {
        let _ = out;
    }

    /// A parcel that can go out as it is.
    fn whole(&self, parcel: &Arc<Parcel>) -> Option<Bytes> {
        let _ = parcel;
        None
    }

    /// Appends what a parcel gives.
    fn take(&mut self, parcel: &Parcel, out: &mut Vec<u8>);

    /// Tells the reader how many datagrams it lost so far; false where that cannot be said, or not yet.
    fn tell(&mut self, lost: u64, out: &mut Vec<u8>) -> bool;
}

/// Whole datagrams.
pub(super) struct Deliveries {
    pub(super) agents: Agents,
}

impl Shape for Deliveries {
    fn whole(&self, parcel: &Arc<Parcel>) -> Option<Bytes> {
        let is_wanted = parcel.is_plain() && self.agents.are_all();
        is_wanted.then(|| Bytes::from_owner(Shared(Arc::clone(parcel))))
    }

    fn take(&mut self, parcel: &Parcel, out: &mut Vec<u8>) {
        for frame in parcel.frames() {
            if let Frame::Delivery(delivery) = &frame
                && self.agents.want(delivery)
            {
                append(&frame, out);
            }
        }
    }

    fn tell(&mut self, lost: u64, out: &mut Vec<u8>) -> bool {
        append(&Frame::Lost(lost), out);
        true
    }
}

/// The memory of a parcel on its way into a socket.
struct Shared(Arc<Parcel>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.0.bytes()
    }
}

/// The packets of a parcel, for those formats that are made of them.
pub(super) struct Packets {
    pub(super) agents: Agents,
    /// Whether those are wanted, too, that a device threw away.
    pub(super) discards: bool,
}

impl Packets {
    fn each(&self, parcel: &Parcel, mut take: impl FnMut(Item<'_>)) {
        let mut counts = Counts::default();
        let mut wanted = |item: Item<'_>| {
            if self.want(&item) {
                take(item);
            }
        };
        for frame in parcel.frames() {
            match frame {
                Frame::Delivery(delivery) if is_sflow(delivery.bytes) => sflow(&delivery, &mut counts, &mut wanted),
                Frame::Delivery(_) | Frame::Lost(_) => {} // what is in others the shard has read, behind them
                Frame::Packet(packet) => wanted(Item::Packet(packet)),
                Frame::Port(port) => wanted(Item::Port(port)),
            }
        }
    }

    fn want(&self, item: &Item<'_>) -> bool {
        match item {
            Item::Packet(packet) => {
                (self.discards || packet.discard.is_none())
                    && (self.agents.want_address(packet.agent) || self.agents.want_address(packet.exporter))
            }
            Item::Port(port) => self.agents.want_address(port.agent),
        }
    }
}

/// Packets with all that is known of them.
pub(super) struct PacketFrames(pub(super) Packets);

impl Shape for PacketFrames {
    fn take(&mut self, parcel: &Parcel, out: &mut Vec<u8>) {
        self.0.each(parcel, |item| append(&Frame::from(item), out));
    }

    fn tell(&mut self, lost: u64, out: &mut Vec<u8>) -> bool {
        append(&Frame::Lost(lost), out);
        true
    }
}

/// Packets as a capture.
pub(super) struct Capture {
    packets: Packets,
    fitting: Fitting,
    encoder: Encoder,
    filter: Option<Filter>,
}

impl Capture {
    pub(super) fn new(packets: Packets, options: Options, make_ethernet: bool, filter: Option<Filter>) -> Self {
        let fitting = Fitting::new(options.link, make_ethernet);
        Self { packets, fitting, encoder: Encoder::new(options), filter }
    }
}

impl Shape for Capture {
    fn begin(&mut self, out: &mut Vec<u8>) {
        self.encoder.begin(out);
    }

    fn take(&mut self, parcel: &Parcel, out: &mut Vec<u8>) {
        let Self { packets, fitting, encoder, filter } = self;
        packets.each(parcel, |item| match item {
            Item::Port(port) => encoder.port(&port),
            Item::Packet(packet) => {
                if let Some(fitted) = fitting.fit(&packet)
                    && filter.as_ref().is_none_or(|filter| filter.matches(fitted.bytes, fitted.true_length))
                {
                    encoder.packet(&packet, &fitted, out);
                }
            }
        });
    }

    fn tell(&mut self, lost: u64, out: &mut Vec<u8>) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.encoder.lost(i64::try_from(now.as_nanos()).unwrap_or(i64::MAX), lost, out)
    }
}

/// Frames that were decoded, or are of fixed length, can be encoded.
fn append(frame: &Frame<'_>, out: &mut Vec<u8>) {
    if let Err(error) = frame.encode(out) {
        tracing::error!(%error, "a frame cannot be written");
    }
}
