//! The filter's vocabulary.

/// Protocols by name (IANA's protocol numbers).
const PROTOCOLS: [(&str, u8); 22] = [
    ("icmp", 1),
    ("igmp", 2),
    ("ipip", 4),
    ("tcp", 6),
    ("egp", 8),
    ("udp", 17),
    ("rdp", 27),
    ("dccp", 33),
    ("rsvp", 46),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("icmp6", 58),
    ("icmpv6", 58),
    ("ipv6-icmp", 58),
    ("eigrp", 88),
    ("ospf", 89),
    ("pim", 103),
    ("vrrp", 112),
    ("l2tp", 115),
    ("sctp", 132),
    ("udplite", 136),
];

/// The number of a protocol.
pub(super) fn protocol(name: &str) -> Option<u8> {
    PROTOCOLS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, number)| *number)
}

/// The bits of TCP flags by their letters; `X` is all six of the classic ones.
pub(super) fn flags(letters: &str) -> Option<u16> {
    letters.chars().try_fold(0, |flags, letter| {
        Some(
            flags
                | match letter.to_ascii_uppercase() {
                    'F' => 0x01,
                    'S' => 0x02,
                    'R' => 0x04,
                    'P' => 0x08,
                    'A' => 0x10,
                    'U' => 0x20,
                    'E' => 0x40,
                    'C' => 0x80,
                    'X' => 0x3f,
                    _ => return None,
                },
        )
    })
}

/// nfdump's words in one piece, taken apart.
pub(super) fn apart(word: &str) -> Option<&'static [&'static str]> {
    Some(match word {
        "srcip" => &["src", "ip"],
        "dstip" => &["dst", "ip"],
        "srcport" => &["src", "port"],
        "dstport" => &["dst", "port"],
        "srcas" => &["src", "as"],
        "dstas" => &["dst", "as"],
        "srcnet" => &["src", "net"],
        "dstnet" => &["dst", "net"],
        "srcmac" | "insrcmac" | "outsrcmac" => &["src", "mac"],
        "dstmac" | "indstmac" | "outdstmac" => &["dst", "mac"],
        "srcvlan" => &["src", "vlan"],
        "dstvlan" => &["dst", "vlan"],
        "srcmask" => &["src", "mask"],
        "dstmask" => &["dst", "mask"],
        "inif" => &["in", "if"],
        "outif" => &["out", "if"],
        "nextip" => &["next", "ip"],
        "bgpnextip" => &["bgpnext", "ip"],
        "routerip" | "router" => &["exporter"],
        _ => return None,
    })
}

/// Words that begin a condition, for suggestions.
pub(super) const STARTS: [&str; 33] = [
    "any", "src", "dst", "ip", "host", "net", "port", "proto", "tcp", "udp", "icmp", "icmp6", "inet", "inet6", "ipv4",
    "ipv6", "bytes", "packets", "bps", "pps", "bpp", "duration", "flags", "tos", "as", "next", "if", "in", "out",
    "vlan", "mac", "exporter", "not",
];
