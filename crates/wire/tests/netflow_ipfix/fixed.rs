//! Versions 1, 6, 7 and 8: round trips, damage, and where fields lie.

use finderscope_wire::Reader;
use finderscope_wire::netflow::fixed::{Field, Header, Layout, Message, Record, encode};
use proptest::prelude::*;

fn layout(version: u16, aggregation: u8) -> &'static Layout {
    Layout::of(version, aggregation).unwrap()
}

/// A record in which every field has another value.
pub(crate) fn record(seed: u32) -> Record {
    let value = |field: Field| {
        let mixed = (field as u32 + 1).wrapping_mul(0x0305_0711).wrapping_add(seed);
        mixed & (u32::MAX >> (32 - 8 * field.length()))
    };
    Field::ALL.iter().fold(Record::default(), |record, &field| record.with(field, value(field)))
}

pub(crate) fn datagram(layout: &Layout, records: u32) -> Vec<u8> {
    let header = Header { uptime_ms: 5_000, flow_sequence: 7, aggregation_version: 2, ..Header::default() };
    let records: Vec<_> = (0..records).map(record).collect();
    let mut out = Vec::new();
    encode(layout, &header, &records, &mut out).unwrap();
    out
}

/// What a layout keeps of a record.
fn kept(layout: &Layout, record: &Record) -> Record {
    layout.fields.iter().fold(Record::default(), |kept, &field| kept.with(field, record.get(field)))
}

#[test]
fn records_are_as_long_as_the_formats_say() {
    // Cisco's tables of the NetFlow Collection Engine User Guide, and flow-tools' ftlib.h.
    let lengths: Vec<_> =
        Layout::all().map(|layout| (layout.version, layout.aggregation, layout.record_length())).collect();
    assert_eq!(
        lengths,
        [
            (1, 0, 48),
            (6, 0, 52),
            (7, 0, 52),
            (8, 1, 28),
            (8, 2, 28),
            (8, 3, 32),
            (8, 4, 32),
            (8, 5, 40),
            (8, 6, 32),
            (8, 7, 40),
            (8, 8, 44),
            (8, 9, 32),
            (8, 10, 32),
            (8, 11, 32),
            (8, 12, 32),
            (8, 13, 40),
            (8, 14, 40),
        ]
    );
    for layout in Layout::all() {
        let most = layout.header_length() + layout.records_max * layout.record_length();
        assert!(most <= 1472, "{layout:?}: {most} bytes do not fit a frame");
    }
}

/// A record of `version` whose every byte is its own offset, so that a field's value tells where it lies.
fn offsets(version: u16, aggregation: u8, fields: &[(Field, u8)]) {
    let layout = layout(version, aggregation);
    let bytes: Vec<u8> = (0..layout.record_length() as u8).collect();
    let record = Record::read(layout, &bytes);
    for &(field, offset) in fields {
        let expected = (0..field.length() as u8).fold(0, |sum, at| sum << 8 | u32::from(offset + at));
        assert_eq!(record.get(field), expected, "{field:?} of version {version}, aggregation {aggregation}");
    }
    let told: usize = fields.iter().map(|(field, _)| field.length()).sum();
    let padding: usize = layout.fields.iter().filter(|field| field.is_padding()).map(|field| field.length()).sum();
    assert_eq!(told + padding, layout.record_length(), "version {version}, aggregation {aggregation}: a field untold");
}

#[test]
fn fields_of_version_1_lie_where_cisco_puts_them() {
    use Field as F;
    offsets(
        1,
        0,
        &[
            (F::Source, 0),
            (F::Destination, 4),
            (F::NextHop, 8),
            (F::Input, 12),
            (F::Output, 14),
            (F::Packets, 16),
            (F::Octets, 20),
            (F::First, 24),
            (F::Last, 28),
            (F::SourcePort, 32),
            (F::DestinationPort, 34),
            (F::Protocol, 38),
            (F::Tos, 39),
            (F::TcpFlags, 40),
        ],
    );
}

#[test]
fn fields_of_version_6_lie_where_ftlib_puts_them() {
    // tshark does not know this version. ftlib.h (struct ftrec_v6) and tcpdump's print-cnfp.c agree.
    use Field as F;
    offsets(
        6,
        0,
        &[
            (F::Source, 0),
            (F::Destination, 4),
            (F::NextHop, 8),
            (F::Input, 12),
            (F::Output, 14),
            (F::Packets, 16),
            (F::Octets, 20),
            (F::First, 24),
            (F::Last, 28),
            (F::SourcePort, 32),
            (F::DestinationPort, 34),
            (F::TcpFlags, 37),
            (F::Protocol, 38),
            (F::Tos, 39),
            (F::SourceAs, 40),
            (F::DestinationAs, 42),
            (F::SourceMask, 44),
            (F::DestinationMask, 45),
            (F::InputEncapsulation, 46),
            (F::OutputEncapsulation, 47),
            (F::PeerNextHop, 48),
        ],
    );
}

