#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use clap::ValueEnum as _;

use super::*;

fn arguments(flows: usize, templates: u32) -> Args {
    Args {
        kind: Kind::V5,
        flows,
        seed: 7,
        hosts: None,
        start: DEFAULT_START.to_owned(),
        exporters: 5,
        first_exporter: 0,
        templates,
        rate: 100_000,
        output: PathBuf::new(),
        truth: None,
    }
}

fn generated(kind: Kind, flows: usize, templates: u32) -> (Vec<u8>, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let (output, truth) = (folder.path().join("w.pcap"), folder.path().join("truth.json"));
    let args = Args { kind, output: output.clone(), truth: Some(truth.clone()), ..arguments(flows, templates) };
    assert_eq!(run(&args).unwrap(), Exit::Done);
    (std::fs::read(output).unwrap(), std::fs::read(truth).unwrap())
}

#[test]
fn the_same_arguments_give_the_same_bytes() {
    for kind in Kind::value_variants() {
        let kind = *kind;
        assert_eq!(generated(kind, 3000, 6), generated(kind, 3000, 6), "{kind:?}");
    }
}

#[test]
fn other_seeds_of_the_same_hosts_give_other_flows_between_them() {
    let busiest = |seed, hosts| {
        let mut traffic = Traffic::seeded(seed, hosts, false);
        let flows: Vec<Flow> = (0..2000).map(|_| traffic.flow()).collect();
        let mut counts = std::collections::HashMap::<_, usize>::new();
        flows.iter().for_each(|flow| *counts.entry(flow.src.bytes().to_vec()).or_default() += 1);
        let busiest = counts.into_iter().max_by_key(|(_, count)| *count).unwrap().0;
        (busiest, flows.iter().map(|flow| u64::from(flow.bytes)).sum::<u64>())
    };
    let (first, second, elsewhere) = (busiest(1, 9), busiest(2, 9), busiest(2, 2));
    assert_eq!(first.0, second.0);
    assert_ne!(first.1, second.1);
    assert_ne!(second.0, elsewhere.0);
    assert_eq!(busiest(9, 9), busiest(9, 9));
}

#[test]
fn a_name_of_an_ipfix_file_makes_one_and_no_other_kind_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("w.ipfix");
    let args = |kind| Args { kind, output: output.clone(), truth: None, ..arguments(2000, 4) };
    assert_eq!(run(&args(Kind::Ipfix)).unwrap(), Exit::Done);
    let bytes = std::fs::read(&output).unwrap();
    let messages: Vec<_> = finderscope_wire::ipfix::messages(&bytes).collect();
    assert!(messages.len() >= 100 && messages.iter().all(Result::is_ok), "{} messages", messages.len());
    let error = run(&args(Kind::V9)).unwrap_err().to_string();
    assert!(error.ends_with("w.ipfix: only the kind ipfix has files of that name"), "{error}");
}

#[test]
fn the_truth_counts_every_flow() {
    let (_, truth) = generated(Kind::Ipfix, 5000, 2);
    let truth: serde_json::Value = serde_json::from_slice(&truth).unwrap();
    let flows: u64 = truth.as_object().unwrap().values().map(|totals| totals["flows"].as_u64().unwrap()).sum();
    assert_eq!(flows, 5000);
    let sampled = &truth["192.168.0.4"];
    assert_eq!(sampled["bytes_scaled"].as_u64().unwrap(), 100 * sampled["bytes"].as_u64().unwrap());
}

#[test]
fn samples_of_every_sflow_version_are_as_many_as_the_flows() {
    use finderscope_wire::sflow::{Datagram, Sample};
    for (version, encoded) in [
        (5, None),
        (4, Some(finderscope_wire::sflow::PlainVersion::V4)),
        (2, Some(finderscope_wire::sflow::PlainVersion::V2)),
    ] {
        let mut exporter = Exporter { number: 0, sequence: 0, datagrams: 0, samples: 0, sampling_rate: 512 };
        let (mut traffic, mut bytes) = (Traffic::seeded(7, 7, true), Vec::new());
        let flows: Vec<Flow> = (0..5).map(|_| traffic.flow()).collect();
        let clock = Clock { start_ms: 0, elapsed_ms: 0 };
        let sampled = sflow::datagram(encoded, &mut exporter, clock, &flows, &mut bytes);
        let datagram = Datagram::read(&bytes).unwrap();
        let (mut frames, mut counters) = (Vec::new(), 0);
        for sample in datagram.samples() {
            match sample.unwrap() {
                Sample::Flow(flow) => frames.push(flow.records().map(Result::unwrap).next().unwrap()),
                Sample::Counters(_) => counters += 1,
                other => panic!("{other:?}"),
            }
        }
        let lengths = frames.iter().map(|frame| match frame {
            finderscope_wire::sflow::FlowRecord::SampledHeader(header) => u64::from(header.frame_length),
            other => panic!("{other:?}"),
        });
        assert_eq!((datagram.version, frames.len(), counters), (version, 5, 1));
        assert_eq!(lengths.sum::<u64>(), sampled);
    }
}
