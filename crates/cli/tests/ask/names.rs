//! From datagrams on a socket to answers with names, and with columns that the operator declared.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use finderscope_server::collector::Collector;
use finderscope_server::config::Config;
use finderscope_wire::ipfix::{Encoder, FieldSpecifier, Header, VARIABLE};

use crate::{ask, ask_anyway, finderscope, words};

const fn field(element: u16, length: u16) -> FieldSpecifier {
    FieldSpecifier::new(element, length)
}

const fn cisco(element: u16, length: u16) -> FieldSpecifier {
    FieldSpecifier { element, length, enterprise: Some(9) }
}

fn message(sequence: u32, write: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let header = Header {
        export_time: u32::try_from(now.as_secs()).unwrap().into(),
        sequence_number: sequence.into(),
        observation_domain_id: 1.into(),
        ..Default::default()
    };
    let mut bytes = Vec::new();
    let mut encoder = Encoder::ipfix(&mut bytes, &header);
    write(&mut encoder);
    encoder.finish().unwrap();
    bytes
}

/// Names of two interfaces, and the template of flows: bytes, interfaces, a service's name, and a round trip.
fn introduction() -> Vec<u8> {
    message(0, |encoder| {
        encoder.options_template(256, &[field(10, 4)], &[field(82, VARIABLE), field(83, VARIABLE)]);
        encoder.record_with(256, |writer| _ = writer.u32(1).u8(5).bytes(b"Gi0/1").u8(7).bytes(b"transit"));
        encoder.record_with(256, |writer| _ = writer.u32(2).u8(5).bytes(b"Gi0/2").u8(0));
        encoder.template(257, &[field(1, 4), field(10, 4), field(14, 4), cisco(12235, VARIABLE), cisco(6001, 2)]);
    })
}

fn flow(sequence: u32, bytes: u32, input: u32, output: u32, service: &str, rtt: u16) -> Vec<u8> {
    message(sequence, |encoder| {
        encoder.record_with(257, |writer| {
            writer.u32(bytes).u32(input).u32(output).u8(service.len() as u8).bytes(service.as_bytes()).u16(rtt);
        });
    })
}

fn config(data: &Path, rest: &str) -> Config {
    let text = format!(
        "data = {:?}\nlisten = [\"udp://127.0.0.1:0\"]\nshards = 1\nhttp.listen = \"off\"\nstore.cut_seconds = 1\n{rest}",
        data.to_str().unwrap()
    );
    Config::parse(&text, &data.join("finderscope.toml")).unwrap()
}

/// Waits until so many records came.
fn until(collector: &Collector, records: u64) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while collector.board().status().totals.records.received < records {
        assert!(Instant::now() < deadline, "{:#?}", collector.board().status().totals);
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

#[test]
fn names_and_declared_columns_are_asked_for_like_others() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let old = config(&data, "[[map]]\npen = 9\nelement = 12235\ncolumn = \"app\"\ntype = \"string\"\n");
    let collector = Collector::start(&old).unwrap();
    let socket = UdpSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    socket.connect(collector.listening()[0].address).unwrap();
    socket.send(&introduction()).unwrap();
    socket.send(&flow(0, 100, 1, 2, "chat", 12)).unwrap();
    until(&collector, 3);
    // Another rule while it runs: the second element gets a column of its own.
    std::fs::write(
        data.join("mapping.yaml"),
        "ipfix:\n  mapping:\n    - field: 6001\n      penprovided: true\n      pen: 9\n      destination: RoundTrip\n\
         formatter:\n  protobuf:\n    - name: round_trip\n      index: 999\n      type: varint\n",
    )
    .unwrap();
    let new = config(
        &data,
        "map_file = \"mapping.yaml\"\n[[map]]\npen = 9\nelement = 12235\ncolumn = \"app\"\ntype = \"string\"\n",
    );
    assert_eq!(collector.reload(&old, &new), Vec::<&str>::new());
    // What was told to a shard is taken before the next datagram.
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut sequence = 1;
    loop {
        socket.send(&flow(sequence, 1000, 2, 9, "mail", 300)).unwrap();
        until(&collector, u64::from(sequence) + 3);
        sequence += 1;
        let asked =
            ask_anyway(&data, &["query", "select count(*) as n from flows where round_trip = 300", "--format", "csv"]);
        if asked.status == 0 && asked.out.trim() != "n\n0" {
            break;
        }
        assert!(Instant::now() < deadline, "{asked:?}");
        std::thread::park_timeout(Duration::from_millis(100));
    }
    collector.stop();

    let csv = |sql: &str| ask(&data, &["query", sql, "--format", "csv"]);
    assert_eq!(
        csv("select distinct in_if_name, out_if_name, in_if_alias, app from flows order by 1"),
        "in_if_name,out_if_name,in_if_alias,app\nGi0/1,Gi0/2,transit,chat\nGi0/2,,,mail\n"
    );
    assert_eq!(
        csv("select if_index, name, alias from interfaces order by 1"),
        "if_index,name,alias\n1,Gi0/1,transit\n2,Gi0/2,\n"
    );
    assert_eq!(csv("select distinct round_trip + 1 as more from flows where round_trip > 1"), "more\n301\n");
    let top = ask(&data, &["top", "in_if_name", "--filter", "in_if_name = Gi0/1 and app = chat"]);
    assert_eq!(words(&top)[1][..2], ["Gi0/1", "1"], "{top}");
    let top = ask(&data, &["top", "out_if_name", "--filter", "round_trip > 100"]);
    assert_eq!(words(&top)[1][0], "9", "{top}");
    let listed = ask(
        &data,
        &["flows", "--columns", "in_if_name,round_trip", "in_if_name", "=", "Gi0/2", "-n", "1", "--sort=-round_trip"],
    );
    assert_eq!(words(&listed)[1], ["Gi0/2", "300"], "{listed}");
    let series = ask(&data, &["series", "--column", "in_if_name", "--every", "1h", "--format", "json"]);
    assert!(series.contains("\"in_if_name\":\"Gi0/1\""), "{series}");
    let unknown = ask_anyway(&data, &["top", "in_if_nam"]);
    assert!(unknown.status != 0 && unknown.err.contains("in_if_name"), "{unknown:?}");
}