#[test]
fn fields_of_version_7_lie_where_cisco_puts_them() {
    use Field as F;
    offsets(
        7,
        0,
        &[
            (F::Source, 0),
            (F::Destination, 4),
            (F::NextHop, 8),
            (F::Input, 12),
            (F::Output, 14),
            (F::Packets, 16),
            (F::Octets, 20),
            (F::First, 24),
            (F::Last, 28),
            (F::SourcePort, 32),
            (F::DestinationPort, 34),
            (F::Flags, 36),
            (F::TcpFlags, 37),
            (F::Protocol, 38),
            (F::Tos, 39),
            (F::SourceAs, 40),
            (F::DestinationAs, 42),
            (F::SourceMask, 44),
            (F::DestinationMask, 45),
            (F::FlowFlags, 46),
            (F::RouterShortcut, 48),
        ],
    );
}

#[test]
fn fields_of_every_router_aggregation_lie_where_cisco_puts_them() {
    // Of 9 to 14: "NetFlow ToS-Based Router Aggregation", figures 2 to 7; of the others ftlib.h and the User Guide.
    use Field as F;
    let counters = [(F::Flows, 0), (F::Packets, 4), (F::Octets, 8), (F::First, 12), (F::Last, 16)];
    let check = |aggregation, own: &[(Field, u8)]| offsets(8, aggregation, &[&counters, own].concat());
    check(1, &[(F::SourceAs, 20), (F::DestinationAs, 22), (F::Input, 24), (F::Output, 26)]);
    check(2, &[(F::Protocol, 20), (F::SourcePort, 24), (F::DestinationPort, 26)]);
    check(3, &[(F::Source, 20), (F::SourceMask, 24), (F::SourceAs, 26), (F::Input, 28)]);
    check(4, &[(F::Destination, 20), (F::DestinationMask, 24), (F::DestinationAs, 26), (F::Output, 28)]);
    let both = [(F::Source, 20), (F::Destination, 24), (F::DestinationMask, 28), (F::SourceMask, 29)];
    let systems = [(F::SourceAs, 32), (F::DestinationAs, 34), (F::Input, 36), (F::Output, 38)];
    check(5, &[both, systems].concat());
    check(9, &[(F::SourceAs, 20), (F::DestinationAs, 22), (F::Input, 24), (F::Output, 26), (F::Tos, 28)]);
    let ports = [(F::Protocol, 20), (F::Tos, 21), (F::SourcePort, 24), (F::DestinationPort, 26)];
    check(10, &[&ports[..], &[(F::Input, 28), (F::Output, 30)]].concat());
    check(11, &[(F::Source, 20), (F::SourceMask, 24), (F::Tos, 25), (F::SourceAs, 26), (F::Input, 28)]);
    let destination = [(F::Destination, 20), (F::DestinationMask, 24), (F::Tos, 25)];
    check(12, &[&destination[..], &[(F::DestinationAs, 26), (F::Output, 28)]].concat());
    check(13, &[&both[..], &[(F::Tos, 30)], &systems].concat());
    let services = [(F::Tos, 30), (F::Protocol, 31), (F::SourcePort, 32), (F::DestinationPort, 34)];
    check(14, &[&both[..], &services, &[(F::Input, 36), (F::Output, 38)]].concat());
}

#[test]
fn fields_of_catalysts_aggregations_lie_where_ftlib_puts_them() {
    use Field as F;
    offsets(
        8,
        6,
        &[
            (F::Destination, 0),
            (F::Packets, 4),
            (F::Octets, 8),
            (F::First, 12),
            (F::Last, 16),
            (F::Output, 20),
            (F::Tos, 22),
            (F::MarkedTos, 23),
            (F::ExtraPackets, 24),
            (F::RouterShortcut, 28),
        ],
    );
    offsets(
        8,
        7,
        &[
            (F::Destination, 0),
            (F::Source, 4),
            (F::Packets, 8),
            (F::Octets, 12),
            (F::First, 16),
            (F::Last, 20),
            (F::Output, 24),
            (F::Input, 26),
            (F::Tos, 28),
            (F::MarkedTos, 29),
            (F::ExtraPackets, 32),
            (F::RouterShortcut, 36),
        ],
    );
    offsets(
        8,
        8,
        &[
            (F::Destination, 0),
            (F::Source, 4),
            (F::DestinationPort, 8),
            (F::SourcePort, 10),
            (F::Packets, 12),
            (F::Octets, 16),
            (F::First, 20),
            (F::Last, 24),
            (F::Output, 28),
            (F::Input, 30),
            (F::Tos, 32),
            (F::Protocol, 33),
            (F::MarkedTos, 34),
            (F::ExtraPackets, 36),
            (F::RouterShortcut, 40),
        ],
    );
}

#[test]
fn fields_without_an_element_of_their_own_keep_ciscos_names() {
    use Field as F;
    let named: Vec<_> = F::ALL.iter().filter(|field| field.element().is_none()).map(|field| field.name()).collect();
    let expected =
        ["in_encaps", "out_encaps", "peer_nexthop", "flags", "flow_flags", "router_sc", "marked_tos", "extra_pkts"];
    assert_eq!(named, expected);
    // IANA's registry: deltaFlowCount, flowStartSysUpTime, flowEndSysUpTime, paddingOctets.
    let elements = [F::Flows, F::First, F::Last, F::Pad4].map(Field::element);
    assert_eq!(elements, [Some(3), Some(22), Some(21), Some(210)]);
}

