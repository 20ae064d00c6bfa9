//! Real sFlow captures, read whole. What tshark counted in them is counted here.
#![allow(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]

mod usual;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use finderscope_wire::packet::{HeaderProtocol, Packet};
use finderscope_wire::sflow::{Datagram, FlowRecord, Sample, Value};

/// What a capture holds.
#[derive(Debug, Default, Eq, PartialEq)]
struct Counts {
    datagrams: usize,
    flow_samples: usize,
    counter_samples: usize,
    discarded: usize,
    usual_samples: usize,
    usual_headers: usize,
    unknown_records: usize,
    unsound: Vec<String>,
}

impl Counts {
    fn add(&mut self, bytes: &[u8]) {
        let (samples, headers) = usual::compare(bytes);
        self.usual_samples += samples;
        self.usual_headers += headers;
        let datagram = match Datagram::read(bytes) {
            Ok(datagram) => datagram,
            Err(error) => return self.unsound.push(error.to_string()),
        };
        self.datagrams += 1;
        for sample in datagram.samples() {
            match sample {
                Ok(Sample::Flow(sample)) => {
                    self.flow_samples += 1;
                    sample.records().for_each(|record| self.flow_record(record));
                }
                Ok(Sample::Discarded(sample)) => {
                    self.discarded += 1;
                    sample.records().for_each(|record| self.flow_record(record));
                }
                Ok(Sample::Counters(sample)) => {
                    self.counter_samples += 1;
                    for record in sample.records() {
                        match record {
                            Ok(record) if record.name().is_some() => assert!(record.fields().next().is_some()),
                            Ok(_) => self.unknown_records += 1,
                            Err(error) => self.unsound.push(error.to_string()),
                        }
                    }
                }
                Ok(Sample::RtMetric(_) | Sample::RtFlow(_) | Sample::Unknown { .. }) => self.unknown_records += 1,
                Err(error) => self.unsound.push(error.to_string()),
            }
        }
    }

    fn flow_record(&mut self, record: Result<FlowRecord<'_>, finderscope_wire::WireError>) {
        match record {
            Ok(FlowRecord::SampledHeader(header)) => {
                let packet = Packet::parse(header.protocol, header.header);
                assert!(packet.src_mac.is_some() || packet.src_addr.is_some(), "{header:?}");
            }
            Ok(FlowRecord::Unknown { .. }) => self.unknown_records += 1,
            Ok(_) => {}
            Err(error) => self.unsound.push(error.to_string()),
        }
    }
}

#[test]
fn counts_what_tshark_counts() {
    let Some(corpus) = corpus() else { return };
    let tshark = tshark(&corpus);
    let (mut seen, mut usual_samples, mut usual_headers) = (0, 0, 0);
    for path in files(&corpus.join("sflow")) {
        let name = format!("sflow/{}", path.file_name().unwrap().to_str().unwrap());
        let counts = count(&path);
        let (datagrams, flow_samples, counter_samples) = tshark[&name];
        assert_eq!(
            (counts.datagrams, counts.flow_samples, counts.counter_samples),
            (datagrams, flow_samples, counter_samples),
            "{name}: {counts:?}"
        );
        assert_eq!(counts.unsound, Vec::<String>::new(), "{name}");
        seen += 1;
        usual_samples += counts.usual_samples;
        usual_headers += counts.usual_headers;
    }
    assert!(seen > 15, "the corpus has more than {seen} sFlow captures");
    assert!(usual_samples > 20 && usual_headers > 10, "{usual_samples} samples and {usual_headers} headers were usual");
}

#[test]
fn reads_the_discarded_packet_that_tshark_does_not_know() {
    let Some(corpus) = corpus() else { return };
    assert_eq!(count(&corpus.join("sflow/cistern-event_discarded_packet.dump")).discarded, 1);
}

#[test]
fn reads_what_a_host_says_about_itself() {
    let Some(corpus) = corpus() else { return };
    let bytes = fs::read(corpus.join("sflow/telegraf-sflow_v5_example-sflow_v5.bin")).unwrap();
    let Some(Ok(Sample::Counters(sample))) = Datagram::read(&bytes).unwrap().samples().next() else { panic!() };
    let records: Vec<_> = sample.records().map(Result::unwrap).collect();
    assert_eq!(records[0].fields().collect::<Vec<_>>(), [("name", Value::Text(b"eno1"))]);
    let interface = records[1].generic_interface().unwrap();
    assert_eq!((interface.if_in_octets, interface.if_out_octets, interface.if_speed), (3910, 3946, 1_000_000_000));
    let unknown = records[1].fields().find(|(name, _)| *name == "if_in_multicast_pkts").unwrap();
    assert_eq!(unknown.1.number(), None, "all ones are no number");
}

