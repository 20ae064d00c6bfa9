//! Every structure of the tables beside its document: `structures.txt` says types, names and values once more, by hand.
//!
//! For each: its bytes, put together here, are read field by field under those names; the encoder writes the same
//! bytes; cut anywhere, it is reported; any byte changed, it is survived; and tshark, where it knows the structure,
//! prints the same values. A structure of the tables that is not in the file fails the first test.
#![allow(clippy::unwrap_used, reason = "a test that cannot read its own file has failed")]

mod fixture;
mod tshark;

use std::collections::{BTreeMap, BTreeSet};

use finderscope_wire::sflow::{
    Block, CounterRecord, CountersHeader, DataSource, Datagram, DatagramHeader, Encoder, FlowHeader, FlowRecord,
    FlowRecords, Layout, Sample, Value,
};
use fixture::{Field, Kind, Structure};

#[test]
fn every_structure_of_the_tables_is_in_the_file_and_no_other() {
    let of = |kind| move |layout: &Layout| (kind, layout.tag, layout.name.to_owned());
    let tables: BTreeSet<_> = Layout::flows().iter().map(of(Kind::Flow)).collect();
    let tables: BTreeSet<_> = tables.into_iter().chain(Layout::counters().iter().map(of(Kind::Counter))).collect();
    let structures = fixture::structures();
    let file: BTreeSet<_> = structures.iter().map(|it| (it.kind, it.tag, it.name.clone())).collect();
    assert_eq!(file.len(), structures.len(), "no structure is there twice");
    let missing: Vec<_> = tables.symmetric_difference(&file).collect();
    assert!(missing.is_empty(), "in one but not in both: {missing:?}");
    assert!(structures.iter().all(|structure| structure.document.len() > 5), "each cites its document");
}

/// A value as the file has it.
fn text(value: &Value<'_>) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    match *value {
        Value::U32(value) | Value::Count(value) => value.to_string(),
        Value::I32(value) => value.to_string(),
        Value::U64(value) => value.to_string(),
        Value::F32(value) => value.to_string(),
        Value::Percent(value) => format!("{}.{:02}", value / 100, value % 100),
        Value::Text(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        Value::Opaque(bytes) | Value::Fixed(bytes) => hex(bytes),
        Value::Mac(mac) => mac.map(|byte| format!("{byte:02x}")).join(":"),
        Value::Ip(address) => address.to_string(),
        Value::Address(address) => address.map(|address| address.to_string()).unwrap_or_default(),
    }
}

/// The structure's only record, as its layout has it.
fn block<'a>(bytes: &'a [u8], kind: Kind) -> Block<'a> {
    let sample = Datagram::read(bytes).unwrap().samples().next().unwrap().unwrap();
    match (sample, kind) {
        (Sample::Flow(sample), Kind::Flow) => sample.records().blocks().next().unwrap().unwrap(),
        (Sample::Counters(sample), Kind::Counter) => match sample.records().next().unwrap().unwrap() {
            CounterRecord::Known(block) => block,
            other => panic!("{other:?}"),
        },
        (other, _) => panic!("{other:?}"),
    }
}

