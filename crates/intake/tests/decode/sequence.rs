//! Sequences, in the unit of each protocol.

use finderscope_wire::sflow::{DatagramHeader, Encoder, FlowHeader};

use crate::harness::{Collector, PLAIN, ipfix, plain, v9};
use crate::v5;

#[test]
fn version_5_counts_flows() {
    let mut collector = Collector::new(Default::default());
    for sequence in [100, 102, 110] {
        collector.send(&v5::datagram(&v5::header(sequence), &[v5::record(), v5::record()]));
    }
    assert_eq!(collector.status().domains[0].sequence.lost, 6);
}

#[test]
fn version_9_counts_datagrams() {
    let mut collector = Collector::new(Default::default());
    for sequence in [100, 101, 104] {
        collector.send(&v9(sequence, |encoder| {
            encoder.template(256, &PLAIN).record(256, &plain(1, 1)).record(256, &plain(1, 1));
        }));
    }
    assert_eq!(collector.status().domains[0].sequence.lost, 2);
}

#[test]
fn ipfix_counts_data_records_and_no_templates() {
    let mut collector = Collector::new(Default::default());
    for sequence in [0, 2, 9] {
        collector.send(&ipfix(sequence, |encoder| {
            encoder.template(256, &PLAIN).record(256, &plain(1, 1)).record(256, &plain(1, 1));
        }));
    }
    assert_eq!(collector.status().domains[0].sequence.lost, 5);
}

#[test]
fn ipfix_data_without_a_template_makes_no_gaps() {
    let mut collector = Collector::new(Default::default());
    for sequence in [0, 2, 4] {
        collector.send(&ipfix(sequence, |encoder| {
            encoder.record(300, &plain(1, 1)).record(300, &plain(1, 1));
        }));
    }
    collector.send(&ipfix(6, |encoder| _ = encoder.template(300, &PLAIN)));
    collector.send(&ipfix(6, |encoder| _ = encoder.record(300, &plain(1, 1))));
    collector.send(&ipfix(7, |encoder| _ = encoder.record(300, &plain(1, 1))));
    assert_eq!(collector.status().lost(), 0);
}

#[test]
fn softflowds_numbers_make_no_endless_gaps() {
    let mut collector = Collector::new(Default::default());
    let mut sum = 0;
    for records in [3, 1, 4, 1, 5, 9, 2, 6_u32] {
        sum += records;
        collector.send(&ipfix(sum, |encoder| {
            encoder.template(256, &PLAIN);
            for _ in 0..records {
                encoder.record(256, &plain(1, sum));
            }
        }));
    }
    assert_eq!(collector.status().lost(), 0);
}

#[test]
fn sflow_counts_datagrams_and_the_samples_of_each_source() {
    let mut collector = Collector::new(Default::default());
    for (datagram, sample, drops) in [(1, 10, 5), (2, 11, 5), (5, 14, 9)] {
        let mut bytes = Vec::new();
        let header = DatagramHeader { sequence_number: datagram, ..Default::default() };
        let mut encoder = Encoder::new(&mut bytes, &header);
        encoder.flow_sample(&FlowHeader { sequence_number: sample, drops, ..Default::default() });
        collector.send(&bytes);
    }
    let domain = &collector.status().domains[0];
    assert_eq!((domain.sequence.lost, domain.samples.lost, domain.samples_dropped), (2, 2, 4));
}
