//! Sampled packets out of telemetry: what the device had in its hands, as packets and as capture files.
//!
//! Samples of sFlow and packet sections of IPFIX and NetFlow v9 carry the first bytes of packets. A [`Packet`] is such
//! a header with everything that is known of it: when, where, one in how many, and why it was thrown away.
//!
//! * [`sflow`] walks over one sFlow datagram and hands out its packets, straight from the wire, and the names and speeds
//!   of ports ([`Port`]) that it comes across;
//! * [`Sections`] looks on while an intake decodes, and hands out the packet sections of IPFIX and NetFlow v9;
//! * [`Extractor`] is both, for programs that have no intake of their own;
//! * [`Packet::encode`] and [`Packet::decode`] are the frame in which a packet travels;
//! * [`capture`] writes pcap and pcapng, of packets that a [`Shape`] has fitted into one link type;
//! * [`live`] is the stream of such frames between a server and its readers;
//! * [`sflowtool`] prints whole sFlow datagrams as sflowtool does.
//!
//! No sockets and no clock: bytes and receive times come in. Damage is counted ([`Counts`]), never thrown.

pub mod capture;
mod counts;
mod extract;
mod frame;
mod link;
pub mod live;
mod packet;
mod port;
pub mod sections;
pub mod sflowtool;
mod shape;
mod walk;

pub use counts::Counts;
pub use extract::Extractor;
pub use link::{LinkType, UnknownLinkType};
pub use packet::{Item, Packet};
pub use port::Port;
pub use sections::Sections;
pub use shape::{Shape, Shaped};
pub use walk::{is_sflow, sflow};
