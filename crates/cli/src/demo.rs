//! `finderscope demo`: the whole program on one screen, with made traffic and real sockets.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::exit::Exit;

const USUAL_HTTP: u16 = 8008;
const START_WITHIN: Duration = Duration::from_secs(30);
const STORED_WITHIN: Duration = Duration::from_secs(30);
const LOOK_UP: Duration = Duration::from_millis(200);
/// Slow enough for any machine's default receive buffers.
const RATE: &str = "5000";
/// What is exported: kind, flows, exporters, and the number of the first exporter.
const MIX: [(&str, &str, &str, &str); 4] =
    [("v5", "40000", "3", "0"), ("v9", "60000", "3", "3"), ("ipfix", "60000", "4", "6"), ("sflow", "40000", "4", "10")];

/// Try everything out: a server on a temporary folder, made exporters over real sockets, and the answers
///
/// The server stays up until Ctrl-C, with its addresses printed; then the folder is removed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  finderscope demo")]
pub struct Args {
    /// End after the answers instead of staying up
    #[arg(long)]
    once: bool,
}

/// Runs the demonstration.
pub fn run(args: &Args, out: &mut impl Write) -> anyhow::Result<Exit> {
    let folder =
        tempfile::Builder::new().prefix("finderscope-demo-").tempdir().context("cannot make a temporary folder")?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).context("cannot watch for signals")?;
    }
    let (udp, http) = (free_udp()?, free_http()?);
    let data = folder.path().join("data");
    writeln!(out, "1. a server that keeps everything in {}", data.display())?;
    out.flush()?;
    let mut server = Server::start(&data, udp, http)?;
    let shown = show(folder.path(), &data, udp, http, &mut server, &stop, out);
    if shown.is_ok() && !args.once && !stop.load(Ordering::Relaxed) {
        writeln!(out, "\nThe server stays up. Exporters may send to udp://{udp}; in another terminal try:")?;
        writeln!(out, "  finderscope status --http {http}")?;
        writeln!(out, "  finderscope top src_addr,dst_port --data {}", data.display())?;
        writeln!(
            out,
            "  finderscope query \"select type, count(*) from flows group by type\" --data {}",
            data.display()
        )?;
        writeln!(out, "  curl http://{http}/metrics")?;
        writeln!(out, "Ctrl-C ends it and removes the folder.")?;
        out.flush()?;
        server.wait(&stop)?;
    }
    out.flush()?;
    server.stop()?;
    shown.map(|()| Exit::Done)
}

fn show(
    folder: &Path,
    data: &Path,
    udp: SocketAddr,
    http: SocketAddr,
    server: &mut Server,
    stop: &AtomicBool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let (data, udp, http) = (data.display().to_string(), format!("udp://{udp}"), http.to_string());
    server.ready(stop)?;
    writeln!(out, "\n2. fourteen exporters: NetFlow v5 and v9, IPFIX and sFlow, all to {udp}")?;
    let now = crate::time::parse("now")? / 1_000_000_000;
    for (kind, flows, exporters, first) in MIX {
        let file = folder.join(format!("{kind}.pcap")).display().to_string();
        let (start, seed) = ((now + 1).to_string(), first);
        crate::run_line(
            &[
                "generate",
                kind,
                "--flows",
                flows,
                "--seed",
                seed,
                "--exporters",
                exporters,
                "--first-exporter",
                first,
                "--start",
                &start,
                "-o",
                &file,
            ],
            out,
        )?;
        crate::run_line(&["replay", &file, "--to", &udp, "--rate", RATE], out)?;
        out.flush()?;
    }
    server.stored(stop)?;
    writeln!(out, "\n3. who talks most: finderscope top src_addr")?;
    crate::run_line(&["top", "src_addr", "--data", &data], out)?;
    writeln!(out, "\n4. and on which ports: finderscope top proto,dst_port --by packets -n 5")?;
    crate::run_line(&["top", "proto,dst_port", "--by", "packets", "-n", "5", "--data", &data], out)?;
    writeln!(out, "\n5. nothing is unaccounted for: finderscope status")?;
    crate::run_line(&["status", "--http", &http], out)?;
    Ok(())
}

/// A port that nobody has at the moment.
fn free_udp() -> anyhow::Result<SocketAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("no free UDP port")?;
    Ok(socket.local_addr()?)
}

fn free_http() -> anyhow::Result<SocketAddr> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, USUAL_HTTP)).or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    Ok(listener.context("no free TCP port")?.local_addr()?)
}

/// The server: this same program, in a process of its own.
struct Server {
    child: Child,
    http: SocketAddr,
}

impl Server {
    fn start(data: &Path, udp: SocketAddr, http: SocketAddr) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe().context("this program cannot find itself")?);
        command.arg("serve").arg("--data").arg(data).arg("--listen").arg(format!("udp://{udp}"));
        command.arg("--http").arg(http.to_string()).stdin(Stdio::null()).stdout(Stdio::null());
        Ok(Self { child: command.spawn().context("cannot start the server")?, http })
    }

    /// Waits until it answers.
    fn ready(&mut self, stop: &AtomicBool) -> anyhow::Result<()> {
        self.until(START_WITHIN, stop, "did not start", |status| status.is_some())
    }

    /// Waits until all that came is in parts.
    fn stored(&mut self, stop: &AtomicBool) -> anyhow::Result<()> {
        self.until(STORED_WITHIN, stop, "did not store everything", |status| {
            status.as_ref().is_some_and(|status| {
                let unstored =
                    status.journals.iter().map(|journal| journal.next.saturating_sub(journal.stored)).sum::<u64>();
                unstored == 0 && status.totals.records.in_memory == 0 && status.totals.records.received > 0
            })
        })
    }

    fn until(
        &mut self,
        within: Duration,
        stop: &AtomicBool,
        otherwise: &str,
        done: impl Fn(&Option<finderscope_server::status::Status>) -> bool,
    ) -> anyhow::Result<()> {
        let started = Instant::now();
        while !done(&crate::status::of_server(self.http)) {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended: {status}");
            }
            if stop.load(Ordering::Relaxed) {
                bail!("stopped");
            }
            if started.elapsed() > within {
                bail!("the server {otherwise} within {} s", within.as_secs());
            }
            std::thread::sleep(LOOK_UP);
        }
        Ok(())
    }

    /// Until a signal, or until the server ends by itself.
    fn wait(&mut self, stop: &AtomicBool) -> anyhow::Result<()> {
        while !stop.load(Ordering::Relaxed) && self.child.try_wait()?.is_none() {
            std::thread::sleep(LOOK_UP);
        }
        Ok(())
    }

    fn stop(mut self) -> anyhow::Result<()> {
        self.terminate();
        self.child.wait().context("the server")?;
        Ok(())
    }

    fn terminate(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
            // It may have ended meanwhile; then there is nothing to stop.
            let _ = pid.map(|pid| kill_process(pid, Signal::TERM));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.terminate();
    }
}