#[test]
fn every_field_is_read_under_its_name() {
    let mut differences = Vec::new();
    for structure in fixture::structures() {
        let bytes = structure.datagram();
        let block = block(&bytes, structure.kind);
        assert_eq!((block.layout().tag, block.layout().name), (structure.tag, &*structure.name));
        assert_eq!(block.fields().count(), structure.fields.len(), "{} {}", structure.tag, structure.name);
        for ((name, value), field) in block.fields().zip(&structure.fields) {
            if (name, &text(&value)) != (&field.name, &field.value) {
                differences.push(format!(
                    "{} {name}={} not {}={}",
                    structure.tag,
                    text(&value),
                    field.name,
                    field.value
                ));
            }
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn a_record_with_a_type_of_its_own_says_the_same() {
    for structure in fixture::structures().iter().filter(|structure| structure.kind == Kind::Flow) {
        let bytes = structure.datagram();
        let record = only(&bytes);
        assert_eq!((record.tag(), record.name()), (structure.tag, Some(&*structure.name)));
        let read = said(&record);
        let file: Vec<_> = structure.fields.iter().filter(|it| it.kind != "count").map(|it| it.value.clone()).collect();
        assert_eq!(read, file, "{} {}", structure.tag, structure.name);
    }
}

fn only(bytes: &[u8]) -> FlowRecord<'_> {
    let Ok(Sample::Flow(sample)) = Datagram::read(bytes).unwrap().samples().next().unwrap() else { panic!() };
    sample.records().next().unwrap().unwrap()
}

/// The values of a record in the order of its structure, without counts.
fn said(record: &FlowRecord<'_>) -> Vec<String> {
    let mac = |mac: [u8; 6]| text(&Value::Mac(mac));
    let utf8 = |bytes: &[u8]| text(&Value::Text(bytes));
    let hex = |bytes: &[u8]| text(&Value::Opaque(bytes));
    let numbers = |it: &[u32]| it.iter().map(u32::to_string).collect::<Vec<_>>();
    let address = |it| text(&Value::Address(it));
    match record {
        FlowRecord::SampledHeader(it) => {
            [numbers(&[it.protocol.0, it.frame_length, it.stripped]), vec![hex(it.header)]].concat()
        }
        FlowRecord::SampledEthernet(it) => {
            vec![it.length.to_string(), mac(it.src_mac), mac(it.dst_mac), it.etype.to_string()]
        }
        FlowRecord::SampledIpv4(it) => [
            numbers(&[it.length, it.protocol]),
            vec![it.src_ip.to_string(), it.dst_ip.to_string()],
            numbers(&[it.src_port, it.dst_port, it.tcp_flags, it.tos]),
        ]
        .concat(),
        FlowRecord::SampledIpv6(it) => [
            numbers(&[it.length, it.protocol]),
            vec![it.src_ip.to_string(), it.dst_ip.to_string()],
            numbers(&[it.src_port, it.dst_port, it.tcp_flags, it.priority]),
        ]
        .concat(),
        FlowRecord::ExtendedSwitch(it) => numbers(&[it.src_vlan, it.src_priority, it.dst_vlan, it.dst_priority]),
        FlowRecord::ExtendedRouter(it) => {
            [vec![address(it.nexthop)], numbers(&[it.src_mask_len, it.dst_mask_len])].concat()
        }
        FlowRecord::ExtendedGateway(it) => {
            let path = it.dst_as_path.segments().flat_map(|it| std::iter::once(it.kind).chain(it.numbers.iter()));
            let rest: Vec<u32> = path.chain(it.communities.iter()).chain([it.local_pref]).collect();
            [vec![address(it.nexthop)], numbers(&[it.router_as, it.src_as, it.src_peer_as]), numbers(&rest)].concat()
        }
        FlowRecord::ExtendedUser(it) => {
            vec![it.src_charset.to_string(), hex(it.src_user), it.dst_charset.to_string(), hex(it.dst_user)]
        }
        FlowRecord::ExtendedUrl(it) => vec![it.direction.to_string(), utf8(it.url), utf8(it.host)],
        FlowRecord::ExtendedMpls(it) => {
            let stacks: Vec<u32> = it.in_stack.iter().chain(it.out_stack.iter()).collect();
            [vec![address(it.nexthop)], numbers(&stacks)].concat()
        }
        FlowRecord::ExtendedNat(it) => vec![address(it.src_address), address(it.dst_address)],
        FlowRecord::Aggregation(it) => {
            it.pdus().flat_map(|frame: FlowRecords<'_>| frame.blocks()).fold(Vec::new(), |mut all, block| {
                let block = block.unwrap();
                all.extend([block.layout().tag.word().to_string(), hex(block.bytes())]);
                all
            })
        }
        FlowRecord::EgressQueue(it) => numbers(&[*it]),
        FlowRecord::Other(block) => {
            let counts = |value: &Value<'_>| !matches!(value, Value::Count(_));
            block.fields().map(|(_, value)| value).filter(counts).map(|value| text(&value)).collect()
        }
        FlowRecord::Unknown { tag, .. } => panic!("{tag}"),
    }
}

/// Writes the structure with our own encoder, from the values that were read, and as a record.
fn encoded(structure: &Structure, bytes: &[u8]) -> Vec<Vec<u8>> {
    let values: Vec<_> = block(bytes, structure.kind).fields().map(|(_, value)| value).collect();
    let header =
        DatagramHeader { agent: Some([10, 0, 0, 1].into()), sub_agent_id: 1, sequence_number: 2, uptime_ms: 3 };
    let source = DataSource { class: 0, index: 7 };
    let (mut by_values, mut by_record) = (Vec::new(), Vec::new());
    let mut datagram = Encoder::new(&mut by_values, &header);
    match structure.kind {
        Kind::Flow => {
            let flow = FlowHeader { sequence_number: 1, source, sampling_rate: 8, ..FlowHeader::default() };
            datagram.flow_sample(&flow).values(structure.tag, &values);
            Encoder::new(&mut by_record, &header).flow_sample(&flow).record(&only(bytes));
        }
        Kind::Counter => {
            let counters = CountersHeader { sequence_number: 1, source };
            datagram.counters_sample(&counters).values(structure.tag, &values);
            let mut writer = Encoder::new(&mut by_record, &header);
            let mut sample = writer.counters_sample(&counters);
            match (CounterRecord::Known(block(bytes, structure.kind))).generic_interface() {
                Some(generic) => sample.generic_interface(&generic),
                None => sample.values(structure.tag, &values),
            };
        }
    }
    vec![by_values, by_record]
}

#[test]
fn the_encoder_writes_the_same_bytes() {
    for structure in fixture::structures() {
        let bytes = structure.datagram();
        for written in encoded(&structure, &bytes) {
            assert_eq!(written, bytes, "{} {}", structure.tag, structure.name);
        }
    }
}

/// Whole records, and errors. Everything is looked at.
fn walk(bytes: &[u8]) -> (usize, usize) {
    let Ok(datagram) = Datagram::read(bytes) else { return (0, 1) };
    let (mut records, mut errors) = (0, 0);
    for sample in datagram.samples() {
        let mut tell = |ok: bool| if ok { records += 1 } else { errors += 1 };
        match sample {
            Ok(Sample::Flow(it)) => it.records().for_each(|record| {
                if let Ok(record) = &record
                    && !matches!(record, FlowRecord::Unknown { .. })
                {
                    let fields = it.records().blocks().flatten().map(|block| block.fields().count()).sum::<usize>();
                    assert!(fields <= bytes.len() && record.name().is_some());
                }
                tell(record.is_ok());
            }),
            Ok(Sample::Discarded(it)) => it.records().for_each(|record| tell(record.is_ok())),
            Ok(Sample::Counters(it)) => it.records().for_each(|record| {
                tell(record.is_ok_and(|record| record.fields().count() <= bytes.len()));
            }),
            Ok(Sample::RtMetric(it)) => it.metrics().for_each(|metric| tell(metric.is_ok())),
            Ok(Sample::RtFlow(it)) => it.fields().for_each(|field| tell(field.is_ok())),
            Ok(Sample::Unknown { .. }) => {}
            Err(_) => errors += 1,
        }
    }
    (records, errors)
}

#[test]
fn every_shorter_prefix_is_reported_and_keeps_the_record_before_it() {
    for structure in fixture::structures() {
        // The structure stands twice, so that one is whole when the other is cut.
        let (bytes, first_ends) = structure.twice();
        assert_eq!(walk(&bytes), (2, 0), "{}", structure.name);
        for cut in 0..bytes.len() {
            let (records, errors) = walk(&bytes[..cut]);
            let padding = cut.next_multiple_of(4) == bytes.len() && cut + 3 >= bytes.len();
            let whole = usize::from(cut >= first_ends);
            let mostly = first_ends.saturating_sub(3)..first_ends;
            assert!(
                records == whole || padding && records == 2 || mostly.contains(&cut) && records == 1,
                "{} cut at {cut}: {records}",
                structure.name
            );
            assert!(errors == 1 || padding && errors <= 1, "{} cut at {cut}: {errors} errors", structure.name);
        }
    }
}

#[test]
fn every_changed_byte_is_survived() {
    for structure in fixture::structures() {
        let mut bytes = structure.datagram();
        for place in 0..bytes.len() {
            for other in 0..=255 {
                let kept = std::mem::replace(&mut bytes[place], other);
                let (records, errors) = walk(&bytes);
                assert!(records + errors <= bytes.len());
                bytes[place] = kept;
            }
        }
    }
}

/// What tshark prints of a field: percentages in hundredths, users as text.
fn as_tshark(field: &Field) -> String {
    match (&*field.kind, &*field.name) {
        ("percent", _) => field.value.replace('.', ""),
        ("opaque", "src_user" | "dst_user") => String::from_utf8(field.hex()).unwrap(),
        _ => field.value.clone(),
    }
}

#[test]
fn tshark_prints_the_same_values() {
    let structures = fixture::structures();
    let known: Vec<_> = structures.iter().filter(|it| it.fields.iter().any(|field| field.tshark.is_some())).collect();
    assert!(known.len() > 20, "tshark knows {} structures", known.len());
    let names: BTreeSet<_> = known.iter().flat_map(|it| &it.fields).filter_map(|it| it.tshark.clone()).collect();
    let names: Vec<_> = names.into_iter().collect();
    let mut arguments = vec!["-T", "fields", "-E", "separator=|", "-E", "occurrence=a", "-E", "aggregator=;"];
    names.iter().for_each(|name| arguments.extend(["-e", name]));
    let datagrams: Vec<_> = known.iter().map(|it| it.datagram()).collect();
    let Some(out) = tshark::run(&tshark::pcap(tshark::SFLOW, &datagrams), &arguments) else { return };
    let rows: Vec<BTreeMap<_, _>> = out
        .lines()
        .map(|line| names.iter().zip(line.split('|').map(|it| it.split(';')).collect::<Vec<_>>()).collect())
        .collect();
    assert_eq!(rows.len(), known.len());
    for (structure, row) in known.iter().zip(rows) {
        for field in &structure.fields {
            let Some(name) = &field.tshark else { continue };
            let printed: Vec<_> = row[name].clone().collect();
            assert!(
                printed.contains(&&*as_tshark(field)),
                "{} {}: {field:?} {printed:?}",
                structure.tag,
                structure.name
            );
        }
    }
}
