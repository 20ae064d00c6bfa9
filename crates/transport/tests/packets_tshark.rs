//! What is read of every packet of the corpus, compared with what tshark reads of it.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use finderscope_transport::capture::Packets;
use finderscope_wire::packet::{Packet, TunnelKind, layers};

/// What is compared, in tshark's words; of each, the values of all layers of a packet, the outermost first.
const FIELDS: [&str; 19] = [
    "eth.src",
    "eth.dst",
    "vlan.id",
    "mpls.label",
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "ipv6.dst",
    "ip.ttl",
    "ipv6.hlim",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.flags",
    "tcp.seq_raw",
    "udp.srcport",
    "udp.dstport",
    "sctp.srcport",
    "sctp.dstport",
    "tunnel",
];
/// Numbers of tunnels.
const NUMBERS: [&str; 7] =
    ["vxlan.vni", "geneve.vni", "gtp.teid", "erspan.spanid", "gre.key", "gre.key.call_id", "nsh.spi"];

/// Where we differ, in a field or in all, and why.
const KNOWN: [(&str, &str); 2] = [
    // A segment of over 64 KiB left to the network card: UDP's length is zero, and tshark ends there.
    ("tcpdump-bigtcp-ipv4-vxlan-ipv4.pcap", ""),
    // Of three tags, two have columns.
    ("zeek-vlan-qinqinq.pcap", "vlan.id"),
];

type Values = BTreeMap<&'static str, Vec<String>>;

fn corpus() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus");
    let path = std::env::var_os("FINDERSCOPE_CORPUS").map_or_else(|| default.into(), PathBuf::from);
    path.join("MANIFEST.tsv").exists().then_some(path)
}

fn say(line: &str) {
    let mut stderr = std::io::stderr();
    writeln!(stderr, "{line}").unwrap();
}

/// tshark's values of each frame, and the protocols that it saw.
fn theirs(path: &Path) -> Option<Vec<(String, Values)>> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(path).args(["-n", "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,"]);
    for option in
        ["ip.defragment:FALSE", "ipv6.defragment:FALSE", "tcp.desegment_tcp_streams:FALSE", "ip.use_geoip:FALSE"]
    {
        command.args(["-o", option]);
    }
    // What the ends of the corpus's pseudowire agreed on beforehand.
    command.args(["-d", "mpls.label==17,pwethcw"]);
    // Not its default: the port that Linux took before VXLAN had one.
    command.args(["-d", "udp.port==8472,vxlan"]);
    let asked: Vec<&str> = ["frame.protocols", "ieee8021ad.id"]
        .into_iter()
        .chain(FIELDS)
        .chain(NUMBERS)
        .filter(|name| *name != "tunnel")
        .collect();
    for field in &asked {
        command.args(["-e", field]);
    }
    let output = command.output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let frames = text.lines().map(|line| {
        let cells: BTreeMap<&str, Vec<String>> = asked
            .iter()
            .zip(line.split('\t'))
            .map(|(name, cell)| (*name, cell.split(',').filter(|value| !value.is_empty()).map(str::to_owned).collect()))
            .collect();
        let protocols = cells["frame.protocols"].concat();
        let mut values: Values =
            FIELDS.iter().map(|name| (*name, cells.get(name).cloned().unwrap_or_default())).collect();
        let outer_tags = cells["ieee8021ad.id"].iter().chain(&cells["vlan.id"]).cloned().collect();
        values.insert("vlan.id", outer_tags);
        let mut numbers: Vec<String> =
            NUMBERS.iter().flat_map(|name| &cells[name]).map(|number| plain(number)).collect();
        numbers.sort();
        values.insert("tunnel", numbers);
        (protocols, values)
    });
    // Blocks of a pcapng file that are no packets are frames of tshark's without a link.
    Some(frames.filter(|(protocols, _)| protocols != "data").collect())
}

/// The same of many files, which tshark reads as one: it takes longer to start than to read them.
fn all_of_theirs(paths: &[PathBuf]) -> Option<Vec<(String, Values)>> {
    let merged = std::env::temp_dir().join(format!("finderscope-packets-{}.pcapng", std::process::id()));
    let status = Command::new("mergecap").args(["-a", "-F", "pcapng", "-w"]).arg(&merged).args(paths).status().ok()?;
    assert!(status.success());
    let theirs = theirs(&merged);
    std::fs::remove_file(&merged).unwrap();
    theirs
}

/// tshark prints some numbers in hexadecimal.
fn plain(number: &str) -> String {
    match number.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).unwrap().to_string(),
        None => number.to_owned(),
    }
}

