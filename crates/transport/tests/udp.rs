//! Listeners and senders on the loopback network, with the real kernel.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr, UdpSocket as Plain};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use finderscope_transport::endpoint::Endpoint;
use finderscope_transport::udp::{
    Batch, BindError, Options, Outgoing, Sender, UdpSocket, Waker, bind, bind_any, listen, shard_of, wait,
};

const PATIENCE: Duration = Duration::from_secs(5);

fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// Reads until `expected` datagrams were seen or patience ends; `see` gets the shard and each datagram.
fn collect(sockets: &mut [UdpSocket], expected: usize, mut see: impl FnMut(usize, i64, SocketAddr, &[u8])) -> usize {
    let (waker, start) = (Waker::new().unwrap(), Instant::now());
    let mut batch = Batch::new(64);
    let mut seen = 0;
    while seen < expected && start.elapsed() < PATIENCE {
        wait(sockets, &waker, Duration::from_millis(100)).unwrap();
        for socket in sockets.iter_mut().filter(|socket| socket.is_ready()) {
            seen += socket.receive(&mut batch).unwrap();
            batch.iter().for_each(|it| see(socket.shard(), it.received_ns, it.source, it.bytes));
        }
    }
    seen
}

#[test]
fn exporters_stay_whole_on_their_shard_whatever_their_port() {
    let shards = 4;
    let mut sockets = bind(loopback(), shards, &Options::default()).unwrap();
    let to = sockets[0].local_address();
    for exporter in 0..100 {
        for _ in 0..20 {
            Plain::bind(format!("127.1.{}.{exporter}:0", exporter % 3)).unwrap().send_to(b"x", to).unwrap();
        }
    }
    let mut homes: HashMap<IpAddr, HashSet<usize>> = HashMap::new();
    let mut ports = HashSet::new();
    let seen = collect(&mut sockets, 2000, |shard, _, source, _| {
        homes.entry(source.ip()).or_default().insert(shard);
        ports.insert(source);
    });
    assert_eq!((seen, homes.len()), (2000, 100));
    assert!(ports.len() > 1000, "the exporters used {} ports only", ports.len());
    for (exporter, shards_seen) in &homes {
        assert_eq!(shards_seen, &HashSet::from([shard_of(*exporter, shards)]), "{exporter}");
    }
    let used: HashSet<&usize> = homes.values().flatten().collect();
    assert_eq!(used.len(), shards, "some shard got no exporter");
}

#[test]
fn a_dual_stack_listener_shards_both_families_and_unmaps_ipv4() {
    let Ok(mut sockets) = bind("[::]:0".parse().unwrap(), 3, &Options::default()) else {
        return skip("no IPv6 here");
    };
    let port = sockets[0].local_address().port();
    for exporter in 1..=50 {
        Plain::bind(format!("127.1.0.{exporter}:0")).unwrap().send_to(b"four", ("127.0.0.1", port)).unwrap();
    }
    let six = Plain::bind("[::1]:0").is_ok_and(|plain| plain.send_to(b"six", ("::1", port)).is_ok());
    let seen = collect(&mut sockets, 50 + usize::from(six), |shard, _, source, bytes| {
        assert_eq!(source.is_ipv4(), bytes == b"four", "{source}");
        assert_eq!(shard, shard_of(source.ip(), 3), "{source}");
    });
    assert_eq!(seen, 50 + usize::from(six));
}

fn skip(why: &str) {
    use std::io::Write;
    let mut stderr = std::io::stderr();
    writeln!(stderr, "skipped: {why}").unwrap();
}

#[test]
fn a_second_listener_is_refused_and_told_who_holds_the_port() {
    for shards in [1, 3] {
        let held = bind(loopback(), shards, &Options::default()).unwrap();
        let port = held[0].local_address().port();
        for address in [format!("127.0.0.1:{port}"), format!("0.0.0.0:{port}"), format!("[::]:{port}")] {
            match bind(address.parse().unwrap(), 2, &Options::default()) {
                Err(error @ BindError::InUse { .. }) => {
                    let text = error.to_string();
                    assert!(text.contains(&format!("process {} (", std::process::id())), "{text}");
                    assert!(text.starts_with(&format!("udp port {port} is taken on ")), "{text}");
                }
                Err(BindError::System { .. }) if address.starts_with('[') => skip("no IPv6 here"),
                other => panic!("{address} with {shards} shards: {other:?}"),
            }
        }
    }
}

#[test]
fn a_port_held_with_the_sharing_flag_is_refused_too() {
    use socket2::{Domain, Socket, Type};
    let other = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
    other.set_reuse_port(true).unwrap();
    other.bind(&loopback().into()).unwrap();
    let address = other.local_addr().unwrap().as_socket().unwrap();
    assert!(matches!(bind(address, 2, &Options::default()), Err(BindError::InUse { .. })));
}

