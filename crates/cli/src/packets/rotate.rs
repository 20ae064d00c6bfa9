//! Captures in a row of files: when one is full or its time is over, another one begins, and the oldest goes.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use finderscope_packets::Packet;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// When a file is followed by another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Rotate {
    /// When it would have more bytes.
    Size(u64),
    /// When its packets span more time, in nanoseconds.
    Time(i64),
}

impl FromStr for Rotate {
    type Err = String;

    /// `10M`, `1G`, `500K` or bare bytes are sizes; `60s`, `5m` and `1h` are times.
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("'{text}' is neither a size nor a time; write 10M, 1G, 60s, 5m or 1h");
        let number = text.trim_end_matches(|it: char| !it.is_ascii_digit());
        let scale: Option<u64> = match &text[number.len()..] {
            "" => Some(1),
            "K" | "k" | "KB" | "kB" => Some(1_000),
            "M" | "MB" => Some(1_000_000),
            "G" | "GB" => Some(1_000_000_000),
            "T" | "TB" => Some(1_000_000_000_000),
            _ => None,
        };
        if let Some(scale) = scale {
            let bytes =
                number.parse::<u64>().ok().and_then(|number| number.checked_mul(scale)).filter(|&bytes| bytes > 0);
            return bytes.map(Self::Size).ok_or_else(bad);
        }
        let span = crate::time::parse_span(text).map_err(|_| bad())?;
        i64::try_from(span.as_nanos()).map(Self::Time).map_err(|_| bad())
    }
}

/// The row.
pub(super) struct Ring {
    folder: PathBuf,
    stem: String,
    extension: String,
    rotate: Rotate,
    keep: Option<u32>,
    /// The files there are, the oldest first.
    files: VecDeque<PathBuf>,
    number: u64,
    /// The time of the present one's first packet.
    began_ns: Option<i64>,
}

impl Ring {
    /// Goes on behind the files that an earlier run has left.
    pub(super) fn new(path: &Path, rotate: Rotate, keep: Option<u32>) -> io::Result<Self> {
        let text = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let folder = match path.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let extension = path.extension().map_or_else(String::new, |it| format!(".{}", it.to_string_lossy()));
        let mut ring = Self {
            folder,
            stem: text(path.file_stem()),
            extension,
            rotate,
            keep,
            files: VecDeque::new(),
            number: 0,
            began_ns: None,
        };
        ring.find()?;
        Ok(ring)
    }

    fn find(&mut self) -> io::Result<()> {
        let mut found = Vec::new();
        for entry in self.folder.read_dir()? {
            let name = entry?.file_name();
            found.extend(self.number_of(&name.to_string_lossy()).map(|number| (number, self.folder.join(&name))));
        }
        found.sort();
        self.number = found.last().map_or(0, |(number, _)| *number);
        self.files = found.into_iter().map(|(_, path)| path).collect();
        Ok(())
    }

    /// The number in the name of a file of this row: `STEM_00001_20260131120000.EXTENSION`.
    fn number_of(&self, name: &str) -> Option<u64> {
        let middle = name.strip_prefix(&self.stem)?.strip_suffix(&self.extension)?.strip_prefix('_')?;
        let (number, time) = middle.split_once('_')?;
        let digits = |text: &str| text.bytes().all(|it| it.is_ascii_digit());
        if number.len() < 5 || time.len() != 14 || !digits(number) || !digits(time) {
            return None;
        }
        number.parse().ok()
    }

    /// Whether the packet belongs into the next file, where the present one has so many bytes.
    pub(super) fn is_over(&mut self, packet: &Packet<'_>, bytes: u64) -> bool {
        /// What stands before a packet; somewhat more, in the next generation.
        const AROUND: u64 = 16;
        // A file has at least one packet.
        let Some(began_ns) = self.began_ns else {
            self.began_ns = Some(packet.received_ns);
            return false;
        };
        let over = match self.rotate {
            Rotate::Size(most) => bytes + AROUND + packet.bytes.len() as u64 > most,
            Rotate::Time(most) => packet.received_ns.saturating_sub(began_ns) >= most,
        };
        if over {
            self.began_ns = Some(packet.received_ns);
        }
        over
    }

