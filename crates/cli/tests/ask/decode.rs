//! `decode` as people read it.

use crate::finderscope;

#[test]
fn every_line_of_text_begins_with_what_the_record_is() {
    let dir = tempfile::tempdir().unwrap();
    let capture = dir.path().join("v9.pcap");
    let capture = capture.to_str().unwrap();
    assert_eq!(finderscope(&["generate", "v9", "--flows", "100", "--seed", "3", "-o", capture]).status, 0);
    let done = finderscope(&["decode", capture]);
    assert_eq!(done.status, 0, "{}", done.err);
    let words: Vec<&str> = done.out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(words.iter().all(|word| ["flow", "template", "options"].contains(word)), "{}", done.out);
    assert!(words.contains(&"flow") && words.contains(&"template"));
}