#[test]
fn nobody_can_join_a_listener_of_one_shard() {
    use socket2::{Domain, Socket, Type};
    let held = bind(loopback(), 1, &Options::default()).unwrap();
    let other = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
    other.set_reuse_port(true).unwrap();
    assert!(other.bind(&held[0].local_address().into()).is_err());
}

#[test]
fn of_many_that_start_at_once_one_gets_the_port() {
    let port = bind(loopback(), 1, &Options::default()).unwrap()[0].local_address().port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let barrier = std::sync::Barrier::new(8);
    let taken = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    bind(address, 4, &Options::default()).ok()
                })
            })
            .collect();
        // All results are kept until everybody tried.
        let results: Vec<_> = racers.into_iter().map(|racer| racer.join().unwrap()).collect();
        results.into_iter().flatten().count()
    });
    assert_eq!(taken, 1);
}

#[test]
fn the_receive_time_is_the_kernels() {
    let mut sockets = bind(loopback(), 1, &Options::default()).unwrap();
    let now = || i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap();
    // The first ever user of time stamps switches them on a little later; then the kernel stamps at reading.
    for round in 0..50 {
        let before = now();
        Plain::bind(loopback()).unwrap().send_to(b"x", sockets[0].local_address()).unwrap();
        let after = now();
        let mut received = 0;
        assert_eq!(collect(&mut sockets, 1, |_, at, _, _| received = at), 1);
        assert!(received >= before, "{received} is before {before}");
        if received <= after {
            return;
        }
        assert!(round < 49, "{received} is after {after}: the time is that of the reading");
    }
}

#[test]
fn drops_are_seen_without_a_later_datagram_and_counted_once() {
    let options = Options { receive_buffer_bytes: 4096, ..Options::default() };
    let mut sockets = bind(loopback(), 1, &options).unwrap();
    let to = sockets[0].local_address();
    let plain = Plain::bind(loopback()).unwrap();
    let send = |count: usize| (0..count).for_each(|_| assert_eq!(plain.send_to(&[7; 1000], to).unwrap(), 1000));
    let mut batch = Batch::new(64);

    send(500);
    let full = sockets[0].queue().unwrap();
    assert!(full.dropped > 400 && full.used_bytes > 0 && full.limit_bytes >= 4096, "{full:?}");
    let mut received = 0;
    for _ in 0..100 {
        received += sockets[0].receive(&mut batch).unwrap();
    }
    assert_eq!(received as u64 + full.dropped, 500);
    assert_eq!(sockets[0].queue().unwrap().used_bytes, 0);

    send(300); // these carry the drop counter beside them
    for _ in 0..100 {
        received += sockets[0].receive(&mut batch).unwrap();
    }
    assert_eq!(received as u64 + sockets[0].queue().unwrap().dropped, 800);
    assert_eq!(sockets[0].dropped(), 800 - received as u64);
}

#[test]
fn a_datagram_longer_than_its_slot_is_marked() {
    let mut sockets = bind(loopback(), 1, &Options::default()).unwrap();
    let plain = Plain::bind(loopback()).unwrap();
    for length in [100, 101] {
        plain.send_to(&vec![1; length], sockets[0].local_address()).unwrap();
    }
    let mut batch = Batch::with_slots(8, 100);
    assert_eq!(sockets[0].receive(&mut batch).unwrap(), 2);
    let seen: Vec<_> = batch.iter().map(|it| (it.bytes.len(), it.truncated)).collect();
    assert_eq!(seen, [(100, false), (100, true)]);
}

#[test]
fn the_longest_and_the_empty_datagram_come_whole() {
    let mut sockets = bind(loopback(), 2, &Options::default()).unwrap();
    let plain = Plain::bind(loopback()).unwrap();
    let longest: Vec<u8> = (0..65_507_u32).map(|at| at as u8).collect();
    for bytes in [&longest[..], &[]] {
        plain.send_to(bytes, sockets[0].local_address()).unwrap();
    }
    let mut lengths = Vec::new();
    collect(&mut sockets, 2, |_, _, _, bytes| {
        assert!(bytes == longest || bytes.is_empty());
        lengths.push(bytes.len());
    });
    assert_eq!(lengths, [65_507, 0]);
}

#[test]
fn a_waker_ends_the_wait_once() {
    let mut sockets = bind(loopback(), 1, &Options::default()).unwrap();
    let waker = Waker::new().unwrap();
    let start = Instant::now();
    let other = waker.clone();
    std::thread::spawn(move || other.wake()).join().unwrap().unwrap();
    assert!(wait(&mut sockets, &waker, PATIENCE).unwrap());
    assert!(start.elapsed() < PATIENCE);
    assert!(!sockets[0].is_ready());
    assert!(!wait(&mut sockets, &waker, Duration::ZERO).unwrap());
}

