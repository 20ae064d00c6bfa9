//! The filter language: which rows of a fixed batch a filter lets pass, and how it says what is wrong.

use finderscope_query::{Filter, FlowsQuestion};

use crate::common::{Row, memory, read};

/// Each row is known by its bytes.
fn rows() -> Vec<Row> {
    let mac = Some(0x0011_2233_4455);
    vec![
        Row {
            bytes: 1,
            src: Some("10.1.2.3"),
            dst: Some("192.0.2.1"),
            sport: Some(40000),
            dport: Some(443),
            flags: Some(0x02),
            ..Row::default()
        },
        Row {
            bytes: 2,
            src: Some("192.0.2.1"),
            dst: Some("10.1.2.3"),
            sport: Some(443),
            dport: Some(40000),
            flags: Some(0x12),
            ..Row::default()
        },
        Row {
            bytes: 3,
            src: Some("10.200.0.1"),
            dst: Some("198.51.100.7"),
            sport: Some(5353),
            dport: Some(53),
            proto: 17,
            app: Some("dns"),
            ..Row::default()
        },
        Row {
            bytes: 4,
            src: Some("2001:db8::1"),
            dst: Some("2001:db8::2"),
            sport: Some(1024),
            dport: Some(22),
            flags: Some(0x1b),
            exporter: "192.0.2.2",
            ..Row::default()
        },
        Row {
            bytes: 5,
            src: Some("172.16.0.1"),
            dst: Some("172.16.0.2"),
            sport: None,
            dport: None,
            proto: 1,
            icmp_type: Some(8),
            ..Row::default()
        },
        Row {
            bytes: 6,
            src: Some("172.16.0.2"),
            dst: Some("172.16.0.1"),
            sport: Some(0),
            dport: Some(771),
            proto: 1,
            ..Row::default()
        },
        Row {
            bytes: 7000,
            packets: 7,
            rate: Some(1000),
            src: Some("203.0.113.5"),
            dst: Some("203.0.113.6"),
            src_as: Some(64500),
            dst_as: Some(64501),
            ..Row::default()
        },
        Row {
            bytes: 8,
            src: Some("203.0.113.6"),
            dst: Some("203.0.113.7"),
            tos: 184,
            in_if: 3,
            out_if: 4,
            vlan: Some(100),
            src_mac: mac,
            ..Row::default()
        },
        Row {
            bytes: 9,
            src: None,
            dst: None,
            sport: None,
            dport: None,
            proto: 47,
            next_hop: Some("10.9.9.9"),
            direction: Some(1),
            duration_ms: 0,
            rate: None,
            ..Row::default()
        },
    ]
}

/// Everything, for cases that name what is left out.
const ALL: &[u64] = &[1, 2, 3, 4, 5, 6, 7000, 8, 9];

fn all_but(without: &[u64]) -> Vec<u64> {
    ALL.iter().copied().filter(|row| !without.contains(row)).collect()
}

async fn passing(filter: &str) -> Vec<u64> {
    let filter = Filter::parse(filter).unwrap_or_else(|error| panic!("{error}"));
    let question =
        FlowsQuestion { filter: Some(filter), columns: vec!["bytes".to_owned()], ..FlowsQuestion::default() };
    let (lines, _) = read(memory(&rows()).flows(&question).await.unwrap()).await.unwrap();
    let mut bytes: Vec<u64> = lines.iter().map(|line| line.parse().unwrap()).collect();
    bytes.sort_by_key(|bytes| ALL.iter().position(|row| row == bytes));
    bytes
}