#[test]
fn reads_a_way_through_the_internet() {
    let Some(corpus) = corpus() else { return };
    let datagram = datagrams(&corpus.join("sflow/akvorado-data-1140.pcap")).remove(0);
    let samples = Datagram::read(&datagram).unwrap().samples().collect::<Vec<_>>();
    let Some(Ok(Sample::Flow(sample))) = samples.get(3) else { panic!("{samples:?}") };
    let records: Vec<_> = sample.records().map(Result::unwrap).collect();
    let [_, _, FlowRecord::ExtendedGateway(gateway), FlowRecord::ExtendedRouter(router)] = records[..] else {
        panic!("{records:?}")
    };
    assert_eq!(gateway.dst_as_path.numbers().collect::<Vec<_>>(), [203_698, 6762, 26615]);
    assert_eq!((gateway.dst_peer_as(), gateway.dst_as()), (Some(203_698), Some(26615)));
    assert_eq!((gateway.communities.len(), gateway.local_pref), (5, 100));
    assert_eq!((router.src_mask_len, router.dst_mask_len), (27, 17));
}

#[test]
fn survives_a_capture_that_crashed_tcpdump() {
    let Some(corpus) = corpus() else { return };
    let counts = count(&corpus.join("malformed/tcpdump-sflow_print-segv.pcap"));
    assert_ne!(counts.unsound, Vec::<String>::new(), "{counts:?}");
}

#[test]
fn survives_every_truncation_and_every_changed_byte_of_real_datagrams() {
    let Some(corpus) = corpus() else { return };
    for path in files(&corpus.join("sflow")) {
        for datagram in datagrams(&path) {
            for end in 0..datagram.len() {
                Counts::default().add_anything(&datagram[..end]);
            }
            let mut changed = datagram.clone();
            for place in 0..datagram.len() {
                for flip in [0x01, 0x80, 0xFF] {
                    changed[place] ^= flip;
                    Counts::default().add_anything(&changed);
                    changed[place] ^= flip;
                }
            }
        }
    }
}

impl Counts {
    /// As `add`, without asking anything of the headers.
    fn add_anything(&mut self, bytes: &[u8]) {
        usual::compare(bytes);
        let Ok(datagram) = Datagram::read(bytes) else { return };
        for sample in datagram.samples().flatten() {
            match sample {
                Sample::Flow(sample) => sample.records().flatten().for_each(look),
                Sample::Discarded(sample) => sample.records().flatten().for_each(look),
                Sample::Counters(sample) => {
                    self.unknown_records += sample.records().flatten().map(|it| it.fields().count()).sum::<usize>();
                }
                Sample::RtMetric(sample) => self.unknown_records += sample.metrics().flatten().count(),
                Sample::RtFlow(sample) => self.unknown_records += sample.fields().flatten().count(),
                Sample::Unknown { .. } => {}
            }
        }
    }
}

fn look(record: FlowRecord<'_>) {
    match record {
        FlowRecord::SampledHeader(it) => {
            let packet = Packet::parse(it.protocol, it.header);
            assert!(packet.payload_offset.is_none_or(|offset| offset as usize <= it.header.len()));
        }
        FlowRecord::ExtendedGateway(it) => {
            assert_eq!(it.dst_as_path.segments().count(), it.dst_as_path.segment_count() as usize);
        }
        FlowRecord::Other(block) => assert!(block.fields().count() > 0),
        _ => {}
    }
}

fn count(path: &Path) -> Counts {
    let mut counts = Counts::default();
    datagrams(path).iter().for_each(|datagram| counts.add(datagram));
    counts
}

/// Path to datagrams, flow samples, counter samples.
fn tshark(corpus: &Path) -> BTreeMap<String, (usize, usize, usize)> {
    let text = fs::read_to_string(corpus.join("tshark-counts.tsv")).unwrap();
    let number = |column: &str| column.parse().unwrap();
    let rows = text.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    let sflow = rows.filter(|row| row[1] == "sflow");
    sflow.map(|row| (row[0].to_owned(), (number(row[3]), number(row[6]), number(row[7])))).collect()
}

fn corpus() -> Option<PathBuf> {
    let beside = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus").into();
    let path: PathBuf = std::env::var_os("FINDERSCOPE_CORPUS").map_or_else(beside, PathBuf::from);
    if path.join("sflow").is_dir() {
        return Some(path);
    }
    let _ = writeln!(std::io::stderr(), "skipped: no corpus at {}", path.display());
    None
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    files
}

/// The UDP payloads of a classic pcap; any other file is one datagram.
fn datagrams(path: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(path).unwrap();
    match bytes.get(..4) {
        Some([0xD4, 0xC3, 0xB2, 0xA1]) => frames(&bytes, u32::from_le_bytes),
        Some([0xA1, 0xB2, 0xC3, 0xD4]) => frames(&bytes, u32::from_be_bytes),
        _ => vec![bytes],
    }
}

fn frames(pcap: &[u8], number: fn([u8; 4]) -> u32) -> Vec<Vec<u8>> {
    let word = |at: usize| number(pcap[at..at + 4].try_into().unwrap());
    let protocol = match word(20) {
        1 => HeaderProtocol::ETHERNET,
        other => panic!("link type {other}"),
    };
    let (mut at, mut payloads) = (24, Vec::new());
    while at < pcap.len() {
        let captured = word(at + 8) as usize;
        let frame = &pcap[at + 16..at + 16 + captured];
        let packet = Packet::parse(protocol, frame);
        let start = packet.payload_offset.unwrap_or_else(|| panic!("{packet:?}")) as usize;
        let length = usize::from(packet.udp_length.unwrap()) - 8;
        payloads.push(frame[start..frame.len().min(start + length)].to_vec());
        at += 16 + captured;
    }
    payloads
}
