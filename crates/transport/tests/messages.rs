//! IPFIX files: known by their content, read message by message, however they end.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::net::SocketAddr;

use finderscope_transport::capture::{Capture, CaptureError};
use finderscope_wire::ipfix::{Encoder, FieldSpecifier, Header};

fn message(export_time: u32, records: u8) -> Vec<u8> {
    let mut out = Vec::new();
    let header = Header { export_time: export_time.into(), ..Header::default() };
    let mut encoder = Encoder::ipfix(&mut out, &header);
    encoder.template(256, &[FieldSpecifier::new(1, 4)]);
    for record in 0..records {
        encoder.record(256, &[0, 0, 0, record]);
    }
    encoder.finish().unwrap();
    out
}

/// Times and bytes of the messages, and the error at the end if there is one.
fn read_all(file: &[u8]) -> (Vec<(i64, Vec<u8>)>, Option<CaptureError>) {
    let mut capture = match Capture::new(file) {
        Ok(capture) => capture,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let nobody: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let mut messages = Vec::new();
    let error = loop {
        match capture.read() {
            Ok(Some(message)) => {
                assert_eq!((message.source, message.destination), (nobody, nobody));
                messages.push((message.received_ns, message.bytes.to_vec()));
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    assert!(matches!(capture.read(), Ok(None)), "something came after the end");
    assert_eq!((capture.counts().frames, capture.counts().datagrams), (messages.len() as u64, messages.len() as u64));
    (messages, error)
}

#[test]
fn every_message_is_given_out_with_its_export_time() {
    let messages = [message(1_700_000_000, 1), message(1_700_000_060, 200), message(1_700_000_061, 0)];
    let (found, error) = read_all(&messages.concat());
    assert!(error.is_none());
    let times = [1_700_000_000, 1_700_000_060, 1_700_000_061].map(|seconds: i64| seconds * 1_000_000_000);
    let wanted: Vec<_> = times.into_iter().zip(messages).collect();
    assert_eq!(found, wanted);
}

#[test]
fn a_file_that_ends_inside_a_message_gives_it_as_far_as_it_goes_and_says_so() {
    let (first, second) = (message(1, 2), message(2, 3));
    let file = [first.clone(), second].concat();
    for end in first.len()..file.len() {
        let (found, error) = read_all(&file[..end]);
        let rest = &file[first.len()..end];
        let partly = rest.len() >= 16;
        assert_eq!(found.len(), 1 + usize::from(partly), "{end}");
        assert_eq!(found.last().unwrap().1, if partly { rest } else { &first });
        let expected =
            (!rest.is_empty()).then(|| format!("ends inside the message that begins at byte {}", first.len()));
        assert_eq!(error.is_some(), expected.is_some(), "{end}");
        if let (Some(error), Some(expected)) = (error, expected) {
            assert!(error.to_string().ends_with(&expected), "{error}");
        }
    }
}

#[test]
fn what_is_no_message_ends_the_file_with_its_place() {
    let first = message(1, 2);
    for (rest, problem) in [
        (&[0, 9, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], "version 9 is not known"),
        (&[0, 10, 0, 15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "length 15 is under its minimum of 16"),
    ] {
        let (found, error) = read_all(&[&first, rest].concat());
        let error = error.unwrap().to_string();
        assert_eq!(found.len(), 1);
        assert!(error.contains(problem) && error.contains(&format!("at byte {}", first.len())), "{error}");
    }
}

#[test]
fn files_that_begin_otherwise_are_refused_as_before() {
    for first in [&[0, 10, 0, 15][..], &[0, 9, 0, 40], b"GIF8"] {
        let (found, error) = read_all(&[first, &[0; 40]].concat());
        assert!(found.is_empty() && matches!(error, Some(CaptureError::NotACapture(_))), "{error:?}");
    }
}
