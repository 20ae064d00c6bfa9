//! From an endpoint's text to its value.

use super::{Endpoint, File, HostPort, Options, Scheme};

/// What is wrong with an endpoint's text.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EndpointError {
    /// Nothing at all.
    #[error("an endpoint is missing; hint: :6343 or udp://10.0.0.1:2055")]
    Empty,
    /// A word before `://` that is none of ours.
    #[error("{}:// is not known; hint: one of {}", .0, names())]
    Scheme(String),
    /// A network scheme without its slashes.
    #[error("{0}: wants two slashes; hint: {0}://…")]
    Slashes(Scheme),
    /// A file scheme with slashes before a relative name.
    #[error("{0}: wants a file's name right after the colon; hint: {0}:FILE")]
    FileName(Scheme),
    /// A bare word: neither a port nor a URL.
    #[error("{0:?} is not an endpoint; hint: :PORT, ADDR:PORT or a URL such as udp://10.0.0.1:2055")]
    Bare(String),
    /// A port that is none.
    #[error("{0:?} is not a port (0 to 65535)")]
    Port(String),
    /// A host that is none.
    #[error("{0:?} is not a host name or address")]
    Host(String),
    /// What is in brackets is no IPv6 address.
    #[error("{0:?} is not an IPv6 address")]
    Ipv6(String),
    /// Several colons outside brackets.
    #[error("{0:?} has too many colons; hint: IPv6 addresses stand in brackets, as in [::1]:6343")]
    Unbracketed(String),
    /// An opening bracket alone.
    #[error("the bracket around the IPv6 address is not closed")]
    Bracket,
    /// A peer must be named.
    #[error("{0}:// wants a host")]
    NoHost(Scheme),
    /// A path where there is none.
    #[error("{scheme}:// takes no path, and here is {path:?}")]
    Path {
        /// The scheme.
        scheme: Scheme,
        /// What follows the host.
        path: String,
    },
    /// A user where there is none.
    #[error("{0}:// takes no user")]
    User(Scheme),
    /// A user that ssh could take for an option or worse.
    #[error("{0:?} is not a user's name")]
    UserName(String),
    /// A query parameter that the scheme does not have.
    #[error("{scheme}:// has no option {key:?}{}", known(*scheme))]
    Option {
        /// The scheme.
        scheme: Scheme,
        /// The parameter.
        key: String,
    },
    /// A query parameter without a value.
    #[error("option {0:?} has no value; hint: {0}=…")]
    OptionValue(String),
    /// The same parameter again.
    #[error("option {0} stands twice")]
    OptionTwice(&'static str),
    /// A percent sign without two hex digits, or bytes that are no text.
    #[error("option {key}: {value:?} has a broken %-escape")]
    Escape {
        /// The parameter.
        key: &'static str,
        /// Its value as written.
        value: String,
    },
    /// A Kafka endpoint without its topic, or with a name that no topic can have.
    #[error("kafka:// wants one topic after the brokers; hint: kafka://broker:9092/topic")]
    Topic,
}

fn names() -> String {
    Scheme::ALL.map(Scheme::name).join(", ")
}

fn known(scheme: Scheme) -> String {
    let names: Vec<&str> = scheme.options().iter().map(|option| option.name).collect();
    if names.is_empty() { "; it takes none".to_owned() } else { format!("; it knows {}", names.join(", ")) }
}

pub(super) fn endpoint(text: &str) -> Result<Endpoint, EndpointError> {
    if text.is_empty() {
        return Err(EndpointError::Empty);
    }
    let named = |name: &str| Scheme::ALL.into_iter().find(|scheme| scheme.name().eq_ignore_ascii_case(name));
    match text.split_once(':') {
        None => Err(EndpointError::Bare(text.to_owned())),
        Some((name, rest)) => match (named(name), rest.strip_prefix("//")) {
            (Some(scheme), _) if scheme.is_file() => file(scheme, rest),
            (Some(scheme), Some(rest)) => url(scheme, rest),
            (Some(scheme), None) => Err(EndpointError::Slashes(scheme)),
            (None, Some(_)) => Err(EndpointError::Scheme(name.to_owned())),
            (None, None) => url(Scheme::Udp, text),
        },
    }
}

/// The rest of the text is the name, byte for byte: a file may be called anything.
fn file(scheme: Scheme, name: &str) -> Result<Endpoint, EndpointError> {
    if name.is_empty() || name.starts_with("//") {
        return Err(EndpointError::FileName(scheme));
    }
    let file = if name == "-" { File::Standard } else { File::Path(name.into()) };
    Ok(if scheme == Scheme::Hex { Endpoint::Hex(file) } else { Endpoint::Pcap(file) })
}

fn url(scheme: Scheme, text: &str) -> Result<Endpoint, EndpointError> {
    let (place, query) = text.split_once('?').unwrap_or((text, ""));
    let options = Options::parse(scheme, query)?;
    match scheme {
        Scheme::Kafka => kafka(place, options),
        Scheme::Ssh => ssh(place, options),
        _ => {
            let host = without_path(scheme, place)?;
            if host.contains('@') {
                return Err(EndpointError::User(scheme));
            }
            Ok(Endpoint::Network(scheme, HostPort::parse(host)?, options))
        }
    }
}

fn ssh(place: &str, options: Options) -> Result<Endpoint, EndpointError> {
    let place = without_path(Scheme::Ssh, place)?;
    let (user, host) = match place.rsplit_once('@') {
        Some((user, host)) => (Some(user_name(user)?), host),
        None => (None, place),
    };
    let host = HostPort::parse(host)?;
    if host.host.is_none() {
        return Err(EndpointError::NoHost(Scheme::Ssh));
    }
    Ok(Endpoint::Ssh { user, host, options })
}

/// The name becomes an argument of ssh, so it must not look like an option, nor carry a password.
fn user_name(text: &str) -> Result<String, EndpointError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+' | '$' | '\\');
    if text.is_empty() || text.starts_with('-') || !text.chars().all(allowed) {
        return Err(EndpointError::UserName(text.to_owned()));
    }
    Ok(text.to_owned())
}

fn kafka(place: &str, options: Options) -> Result<Endpoint, EndpointError> {
    let (brokers, topic) = place.split_once('/').ok_or(EndpointError::Topic)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if topic.is_empty() || topic.len() > 249 || !topic.chars().all(allowed) {
        return Err(EndpointError::Topic);
    }
    let brokers = brokers.split(',').map(HostPort::parse).collect::<Result<Vec<_>, _>>()?;
    if brokers.iter().any(|broker| broker.host.is_none()) {
        return Err(EndpointError::NoHost(Scheme::Kafka));
    }
    Ok(Endpoint::Kafka { brokers, topic: topic.to_owned(), options })
}

/// A slash after the host says nothing, and is often typed.
fn without_path(scheme: Scheme, place: &str) -> Result<&str, EndpointError> {
    match place.split_once('/') {
        None => Ok(place),
        Some((host, "")) => Ok(host),
        Some((_, path)) => Err(EndpointError::Path { scheme, path: format!("/{path}") }),
    }
}