    /// The name of the next file; the oldest go, as far as there is one too many.
    pub(super) fn next(&mut self, now: Timestamp) -> io::Result<PathBuf> {
        self.number += 1;
        let time = now.to_zoned(TimeZone::system()).strftime("%Y%m%d%H%M%S");
        let name = format!("{}_{:05}_{time}{}", self.stem, self.number, self.extension);
        let path = self.folder.join(name);
        self.files.push_back(path.clone());
        while self.keep.is_some_and(|keep| self.files.len() > keep as usize)
            && let Some(oldest) = self.files.pop_front()
        {
            match std::fs::remove_file(&oldest) {
                // Somebody else may tidy up, too.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use finderscope_wire::packet::HeaderProtocol;

    use super::*;

    #[test]
    fn sizes_and_times_are_told_apart_by_their_units() {
        for (text, rotate) in [
            ("10M", Rotate::Size(10_000_000)),
            ("1GB", Rotate::Size(1_000_000_000)),
            ("500k", Rotate::Size(500_000)),
            ("4096", Rotate::Size(4096)),
            ("60s", Rotate::Time(60_000_000_000)),
            ("5m", Rotate::Time(300_000_000_000)),
            ("1h30m", Rotate::Time(5_400_000_000_000)),
        ] {
            assert_eq!(text.parse(), Ok(rotate), "{text}");
        }
        for text in ["", "0", "0M", "10q", "M", "-5M", "99999999999T", "0s"] {
            assert!(text.parse::<Rotate>().is_err(), "{text}");
        }
    }

    fn packet(received_ns: i64) -> Packet<'static> {
        Packet {
            received_ns,
            exporter: [10, 0, 0, 1].into(),
            agent: [10, 0, 0, 1].into(),
            source: None,
            input: None,
            output: None,
            sampling_rate: None,
            sample_pool: 0,
            drops: 0,
            discard: None,
            protocol: HeaderProtocol::ETHERNET,
            frame_length: 64,
            stripped: 4,
            bytes: &[0; 60],
        }
    }

    #[test]
    fn a_file_is_over_before_the_packet_that_does_not_fit_but_has_at_least_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut ring = Ring::new(&folder.path().join("a.pcap"), Rotate::Size(100), None).unwrap();
        assert!(!ring.is_over(&packet(0), 24));
        assert!(!ring.is_over(&packet(0), 24));
        assert!(ring.is_over(&packet(0), 25));
        let mut ring = Ring::new(&folder.path().join("a.pcap"), Rotate::Time(10), None).unwrap();
        let over: Vec<bool> = [5, 14, 15, 24, 25].map(|time| ring.is_over(&packet(time), 24)).into();
        assert_eq!(over, [false, false, true, false, true]);
    }

    #[test]
    fn the_newest_files_stay_and_a_second_run_goes_on_behind_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let strangers =
            ["a.pcap", "a_1_2.pcap", "a_00007_x.pcap", "b_00009_20260101000000.pcap", "a_00009_20260101000000.pcapng"];
        for name in strangers {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let names = || {
            let names = folder.path().read_dir().unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<_> = names.filter(|name| !strangers.contains(&name.as_str())).collect();
            names.sort();
            names.iter().map(|name| name[..7].to_owned()).collect::<Vec<_>>()
        };
        for (made, left) in [(3, ["a_00002", "a_00003"]), (2, ["a_00004", "a_00005"])] {
            let mut ring = Ring::new(&folder.path().join("a.pcap"), Rotate::Size(1), Some(2)).unwrap();
            for _ in 0..made {
                std::fs::write(ring.next(Timestamp::UNIX_EPOCH).unwrap(), "").unwrap();
            }
            assert_eq!(names(), left);
        }
        assert!(strangers.iter().all(|name| folder.path().join(name).exists()));
    }
}