/// Filter, and the rows that pass.
const CASES: &[(&str, &[u64])] = &[
    ("", ALL),
    ("any", ALL),
    // addresses
    ("src ip 10.1.2.3", &[1]),
    ("dst ip 10.1.2.3", &[2]),
    ("ip 10.1.2.3", &[1, 2]),
    ("host 10.1.2.3", &[1, 2]),
    ("src host 10.1.2.3", &[1]),
    ("srcip 10.1.2.3", &[1]),
    ("dstip = 10.1.2.3", &[2]),
    ("10.1.2.3", &[1, 2]),
    ("src 10.1.2.3", &[1]),
    ("SRC IP 10.1.2.3", &[1]),
    ("ip 2001:db8::1", &[4]),
    ("src ip != 10.1.2.3", &[2, 3, 4, 5, 6, 7000, 8, 9]),
    ("ip in [10.1.2.3 2001:db8::2]", &[1, 2, 4]),
    ("ip in [10.1.2.3, 172.16.0.0/16]", &[1, 2, 5, 6]),
    ("src ip in [10.1.2.3]", &[1]),
    ("src or dst ip 10.1.2.3", &[1, 2]),
    ("src and dst net 172.16.0.0/12", &[5, 6]),
    // prefixes
    ("net 10.0.0.0/8", &[1, 2, 3]),
    ("src net 10.0.0.0/8", &[1, 3]),
    ("src net 10.0.0.0 255.0.0.0", &[1, 3]),
    ("dst net 10.0.0.0/8", &[2]),
    ("10.0.0.0/8", &[1, 2, 3]),
    ("src ip 10.0.0.0/16", &[]),
    ("net 2001:db8::/32", &[4]),
    ("net ::/0", &[4]),
    ("net 0.0.0.0/0", &[1, 2, 3, 5, 6, 7000, 8]),
    ("src_addr = 10.0.0.0/8", &[1, 3]),
    ("src_addr in [10.1.2.3 10.200.0.1]", &[1, 3]),
    ("next ip 10.9.9.9", &[9]),
    ("nextip 10.9.9.9", &[9]),
    ("next_hop = 10.9.9.0/24", &[9]),
    ("exporter 192.0.2.2", &[4]),
    ("router ip 192.0.2.2", &[4]),
    ("exporter ip 192.0.2.2", &[4]),
    // families and protocols
    ("inet", &[1, 2, 3, 5, 6, 7000, 8]),
    ("ipv4", &[1, 2, 3, 5, 6, 7000, 8]),
    ("inet6", &[4]),
    ("ipv6", &[4]),
    ("tcp", &[1, 2, 4, 7000, 8]),
    ("udp", &[3]),
    ("icmp", &[5, 6]),
    ("gre", &[9]),
    ("proto tcp", &[1, 2, 4, 7000, 8]),
    ("proto 17", &[3]),
    ("proto udp or proto gre", &[3, 9]),
    ("proto in [udp 47]", &[3, 9]),
    ("proto != tcp", &[3, 5, 6, 9]),
    ("proto > 6", &[3, 9]),
    ("proto icmp6", &[]),
    // ports
    ("port 443", &[1, 2]),
    ("src port 443", &[2]),
    ("dst port 443", &[1]),
    ("dstport 443", &[1]),
    ("dst port eq 443", &[1]),
    ("src port > 1024", &[1, 3]),
    ("src port >= 1024", &[1, 3, 4]),
    ("src port < 1024 and tcp", &[2, 7000, 8]),
    ("src port gt 1024", &[1, 3]),
    ("port in [ 53 443 ]", &[1, 2, 3]),
    ("port in [53,443]", &[1, 2, 3]),
    ("dst port in [22]", &[4]),
    ("dst_port = 53", &[3]),
    // systems, interfaces, VLANs, MACs
    ("as 64500", &[7000]),
    ("src as 64500", &[7000]),
    ("dst as 64500", &[]),
    ("as in [64501 1]", &[7000]),
    ("srcas = 64500", &[7000]),
    ("if 3", &[8]),
    ("in if 3", &[8]),
    ("out if 3", &[]),
    ("out if 4", &[8]),
    ("inif 3", &[8]),
    ("in_if > 2", &[8]),
    ("vlan 100", &[8]),
    ("src vlan 100", &[]),
    ("vlan_id = 100", &[8]),
    ("mac 00:11:22:33:44:55", &[8]),
    ("src mac 00:11:22:33:44:55", &[8]),
    ("in src mac 00:11:22:33:44:55", &[8]),
    ("dst mac 0011.2233.4455", &[]),
    ("src_mac = 00-11-22-33-44-55", &[8]),
    // volumes, which count the sampling rate in
    ("bytes > 1M", &[7000]),
    ("bytes > 7M", &[]),
    ("bytes >= 7M", &[7000]),
    ("bytes 7M", &[7000]),
    ("bytes > 6.9M", &[7000]),
    ("bytes < 3", &[1, 2]),
    ("packets > 6k", &[7000]),
    ("packets = 1 and bytes < 4", &[1, 2, 3]),
    ("bpp > 999", &[7000]),
    ("bps > 55M", &[7000]),
    ("bps = 8", &[1]),
    ("pps > 6999", &[7000]),
    ("pps = 0", &[9]),
    ("duration = 1000", &[1, 2, 3, 4, 5, 6, 7000, 8]),
    ("duration < 1k", &[9]),
    // flags, ToS, ICMP, direction
    ("flags S", &[1, 2, 4]),
    ("flags SA", &[2, 4]),
    ("flags S and not flags A", &[1]),
    ("flags S and not flags AF", &[1]),
    ("flags S and not (flags AF)", &[1]),
    ("flags = S", &[1]),
    ("flags = SA", &[2]),
    ("flags X", &[]),
    ("flags 0x12", &[2, 4]),
    ("tos 184", &[8]),
    ("tos = 0xb8", &[8]),
    ("icmp-type 8", &[5]),
    ("icmp-type 3", &[6]),
    ("icmp-code 3", &[6]),
    ("icmp_type = 8", &[5]),
    ("dir egress", &[9]),
    ("dir 1", &[9]),
    // any column
    ("sampling_rate > 1", &[7000]),
    ("app = \"dns\"", &[3]),
    ("app = 'dns'", &[3]),
    ("app dns", &[3]),
    ("type ipfix", ALL),
    ("type = SFLOW_5", &[]),
    ("time_received_ns >= 2027-01-01T00:00:00Z", &[]),
    ("time_received_ns < 2027-01-01T00:00:00Z", ALL),
    ("time_received_ns < \"2027-01-01 00:00:00Z\"", ALL),
    // joined
    ("src net 10.0.0.0/8 and dst port 443", &[1]),
    ("src net 10.0.0.0/8 && dst port 443", &[1]),
    ("udp or icmp and icmp-type 8", &[3, 5]),
    ("(udp or icmp) and not icmp-type 8", &[3, 6]),
    ("udp || gre", &[3, 9]),
    ("not tcp", &[3, 5, 6, 9]),
    ("! tcp", &[3, 5, 6, 9]),
    ("!tcp", &[3, 5, 6, 9]),
    ("not not tcp", &[1, 2, 4, 7000, 8]),
    ("not (tcp or udp)", &[5, 6, 9]),
    ("((tcp))", &[1, 2, 4, 7000, 8]),
    ("tcp\nand\tport 22", &[4]),
    ("not any", &[]),
];

