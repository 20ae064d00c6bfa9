//! What an onlooker sees beside rows: templates, options and errors, as the command `decode` prints them.

use std::net::IpAddr;

use finderscope_wire::WireError;
use finderscope_wire::ipfix::{FieldSpecifier, TemplateKind};
use finderscope_wire::packet::Layer;

use crate::Protocol;

/// Looks on while datagrams are decoded. Every method does nothing unless it is written.
pub trait Watch {
    /// A template came.
    fn template(&mut self, event: &TemplateEvent<'_>) {
        let _ = event;
    }

    /// An options record came.
    fn options(&mut self, event: &OptionsEvent<'_>) {
        let _ = event;
    }

    /// An sFlow sample came.
    fn sample(&mut self, kind: SampleKind) {
        let _ = kind;
    }

    /// Whether packets are to be handed to [`Self::packet`]. It is asked once for each set whose records have any.
    fn wants_packets(&self) -> bool {
        false
    }

    /// A record came that holds the first bytes of a packet, and packets are wanted.
    fn packet(&mut self, section: &PacketSection<'_>) {
        let _ = section;
    }

    /// Something could not be read, or was not wanted.
    fn error(&mut self, event: &ErrorEvent) {
        let _ = event;
    }
}

/// Nobody looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Watch for Quiet {}

/// What became of a template that came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TemplateChange {
    /// It is new.
    Learned,
    /// It was known, and says the same.
    Refreshed,
    /// Its id had another meaning before.
    Redefined,
    /// It was taken back (RFC 7011 section 8.1).
    Withdrawn,
    /// A limit does not allow it; which.
    Refused(&'static str),
}

/// A template came.
#[derive(Clone, Debug)]
pub struct TemplateEvent<'a> {
    /// From whom.
    pub exporter: IpAddr,
    /// In which protocol.
    pub protocol: Protocol,
    /// The observation domain or source id.
    pub domain: u32,
    /// Its number. 2 and 3, withdrawn, are all data and all options templates.
    pub id: u16,
    /// Whether its records are data or options.
    pub kind: TemplateKind,
    /// What became of it.
    pub change: TemplateChange,
    /// How many of the first fields are the scope.
    pub scope: usize,
    /// Its fields.
    pub fields: &'a [FieldSpecifier],
}

/// What an sFlow sample is of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SampleKind {
    /// A packet.
    Flow,
    /// Counters.
    Counters,
    /// A discarded packet.
    Discarded,
}

/// The first bytes of a packet, in a record of IPFIX (elements 313 to 317) or NetFlow v9 (104).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PacketSection<'a> {
    /// When it was received, in ns since 1970 UTC.
    pub received_ns: i64,
    /// From whom.
    pub exporter: IpAddr,
    /// In which protocol.
    pub protocol: Protocol,
    /// The observation domain or source id.
    pub domain: u32,
    /// What the bytes begin with.
    pub layer: Layer,
    /// How long the frame was, where the record says it.
    pub frame_length: Option<u64>,
    /// Where the packet came in, where the record says it.
    pub input: Option<u32>,
    /// Where it went out, where the record says it.
    pub output: Option<u32>,
    /// One in so many packets is sampled, where that is known.
    pub sampling_rate: Option<u64>,
    /// The bytes, never none.
    pub bytes: &'a [u8],
}

/// An options record came.
#[derive(Clone, Debug)]
pub struct OptionsEvent<'a> {
    /// From whom.
    pub exporter: IpAddr,
    /// In which protocol.
    pub protocol: Protocol,
    /// The observation domain or source id.
    pub domain: u32,
    /// The number of its template.
    pub template_id: u16,
    /// What it is about, such as `interface=5`.
    pub scope: &'a str,
    /// Elements by name, and their values.
    pub values: &'a [(&'a str, String)],
}

/// What is wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trouble {
    /// Bytes that could not be read.
    Wire(WireError),
    /// Another reason, as the ledger names it.
    Reason(&'static str),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Wire(error) => error.fmt(f),
            Self::Reason(reason) => f.write_str(reason),
        }
    }
}

/// Something could not be read, or was not wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ErrorEvent {
    /// From whom.
    pub exporter: IpAddr,
    /// What is wrong.
    pub error: Trouble,
    /// Where in the datagram.
    pub offset: usize,
}