#[test]
fn a_listener_on_all_addresses_hears_ipv4() {
    let mut sockets = bind_any(0, 1, &Options::default()).unwrap();
    let port = sockets[0].local_address().port();
    Plain::bind(loopback()).unwrap().send_to(b"x", ("127.0.0.1", port)).unwrap();
    assert_eq!(collect(&mut sockets, 1, |_, _, source, _| assert!(source.is_ipv4())), 1);
}

#[test]
fn the_sender_plays_exporters_in_order_and_counts_exactly() {
    let mut sockets = bind(loopback(), 1, &Options::default()).unwrap();
    let mut sender = Sender::new(sockets[0].local_address(), 16);
    let exporters: Vec<_> =
        (0..10).map(|low| sender.exporter(Some(format!("127.1.0.{low}:0").parse().unwrap())).unwrap()).collect();
    let payloads: Vec<[u8; 4]> = (0..1000_u32).map(u32::to_be_bytes).collect();
    let outgoing: Vec<_> =
        payloads.iter().enumerate().map(|(at, bytes)| Outgoing { exporter: exporters[at % 10], bytes }).collect();
    sender.send(&outgoing);
    let tally = sender.tally();
    assert_eq!((tally.sent, tally.sent_bytes, tally.errors, tally.refused), (1000, 4000, 0, 0));

    let mut numbers: HashMap<IpAddr, Vec<u32>> = HashMap::new();
    let seen = collect(&mut sockets, 1000, |_, _, source, bytes| {
        numbers.entry(source.ip()).or_default().push(u32::from_be_bytes(bytes.try_into().unwrap()));
    });
    assert_eq!((seen, numbers.len()), (1000, 10));
    assert!(numbers.values().all(|numbers| numbers.len() == 100 && numbers.is_sorted()));
}

#[test]
fn the_sender_counts_what_cannot_be_sent_and_goes_on() {
    let mut sockets = bind(loopback(), 1, &Options::default()).unwrap();
    let mut sender = Sender::new(sockets[0].local_address(), 1);
    let exporter = sender.exporter(None).unwrap();
    let too_long = vec![0; 65_508];
    let outgoing = [&b"a"[..], &too_long, b"b"].map(|bytes| Outgoing { exporter, bytes });
    sender.send(&outgoing);
    let tally = sender.tally();
    assert_eq!((tally.sent, tally.errors, tally.last_error), (2, 1, Some(libc::EMSGSIZE)));
    assert_eq!(collect(&mut sockets, 2, |_, _, _, _| {}), 2);
}

#[test]
fn nobody_listening_is_a_notice_and_not_a_loss_of_count() {
    let closed = Plain::bind(loopback()).unwrap().local_addr().unwrap();
    let mut sender = Sender::new(closed, 1);
    let exporter = sender.exporter(None).unwrap();
    sender.send(&[Outgoing { exporter, bytes: b"x" }; 100]);
    let tally = sender.tally();
    assert_eq!((tally.sent, tally.errors), (100, 0));
    assert!(tally.refused > 0);
}

#[test]
fn an_endpoint_is_enough_to_listen() {
    for (text, heard_as) in
        [("127.0.0.1:0", "127.0.0.1"), ("udp://localhost:0?receive_buffer=65536", "localhost"), (":0", "127.0.0.1")]
    {
        let Endpoint::Network(_, place, options) = text.parse().unwrap() else { panic!("{text}") };
        let mut sockets = listen(&place, 6343, 2, &Options::of(&options).unwrap()).unwrap();
        if !options.is_empty() {
            assert_eq!(sockets[0].receive_buffer().granted_bytes, 65_536);
        }
        let to = (heard_as, sockets[0].local_address().port());
        let from = if sockets[0].local_address().ip().is_loopback() {
            sockets[0].local_address().ip()
        } else {
            loopback().ip()
        };
        Plain::bind((from, 0)).unwrap().send_to(b"x", to).unwrap();
        assert_eq!(collect(&mut sockets, 1, |_, _, _, _| {}), 1, "{text}");
    }
}

#[test]
fn a_receive_buffer_that_is_no_size_is_refused() {
    for value in ["", "0", "32M", "-1", "99999999999"] {
        let endpoint: Endpoint = format!("udp://:0?receive_buffer={value}").parse().unwrap();
        let error = Options::of(endpoint.options().unwrap()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("receive_buffer={value}: ")), "{error}");
    }
}
