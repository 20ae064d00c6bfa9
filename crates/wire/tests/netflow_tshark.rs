//! Versions 1, 6, 7 and 8 as we write them, and as tshark reads them, field by field.
#![allow(clippy::unwrap_used, reason = "a test that cannot run its peer has failed")]

mod tshark;

use finderscope_wire::netflow::fixed::{self, Field, Header, Layout, Record};

fn record() -> Record {
    let value = |field: Field| {
        let mixed = (field as u32 + 1).wrapping_mul(0x0305_0711);
        mixed & (u32::MAX >> (32 - 8 * field.length()))
    };
    Field::ALL.iter().fold(Record::default(), |record, &field| record.with(field, value(field)))
}

/// A field's names in tshark; it calls the addresses of prefix schemes otherwise.
fn names(field: Field) -> &'static [&'static str] {
    use Field as F;
    match field {
        F::Source => &["cflow.srcaddr", "cflow.srcnet"],
        F::Destination => &["cflow.dstaddr", "cflow.dstnet"],
        F::NextHop => &["cflow.nexthop"],
        F::Input => &["cflow.inputint"],
        F::Output => &["cflow.outputint"],
        F::Flows => &["cflow.flows"],
        F::Packets => &["cflow.packets"],
        F::Octets => &["cflow.octets"],
        F::First => &["cflow.timestart"],
        F::Last => &["cflow.timeend"],
        F::SourcePort => &["cflow.srcport"],
        F::DestinationPort => &["cflow.dstport"],
        F::Protocol => &["cflow.protocol"],
        F::Tos => &["cflow.tos"],
        F::TcpFlags => &["cflow.tcpflags"],
        F::SourceAs => &["cflow.srcas"],
        F::DestinationAs => &["cflow.dstas"],
        F::SourceMask => &["cflow.srcmask"],
        F::DestinationMask => &["cflow.dstmask"],
        F::Flags => &["cflow.flags"],
        F::RouterShortcut => &["cflow.routersc"],
        F::MarkedTos => &["cflow.marked_tos"],
        F::ExtraPackets => &["cflow.extra_packets"],
        // Version 6, which it does not know, and what it takes for padding.
        F::InputEncapsulation | F::OutputEncapsulation | F::PeerNextHop | F::FlowFlags => &[],
        F::Pad1 | F::Pad2 | F::Pad4 => &[],
    }
}

/// A value as tshark prints it.
fn printed(field: Field, value: u32) -> String {
    use Field as F;
    match field {
        _ if field.is_address() => std::net::Ipv4Addr::from(value).to_string(),
        F::First | F::Last => format!("{}.{:03}000000", value / 1000, value % 1000),
        F::Tos | F::TcpFlags | F::Flags => format!("0x{value:02x}"),
        F::MarkedTos => format!("{value:02x}"),
        F::ExtraPackets => format!("{value:08x}"),
        _ => value.to_string(),
    }
}

/// What tshark should print for a field of a layout, where it reads the layout as routers write it.
fn expected(layout: &Layout, field: Field, record: &Record) -> Option<String> {
    use Field as F;
    // It takes two prefix lengths in the other order than routers send them; see v8's documentation.
    let swapped = layout.version == 8 && matches!(layout.aggregation, 5 | 13 | 14);
    let from = match field {
        F::SourceMask if swapped => F::DestinationMask,
        F::DestinationMask if swapped => F::SourceMask,
        other => other,
    };
    // Of AS-ToS it reads the interfaces where the type of service is: Cisco's figure 2 has them before it.
    let misread = (layout.version, layout.aggregation) == (8, 9) && matches!(field, F::Input | F::Output | F::Tos);
    (!misread).then(|| if layout.fields.contains(&field) { printed(field, record.get(from)) } else { String::new() })
}

/// What all headers have; version 1 has no sequence.
const HEADER: [&str; 6] =
    ["cflow.version", "cflow.count", "cflow.sysuptime", "cflow.unix_secs", "cflow.unix_nsecs", "cflow.sequence"];

#[test]
fn tshark_reads_every_field_that_we_write() {
    let record = record();
    let mut arguments = vec!["-T", "fields", "-E", "separator=/t", "-E", "occurrence=a"];
    let rest = ["cflow.engine_type", "cflow.engine_id", "cflow.aggmethod", "cflow.aggversion"];
    let fields: Vec<_> = Field::ALL.iter().flat_map(|&field| names(field)).copied().collect();
    let columns = [&HEADER[..], &rest, &fields].concat();
    for name in &columns {
        arguments.extend(["-e", name]);
    }
    let header = Header {
        uptime_ms: 0x7000_0000,
        unix_seconds: 1_700_000_000,
        unix_nanoseconds: 5,
        flow_sequence: 77,
        engine_type: 3,
        engine_id: 4,
        sampling: 0,
        aggregation_version: 2,
    };
    let known: Vec<_> = Layout::all().filter(|layout| layout.version != 6).collect();
    let datagram = |layout: &&'static Layout| {
        let mut bytes = Vec::new();
        fixed::encode(layout, &header, &[record], &mut bytes).unwrap();
        bytes
    };
    let Some(text) =
        tshark::run(&tshark::pcap(tshark::NETFLOW, &known.iter().map(datagram).collect::<Vec<_>>()), &arguments)
    else {
        return;
    };
    assert_eq!(text.lines().count(), known.len(), "{text}");
    let mut compared = 0;
    for (layout, line) in known.into_iter().zip(text.lines()) {
        let cells: Vec<&str> = line.split('\t').collect();
        assert_eq!(cells.len(), columns.len(), "{line}");
        let cell = |name: &str| cells[columns.iter().position(|column| *column == name).unwrap()];
        let version = layout.version.to_string();
        assert_eq!(
            HEADER.map(cell),
            [
                version.as_str(),
                "1",
                "1879048.192000000",
                "1700000000",
                "5",
                if layout.version == 1 { "" } else { "77" }
            ]
        );
        if layout.version == 8 {
            let aggregation = layout.aggregation.to_string();
            assert_eq!(rest.iter().map(|name| cell(name)).collect::<Vec<_>>(), ["3", "4", &aggregation, "2"]);
        }
        for &field in Field::ALL.iter().filter(|&&field| !names(field).is_empty()) {
            let Some(expected) = expected(layout, field, &record) else { continue };
            let read: String = names(field).iter().map(|name| cell(name)).collect();
            assert_eq!(read, expected, "{field:?} of version {version}, aggregation {}", layout.aggregation);
            compared += usize::from(!expected.is_empty());
        }
    }
    assert!(compared > 180, "only {compared} fields compared");
}
