//! The kinds of tunnels, and their names.

use std::fmt;

/// A way of carrying packets in packets.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum TunnelKind {
    /// GRE (RFC 2784, RFC 2890, RFC 1701); its number is the key.
    Gre,
    /// GRE as PPTP has it (RFC 2637); its number is the call.
    Pptp,
    /// NVGRE (RFC 7637); its number is the virtual subnet.
    Nvgre,
    /// ERSPAN type I: a mirrored frame in GRE.
    Erspan1,
    /// ERSPAN type II; its number is the session.
    Erspan2,
    /// ERSPAN type III; its number is the session.
    Erspan3,
    /// IPv4 or IPv6 in IPv4 or IPv6.
    IpInIp,
    /// EtherIP (RFC 3378).
    EtherIp,
    /// MPLS in IP (RFC 4023).
    MplsInIp,
    /// MPLS in UDP (RFC 7510).
    MplsInUdp,
    /// An Ethernet frame by segment routing over IPv6 (RFC 8986).
    Srv6,
    /// VXLAN (RFC 7348); its number is the VNI.
    Vxlan,
    /// VXLAN with its generic protocol extension; its number is the VNI.
    VxlanGpe,
    /// Geneve (RFC 8926); its number is the VNI.
    Geneve,
    /// GTP's user plane (3GPP TS 29.281); its number is the TEID.
    GtpU,
    /// L2TP version 2 (RFC 2661); its number is tunnel * 65536 + session.
    L2tp2,
    /// L2TP version 3 (RFC 3931); its number is the session.
    L2tp3,
    /// Teredo (RFC 4380).
    Teredo,
    /// A service function chain (RFC 8300); its number is the path.
    Nsh,
    /// An Ethernet pseudowire (RFC 4448); its number is the bottom label.
    Pseudowire,
    /// IEEE 802.1ah; its number is the I-SID.
    Backbone,
    /// WireGuard, whose packets are encrypted; its number is the receiver's index.
    WireGuard,
}

impl TunnelKind {
    /// Every kind.
    pub const ALL: [Self; 22] = [
        Self::Gre,
        Self::Pptp,
        Self::Nvgre,
        Self::Erspan1,
        Self::Erspan2,
        Self::Erspan3,
        Self::IpInIp,
        Self::EtherIp,
        Self::MplsInIp,
        Self::MplsInUdp,
        Self::Srv6,
        Self::Vxlan,
        Self::VxlanGpe,
        Self::Geneve,
        Self::GtpU,
        Self::L2tp2,
        Self::L2tp3,
        Self::Teredo,
        Self::Nsh,
        Self::Pseudowire,
        Self::Backbone,
        Self::WireGuard,
    ];

    /// A short name for columns and filters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gre => "gre",
            Self::Pptp => "pptp",
            Self::Nvgre => "nvgre",
            Self::Erspan1 => "erspan1",
            Self::Erspan2 => "erspan2",
            Self::Erspan3 => "erspan3",
            Self::IpInIp => "ipip",
            Self::EtherIp => "etherip",
            Self::MplsInIp => "mpls_in_ip",
            Self::MplsInUdp => "mpls_in_udp",
            Self::Srv6 => "srv6",
            Self::Vxlan => "vxlan",
            Self::VxlanGpe => "vxlan_gpe",
            Self::Geneve => "geneve",
            Self::GtpU => "gtp_u",
            Self::L2tp2 => "l2tp2",
            Self::L2tp3 => "l2tp3",
            Self::Teredo => "teredo",
            Self::Nsh => "nsh",
            Self::Pseudowire => "pseudowire",
            Self::Backbone => "pbb",
            Self::WireGuard => "wireguard",
        }
    }
}

impl fmt::Display for TunnelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
