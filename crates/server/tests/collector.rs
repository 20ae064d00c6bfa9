//! A collector on real sockets and a real folder: what is sent is kept, over restarts and other numbers of shards.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use finderscope_server::collector::{Collector, StartError};
use finderscope_server::config::{Config, HttpListen, Listen};
use finderscope_server::status::Status;
use finderscope_store::{Snapshot, StoreError};
use finderscope_transport::udp::BindError;
use finderscope_wire::netflow::v5;

const EXPORTERS: u8 = 20;
const RECORDS: usize = 7;

fn config(data: &Path, shards: usize) -> Config {
    let listen = vec![Listen("udp://127.0.0.1:0".parse().unwrap())];
    let mut config = Config { data: Some(data.to_owned()), listen, shards, ..Config::default() };
    config.http.listen = HttpListen(None);
    config.store.cut_seconds = 1;
    config
}

/// One datagram of each exporter, from 127.9.0.1 on.
fn send(to: SocketAddr, sequence: u32) {
    for exporter in 1..=EXPORTERS {
        let socket = UdpSocket::bind(SocketAddr::from(([127, 9, 0, exporter], 0))).unwrap();
        let record =
            v5::Record { source: [10, 0, 0, exporter], packets: 1.into(), octets: 100.into(), ..Default::default() };
        let header = v5::Header { flow_sequence: (sequence * RECORDS as u32).into(), ..Default::default() };
        let mut datagram = Vec::new();
        v5::encode(&header, &[record; RECORDS], &mut datagram).unwrap();
        socket.send_to(&datagram, to).unwrap();
    }
}

/// Waits until the status says what is asked for; the collector publishes once a second.
fn until(collector: &Collector, what: &str, done: impl Fn(&Status) -> bool) -> Status {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let status = collector.board().status();
        if done(&status) {
            return status;
        }
        assert!(Instant::now() < deadline, "{what}: {:#?}", status.totals);
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

fn rows(data: &Path) -> u64 {
    Snapshot::read(data).unwrap().stats().tables["flows"].rows
}

#[test]
fn what_is_sent_is_kept_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let each = u64::from(EXPORTERS) * RECORDS as u64;
    for life in 1..=3 {
        let collector = Collector::start(&config(folder.path(), 2)).unwrap();
        send(collector.listening()[0].address, life);
        let status = until(&collector, "all came", |status| status.totals.records.received == each * u64::from(life));
        assert_eq!(status.exporters.len(), usize::from(EXPORTERS));
        status.totals.check().unwrap();
        collector.stop();
        assert_eq!(rows(folder.path()), each * u64::from(life), "after life {life}");
    }
}

/// The checksum at the end of a state's file (CRC-32, IEEE 802.3).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 })
    })
}

#[test]
fn states_of_another_version_cost_no_row_and_the_next_start_is_as_usual() {
    let folder = tempfile::tempdir().unwrap();
    let each = u64::from(EXPORTERS) * RECORDS as u64;
    for life in 1..=3 {
        let collector = Collector::start(&config(folder.path(), 2)).unwrap();
        send(collector.listening()[0].address, life);
        // The balances of the second life begin anew.
        let since = if life == 1 { 1 } else { life - 1 };
        let status = until(&collector, "all came", |status| status.totals.records.received == each * u64::from(since));
        status.totals.check().unwrap();
        collector.stop();
        assert_eq!(rows(folder.path()), each * u64::from(life), "after life {life}");
        if life == 1 {
            for entry in std::fs::read_dir(folder.path().join("state")).unwrap() {
                let path = entry.unwrap().path();
                let mut bytes = std::fs::read(&path).unwrap();
                bytes.truncate(bytes.len() - 4);
                bytes[0] = 1;
                let crc = crc32(&bytes);
                std::fs::write(&path, [&bytes[..], &crc.to_be_bytes()].concat()).unwrap();
            }
        }
    }
}

#[test]
fn rows_can_be_read_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(&config(folder.path(), 2)).unwrap();
    send(collector.listening()[0].address, 0);
    let all = u64::from(EXPORTERS) * RECORDS as u64;
    until(&collector, "stored", |status| status.store.tables["flows"].rows == all);
    assert_eq!(rows(folder.path()), all);
    collector.stop();
}

#[test]
fn another_number_of_shards_keeps_rows_and_exporters() {
    let folder = tempfile::tempdir().unwrap();
    let each = u64::from(EXPORTERS) * RECORDS as u64;
    for (life, shards) in (0..).zip([2, 3, 1]) {
        let collector = Collector::start(&config(folder.path(), shards)).unwrap();
        send(collector.listening()[0].address, life);
        let all = each * u64::from(life + 1);
        let status = until(&collector, "all came", |status| status.totals.records.received == all);
        let lost: u64 = status.exporters.iter().map(|exporter| exporter.lost).sum();
        assert_eq!((status.shards, status.exporters.len(), lost), (shards, usize::from(EXPORTERS), 0));
        collector.stop();
        assert_eq!(rows(folder.path()), all);
    }
}

#[test]
fn a_second_collector_gets_neither_the_folder_nor_the_port() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let collector = Collector::start(&config(folder.path(), 2)).unwrap();
    match Collector::start(&config(folder.path(), 2)).map(|_| ()) {
        Err(StartError::Store { error: StoreError::Locked { pid, .. }, .. }) => assert_eq!(pid, std::process::id()),
        other => panic!("{other:?}"),
    }
    let mut second = config(other.path(), 2);
    let address = collector.listening()[0].address;
    second.listen = vec![Listen(format!("udp://{address}").parse().unwrap())];
    match Collector::start(&second).map(|_| ()) {
        Err(StartError::Bind { error, .. }) => match *error {
            BindError::InUse { holder: Some(holder), .. } => {
                assert!(holder.to_string().contains(&std::process::id().to_string()))
            }
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
    send(address, 0);
    let all = u64::from(EXPORTERS) * RECORDS as u64;
    until(&collector, "nothing was taken", |status| status.totals.records.received == all);
    collector.stop();
}

#[test]
fn what_is_no_telemetry_is_counted_and_costs_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(&config(folder.path(), 1)).unwrap();
    let address = collector.listening()[0].address;
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for noise in [&b"hello"[..], &[0; 2], &[0, 9], &[0xFF; 1400]] {
        socket.send_to(noise, address).unwrap();
    }
    send(address, 0);
    let status = until(&collector, "all came", |status| status.totals.datagrams.received == 4 + u64::from(EXPORTERS));
    assert_eq!(status.totals.datagrams.malformed.total(), 4);
    status.totals.check().unwrap();
    collector.stop();
}
