//! The fields of records whose layout never changes: how long each is, what it is called, what it means.

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident $length:literal $element:expr, $name:literal;)*) => {
        /// A field of a record of version 1, 6, 7 or 8.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[repr(u8)]
        pub enum Field { $($(#[$doc])* $variant,)* }

        impl Field {
            /// Every field.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// Bytes on the wire.
            pub const fn length(self) -> usize {
                match self { $(Self::$variant => $length,)* }
            }

            /// IANA's information element that means the same, where there is one.
            pub const fn element(self) -> Option<u16> {
                match self { $(Self::$variant => $element,)* }
            }

            /// The name in Cisco's tables.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

/// paddingOctets.
const PADDING: u16 = 210;

fields! {
    /// Source address; with a prefix scheme, its network.
    Source 4 Some(8), "srcaddr";
    /// Destination address; with a prefix scheme, its network.
    Destination 4 Some(12), "dstaddr";
    /// Next router's address.
    NextHop 4 Some(15), "nexthop";
    /// ifIndex of the input interface.
    Input 2 Some(10), "input";
    /// ifIndex of the output interface.
    Output 2 Some(14), "output";
    /// Flows that were aggregated into the record.
    Flows 4 Some(3), "dFlows";
    /// Packets.
    Packets 4 Some(2), "dPkts";
    /// Bytes of layer 3.
    Octets 4 Some(1), "dOctets";
    /// Uptime at the first packet, in milliseconds.
    First 4 Some(22), "First";
    /// Uptime at the last packet, in milliseconds.
    Last 4 Some(21), "Last";
    /// Source port.
    SourcePort 2 Some(7), "srcport";
    /// Destination port; of ICMP, type × 256 + code.
    DestinationPort 2 Some(11), "dstport";
    /// IP protocol.
    Protocol 1 Some(4), "prot";
    /// IP type of service.
    Tos 1 Some(5), "tos";
    /// All TCP flags seen, ORed.
    TcpFlags 1 Some(6), "tcp_flags";
    /// AS of the source, origin or peer.
    SourceAs 2 Some(16), "src_as";
    /// AS of the destination, origin or peer.
    DestinationAs 2 Some(17), "dst_as";
    /// Prefix length of the source.
    SourceMask 1 Some(9), "src_mask";
    /// Prefix length of the destination.
    DestinationMask 1 Some(13), "dst_mask";
    /// Bytes of the encapsulation on input (version 6).
    InputEncapsulation 1 None, "in_encaps";
    /// Bytes of the encapsulation on output (version 6).
    OutputEncapsulation 1 None, "out_encaps";
    /// Next hop within the peer, by the forwarding table (version 6).
    PeerNextHop 4 None, "peer_nexthop";
    /// Which fields are not valid (version 7, before the TCP flags).
    Flags 1 None, "flags";
    /// Which flows are not valid (version 7, after the prefix lengths).
    FlowFlags 2 None, "flow_flags";
    /// Address of the router that the switch bypasses (version 7, Catalyst's schemes).
    RouterShortcut 4 None, "router_sc";
    /// Type of service of the packets that exceeded the contract (Catalyst's schemes).
    MarkedTos 1 None, "marked_tos";
    /// Packets that exceeded the contract (Catalyst's schemes).
    ExtraPackets 4 None, "extra_pkts";
    /// One byte that says nothing.
    Pad1 1 Some(PADDING), "pad";
    /// Two bytes that say nothing.
    Pad2 2 Some(PADDING), "pad";
    /// Four bytes that say nothing.
    Pad4 4 Some(PADDING), "pad";
}

impl Field {
    /// Whether it says nothing.
    pub const fn is_padding(self) -> bool {
        matches!(self, Self::Pad1 | Self::Pad2 | Self::Pad4)
    }

    /// Whether its value is an IPv4 address.
    pub const fn is_address(self) -> bool {
        matches!(self, Self::Source | Self::Destination | Self::NextHop | Self::PeerNextHop | Self::RouterShortcut)
    }
}
