//! The three balances hold after every delivery, whatever comes.

use finderscope_intake::{Config, Intake, Limits};
use finderscope_wire::ipfix::{FieldSpecifier, VARIABLE};
use finderscope_wire::sflow::{CountersHeader, DatagramHeader, Encoder, FlowHeader, FlowRecord, SampledHeader};
use proptest::prelude::*;

use crate::harness::{Collector, From, SECOND, ipfix, v9};
use crate::packets::frame;
use crate::v5;

/// One step of a stream: who sends what, how much later, and what was done to it on the way.
#[derive(Clone, Debug)]
struct Step {
    exporter: u8,
    later_ms: u32,
    message: Message,
    damage: Damage,
    /// Whether a cut, or a restart from a saved state, comes after it.
    then: u8,
}

#[derive(Clone, Debug)]
enum Message {
    Five { sequence: u32, records: u8 },
    Nine { sequence: u32, sets: Vec<Set> },
    Ten { sequence: u32, sets: Vec<Set> },
    Sflow { sequence: u32, flows: u8, counters: u8 },
    Noise(Vec<u8>),
}

#[derive(Clone, Debug)]
enum Set {
    Template(u16, Vec<(u16, u16)>),
    Options(u16, Vec<(u16, u16)>),
    Data(u16, Vec<u8>),
    Withdraw(u16),
}

#[derive(Clone, Debug)]
enum Damage {
    None,
    Cut(u16),
    Flip(u16, u8),
    Twice,
}

fn any_set() -> impl Strategy<Value = Set> {
    let id = || prop_oneof![Just(256_u16), Just(257), Just(258), 0..300_u16];
    let element = prop_oneof![
        Just(1),
        Just(2),
        Just(8),
        Just(27),
        Just(21),
        Just(22),
        Just(34),
        Just(48),
        Just(152),
        Just(233),
        Just(231),
        Just(232),
        Just(302),
        Just(315),
        0..500_u16,
        32_000..60_000_u16
    ];
    let length = prop_oneof![Just(4_u16), Just(VARIABLE), 0..20_u16];
    let fields = prop::collection::vec((element, length), 0..12);
    prop_oneof![
        3 => (id(), fields.clone()).prop_map(|(id, fields)| Set::Template(id, fields)),
        1 => (id(), fields).prop_map(|(id, fields)| Set::Options(id, fields)),
        4 => (id(), prop::collection::vec(any::<u8>(), 0..120)).prop_map(|(id, bytes)| Set::Data(id, bytes)),
        1 => (id(), 0..40_usize).prop_map(|(id, length)| Set::Data(id, vec![0; length])),
        1 => prop_oneof![Just(2_u16), Just(3), Just(256)].prop_map(Set::Withdraw),
    ]
}

fn any_message() -> impl Strategy<Value = Message> {
    let sets = || prop::collection::vec(any_set(), 0..6);
    let sequence = || prop_oneof![0..40_u32, any::<u32>()];
    prop_oneof![
        1 => (sequence(), 0..4_u8).prop_map(|(sequence, records)| Message::Five { sequence, records }),
        3 => (sequence(), sets()).prop_map(|(sequence, sets)| Message::Nine { sequence, sets }),
        3 => (sequence(), sets()).prop_map(|(sequence, sets)| Message::Ten { sequence, sets }),
        1 => (sequence(), 0..3_u8, 0..3_u8).prop_map(|(sequence, flows, counters)| Message::Sflow { sequence, flows, counters }),
        1 => prop::collection::vec(any::<u8>(), 0..80).prop_map(Message::Noise),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    let damage = prop_oneof![
        4 => Just(Damage::None),
        1 => any::<u16>().prop_map(Damage::Cut),
        2 => (any::<u16>(), any::<u8>()).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        1 => Just(Damage::Twice),
    ];
    let parts = (0..5_u8, 0..900_000_u32, any_message(), damage, 0..12_u8);
    parts.prop_map(|(exporter, later_ms, message, damage, then)| Step { exporter, later_ms, message, damage, then })
}

impl Message {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Five { sequence, records } => {
                v5::datagram(&v5::header(*sequence), &vec![v5::record(); usize::from(*records)])
            }
            Self::Nine { sequence, sets } => with_sets(v9(*sequence, |_| {}), sets, false),
            Self::Ten { sequence, sets } => with_sets(ipfix(*sequence, |_| {}), sets, true),
            Self::Sflow { sequence, flows, counters } => sflow(*sequence, *flows, *counters),
            Self::Noise(bytes) => bytes.clone(),
        }
    }
}

