//! Which protocol a datagram speaks: told by its first bytes, on any port.

use finderscope_flow::FlowType;
use finderscope_wire::ipfix::Dialect;
use finderscope_wire::netflow::{fixed, v1, v5, v6, v7, v8, v9};
use finderscope_wire::{Problem, WireError, ipfix, sflow};
use serde::{Deserialize, Serialize};

/// A protocol that is decoded here.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Protocol {
    /// NetFlow version 5.
    NetflowV5,
    /// NetFlow version 9 (RFC 3954).
    NetflowV9,
    /// IPFIX (RFC 7011).
    Ipfix,
    /// sFlow version 5.
    Sflow5,
    /// NetFlow version 1.
    NetflowV1,
    /// NetFlow version 6.
    NetflowV6,
    /// NetFlow version 7.
    NetflowV7,
    /// NetFlow version 8.
    NetflowV8,
    /// sFlow version 2.
    Sflow2,
    /// sFlow version 4 (RFC 3176).
    Sflow4,
}

impl Protocol {
    /// The word in the column `type`.
    pub const fn flow_type(self) -> FlowType {
        match self {
            Self::NetflowV5 => FlowType::NetflowV5,
            Self::NetflowV9 => FlowType::NetflowV9,
            Self::Ipfix => FlowType::Ipfix,
            Self::Sflow5 => FlowType::Sflow5,
            Self::NetflowV1 => FlowType::NetflowV1,
            Self::NetflowV6 => FlowType::NetflowV6,
            Self::NetflowV7 => FlowType::NetflowV7,
            Self::NetflowV8 => FlowType::NetflowV8,
            Self::Sflow2 => FlowType::Sflow2,
            Self::Sflow4 => FlowType::Sflow4,
        }
    }

    /// The sFlow version of a datagram that was read.
    pub(crate) const fn sflow(version: u32) -> Self {
        match version {
            2 => Self::Sflow2,
            4 => Self::Sflow4,
            _ => Self::Sflow5,
        }
    }

    /// Every protocol.
    pub const ALL: [Self; 10] = [
        Self::NetflowV1,
        Self::NetflowV5,
        Self::NetflowV6,
        Self::NetflowV7,
        Self::NetflowV8,
        Self::NetflowV9,
        Self::Ipfix,
        Self::Sflow2,
        Self::Sflow4,
        Self::Sflow5,
    ];
}

/// A datagram whose header is sound.
#[derive(Debug)]
pub(crate) enum Datagram<'a> {
    Netflow5(v5::Message<'a>),
    /// Versions 1, 6, 7 and 8.
    NetflowFixed(fixed::Message<'a>),
    /// The first message is sound; more may follow it.
    Netflow9(&'a [u8]),
    /// The first message is sound; more may follow it.
    Ipfix(&'a [u8]),
    Sflow(sflow::Datagram<'a>),
}

impl<'a> Datagram<'a> {
    /// Reads the header. sFlow's version has four bytes, of which the first two are zero.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, WireError> {
        match bytes.first_chunk().copied().map(u16::from_be_bytes) {
            Some(v5::VERSION) => v5::Message::read(bytes).map(Self::Netflow5),
            Some(v1::VERSION | v6::VERSION | v7::VERSION | v8::VERSION) => {
                fixed::Message::read(bytes).map(Self::NetflowFixed)
            }
            Some(v9::VERSION) => v9::Message::read(bytes).map(|_| Self::Netflow9(bytes)),
            Some(ipfix::VERSION) => ipfix::Message::read(bytes).map(|_| Self::Ipfix(bytes)),
            Some(0) => sflow::Datagram::read(bytes).map(Self::Sflow),
            Some(version) => Err(WireError::new("version", 0, Problem::Version(version.into()))),
            None => Err(WireError::new("version", 0, Problem::Truncated { needed: 2, left: bytes.len() })),
        }
    }
}

/// A [`Dialect`] as the saved state spells it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) enum SavedDialect {
    V9,
    V9Enterprise,
    Ipfix,
}

impl From<Dialect> for SavedDialect {
    fn from(dialect: Dialect) -> Self {
        match dialect {
            Dialect::V9 => Self::V9,
            Dialect::V9Enterprise => Self::V9Enterprise,
            Dialect::Ipfix => Self::Ipfix,
        }
    }
}

impl From<SavedDialect> for Dialect {
    fn from(dialect: SavedDialect) -> Self {
        match dialect {
            SavedDialect::V9 => Self::V9,
            SavedDialect::V9Enterprise => Self::V9Enterprise,
            SavedDialect::Ipfix => Self::Ipfix,
        }
    }
}
