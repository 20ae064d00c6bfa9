#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use super::*;

fn refusal(text: &str) -> String {
    Config::parse(text, Path::new("fs.toml")).unwrap_err().to_string()
}

#[test]
fn an_empty_file_is_the_default() {
    let config = Config::parse("", Path::new("fs.toml")).unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.listen.len(), 3);
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let refused = refusal("shards = 2\n\n[http]\nlisten = \"127.0.0.1:8008\"\nopne = true\n");
    assert!(refused.starts_with("fs.toml:5: unknown field `opne`"), "{refused}");
}

#[test]
fn a_wrong_value_is_named_with_its_line() {
    let refused = refusal("listen = [\n  \"udp://:2055\",\n  \"upd://:6343\",\n]\n");
    assert!(refused.starts_with("fs.toml:1: 'upd://:6343': upd:// is not known"), "{refused}");
    let refused = refusal("[senders]\nallow = [\"10.0.0.0/33\"]\n");
    assert!(refused.starts_with("fs.toml:2:") && refused.contains("10.0.0.0/33"), "{refused}");
}

#[test]
fn http_for_strangers_wants_credentials() {
    assert!(refusal("http.listen = \"0.0.0.0:8008\"").contains("http.tokens"));
    for sound in
        ["http = { listen = \"0.0.0.0:8008\", open = true }", "http = { listen = \"[::]:1\", tokens = [\"t\"] }"]
    {
        assert!(Config::parse(sound, Path::new("fs.toml")).is_ok(), "{sound}");
    }
}

#[test]
fn bounds_of_http_are_bounds() {
    assert_eq!(refusal("http.connections = 0"), "http.connections: 0 lets nobody in; hint: http.listen = \"off\"");
    assert_eq!(refusal("http.request_seconds = 0"), "http.request_seconds: 0 is not from 1 to 3600");
    assert_eq!(refusal("http.stall_seconds = 4000"), "http.stall_seconds: 4000 is not from 1 to 3600");
}

#[test]
fn everything_can_be_said() {
    let text = r#"
        data = "/srv/flows"
        listen = ["udp://10.0.0.1:2055", ":6343"]
        shards = 4
        http = { listen = "off", connections = 100, connections_per_address = 10, request_seconds = 5, idle_seconds = 30, stall_seconds = 20 }
        udp.receive_buffer = "64M"
        journal = { limit = "8G", segment = 32000000 }
        store = { cut_seconds = 2, keep = "30d", keep_totals = "2y", max_size = "500GB", merge_parts = 16 }
        senders = { require = true, allow = ["10.0.0.0/8", "2001:db8::1"] }
        templates = { scope = "port", timeout_seconds = 3600 }
        live = { subscribers = 4, queue = "8M" }
        forward = { allow = ["10.1.0.0/16"], to = [{ name = "backup", address = "10.1.0.9", agents = ["10.0.0.1"] }] }

        [limits]
        exporters = 100
        waiting_per_exporter = "1M"

        [[exporter]]
        address = "10.0.0.1"
        name = "core-1"
        sampling_rate = 1000
    "#;
    let config = Config::parse(text, Path::new("fs.toml")).unwrap();
    assert_eq!(config.udp.receive_buffer, Size(64_000_000));
    assert_eq!(config.exporters[0].sampling_rate, Some(1000));
    assert_eq!((config.live.subscribers, config.live.queue), (4, Size(8_000_000)));
    assert_eq!(config.forward.to[0].target().unwrap().to, "10.1.0.9:6343".parse().unwrap());
    assert!(config.forward.allow[0].contains("10.1.0.9".parse().unwrap()));
    assert_eq!(config.senders.allow[0], Network { address: "10.0.0.0".parse().unwrap(), prefix: 8 });
}

#[test]
fn ages_are_in_hours_days_weeks_and_years() {
    const HOUR_NS: i64 = 3_600_000_000_000;
    for (text, hours) in [("12h", 12), ("30d", 720), ("8w", 8 * 168), ("2y", 2 * 8_760)] {
        assert_eq!(text.parse(), Ok(Age { ns: hours * HOUR_NS }), "{text}");
        assert_eq!(Age { ns: hours * HOUR_NS }.to_string(), text);
    }
    for bad in ["", "30", "0d", "-1d", "1.5d", "3 months", "999999999y"] {
        assert!(bad.parse::<Age>().is_err(), "{bad}");
    }
}