/// Our values of a frame.
fn ours(packets: &[Packet], bytes: &[u8]) -> Values {
    let mut values: Values = FIELDS.iter().map(|name| (*name, Vec::new())).collect();
    let mut seen = BTreeSet::new();
    let mut put = |name: &'static str, value: Option<String>| {
        if let Some(value) = value {
            values.entry(name).or_default().push(value);
        }
    };
    let mac = |mac: [u8; 6]| mac.map(|byte| format!("{byte:02x}")).join(":");
    for packet in packets {
        put("eth.src", packet.src_mac.map(mac));
        put("eth.dst", packet.dst_mac.map(mac));
        put("vlan.id", packet.vlan_id.map(|id| id.to_string()));
        put("vlan.id", packet.inner_vlan_id.map(|id| id.to_string()));
        for label in packet.labels(bytes) {
            put("mpls.label", Some(label.to_string()));
        }
        let number = packet.tunnel.and_then(|tunnel| match tunnel.kind {
            // tshark has the whole key, of which the last byte is a flow within the subnet.
            TunnelKind::Nvgre => tunnel.id.map(|id| id << 8),
            // That is a label, and was compared as one.
            TunnelKind::Pseudowire => None,
            _ => tunnel.id,
        });
        put("tunnel", number.map(|id| id.to_string()));
        // A link's tunnel has no IP header of its own, and is described by the one inside.
        if packet.l3_offset.is_none_or(|offset| !seen.insert(offset)) {
            continue;
        }
        let (source, destination, ttl) = match packet.ip_version {
            Some(4) => ("ip.src", "ip.dst", "ip.ttl"),
            _ => ("ipv6.src", "ipv6.dst", "ipv6.hlim"),
        };
        put(source, packet.src_addr.map(|address| IpAddr::from(address).to_string()));
        put(destination, packet.dst_addr.map(|address| IpAddr::from(address).to_string()));
        put(ttl, packet.ip_ttl.map(|ttl| ttl.to_string()));
        let (source, destination) = match packet.proto {
            Some(6) => ("tcp.srcport", "tcp.dstport"),
            Some(17) => ("udp.srcport", "udp.dstport"),
            Some(132) => ("sctp.srcport", "sctp.dstport"),
            _ => continue,
        };
        put(source, packet.src_port.map(|port| port.to_string()));
        put(destination, packet.dst_port.map(|port| port.to_string()));
        put("tcp.flags", packet.tcp_flags.map(|flags| format!("0x{flags:04x}")));
        put("tcp.seq_raw", packet.tcp_sequence.map(|sequence| sequence.to_string()));
    }
    values.entry("tunnel").or_default().sort();
    values
}

#[test]
fn every_packet_of_the_corpus_reads_as_tshark_reads_it() {
    let Some(corpus) = corpus() else { return say("skipped: no corpus") };
    let mut paths: Vec<PathBuf> = ["probe", "erspan"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(corpus.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    let Some(theirs) = all_of_theirs(&paths) else { return say("skipped: no tshark or mergecap") };
    let (mut frames, mut compared, mut differences) = (0, 0_u64, Vec::new());
    for path in &paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut capture = Packets::new(std::fs::File::open(path).unwrap()).unwrap();
        while let Ok(Some(packet)) = capture.read() {
            let (protocols, theirs) = &theirs[frames];
            frames += 1;
            let (layer, bytes) = packet.layer().unwrap_or_else(|skip| panic!("{name}: {skip:?}, tshark {protocols}"));
            let packets: Vec<Packet> = layers(layer, bytes).collect();
            let ours = ours(&packets, bytes);
            for field in FIELDS {
                let (ours, theirs) = (&ours[field], &theirs[field]);
                compared += ours.len().max(theirs.len()) as u64;
                // An ICMP error quotes the packet that it is about, which is no layer of its own.
                let quotes = protocols.contains("icmp:ip") || protocols.contains("icmpv6:ip");
                let same = ours == theirs || (quotes && theirs.starts_with(ours));
                let known = KNOWN.iter().any(|(file, of)| name == *file && (of.is_empty() || field == *of));
                if !same && !known {
                    differences.push(format!("{name} {field}: {ours:?}, tshark {theirs:?} ({protocols})"));
                }
            }
        }
    }
    assert_eq!(frames, theirs.len());
    let files = paths.len();
    say(&format!("{files} files, {frames} packets, {compared} values compared, {} differ", differences.len()));
    assert!(files > 120 && frames > 4_000 && compared > 30_000, "too little was compared");
    assert!(differences.is_empty(), "{:#?}", differences.iter().take(60).collect::<Vec<_>>());
}