#[test]
fn a_mapping_serves_captures_too() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let datagram = folder.path().join("flow.dat");
    let both = message(0, |encoder| {
        encoder.template(257, &[field(1, 4), cisco(12235, VARIABLE), cisco(6001, 2)]);
        encoder.record_with(257, |writer| _ = writer.u32(9).u8(4).bytes(b"chat").u16(7));
    });
    std::fs::write(&datagram, both).unwrap();
    let toml = write(
        "map.toml",
        "[[map]]\npen = 9\nelement = 12235\ncolumn = \"app\"\n[[map]]\npen = 9\nelement = 6001\ncolumn = \"rtt\"\ntype = \"number\"\n",
    );
    let decoded =
        finderscope(&["decode", "--datagram", datagram.to_str().unwrap(), "--map", &toml, "--format", "json"]);
    assert!(decoded.out.contains("\"app\":\"chat\"") && decoded.out.contains("\"rtt\":\"7\""), "{decoded:?}");

    let yaml = write(
        "map.yaml",
        "sflow:\n  mapping:\n    - layer: 4\n      offset: 0\n      length: 16\n      destination: src_port\n\
         ipfix:\n  mapping:\n    - field: 12235\n      penprovided: true\n      pen: 9\n      destination: UserName\n",
    );
    let decoded =
        finderscope(&["decode", "--datagram", datagram.to_str().unwrap(), "--map", &yaml, "--format", "json"]);
    assert!(decoded.out.contains("\"user_name\":\"chat\""), "{decoded:?}");
    assert!(decoded.err.contains("map.yaml:3: sflow.mapping[0]"), "{decoded:?}");

    let bad = write("bad.toml", "[[map]]\nelement = 5\ncolumn = \"Nonsense!\"\n");
    let refused = finderscope(&["decode", "--datagram", datagram.to_str().unwrap(), "--map", &bad]);
    assert!(refused.status != 0 && refused.err.contains("bad.toml:3: column: 'Nonsense!'"), "{refused:?}");
}

#[test]
fn a_routers_capture_is_asked_by_its_interfaces_names() {
    let corpus = std::env::var_os("FINDERSCOPE_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"), std::path::PathBuf::from);
    let capture = corpus.join("ipfix/pmacct-401-IPFIXv10-BMP-IPv6-CISCO-MPLS-multiple-sources-traffic-01.pcap");
    if !capture.exists() {
        use std::io::Write;
        writeln!(std::io::stderr(), "skipped: {} is not there", capture.display()).unwrap();
        return;
    }
    let top =
        finderscope(&["top", "in_if_name,ingress_vrf_name,sampler_name", "-n", "1", "-r", capture.to_str().unwrap()]);
    // Names as tshark prints them of the capture's options records.
    assert_eq!(words(&top.out)[1][..3], ["TenGigE0_0_0_16.13", "A3", "NETFLOW-SAMPLER-MAP"], "{top:?}");
}
