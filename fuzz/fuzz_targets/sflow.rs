//! sFlow: every sample and record is read, and what was sound reads the same when written again.

#![no_main]

use finderscope_wire::packet::Packet;
use finderscope_wire::sflow::{
    CountersHeader, Datagram, DatagramHeader, DiscardedHeader, Encoder, FlowHeader, FlowRecord, FlowRecords,
    FlowWriter, Sample,
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
    let mut datagram = Encoder::new(
        out,
        &DatagramHeader {
            agent: read.agent,
            sub_agent_id: read.sub_agent_id,
            sequence_number: read.sequence_number,
            uptime_ms: read.uptime_ms,
        },
    );
    let mut items = 0;
    for sample in read.samples() {
        items += 1;
        match sample {
            Ok(Sample::Flow(it)) => {
                let header = FlowHeader {
                    sequence_number: it.sequence_number,
                    source: it.source,
                    sampling_rate: it.sampling_rate,
                    sample_pool: it.sample_pool,
                    drops: it.drops,
                    input: it.input,
                    output: it.output,
                };
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
            Ok(Sample::Unknown { tag, body }) => datagram.raw_sample(tag, body),
            Err(error) => assert!(error.offset <= length),
        }
    }
    assert!(items <= length / 8 + 1, "{items} samples and records in {length} bytes");
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
            FlowRecord::Other(block) => assert!(block.fields().count() > 0),
            _ => {}
        }
        writer.record(&record);
    }
    items
}
