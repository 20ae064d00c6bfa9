//! Who may ask: the rules for strangers.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::config;

/// What a request is held against.
#[derive(Clone, Debug)]
pub struct Guard {
    hosts: Vec<String>,
    tokens: Vec<String>,
    token_needed: bool,
}

impl Guard {
    /// The rules for a server that listens on `address`.
    pub fn new(config: &config::Http, address: SocketAddr) -> Self {
        let mut hosts = config.hosts.clone();
        hosts.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
        if !address.ip().is_unspecified() {
            hosts.push(address.ip().to_string());
        }
        Self { hosts, tokens: config.tokens.clone(), token_needed: !address.ip().is_loopback() && !config.open }
    }

    fn refusal(&self, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        if self.token_needed {
            return match text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ")) {
                Some(token) if self.tokens.iter().any(|known| same(known, token)) => None,
                _ => Some((StatusCode::UNAUTHORIZED, "a token is needed: Authorization: Bearer TOKEN\n")),
            };
        }
        let host = text(header::HOST).map(host_name);
        // An address was not looked up, so it cannot have been bound to us behind the browser's back.
        if host.is_some_and(|host| host.parse::<IpAddr>().is_err() && !self.knows(host)) {
            return Some((StatusCode::FORBIDDEN, "this Host is not this server's; hint: http.hosts\n"));
        }
        let origin = text(header::ORIGIN).map(|origin| origin.split_once("://").map_or(origin, |(_, host)| host));
        if origin.map(host_name).is_some_and(|origin| Some(origin) != host && !self.knows(origin)) {
            return Some((StatusCode::FORBIDDEN, "requests from other origins are refused; hint: http.hosts\n"));
        }
        None
    }

    fn knows(&self, name: &str) -> bool {
        self.hosts.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

/// Compares without telling by its duration how much was right.
fn same(known: &str, given: &str) -> bool {
    let differences = known.bytes().zip(given.bytes()).fold(0, |differences, (a, b)| differences | (a ^ b));
    known.len() == given.len() && differences == 0
}

/// `name`, `name:port`, `[v6]` or `[v6]:port` without the port and the brackets.
fn host_name(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    match authority.parse::<IpAddr>() {
        Ok(_) => authority,
        Err(_) => authority.split(':').next().unwrap_or(authority),
    }
}

/// Lets a request through, or says why not.
pub(super) async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    match guard.refusal(request.headers()) {
        Some(refusal) => refusal.into_response(),
        None => next.run(request).await,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    fn refused(config: &config::Http, address: &str, headers: &[(&'static str, &str)]) -> Option<StatusCode> {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Guard::new(config, address.parse().unwrap()).refusal(&headers).map(|(status, _)| status)
    }

    #[test]
    fn a_page_of_another_site_gets_nothing() {
        let config = config::Http::default();
        let ask = |headers: &[_]| refused(&config, "127.0.0.1:8008", headers);
        assert_eq!(ask(&[("host", "127.0.0.1:8008")]), None);
        assert_eq!(ask(&[("host", "localhost:8008"), ("origin", "http://localhost:8008")]), None);
        assert_eq!(ask(&[("host", "[::1]:8008")]), None);
        assert_eq!(ask(&[("host", "evil.example:8008")]), Some(StatusCode::FORBIDDEN));
        assert_eq!(ask(&[("host", "localhost:8008"), ("origin", "http://1.2.3.4")]), Some(StatusCode::FORBIDDEN));
    }

    #[test]
    fn off_loopback_a_token_is_needed() {
        let config = config::Http { tokens: vec!["s3cret".into()], ..config::Http::default() };
        let ask = |headers: &[_]| refused(&config, "0.0.0.0:8008", headers);
        assert_eq!(ask(&[("host", "flows.example")]), Some(StatusCode::UNAUTHORIZED));
        assert_eq!(ask(&[("authorization", "Bearer s3cre")]), Some(StatusCode::UNAUTHORIZED));
        assert_eq!(ask(&[("authorization", "Bearer s3cret")]), None);
    }

    #[test]
    fn an_open_server_still_refuses_foreign_hosts() {
        let config = config::Http { open: true, hosts: vec!["flows.example".into()], ..config::Http::default() };
        let ask = |host| refused(&config, "0.0.0.0:8008", &[("host", host)]);
        assert_eq!(ask("flows.example"), None);
        assert_eq!(ask("10.1.2.3:8008"), None);
        assert_eq!(ask("evil.example"), Some(StatusCode::FORBIDDEN));
    }
}
