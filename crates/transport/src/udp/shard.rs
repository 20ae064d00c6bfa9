//! Which shard an exporter belongs to: the same answer from the kernel's program and from [`shard_of`].
//!
//! The hash mixes the source address word by word (`h = (h ^ word) * K`) and folds the high half down, since the exporters of a site
//! often differ in their low bits only and a multiplication carries those upwards.

use std::net::{IpAddr, Ipv6Addr};

use libc::sock_filter;

/// 2³² divided by the golden ratio, odd: spreads neighbouring numbers widely (Knuth, multiplicative hashing).
const MULTIPLIER: u32 = 0x9E37_79B1;

/// The shard, below `shards`, of everything that `source` sends.
///
/// The kernel decides likewise for the sockets of one [`bind`](super::bind); a mapped address counts as its IPv4 address.
pub fn shard_of(source: IpAddr, shards: usize) -> usize {
    let mix = |hash: u32, word: u32| (hash ^ word).wrapping_mul(MULTIPLIER);
    let hash = match source {
        IpAddr::V4(v4) => mix(0, v4.to_bits()),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => mix(0, v4.to_bits()),
            None => words(v6).into_iter().fold(0, mix),
        },
    };
    (hash ^ (hash >> 16)) as usize % shards.max(1)
}

fn words(address: Ipv6Addr) -> [u32; 4] {
    let bits = address.to_bits();
    [96, 64, 32, 0].map(|shift| (bits >> shift) as u32)
}

/// Classic BPF for `SO_ATTACH_REUSEPORT_CBPF`: returns the index of the socket in its group.
///
/// There the packet begins at the UDP payload, so the IP header is read relative to the network header
/// (`SKF_NET_OFF`). A dual-stack socket sees IPv4 headers for IPv4 exporters.
pub(super) fn program(shards: u32) -> Vec<sock_filter> {
    use libc::{BPF_A, BPF_RSH, BPF_TAX, BPF_W, BPF_X, BPF_XOR};
    use libc::{BPF_ABS, BPF_ALU, BPF_B, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_MISC, BPF_MOD, BPF_MUL, BPF_RET};
    const SOURCE_V4: u32 = 12;
    const SOURCE_V6: u32 = 8;

    let network = |offset: u32| (libc::SKF_NET_OFF as u32).wrapping_add(offset);
    let load = |offset| [op(BPF_LD | BPF_W | BPF_ABS, network(offset))];
    let mix = [op(BPF_ALU | BPF_XOR | BPF_X, 0), op(BPF_ALU | BPF_MUL | BPF_K, MULTIPLIER)];
    let to_x = [op(BPF_MISC | BPF_TAX, 0)];

    // IPv6: X carries the hash from word to word.
    let mut v6 = vec![op(BPF_LD, 0), to_x[0]]; // A = 0 (BPF_LD | BPF_IMM), X = A
    for word in 0..4 {
        v6.extend(load(SOURCE_V6 + 4 * word));
        v6.extend(mix);
        v6.extend(to_x);
    }
    let v4 = [load(SOURCE_V4)[0], op(BPF_ALU | BPF_MUL | BPF_K, MULTIPLIER), to_x[0]];

    let mut program = vec![
        op(BPF_LD | BPF_B | BPF_ABS, network(0)),
        op(BPF_ALU | BPF_RSH | BPF_K, 4),
        sock_filter { code: (BPF_JMP | BPF_JEQ | BPF_K) as u16, jt: v6.len() as u8 + 1, jf: 0, k: 4 },
    ];
    program.extend(&v6);
    program.push(op(BPF_JMP, v4.len() as u32)); // BPF_JA: past the IPv4 part
    program.extend(v4);
    program.extend([
        op(BPF_ALU | BPF_RSH | BPF_K, 16),
        op(BPF_ALU | BPF_XOR | BPF_X, 0),
        op(BPF_ALU | BPF_MOD | BPF_K, shards),
        op(BPF_RET | BPF_A, 0),
    ]);
    program
}

const fn op(code: u32, k: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_exporters_spread_evenly() {
        for shards in [2, 3, 4, 7, 8] {
            let mut counts = vec![0; shards];
            for low in 0..4096_u32 {
                counts[shard_of(IpAddr::V4(std::net::Ipv4Addr::from_bits(0x7f01_0000 + low)), shards)] += 1;
            }
            let fair = 4096 / shards;
            for count in counts {
                assert!(count > fair / 2 && count < fair * 3 / 2, "{count} of 4096 on one of {shards}");
            }
        }
    }

    #[test]
    fn ipv6_neighbours_spread_evenly() {
        let mut counts = [0; 4];
        for low in 0..4096_u128 {
            let address = Ipv6Addr::from_bits(0x2001_0db8_0000_0000_0000_0000_0000_0000 + low);
            counts[shard_of(address.into(), 4)] += 1;
        }
        assert!(counts.into_iter().all(|count| (512..1536).contains(&count)), "{counts:?}");
    }

    #[test]
    fn a_mapped_address_is_its_ipv4_address() {
        let v4 = std::net::Ipv4Addr::new(10, 0, 0, 1);
        assert_eq!(shard_of(v4.into(), 8), shard_of(v4.to_ipv6_mapped().into(), 8));
    }
}