#[test]
fn what_is_kept_has_to_make_sense() {
    assert!(refusal("store = { keep = \"30d\", keep_totals = \"20d\" }").contains("store.keep_totals"));
    assert!(refusal("store.keep = \"soon\"").starts_with("fs.toml:1: 'soon' is no age"));
    assert!(refusal("store.merge_parts = 1").contains("store.merge_parts"));
    assert!(refusal("store.max_size = 0").contains("store.max_size"));
}

#[test]
fn readers_and_targets_have_bounds_and_sound_addresses() {
    assert!(refusal("live.queue = \"64k\"").contains("live.queue: 64.0 kB is less than"));
    assert!(refusal("live.subscribers = 5000").contains("live.subscribers: 5000 is over 1000"));
    let to = |rest: &str| refusal(&format!("[[forward.to]]\nname = \"a\"\n{rest}\n"));
    assert_eq!(
        to("address = \"core\""),
        "forward.to (a): address: 'core' is no address, such as 10.1.2.3 or 2001:db8::1"
    );
    assert_eq!(to("address = \"10.0.0.1\"\nport = 0"), "forward.to (a): port: 0 is no port");
    let twice = "address = \"10.0.0.1\"\n[[forward.to]]\nname = \"a\"\naddress = \"10.0.0.2\"";
    assert_eq!(to(twice), "forward.to.name: 'a' is there twice");
    assert!(refusal("forward.allow = [\"10.0.0.0/40\"]").starts_with("fs.toml:1:"));
}

#[test]
fn sizes_are_decimal() {
    for (text, bytes) in [("0", 0), ("4096", 4096), ("1.5k", 1500), ("64M", 64_000_000), ("2GB", 2_000_000_000)] {
        assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
    }
    for bad in ["", "M", "-1", "1e999", "12 apples"] {
        assert!(bad.parse::<Size>().is_err(), "{bad}");
    }
}

#[test]
fn elements_are_mapped_to_columns_and_to_new_names() {
    use finderscope_flow::Column;
    use finderscope_intake::{MapProtocol, MapTarget, MapType};
    let text = "[[map]]\npen = 9\nelement = 12235\ncolumn = \"app\"\ntype = \"string\"\n\
                [[map]]\nelement = 148\ncolumn = \"connection\"\nprotocol = \"netflow9\"\n";
    let config = Config::parse(text, Path::new("fs.toml")).unwrap();
    let rules = config.intake().maps;
    assert_eq!((rules[0].enterprise, rules[0].element), (9, 12235));
    assert_eq!((&rules[0].target, rules[0].data_type), (&MapTarget::Column(Column::App), Some(MapType::String)));
    assert_eq!(rules[1].target, MapTarget::Extra("connection".to_owned()));
    assert_eq!((rules[1].enterprise, rules[1].protocol), (0, MapProtocol::NetflowV9));
    // The registry knows that flowId is a number.
    let declared = config.declared().unwrap();
    assert_eq!((declared.len(), declared[0].column.as_str(), declared[0].kind.as_str()), (1, "connection", "number"));
}

#[test]
fn mistakes_in_maps_are_named_with_line_and_key() {
    let map = |rest: &str| format!("[[map]]\nelement = 5\n{rest}\n");
    for (rest, expected) in [
        ("column = \"sampling_rate\"", "fs.toml:3: column: 'sampling_rate' is found in another way"),
        ("column = \"in_if_name\"", "fs.toml:3: column: 'in_if_name' is computed when it is asked for"),
        ("column = \"Two Words\"", "fs.toml:3: column: 'Two Words' is no column"),
        ("column = \"app\"\ntype = \"text\"", "fs.toml:4: type: 'text' is none of string, number"),
        ("column = \"app\"\nprotocol = \"sflow\"", "fs.toml:4: unknown variant `sflow`"),
        ("column = \"app\"\npenn = 9", "fs.toml:4: unknown field `penn`"),
        ("colum = \"app\"", "fs.toml:3: unknown field `colum`"),
    ] {
        let refused = refusal(&map(rest));
        assert!(refused.starts_with(expected), "{refused}");
    }
    let twice = "[[map]]\nelement = 5\ncolumn = \"x\"\ntype = \"number\"\n[[map]]\nelement = 6\ncolumn = \"x\"\ntype = \"hex\"\n";
    assert_eq!(refusal(twice), "map.type: x is declared as number and as text");
    assert!(refusal("map_file = \"not-there.yaml\"").starts_with("not-there.yaml: "));
}