/// Sets as nobody's encoder would write them.
fn with_sets(mut bytes: Vec<u8>, sets: &[Set], ten: bool) -> Vec<u8> {
    for set in sets {
        let (kind, body) = match set {
            Set::Template(id, fields) => (if ten { 2 } else { 0 }, template(&[*id, fields.len() as u16], fields)),
            Set::Options(id, fields) if ten => (3, template(&[*id, fields.len() as u16, 1], fields)),
            Set::Options(id, fields) => {
                let scope = fields.len().min(1) as u16 * 4;
                (1, template(&[*id, scope, fields.len() as u16 * 4 - scope], fields))
            }
            Set::Data(id, body) => (*id, body.clone()),
            Set::Withdraw(id) => (2, template(&[*id, 0], &[])),
        };
        bytes.extend_from_slice(&kind.to_be_bytes());
        bytes.extend_from_slice(&(body.len() as u16 + 4).to_be_bytes());
        bytes.extend(body);
    }
    if ten {
        let length = bytes.len() as u16;
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
    }
    bytes
}

fn template(head: &[u16], fields: &[(u16, u16)]) -> Vec<u8> {
    let words = head.iter().copied().chain(fields.iter().flat_map(|&(element, length)| [element, length]));
    words.flat_map(u16::to_be_bytes).collect()
}

fn sflow(sequence: u32, flows: u8, counters: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut datagram = Encoder::new(&mut bytes, &DatagramHeader { sequence_number: sequence, ..Default::default() });
    let packet = frame(443);
    for _ in 0..flows {
        datagram.flow_sample(&FlowHeader::default()).record(&FlowRecord::SampledHeader(SampledHeader {
            protocol: finderscope_wire::packet::HeaderProtocol::ETHERNET,
            frame_length: 99,
            stripped: 4,
            header: &packet,
        }));
    }
    for _ in 0..counters {
        let source = finderscope_wire::sflow::DataSource { class: 0, index: 1 };
        datagram
            .counters_sample(&CountersHeader { sequence_number: sequence, source })
            .generic_interface(&Default::default());
    }
    bytes
}

fn small_limits() -> Config {
    let limits = Limits {
        exporters: 3,
        domains_per_exporter: 2,
        templates_per_exporter: 4,
        fields_per_template: 10,
        template_fields_per_exporter: 25,
        template_fields: 40,
        samplers_per_exporter: 2,
        sources_per_exporter: 1,
        duplicate_window: 4,
        waiting_bytes_per_exporter: 900,
        waiting_bytes: 1_500,
        waiting_age_ns: 1_800 * SECOND,
    };
    Config { limits, template_timeout_ns: Some(3_600 * SECOND), ..Config::default() }
}

fn hold(steps: &[Step], config: &Config) {
    let mut collector = Collector::new(config.clone());
    for step in steps {
        collector.now_ns += i64::from(step.later_ms) * 1_000_000;
        let mut bytes = step.message.bytes();
        let length = bytes.len().max(1);
        match step.damage {
            Damage::Cut(at) => bytes.truncate(usize::from(at) % length),
            Damage::Flip(at, bits) => {
                bytes.iter_mut().skip(usize::from(at) % length).take(1).for_each(|byte| *byte ^= bits)
            }
            Damage::None | Damage::Twice => {}
        }
        let address = format!("10.0.0.{}", step.exporter);
        for _ in 0..if matches!(step.damage, Damage::Twice) { 2 } else { 1 } {
            collector.send_from(From::address(&address), &bytes);
        }
        for builder in collector.tables.all() {
            builder.finish();
        }
        match step.then {
            0 => collector.intake.cut(),
            1 => {
                let books = collector.books();
                collector.intake = Intake::restore(config.clone(), &collector.intake.state()).unwrap();
                collector.intake.check_balances().unwrap();
                assert_eq!(collector.books().sets, books.sets);
                assert_eq!(collector.books().records.received, books.records.received);
            }
            _ => {}
        }
    }
    collector.intake.cut();
    assert_eq!(collector.books().records.in_memory, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn balances_hold_whatever_comes(steps in prop::collection::vec(any_step(), 1..60)) {
        hold(&steps, &Config::default());
    }

    #[test]
    fn balances_hold_at_every_limit(steps in prop::collection::vec(any_step(), 1..60)) {
        hold(&steps, &small_limits());
    }
}

#[test]
fn wide_templates_of_one_byte_fields_do_not_multiply() {
    let mut collector = Collector::new(Config::default());
    let mut fields = vec![FieldSpecifier::new(1, 0); 511];
    fields.push(FieldSpecifier::new(4, VARIABLE));
    collector.send(&ipfix(0, |encoder| _ = encoder.template(256, &fields).record(256, &[0; 60_000])));
    collector.send(&ipfix(1, |encoder| _ = encoder.record(256, &[[0; 59_999].as_slice(), &[1, 7]].concat())));
    assert_eq!(collector.books().records.received, 120_000);
}
