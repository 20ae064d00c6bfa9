//! sFlow, versions 2, 4 and 5: every sample and record is read, and what was sound reads the same when written again.

#![no_main]

use finderscope_wire::packet::Packet;
use finderscope_wire::sflow::{
    CountersHeader, CountersSample, CountersVersion, Datagram, DatagramHeader, DiscardedHeader, Encoder, FlowHeader,
    FlowRecord, FlowRecords, FlowSample, FlowWriter, GenericInterface, PlainEncoder, PlainVersion, Sample,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(datagram) = Datagram::read(bytes) else { return };
    let (mut once, mut twice) = (Vec::new(), Vec::new());
    rewrite(&datagram, bytes.len(), &mut once);
    let read = Datagram::read(&once).expect("what we write we read");
    rewrite(&read, once.len(), &mut twice);
    assert_eq!(once, twice);
});

/// Writes what can be read of the datagram.
fn rewrite(read: &Datagram<'_>, length: usize, out: &mut Vec<u8>) {
    let header = DatagramHeader {
        agent: read.agent,
        sub_agent_id: read.sub_agent_id,
        sequence_number: read.sequence_number,
        uptime_ms: read.uptime_ms,
    };
    match read.version {
        2 => return rewrite_plain(read, length, PlainEncoder::new(out, PlainVersion::V2, &header)),
        4 => return rewrite_plain(read, length, PlainEncoder::new(out, PlainVersion::V4, &header)),
        _ => {}
    }
    let mut datagram = Encoder::new(out, &header);
    let mut items = 0;
    for sample in read.samples() {
        items += 1;
        match sample {
            Ok(Sample::Flow(it)) => {
                let header = flow_header(&it);
                let writer = match it.expanded {
                    true => datagram.flow_sample_expanded(&header),
                    false => datagram.flow_sample(&header),
                };
                items += rewrite_flow(it.records(), writer);
            }
            Ok(Sample::Discarded(it)) => {
                let header = DiscardedHeader {
                    sequence_number: it.sequence_number,
                    source: it.source,
                    drops: it.drops,
                    input: it.input,
                    output: it.output,
                    reason: it.reason,
                };
                items += rewrite_flow(it.records(), datagram.discarded_packet(&header));
            }
            Ok(Sample::Counters(it)) => {
                let header = CountersHeader { sequence_number: it.sequence_number, source: it.source };
                let mut writer = match it.expanded {
                    true => datagram.counters_sample_expanded(&header),
                    false => datagram.counters_sample(&header),
                };
                for record in it.records() {
                    items += 1;
                    let Ok(record) = record else { continue };
                    let values: Vec<_> = record.fields().map(|(_, value)| value).collect();
                    writer.values(record.tag(), &values);
                }
            }
            Ok(Sample::RtMetric(it)) => {
                let metrics: Vec<_> = it.metrics().inspect(|_| items += 1).flatten().collect();
                datagram.rtmetric(it.data_source, &metrics);
            }
            Ok(Sample::RtFlow(it)) => {
                let fields: Vec<_> = it.fields().inspect(|_| items += 1).flatten().collect();
                datagram.rtflow(it.data_source, it.sampling_rate, it.sample_pool, &fields);
            }
            Ok(Sample::Unknown { tag, body }) => datagram.raw_sample(tag, body),
            Err(error) => assert!(error.offset <= length),
        }
    }
    assert!(items <= length / 8 + 1, "{items} samples and records in {length} bytes");
}

fn flow_header(it: &FlowSample<'_>) -> FlowHeader {
    FlowHeader {
        sequence_number: it.sequence_number,
        source: it.source,
        sampling_rate: it.sampling_rate,
        sample_pool: it.sample_pool,
        drops: it.drops,
        input: it.input,
        output: it.output,
    }
}

/// Versions 2 and 4, where what is damaged is the end.
fn rewrite_plain(read: &Datagram<'_>, length: usize, mut datagram: PlainEncoder<'_>) {
    let (mut items, mut ended) = (0, false);
    for sample in read.samples() {
        assert!(!ended, "something follows the damage");
        items += 1;
        match sample {
            Ok(Sample::Flow(it)) => {
                let mut records = it.records();
                let Some(Ok(packet)) = records.next() else {
                    ended = true;
                    continue;
                };
                let mut writer = datagram.flow_sample(&flow_header(&it), &packet).expect("a packet comes first");
                for record in records {
                    items += 1;
                    match record {
                        Ok(record) => assert!(writer.extended(&record), "{record:?}"),
                        Err(_) => ended = true,
                    }
                }
            }
            Ok(Sample::Counters(it)) => ended = !rewrite_plain_counters(&it, &mut datagram),
            Ok(other) => panic!("{other:?}"),
            Err(error) => {
                assert!(error.offset <= length);
                ended = true;
            }
        }
    }
    assert!(items <= length / 4 + 1, "{items} samples and records in {length} bytes");
}

/// Whether all was there; what was not is not written.
fn rewrite_plain_counters(it: &CountersSample<'_>, datagram: &mut PlainEncoder<'_>) -> bool {
    let Ok(records) = it.records().collect::<Result<Vec<_>, _>>() else { return false };
    let generic = records.iter().find_map(|record| record.generic_interface());
    let specific = records.iter().find(|record| record.tag() != GenericInterface::TAG);
    let kind = match specific.map(|record| record.tag().format) {
        None => CountersVersion::Generic,
        Some(2) => CountersVersion::Ethernet,
        Some(3) => CountersVersion::TokenRing,
        Some(4) => CountersVersion::Vg,
        Some(_) => CountersVersion::Vlan,
    };
    assert_eq!(generic.is_some(), kind.has_generic());
    let values: Vec<_> = specific.into_iter().flat_map(|record| record.fields()).map(|(_, value)| value).collect();
    let header = CountersHeader { sequence_number: it.sequence_number, source: it.source };
    let interval_s = it.sampling_interval_s.expect("these versions say it");
    datagram.counters_sample(&header, interval_s, kind, &generic.unwrap_or_default(), &values);
    true
}

fn rewrite_flow(records: FlowRecords<'_>, mut writer: FlowWriter<'_, '_>) -> usize {
    let mut items = 0;
    for record in records {
        items += 1;
        let Ok(record) = record else { continue };
        match &record {
            FlowRecord::SampledHeader(it) => _ = Packet::parse(it.protocol, it.header),
            FlowRecord::ExtendedGateway(it) => {
                assert_eq!(it.dst_as_path.segments().count(), it.dst_as_path.segment_count() as usize);
                assert_eq!(it.dst_as(), it.dst_as_path.numbers().last());
            }
            FlowRecord::Aggregation(frames) => {
                assert_eq!(frames.pdus().count(), frames.pdu_count() as usize);
                for frame in frames.pdus() {
                    _ = (
                        frame.clone().count(),
                        frame.blocks().flatten().map(|block| block.fields().count()).sum::<usize>(),
                    );
                }
            }
            FlowRecord::Other(block) => assert!(block.fields().count() > 0),
            _ => {}
        }
        writer.record(&record);
    }
    items
}
