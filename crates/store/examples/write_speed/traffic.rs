//! Flows with the repetition of real traffic: Zipf hosts, service ports, log-normal sizes and durations.

use arrow::array::RecordBatch;
use finderscope_flow::{Builder, Column, Table};

const HOSTS: u64 = 200_000;
const START_NS: i64 = 1_767_225_600_000_000_000;
const ROWS: usize = 65_536;
const SERVICES: [(u16, u64); 12] = [
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

/// A small, seeded generator (splitmix64): the same rows each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// In (0, 1].
    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    fn lognormal(&mut self, mean: f64, deviation: f64) -> f64 {
        let normal = (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos();
        (mean + deviation * normal).exp()
    }

    /// A host by rank, Zipf with exponent 1.2; ranks beyond the hosts fall anywhere.
    fn host(&mut self) -> u64 {
        let b = 2f64.powf(0.2);
        loop {
            let (u, v) = (self.unit(), self.unit());
            let rank = u.powf(-5.0).floor();
            let t = (1.0 + 1.0 / rank).powf(0.2);
            if v * rank * (t - 1.0) / (b - 1.0) <= t / b {
                return if rank <= HOSTS as f64 { rank as u64 - 1 } else { self.below(HOSTS) };
            }
        }
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Rows at 100 000 a second, as eight exporters with a v9 template would bring them; the same for each seed.
pub(crate) fn batches(seed: u64, rows: usize) -> Vec<RecordBatch> {
    let mut random = Random(seed);
    (0..rows).step_by(ROWS).map(|start| batch(&mut random, start, ROWS.min(rows - start))).collect()
}

struct Flow {
    received_ns: i64,
    start_ns: i64,
    end_ns: i64,
    exporter: u8,
    sequence: u32,
    hosts: [u64; 2],
    six: bool,
    ports: [u16; 2],
    proto: u8,
    flags: u16,
    tos: u8,
    packets: u64,
    bytes: u64,
    interfaces: [u32; 2],
}

fn flow(random: &mut Random, row: usize) -> Flow {
    let end_ms = row as i64 / 100;
    let received_ns = START_NS + (row as i64 / 24) * 240_000 + random.below(20_000) as i64;
    let duration_ms = random.lognormal(6.0, 2.0).min(1_800_000.0) as i64;
    let mut pick = random.below(100);
    let service = SERVICES.iter().find(|(_, weight)| {
        let here = pick < *weight;
        pick = pick.saturating_sub(*weight);
        here
    });
    let service = service.map_or(443, |service| service.0);
    let mut ports = [service, 1_024 + random.below(64_512) as u16];
    if random.below(2) == 0 {
        ports.swap(0, 1);
    }
    let proto = match (random.below(100), service) {
        (0, _) => 1,
        (_, 53 | 123 | 5060) => 17,
        _ => 6,
    };
    let packets = random.lognormal(1.2, 1.6).ceil().min(1e6) as u64;
    let size = random.lognormal(5.6, 0.9).clamp(40.0, 1_500.0);
    Flow {
        received_ns,
        start_ns: START_NS + (end_ms - duration_ms) * 1_000_000,
        end_ns: START_NS + end_ms * 1_000_000,
        exporter: (row / 240 % 8) as u8,
        sequence: (row / 24 / 8) as u32,
        hosts: [random.host(), random.host()],
        six: random.below(100) < 15,
        ports,
        proto,
        flags: if proto == 6 { [0x1b, 0x1f, 0x18, 0x02, 0x12, 0x14][random.below(6) as usize] } else { 0 },
        tos: [0x48, 0xb8, 0x20, 0][(random.below(20) as usize).min(3)],
        packets,
        bytes: (packets as f64 * size) as u64,
        interfaces: [1 + random.below(48) as u32, 1 + random.below(48) as u32],
    }
}

fn batch(random: &mut Random, start: usize, count: usize) -> RecordBatch {
    let flows: Vec<Flow> = (start..start + count).map(|row| flow(random, row)).collect();
    let mut builder = Builder::new(Table::Flows);
    let b = &mut builder;
    b.word(Column::Type).push_run(2, count);
    b.time(Column::TimeReceivedNs).extend(flows.iter().map(|flow| flow.received_ns));
    b.time(Column::TimeExportNs).extend(flows.iter().map(|flow| flow.received_ns / 1_000_000_000 * 1_000_000_000));
    b.time(Column::TimeFlowStartNs).extend(flows.iter().map(|flow| flow.start_ns));
    b.time(Column::TimeFlowEndNs).extend(flows.iter().map(|flow| flow.end_ns));
    b.word(Column::TimeSource).push_run(1, count);
    b.word(Column::SamplingSource).push_run(0, count);
    for column in [Column::ExporterAddress, Column::SamplerAddress] {
        b.address(column).extend_fixed(flows.iter().map(|flow| [192, 168, 0, flow.exporter + 1]));
    }
    b.u32(Column::ObservationDomainId).extend(flows.iter().map(|flow| u32::from(flow.exporter)));
    b.u32(Column::SequenceNum).extend(flows.iter().map(|flow| flow.sequence));
    for (side, column) in [Column::SrcAddr, Column::DstAddr].into_iter().enumerate() {
        flows.iter().for_each(|flow| push_address(b, column, flow.hosts[side], flow.six));
    }
    b.address(Column::NextHop).push_run(&[10, 0, 0, 1], count);
    for (side, column) in [Column::SrcPort, Column::DstPort].into_iter().enumerate() {
        b.u16(column).extend(flows.iter().map(|flow| flow.ports[side]));
    }
    for (side, column) in [Column::SrcAs, Column::DstAs].into_iter().enumerate() {
        b.u32(column).extend(flows.iter().map(|flow| (mix(flow.hosts[side]) % 64_000) as u32));
    }
    for (side, column) in [Column::InIf, Column::OutIf].into_iter().enumerate() {
        b.u32(column).extend(flows.iter().map(|flow| flow.interfaces[side]));
    }
    b.u8(Column::Proto).extend(flows.iter().map(|flow| flow.proto));
    b.u16(Column::TcpFlags).extend(flows.iter().map(|flow| flow.flags));
    b.u8(Column::IpTos).extend(flows.iter().map(|flow| flow.tos));
    b.u64(Column::Packets).extend(flows.iter().map(|flow| flow.packets));
    b.u64(Column::Bytes).extend(flows.iter().map(|flow| flow.bytes));
    b.u8(Column::SrcNet).push_run(24, count);
    b.u8(Column::DstNet).push_run(24, count);
    b.u8(Column::FlowDirection).push_run(0, count);
    b.advance(count);
    builder.finish()
}

fn push_address(builder: &mut Builder, column: Column, host: u64, six: bool) {
    let scattered = mix(host).to_be_bytes();
    if six {
        let mut address = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        address[8..].copy_from_slice(&scattered);
        builder.address(column).push(&address);
    } else {
        builder.address(column).push(&[10, scattered[0], scattered[1], scattered[2]]);
    }
}
