//! Traffic with the skew of real networks: few hosts talk most, few services carry most, sizes spread widely.

use finderscope_wire::packet::Address;
use rand::RngExt;
use rand::distr::weighted::WeightedIndex;
use rand::prelude::Distribution;
use rand_distr::LogNormal;
use rand_pcg::Pcg64Mcg;

use super::ranks::Ranks;

/// Hosts that exist.
const HOSTS: usize = 200_000;
/// Ports of services, and how often each is used.
const SERVICES: [(u16, u32); 12] = [
    (443, 45),
    (80, 15),
    (53, 18),
    (22, 3),
    (123, 4),
    (25, 2),
    (993, 2),
    (3389, 1),
    (8080, 4),
    (5060, 2),
    (179, 1),
    (1883, 3),
];
const UDP_SERVICES: [u16; 3] = [53, 123, 5060];
const TCP_FLAGS: [u8; 6] = [0x1B, 0x1F, 0x18, 0x02, 0x12, 0x14];
/// How many flows in a hundred are IPv6, where the protocol can say so.
const IPV6_PERCENT: u32 = 15;
const LONGEST_FLOW_MS: f64 = 1_800_000.0;

/// TCP's protocol number.
pub const TCP: u8 = 6;
/// UDP's protocol number.
pub const UDP: u8 = 17;
/// ICMP's protocol number.
pub const ICMP: u8 = 1;
/// ICMPv6's protocol number.
pub const ICMPV6: u8 = 58;

/// One flow of the workload.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    /// From.
    pub src: Address,
    /// To; of the same family.
    pub dst: Address,
    /// Source port; for ICMP 0.
    pub src_port: u16,
    /// Destination port; for ICMP type * 256 + code.
    pub dst_port: u16,
    /// IP protocol.
    pub proto: u8,
    /// TCP flags.
    pub tcp_flags: u8,
    /// Type of service.
    pub tos: u8,
    /// Interface of arrival.
    pub in_if: u16,
    /// Interface of departure.
    pub out_if: u16,
    /// The source's autonomous system.
    pub src_as: u16,
    /// The destination's.
    pub dst_as: u16,
    /// Packets of the flow.
    pub packets: u32,
    /// Bytes of the flow.
    pub bytes: u32,
    /// How long it lasted.
    pub duration_ms: u32,
}

impl Flow {
    /// Whether the addresses are IPv6.
    pub const fn is_ipv6(&self) -> bool {
        matches!(self.src, Address::V6(_))
    }
}

struct Host {
    v4: [u8; 4],
    v6: [u8; 16],
    asn: u16,
}

/// An endless row of flows; the same seed gives the same ones.
pub struct Traffic {
    random: Pcg64Mcg,
    hosts: Vec<Host>,
    ranks: Ranks,
    service: WeightedIndex<u32>,
    packets: LogNormal<f64>,
    size: LogNormal<f64>,
    duration: LogNormal<f64>,
    ipv6: bool,
}

impl Traffic {
    /// Flows of `seed` between hosts of another; with IPv6 among them where `ipv6` says so.
    pub fn seeded(seed: u64, hosts_seed: u64, ipv6: bool) -> Self {
        let mut random = randomness(hosts_seed);
        let hosts = (0..HOSTS).map(|_| host(&mut random)).collect();
        if seed != hosts_seed {
            random = randomness(seed);
        }
        let sound = "the parameters are sound";
        Self {
            hosts,
            ranks: Ranks::new(HOSTS),
            service: WeightedIndex::new(SERVICES.map(|(_, weight)| weight)).expect(sound),
            packets: LogNormal::new(1.2, 1.6).expect(sound),
            size: LogNormal::new(5.6, 0.9).expect(sound),
            duration: LogNormal::new(6.0, 2.0).expect(sound),
            random,
            ipv6,
        }
    }

    fn host(&mut self) -> usize {
        self.ranks.draw(&mut self.random) - 1
    }

    fn ports(&mut self) -> (u16, u16) {
        let service = SERVICES[self.service.sample(&mut self.random)].0;
        let client = self.random.random_range(1024..=u16::MAX);
        if self.random.random() { (client, service) } else { (service, client) }
    }

    /// The next flow.
    pub fn flow(&mut self) -> Flow {
        let (from, to) = (self.host(), self.host());
        let (mut src_port, mut dst_port) = self.ports();
        let six = self.ipv6 && self.random.random_ratio(IPV6_PERCENT, 100);
        let udp = UDP_SERVICES.contains(&src_port.min(dst_port));
        let proto = match self.random.random_range(0..100) {
            0 if six => ICMPV6,
            0 => ICMP,
            _ if udp => UDP,
            _ => TCP,
        };
        if matches!(proto, ICMP | ICMPV6) {
            (src_port, dst_port) = (0, if six { 128 << 8 } else { 8 << 8 });
        }
        let packets = self.packets.sample(&mut self.random).ceil().clamp(1.0, 1e6) as u32;
        let size = self.size.sample(&mut self.random).clamp(40.0, 1500.0);
        let (source, destination) = (&self.hosts[from], &self.hosts[to]);
        let (src, dst) = if six {
            (Address::V6(source.v6), Address::V6(destination.v6))
        } else {
            (Address::V4(source.v4), Address::V4(destination.v4))
        };
        let (src_as, dst_as) = (source.asn, destination.asn);
        let random = &mut self.random;
        Flow {
            src,
            dst,
            src_port,
            dst_port,
            proto,
            tcp_flags: if proto == TCP { TCP_FLAGS[random.random_range(0..TCP_FLAGS.len())] } else { 0 },
            tos: [0x48, 0xB8, 0x20].get(random.random_range(0..20_usize)).copied().unwrap_or(0),
            in_if: random.random_range(1..=48),
            out_if: random.random_range(1..=48),
            src_as,
            dst_as,
            packets,
            bytes: (f64::from(packets) * size) as u32,
            duration_ms: self.duration.sample(random).min(LONGEST_FLOW_MS) as u32,
        }
    }
}

fn randomness(seed: u64) -> Pcg64Mcg {
    // The multiplier spreads small seeds over the whole state.
    Pcg64Mcg::new(u128::from(seed).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835) | 1)
}

fn host(random: &mut Pcg64Mcg) -> Host {
    let [_, b, c, d] = random.random::<u32>().to_be_bytes();
    let mut v6 = [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    v6[8..].copy_from_slice(&random.random::<u64>().to_be_bytes());
    Host { v4: [10, b, c, d], v6, asn: random.random_range(1..64_000) }
}
