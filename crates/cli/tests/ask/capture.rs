//! Questions straight from a capture.

use crate::finderscope;

fn generate(dir: &std::path::Path, kind: &str) -> String {
    let file = dir.join(format!("{kind}.pcap")).to_str().unwrap().to_owned();
    let done = finderscope(&["generate", kind, "--flows", "1000", "--seed", "7", "-o", &file]);
    assert_eq!(done.status, 0, "{done:?}");
    file
}

#[test]
fn every_flow_of_a_capture_is_listed_in_the_order_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    for kind in ["v5", "v9", "ipfix", "sflow"] {
        let file = generate(dir.path(), kind);
        let done = finderscope(&["flows", "-r", &file, "--format", "json"]);
        assert_eq!((done.status, done.err.as_str()), (0, ""), "{kind}");
        let times: Vec<String> = done
            .out
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["time_received_ns"].to_string())
            .collect();
        assert_eq!(times.len(), 1000, "{kind}");
        assert!(times.is_sorted(), "{kind}");
    }
}

#[test]
fn a_capture_that_is_cut_off_gives_what_it_has_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let file = generate(dir.path(), "v5");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let done = finderscope(&["query", "select count(*) as n from flows", "-r", &file, "--format", "csv"]);
    assert_eq!(done.status, 3, "{done:?}");
    assert!(done.err.contains("cut off") && done.err.contains(&file), "{}", done.err);
    let found: u64 = done.out.lines().nth(1).unwrap().parse().unwrap();
    assert!((300..700).contains(&found), "{found}");
}

#[test]
fn what_is_no_capture_fails() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("text").to_str().unwrap().to_owned();
    std::fs::write(&file, "hello, this is text").unwrap();
    for file in [file.as_str(), "/nowhere/to/be/found.pcap"] {
        let done = finderscope(&["flows", "-r", file]);
        assert_eq!((done.status, done.err.lines().count()), (1, 1), "{done:?}");
    }
}
