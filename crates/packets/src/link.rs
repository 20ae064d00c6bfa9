//! Link types: what a capture file says that its packets begin with (tcpdump.org's list).

use std::fmt;
use std::str::FromStr;

use finderscope_wire::packet::HeaderProtocol;

/// A link type, by its number in capture files.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct LinkType(pub u16);

/// One of those that packets here can have.
struct Known {
    link: LinkType,
    name: &'static str,
    takes: &'static [HeaderProtocol],
}

use HeaderProtocol as P;

/// The first that takes a protocol is the protocol's own.
const KNOWN: [Known; 13] = [
    known(1, "ethernet", &[P::ETHERNET]),
    known(101, "raw", &[P::IPV4, P::IPV6, P::AAL5_IP]),
    known(228, "ipv4", &[P::IPV4]),
    known(229, "ipv6", &[P::IPV6]),
    known(105, "ieee802_11", &[P::WIFI_MAC]),
    known(9, "ppp", &[P::PPP]),
    known(50, "ppp_hdlc", &[P::POS]),
    known(107, "frelay", &[P::FRAME_RELAY]),
    known(6, "token_ring", &[P::TOKEN_RING]),
    known(10, "fddi", &[P::FDDI]),
    known(100, "atm_rfc1483", &[P::AAL5]),
    known(219, "mpls", &[P::MPLS]),
    known(247, "infiniband", &[INFINIBAND]),
];

/// sFlow's number for it.
const INFINIBAND: HeaderProtocol = HeaderProtocol(18);

const fn known(number: u16, name: &'static str, takes: &'static [HeaderProtocol]) -> Known {
    Known { link: LinkType(number), name, takes }
}

impl LinkType {
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);

    /// The one under which packets that begin so come out; none where no capture file can hold them.
    pub fn of(protocol: HeaderProtocol) -> Option<Self> {
        KNOWN.iter().find(|known| known.takes.contains(&protocol)).map(|known| known.link)
    }

    /// Whether packets that begin so come out under it as they are.
    #[inline]
    pub fn takes(self, protocol: HeaderProtocol) -> bool {
        if self == Self::ETHERNET {
            return protocol == HeaderProtocol::ETHERNET;
        }
        KNOWN.iter().any(|known| known.link == self && known.takes.contains(&protocol))
    }

    /// The names of all of them.
    pub fn names() -> impl Iterator<Item = &'static str> {
        KNOWN.iter().map(|known| known.name)
    }

    /// Its name.
    pub fn name(self) -> Option<&'static str> {
        KNOWN.iter().find(|known| known.link == self).map(|known| known.name)
    }
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => self.0.fmt(f),
        }
    }
}

/// A name or number that stands for no link type of packets here.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("there is no link type {0} for sampled packets; there are {all}", all = LinkType::names().collect::<Vec<_>>().join(", "))]
pub struct UnknownLinkType(pub String);

impl FromStr for LinkType {
    type Err = UnknownLinkType;

    /// A name as above, tcpdump's (`EN10MB`), or the number.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.to_ascii_lowercase();
        let name = match lower.as_str() {
            "en10mb" => "ethernet",
            "wifi" | "802.11" => "ieee802_11",
            "ip" => "raw",
            other => other,
        };
        let number = name.parse().ok();
        let known = KNOWN.iter().find(|known| known.name == name || Some(known.link.0) == number);
        known.map(|known| known.link).ok_or_else(|| UnknownLinkType(text.to_owned()))
    }
}
