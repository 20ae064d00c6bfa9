//! What people type for an endpoint, and what they are told when it is none.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use finderscope_transport::endpoint::{Endpoint, File, Host, Scheme};
use proptest::prelude::*;

/// Reads `text`, which prints as `printed`.
fn check(text: &str, printed: &str) -> Endpoint {
    let endpoint: Endpoint = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(endpoint.to_string(), printed);
    assert_eq!(printed.parse::<Endpoint>().unwrap(), endpoint, "{printed} is not what {text} is");
    endpoint
}

fn refuse(text: &str, message: &str) {
    match text.parse::<Endpoint>() {
        Ok(endpoint) => panic!("{text} was read as {endpoint:?}"),
        Err(error) => assert!(error.to_string().contains(message), "{text}: {error}"),
    }
}

#[test]
fn a_port_or_an_address_alone_is_udp() {
    check(":6343", "udp://:6343");
    check("10.0.0.1:2055", "udp://10.0.0.1:2055");
    check("[::1]:2055", "udp://[::1]:2055");
    check("collector.example.net:2055", "udp://collector.example.net:2055");
}

#[test]
fn every_network_scheme_prints_as_it_was_typed() {
    for scheme in Scheme::ALL.into_iter().filter(|scheme| !scheme.is_file() && *scheme != Scheme::Kafka) {
        for place in ["host", "host:1", "10.0.0.1:65535", "[2001:db8::1]", "[2001:db8::1]:4739"] {
            let url = format!("{scheme}://{place}");
            assert_eq!(check(&url, &url).scheme(), scheme);
        }
    }
    check("udp://", "udp://");
    check("TLS://Host:4740/", "tls://Host:4740");
    check("ssh://pp@analyzer:22?command=/opt/finderscope", "ssh://pp@analyzer:22?command=/opt/finderscope");
    check("kafka://a:9092,[::1]:9093,c/flows.raw-1?group=g", "kafka://a:9092,[::1]:9093,c/flows.raw-1?group=g");
}

#[test]
fn files_are_named_byte_for_byte() {
    assert_eq!(check("hex:-", "hex:-"), Endpoint::Hex(File::Standard));
    for name in ["out.pcap", "/var/lib/a b?c=d%20:e.pcapng", "./-", "C:x"] {
        let url = format!("pcap:{name}");
        assert_eq!(check(&url, &url), Endpoint::Pcap(File::Path(name.into())));
    }
}

#[test]
fn options_are_decoded_and_printed_so_that_they_can_be_read_again() {
    let endpoint = check(
        "tls://c:4740?ca=/etc/my%20ca.pem&name=100%25%26more&insecure=true",
        "tls://c:4740?ca=/etc/my%20ca.pem&name=100%25%26more&insecure=true",
    );
    let options = endpoint.options().unwrap();
    assert_eq!(options.value("ca"), Some("/etc/my ca.pem"));
    assert_eq!(options.value("name"), Some("100%&more"));
    assert_eq!(options.value("cert"), None);
    assert_eq!(options.iter().count(), 3);
}

#[test]
fn what_is_missing_is_left_to_the_caller() {
    let Endpoint::Network(Scheme::Udp, place, _) = "udp://127.0.0.1".parse().unwrap() else { panic!("not udp") };
    assert_eq!(place.address(6343).unwrap(), "127.0.0.1:6343".parse().unwrap());
    assert_eq!(place.resolve(6343).unwrap(), ["127.0.0.1:6343".parse().unwrap()]);
    let Endpoint::Network(_, place, _) = ":2055".parse().unwrap() else { panic!("not a network") };
    assert_eq!((place.host.clone(), place.port, place.address(1)), (None, Some(2055), None));
    let Endpoint::Network(_, place, _) = "tcp://localhost".parse().unwrap() else { panic!("not a network") };
    assert_eq!(place.host, Some(Host::Name("localhost".to_owned())));
}

#[test]
fn errors_say_what_to_type_instead() {
    refuse("", "hint: :6343");
    refuse("6343", "hint: :PORT");
    refuse("http://x:1", "http:// is not known; hint: one of udp, tcp,");
    refuse("udp:6343", "hint: udp://");
    refuse("tls:c:4740", "hint: tls://");
    refuse("::1:6343", "IPv6 addresses stand in brackets");
    refuse("udp://[::1:6343", "not closed");
    refuse("udp://[10.0.0.1]:1", "\"10.0.0.1\" is not an IPv6 address");
    refuse("udp://[::1]6343", "is not a host name");
    refuse(":65536", "\"65536\" is not a port");
    refuse(":+1", "\"+1\" is not a port");
    refuse("host:", "\"\" is not a port");
    refuse("10.0.0.256:1", "\"10.0.0.256\" is not a host name or address");
    refuse("a b:1", "is not a host name");
    refuse("pcap:", "hint: pcap:FILE");
    refuse("hex://x", "hint: hex:FILE");
    refuse("udp://:1/x", "udp:// takes no path, and here is \"/x\"");
    refuse("tcp://me@c:1", "tcp:// takes no user");
    refuse("ssh://", "ssh:// wants a host");
    refuse("ssh://-oProxyCommand=x@h", "is not a user's name");
    refuse("ssh://-oProxyCommand", "is not a host name");
    refuse("ssh://me:secret@h", "is not a user's name");
    refuse("kafka://b:9092", "wants one topic");
    refuse("kafka://b:9092/a/b", "wants one topic");
    refuse("kafka:///topic", "kafka:// wants a host");
}

#[test]
fn an_option_that_is_not_known_is_named_with_those_that_are() {
    refuse("tls://c?caa=x", "tls:// has no option \"caa\"; it knows ca, cert, key, name, insecure");
    refuse("tcp://c?ca=x", "tcp:// has no option \"ca\"; it takes none");
    refuse(":1?mtu=9", "udp:// has no option \"mtu\"; it knows receive_buffer");
    refuse("tls://c?insecure", "option \"insecure\" has no value");
    refuse("tls://c?ca=a&ca=b", "option ca stands twice");
    refuse("tls://c?ca=%zz", "option ca: \"%zz\" has a broken %-escape");
    refuse("tls://c?ca=%f", "broken %-escape");
    refuse("tls://c?ca=%ff", "broken %-escape");
}

proptest! {
    #[test]
    fn no_text_panics_and_what_is_read_prints_and_reads_again(text in "((udp|tls|ssh|pcap|kafka|relay\\+tcp):(//)?)?[a-z0-9:/?@\\[\\].,=&%#é -]{0,40}") {
        if let Ok(endpoint) = text.parse::<Endpoint>() {
            prop_assert_eq!(endpoint.to_string().parse::<Endpoint>(), Ok(endpoint));
        }
    }

    #[test]
    fn any_value_of_an_option_comes_back(value in "\\PC{0,20}|[\\x00-\\x7f]{0,20}") {
        let escaped: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let endpoint: Endpoint = format!("tls://c?ca={escaped}").parse().unwrap();
        prop_assert_eq!(endpoint.options().unwrap().value("ca"), Some(value.as_str()));
        prop_assert_eq!(endpoint.to_string().parse::<Endpoint>(), Ok(endpoint));
    }
}
