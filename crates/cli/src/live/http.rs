//! As much of HTTP as reading a server's streams takes: one request, and an answer without an end.
//!
//! HTTP/1.0, in which a body is what comes until the end: nothing has to be taken apart, and while nothing comes the
//! connection can be waited for together with a reason to stop.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::Stop;

const CONNECTED_WITHIN: Duration = Duration::from_secs(5);
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// More than a server's head is.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// A signal that came just before a wait is noticed after this long.
const LOOK_UP: Duration = Duration::from_millis(200);

/// An answer, of which the head was read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Body,
}

/// A body.
#[derive(Debug)]
pub(super) struct Body {
    /// What came with the head.
    first: io::Cursor<Vec<u8>>,
    stream: TcpStream,
    stop: Option<Stop>,
}

/// Asks `authority` (HOST:PORT) for a path. Does not wait on for the answer where there is a reason to stop.
pub(super) fn get(authority: &str, path: &str, token: Option<&str>, stop: Option<&Stop>) -> anyhow::Result<Answer> {
    let mut stream = connect(authority).with_context(|| format!("http://{authority}"))?;
    let command = std::env::args_os().nth(1).unwrap_or_default();
    let command = command.to_string_lossy();
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request =
        format!("GET {path} HTTP/1.0\r\nHost: {authority}\r\nUser-Agent: finderscope {command}\r\n{token}\r\n");
    stream.write_all(request.as_bytes())?;
    let (head, rest) = head(&mut stream, stop).with_context(|| format!("http://{authority}"))?;
    let Some(status) = status(&head) else { bail!("http://{authority} does not speak HTTP") };
    Ok(Answer { status, body: Body { first: io::Cursor::new(rest), stream, stop: None } })
}

/// The code of `HTTP/1.1 200 OK`.
fn status(head: &str) -> Option<u16> {
    let (version, rest) = head.split_once(' ')?;
    if !version.starts_with("HTTP/1.") {
        return None;
    }
    rest.get(..3)?.parse().ok()
}

fn connect(authority: &str) -> io::Result<TcpStream> {
    let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in authority.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECTED_WITHIN) {
            Ok(stream) => {
                stream.set_read_timeout(Some(ANSWERED_WITHIN))?;
                stream.set_write_timeout(Some(ANSWERED_WITHIN))?;
                return Ok(stream);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// The head, and what came behind it.
fn head(stream: &mut TcpStream, stop: Option<&Stop>) -> io::Result<(String, Vec<u8>)> {
    const END: &[u8] = b"\r\n\r\n";
    let mut held = Vec::new();
    let until = Instant::now() + ANSWERED_WITHIN;
    loop {
        if let Some(at) = held.windows(END.len()).position(|window| window == END) {
            let rest = held.split_off(at + END.len());
            return Ok((String::from_utf8_lossy(&held).into_owned(), rest));
        }
        while let Some(stop) = stop
            && !waits_for_us(stream, stop)?
        {
            match (stop.is_set(), Instant::now() < until) {
                (true, _) => return Err(io::ErrorKind::Interrupted.into()),
                (false, true) => {}
                (false, false) => return Err(io::ErrorKind::TimedOut.into()),
            }
        }
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece)?;
        if read == 0 || held.len() > HEAD_BYTES_MAX {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        held.extend_from_slice(&piece[..read]);
    }
}

impl Body {
    /// The body of a stream: it ends, too, when there is a reason to stop, and may take any time.
    pub(super) fn until(mut self, stop: &Stop) -> io::Result<Self> {
        self.stream.set_read_timeout(None)?;
        self.stop = Some(stop.clone());
        Ok(self)
    }

    /// A short body, as text.
    pub(super) fn text(self) -> io::Result<String> {
        const TEXT_BYTES_MAX: u64 = 256 << 20;
        let mut text = String::new();
        self.take(TEXT_BYTES_MAX).read_to_string(&mut text)?;
        Ok(text)
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.first.read(buffer)?;
        if read > 0 {
            return Ok(read);
        }
        if let Some(stop) = &self.stop {
            while !waits_for_us(&self.stream, stop)? {
                if stop.is_set() {
                    return Ok(0);
                }
            }
        }
        self.stream.read(buffer)
    }
}

/// Waits for the stream to have something, or its end; false where there may be a reason to stop instead.
fn waits_for_us(stream: &TcpStream, stop: &Stop) -> io::Result<bool> {
    let mut watched = [PollFd::new(stream, PollFlags::IN), PollFd::new(stop.waker(), PollFlags::IN)];
    let timeout = Timespec::try_from(LOOK_UP).map_err(|_| io::ErrorKind::InvalidInput)?;
    match poll(&mut watched, Some(&timeout)) {
        Ok(_) => Ok(!watched[0].revents().is_empty()),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use std::net::TcpListener;
    use std::thread;

    use super::*;

    #[test]
    fn who_waits_for_an_answer_hears_a_reason_to_stop() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let authority = server.local_addr().unwrap().to_string();
        let stop = Stop::by_hand().unwrap();
        let asker = {
            let stop = stop.clone();
            thread::spawn(move || get(&authority, "/", None, Some(&stop)).map(drop))
        };
        let (mut stream, _) = server.accept().unwrap();
        // It has asked, and waits.
        assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
        let began = Instant::now();
        stop.now();
        let error = asker.join().unwrap().unwrap_err();
        assert!(began.elapsed() < ANSWERED_WITHIN / 2, "{:?}", began.elapsed());
        let kinds = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
        assert_eq!(kinds.collect::<Vec<_>>(), [io::ErrorKind::Interrupted]);
    }
}
