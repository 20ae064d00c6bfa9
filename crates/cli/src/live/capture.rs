//! Datagrams of files and of standard input.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use finderscope_transport::capture::{Capture, CaptureError, Counts, HexLines, read_datagram_file};
use finderscope_transport::endpoint::File;
use finderscope_wire::delivery::{Delivery, Listener, Scheme};
use jiff::Timestamp;

use super::input::Waiting;
use super::{Stop, Take};

/// Files have no socket, and raw datagrams no exporter.
const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// Reads a capture to its end, and says which of its frames gave nothing.
pub(super) fn read(
    name: &str,
    file: &File,
    stop: &Stop,
    frames: &mut Counts,
    take: &mut Take<'_>,
) -> anyhow::Result<()> {
    let waiting = Waiting::open(file, stop)?;
    if !is_wanted(waiting.as_ref(), take)? {
        return Ok(());
    }
    let opened = match &waiting {
        Some(waiting) => Capture::<Box<dyn Read + Send>>::new(Box::new(waiting.clone())),
        None => Capture::open(file),
    };
    let mut capture = match opened {
        // Where reading was stopped, the file seems to end in the middle.
        Err(_) if stop.is_set() => return Ok(()),
        opened => opened.map_err(|error| crate::named(name, error))?,
    };
    if let Some(waiting) = &waiting {
        waiting.tell_pauses();
    }
    let mut sequence = 0;
    let end = each(waiting.as_ref(), stop, take, |take| {
        let datagram = capture.read()?;
        sequence += 1;
        Ok(datagram.map(|datagram| take(Some(&crate::capture::delivery(sequence - 1, &datagram)))))
    });
    *frames += capture.counts();
    crate::capture::tell(name, capture.counts());
    end.map_err(|error| match error {
        Trouble::Read(error) => crate::named(name, error),
        Trouble::Taken(error) => error,
    })
}

/// Reads lines of hexadecimal digits, each of which is a datagram.
pub(super) fn read_lines(name: &str, file: &File, stop: &Stop, take: &mut Take<'_>) -> anyhow::Result<()> {
    let waiting = Waiting::open(file, stop)?;
    if !is_wanted(waiting.as_ref(), take)? {
        return Ok(());
    }
    // Of a file, the time of its last change is the best there is.
    let (reader, changed_ns): (Box<dyn Read>, _) = match (&waiting, file) {
        (None, File::Path(path)) => {
            let opened = std::fs::File::open(path);
            let opened = opened.map_err(|error| CaptureError::Open(path.display().to_string(), error))?;
            (Box::new(opened), modified_ns(path))
        }
        (Some(waiting), _) => {
            waiting.tell_pauses();
            (Box::new(waiting.clone()), None)
        }
        (None, File::Standard) => (Box::new(std::io::stdin()), None),
    };
    let mut lines = HexLines::new(reader);
    let listener = Listener { scheme: Scheme::Hex, address: NOBODY };
    let mut sequence = 0;
    let end = each(waiting.as_ref(), stop, take, |take| {
        let Some(bytes) = lines.read()? else { return Ok(None) };
        sequence += 1;
        let received_ns = changed_ns.unwrap_or_else(now_ns);
        let sequence = sequence - 1;
        Ok(Some(take(Some(&Delivery { sequence, received_ns, source: NOBODY, listener, identity: None, bytes }))))
    });
    if lines.skipped() > 0 {
        crate::say(format_args!(
            "{name}: left out {}, not the digits of a datagram",
            crate::capture::number(lines.skipped(), "line")
        ));
    }
    end.map_err(|error| match error {
        Trouble::Read(error) => crate::named(name, error),
        Trouble::Taken(error) => error,
    })
}

/// Where the reader of what comes waits, it has its head first: false where that reader has enough.
fn is_wanted(waiting: Option<&Waiting>, take: &mut Take<'_>) -> anyhow::Result<bool> {
    if waiting.is_some_and(Waiting::may_wait) { take(None) } else { Ok(true) }
}

/// What ends a reading early.
enum Trouble {
    Read(CaptureError),
    Taken(anyhow::Error),
}

impl From<CaptureError> for Trouble {
    fn from(error: CaptureError) -> Self {
        Self::Read(error)
    }
}