#[tokio::test]
async fn filters_let_pass_what_they_say() {
    for (filter, expected) in CASES {
        assert_eq!(passing(filter).await, *expected, "{filter}");
    }
}

#[tokio::test]
async fn what_a_row_lacks_does_not_meet_a_condition_but_its_opposite() {
    for filter in ["not port 443", "port != 443", "not (port 443)", "port ne 443"] {
        assert_eq!(passing(filter).await, all_but(&[1, 2]), "{filter}");
    }
    assert_eq!(passing("not src ip 10.1.2.3").await, all_but(&[1]));
    assert_eq!(passing("not flags S").await, all_but(&[1, 2, 4]));
    assert_eq!(passing("app != dns").await, all_but(&[3]));
    assert_eq!(passing("src as != 64500").await, all_but(&[7000]));
    assert_eq!(passing("not icmp-type 8").await, all_but(&[5]));
}

#[tokio::test]
async fn a_list_of_thousands_is_still_one_filter() {
    let hosts = (0..5000_u32).map(|host| format!("10.{}.{}.3", host / 250, host % 250)).collect::<Vec<_>>();
    assert_eq!(passing(&format!("ip in [{}]", hosts.join(" "))).await, [1, 2]);
    assert_eq!(passing(&hosts.iter().map(|host| format!("ip {host}")).collect::<Vec<_>>().join(" or ")).await, [1, 2]);
}

fn check_error(filter: &str, at: usize, expected: &str) {
    let error = Filter::parse(filter).expect_err(filter);
    assert_eq!((error.at(), error.expected()), (at, expected), "{filter}");
}

#[test]
fn errors_say_where_and_what_was_expected() {
    check_error("src port x", 9, "a number up to 65535");
    check_error("port 70000", 5, "a number up to 65535");
    check_error("src ip 10.0.0.300", 7, "an IP address or a prefix such as 10.0.0.0/8");
    check_error("src ip > 10.0.0.1", 7, "`=` or `!=`: addresses have no order");
    check_error("tcp and", 7, "a condition");
    check_error("tcp udp", 4, "`and`, `or` or the end");
    check_error("(tcp", 4, "`and`, `or` or `)`");
    check_error("tcp )", 4, "`and`, `or` or the end");
    check_error("port in [53", 11, "`]`");
    check_error("port in 53", 8, "`[`");
    check_error("flags Q", 6, "TCP flags as letters out of AFPRSUX");
    check_error("proto nonsense", 6, "a protocol's name or number");
    check_error("mac 00:11", 4, "a MAC address such as 00:11:22:33:44:55");
    check_error("bytes > 1.5", 8, "a number, with k, M or G where you like");
    check_error("bytes > 99999999999999G", 8, "a number, with k, M or G where you like");
    check_error("net 10.0.0.0 255.0.255.0", 13, "a mask of the same family, whose ones come first");
    check_error("app = \"dns", 6, "the closing quote");
    check_error("tcp # udp", 4, "a word, a number, an address or a parenthesis");
    check_error("srcprot 53", 0, "a condition or a column; near are src_port, src_net, src");
    check_error("extra = 1", 6, "a column of single values");
}

#[test]
fn an_error_points_at_its_place() {
    let error = Filter::parse("tcp and\nsrc port ünix").unwrap_err();
    assert_eq!(
        error.to_string(),
        "filter: expected a word, a number, an address or a parenthesis\n  src port ünix\n           ^"
    );
}

#[test]
fn every_beginning_of_a_filter_is_read_or_refused() {
    let filter = "not (src net 10.0.0.0 255.0.0.0 or port in [53 443]) and flags S && bytes > 1.5M and app = \"ü\"";
    for (end, _) in filter.char_indices() {
        let read = Filter::parse(&filter[..end]);
        if let Err(error) = read {
            assert!(error.at() <= end && error.to_string().lines().count() == 3, "{error}");
        }
    }
}

#[test]
fn deep_nesting_is_refused_and_not_recursed_into() {
    let deep = format!("{}tcp{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(Filter::parse(&deep).unwrap_err().expected().contains("64"));
    assert!(Filter::parse(&"not ".repeat(100_000)).is_err());
}
