//! What the machine's loopback network carries: `rates receive ADDR:PORT SHARDS SECONDS` in one shell and
//! `rates send FILE.pcap ADDR:PORT SECONDS` in another; `rates write FILE.pcap COUNT` and `rates read FILE.pcap` for captures.

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use finderscope_transport::capture::{Capture, Precision, Writer};
use finderscope_transport::endpoint::File;
use finderscope_transport::udp::{
    Aliases, Batch, Options, Outgoing, SOCKETS_MAX, Sender, UdpSocket, Waker, bind, wait,
};

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["receive", address, shards, seconds] => receive(address.parse()?, shards.parse()?, seconds.parse()?),
        ["send", file, address, seconds] => send(file, address.parse()?, seconds.parse()?),
        ["read", file] => read(file),
        ["write", file, count] => write(file, count.parse()?),
        _ => Err("usage: rates receive ADDR:PORT SHARDS SECONDS | send FILE ADDR:PORT SECONDS | read FILE | write FILE COUNT".into()),
    }
}

fn say(text: &str) -> Outcome {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

fn receive(address: SocketAddr, shards: usize, seconds: u64) -> Outcome {
    let sockets = bind(address, shards, &Options::default())?;
    if let Some(hint) = sockets[0].receive_buffer().hint() {
        say(&hint)?;
    }
    let threads: Vec<_> =
        sockets.into_iter().map(|socket| std::thread::spawn(move || shard(socket, seconds))).collect();
    for thread in threads {
        say(&thread.join().map_err(|_| "a shard panicked")??)?;
    }
    Ok(())
}

/// Receives until the time is over; rates are over the time from the first datagram to the last.
fn shard(socket: UdpSocket, seconds: u64) -> std::io::Result<String> {
    let mut sockets = [socket];
    let (waker, mut batch) = (Waker::new()?, Batch::new(64));
    let (mut count, mut bytes, mut busy) = (0_u64, 0_u64, Duration::ZERO);
    let start = Instant::now();
    let (mut first, mut last) = (None, start);
    while start.elapsed() < Duration::from_secs(seconds) {
        wait(&mut sockets, &waker, Duration::from_millis(100))?;
        let awake = Instant::now();
        while sockets[0].receive(&mut batch)? > 0 {
            first.get_or_insert(awake);
            count += batch.len() as u64;
            bytes += batch.iter().map(|it| it.bytes.len() as u64).sum::<u64>();
        }
        last = Instant::now();
        busy += last - awake;
    }
    let queue = sockets[0].queue()?;
    let span = first.map_or(1.0, |first| (last - first).as_secs_f64());
    Ok(format!(
        "shard {}: datagrams={count} bytes={bytes} dropped={} rate={:.0}/s receiving={:.0} ns/datagram",
        sockets[0].shard(),
        queue.dropped,
        count as f64 / span,
        busy.as_nanos() as f64 / count.max(1) as f64,
    ))
}

fn send(file: &str, to: SocketAddr, seconds: u64) -> Outcome {
    let mut capture = Capture::open(&File::Path(file.into()))?;
    let (mut sender, mut aliases) = (Sender::new(to, SOCKETS_MAX), Aliases::default());
    let mut payloads = Vec::new();
    while let Some(datagram) = capture.read()? {
        let alias = aliases.of(datagram.source.ip()).ok_or("too many exporters")?;
        payloads.push((sender.exporter(Some(SocketAddr::from((alias, 0))))?, datagram.bytes.to_vec()));
    }
    let outgoing: Vec<_> = payloads.iter().map(|(exporter, bytes)| Outgoing { exporter: *exporter, bytes }).collect();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(seconds) {
        for chunk in outgoing.chunks(512) {
            sender.send(chunk);
        }
    }
    let rate = sender.tally().sent as f64 / start.elapsed().as_secs_f64();
    say(&format!("{:?} rate={rate:.0}/s", sender.tally()))
}

fn read(file: &str) -> Outcome {
    let start = Instant::now();
    let mut capture = Capture::open(&File::Path(file.into()))?;
    let mut bytes = 0;
    while let Some(datagram) = capture.read()? {
        bytes += datagram.bytes.len();
    }
    let counts = capture.counts();
    let each = start.elapsed().as_nanos() as f64 / counts.frames.max(1) as f64;
    say(&format!("{counts:?} bytes={bytes} {each:.0} ns/frame"))
}

fn write(file: &str, count: u32) -> Outcome {
    let start = Instant::now();
    let mut writer = Writer::create(file.as_ref(), Precision::Microseconds)?;
    let payload: Vec<u8> = (0..1400_u32).map(|at| (at * 7) as u8).collect();
    for at in 0..count {
        let time = 1_700_000_000_000_000_000 + i64::from(at) * 1000;
        let length = 100 + at as usize % 1300;
        if at % 10 == 9 {
            let source = format!("[2001:db8::{:x}]:2055", at % 8).parse()?;
            writer.write(time, source, "[2001:db8:1::1]:2055".parse()?, &payload[..length])?;
        } else {
            let source = SocketAddr::from(([10, 0, 0, (at % 8) as u8], 2055));
            writer.write(time, source, SocketAddr::from(([10, 1, 0, 1], 2055)), &payload[..length])?;
        }
    }
    writer.finish()?;
    say(&format!("{:.0} ns/datagram", start.elapsed().as_nanos() as f64 / f64::from(count.max(1))))
}