/// Hands out one after the other until the end, a reason to stop, or until the taker has enough. When nothing more is there
/// for now, that is handed out, too.
fn each(
    waiting: Option<&Waiting>,
    stop: &Stop,
    take: &mut Take<'_>,
    mut next: impl FnMut(&mut Take<'_>) -> Result<Option<anyhow::Result<bool>>, CaptureError>,
) -> Result<(), Trouble> {
    while !stop.is_set() {
        let going = match next(take) {
            Ok(Some(taken)) => taken.map_err(Trouble::Taken)?,
            Ok(None) => return Ok(()),
            // Where reading was stopped, the file seems to end in the middle.
            Err(_) if stop.is_set() => return Ok(()),
            Err(pause) if pause.is_pause() => {
                let going = take(None).map_err(Trouble::Taken)?;
                if going && let Some(waiting) = waiting {
                    waiting.wait().map_err(|error| Trouble::Taken(error.into()))?;
                }
                going
            }
            Err(error) => return Err(error.into()),
        };
        if !going {
            break;
        }
    }
    Ok(())
}

/// Reads a file that is one datagram. It has no receive time; its file's time is the best there is.
pub(super) fn read_datagram(path: &Path, take: &mut Take<'_>) -> anyhow::Result<()> {
    let bytes = read_datagram_file(path)?;
    let received_ns = modified_ns(path).unwrap_or_default();
    let listener = Listener { scheme: Scheme::Hex, address: NOBODY };
    take(Some(&Delivery { sequence: 0, received_ns, source: NOBODY, listener, identity: None, bytes: &bytes }))?;
    Ok(())
}

fn modified_ns(path: &Path) -> Option<i64> {
    let modified = std::fs::metadata(path).ok()?.modified().ok()?;
    i64::try_from(modified.duration_since(std::time::UNIX_EPOCH).ok()?.as_nanos()).ok()
}

fn now_ns() -> i64 {
    i64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use std::fs::OpenOptions;
    use std::io::Write;
    use std::sync::mpsc;
    use std::time::Duration;

    use rustix::fs::{CWD, FileType, Mode};

    use super::*;

    /// A pipe with a name, into which somebody writes, and which they keep open until the sender is gone.
    fn pipe(written: &[u8]) -> (tempfile::TempDir, File, mpsc::Sender<()>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let (ends, end) = mpsc::channel();
        let (written, place) = (written.to_vec(), path.clone());
        std::thread::spawn(move || {
            let mut pipe = OpenOptions::new().write(true).open(place).unwrap();
            pipe.write_all(&written).unwrap();
            // Long enough that whoever waits for the end is known by that.
            let _: Result<(), _> = end.recv_timeout(Duration::from_secs(20));
        });
        (folder, File::Path(path), ends)
    }

    /// What is taken of lines in a pipe that stays open, until the second pause.
    fn taken(written: &[u8]) -> Vec<Option<Vec<u8>>> {
        let (_folder, file, ends) = pipe(written);
        let stop = Stop::by_hand().unwrap();
        let mut taken = Vec::new();
        read_lines("pipe", &file, &stop, &mut |delivery| {
            taken.push(delivery.map(|it| it.bytes.to_vec()));
            // Ctrl-C, as it were: the writer goes on as long as we do.
            if delivery.is_none() && taken.iter().any(Option::is_some) {
                stop.now();
            }
            Ok(true)
        })
        .unwrap();
        assert!(ends.send(()).is_ok(), "reading has waited for the writer's end");
        taken
    }

    #[test]
    fn a_pipe_has_pauses_and_a_reason_to_stop_ends_the_waiting() {
        let taken = taken(b"01\n0203\n04");
        // The first pause comes before there is anything; there may be more where the writer was late.
        assert_eq!(taken.first(), Some(&None));
        assert_eq!(taken.last(), Some(&None));
        assert_eq!(taken.into_iter().flatten().collect::<Vec<_>>(), [vec![1], vec![2, 3]]);
    }

    #[test]
    fn a_capture_in_a_pipe_has_pauses_too() {
        let head = [0xA1B2_C3D4_u32, 4 << 16 | 2, 0, 0, 65_536, 228].map(u32::to_le_bytes).concat();
        let udp = [0, 53, 0, 53, 0, 9, 0, 0, 7];
        let ip = [&[0x45, 0, 0, 29, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2][..], &udp].concat();
        let record = [[5, 0, 29, 29].map(u32::to_le_bytes).concat(), ip].concat();
        // A whole one, and the beginning of another.
        let (_folder, file, ends) = pipe(&[&head[..], &record, &record[..20]].concat());
        let stop = Stop::by_hand().unwrap();
        let (mut frames, mut taken) = (Counts::default(), Vec::new());
        read("pipe", &file, &stop, &mut frames, &mut |delivery| {
            taken.push(delivery.map(|it| it.bytes.to_vec()));
            if delivery.is_none() && taken.iter().any(Option::is_some) {
                stop.now();
            }
            Ok(true)
        })
        .unwrap();
        assert!(ends.send(()).is_ok(), "reading has waited for the writer's end");
        assert_eq!((taken.first(), taken.last()), (Some(&None), Some(&None)));
        assert_eq!((taken.into_iter().flatten().collect::<Vec<_>>(), frames.datagrams), (vec![vec![7]], 1));
    }

    #[test]
    fn errors_name_the_file_once() {
        let folder = tempfile::tempdir().unwrap();
        let [missing, text] = ["missing.pcap", "text.pcap"].map(|name| folder.path().join(name));
        std::fs::write(&text, "no capture at all").unwrap();
        let stop = Stop::by_hand().unwrap();
        for (path, said) in [(missing, "cannot open"), (text, "not a pcap")] {
            let name = path.display().to_string();
            let error = read(&name, &File::Path(path), &stop, &mut Counts::default(), &mut |_| Ok(true)).unwrap_err();
            let line = crate::with_causes(&error);
            assert!(line.contains(said) && line.matches(&name).count() == 1, "{line}");
        }
    }
}