#[test]
fn reads_back_what_it_wrote() {
    proptest!(|(which in 0..17_usize, seeds in prop::collection::vec(any::<u32>(), 0..60), words: [u32; 4], small: [u8; 3], sampling: u16)| {
        let layout = Layout::all().nth(which).unwrap();
        let header = Header {
            uptime_ms: words[0],
            unix_seconds: words[1],
            unix_nanoseconds: words[2],
            flow_sequence: if layout.version == 1 { 0 } else { words[3] },
            engine_type: if matches!(layout.version, 6 | 8) { small[0] } else { 0 },
            engine_id: if matches!(layout.version, 6 | 8) { small[1] } else { 0 },
            sampling: if matches!(layout.version, 6 | 8) { sampling } else { 0 },
            aggregation_version: if layout.version == 8 { small[2] } else { 0 },
        };
        let records: Vec<_> = seeds.iter().map(|&seed| record(seed)).collect();
        let mut out = vec![0xee; 3];
        encode(layout, &header, &records, &mut out).unwrap();
        let message = Message::read(&out[3..]).unwrap();
        prop_assert_eq!(message.layout(), Some(layout));
        prop_assert_eq!(message.header(), &header);
        prop_assert_eq!(usize::from(message.count()), records.len());
        prop_assert_eq!((message.problem(), message.excess().len()), (None, 0));
        let expected: Vec<_> = records.iter().map(|record| kept(layout, record)).collect();
        prop_assert_eq!(message.records().collect::<Vec<_>>(), expected);
    });
}

#[test]
fn every_truncation_is_refused_or_reported_and_keeps_the_records_before_it() {
    for layout in Layout::all() {
        let bytes = datagram(layout, 4);
        let (header, length) = (layout.header_length(), layout.record_length());
        let intact: Vec<_> = Message::read(&bytes).unwrap().records().collect();
        assert_eq!(intact.len(), 4);
        for cut in 0..bytes.len() {
            match Message::read(&bytes[..cut]) {
                Ok(message) => {
                    assert_eq!(message.problem().unwrap().reason(), "too_long", "{layout:?} cut at {cut}");
                    let whole = (cut - header) / length;
                    assert_eq!(message.records().collect::<Vec<_>>(), intact[..whole]);
                    assert_eq!(message.excess().len(), (cut - header) % length);
                }
                Err(error) => {
                    assert!(cut < header, "{layout:?} cut at {cut}");
                    assert_eq!(error.reason(), "truncated");
                }
            }
        }
    }
}

#[test]
fn every_change_of_a_byte_is_survived_and_costs_one_record_at_most() {
    for layout in Layout::all() {
        let whole = datagram(layout, 3);
        let intact: Vec<_> = Message::read(&whole).unwrap().records().collect();
        let mut damaged = whole.clone();
        for at in 0..whole.len() {
            for value in 0..=u8::MAX {
                damaged[at] = value;
                let Ok(message) = Message::read(&damaged) else { continue };
                let read: Vec<_> = message.records().collect();
                assert!(read.len() * 28 <= whole.len(), "byte {at} = {value}");
                if at >= layout.header_length() {
                    let changed = read.iter().zip(&intact).filter(|(read, intact)| read != intact).count();
                    assert!(read.len() == 3 && changed <= 1, "byte {at} = {value}: {changed} records changed");
                }
            }
            damaged[at] = whole[at];
        }
    }
}

#[test]
fn an_aggregation_that_nobody_knows_has_no_records() {
    let mut bytes = datagram(layout(8, 1), 2);
    bytes[22] = 15;
    let message = Message::read(&bytes).unwrap();
    assert_eq!((message.layout(), message.aggregation(), message.problem()), (None, 15, None));
    assert_eq!((message.records().count(), message.excess().len()), (0, 56));
}

#[test]
fn refuses_other_versions_and_more_records_than_it_can_count() {
    for version in [0, 2, 5, 9, 10] {
        let error = Message::read(&[0, version, 0, 0]).unwrap_err();
        assert_eq!(error.to_string(), format!("version: version {version} is not known at byte 0"));
    }
    let mut out = vec![1];
    assert!(encode(layout(1, 0), &Header::default(), &vec![Record::default(); 65_536], &mut out).is_err());
    assert_eq!(out, [1]);
}

#[test]
fn a_count_that_no_datagram_holds_is_another_protocols() {
    let mut bytes = datagram(layout(1, 0), 2);
    bytes[2..4].copy_from_slice(&20_799_u16.to_be_bytes());
    assert_eq!(
        Message::read(&bytes).unwrap_err().to_string(),
        "count: length 20799 is over its maximum of 1364 at byte 2"
    );
}

#[test]
fn records_know_where_they_stand_in_the_datagram() {
    let bytes = datagram(layout(8, 5), 1);
    let body: Reader<'_> = Message::read(&bytes).unwrap().body();
    assert_eq!((body.offset(), body.len()), (28, 40));
}
