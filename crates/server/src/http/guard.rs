//! Who may ask, and what: the rules for strangers.
//!
//! On loopback everybody may ask how things are; packets and changes are for those who have the token. On another
//! address nothing is answered without it.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::config;

/// What a request is held against.
#[derive(Clone, Debug)]
pub struct Guard {
    hosts: Vec<String>,
    tokens: Vec<String>,
    open: bool,
    on_loopback: bool,
    token_file: Option<PathBuf>,
}

/// Why a request is not answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Refusal {
    /// It needs a token, and has none or a wrong one; what to do.
    Token(String),
    /// It may come from another site's page; why.
    Foreign(&'static str),
}

/// Who asks: in the request's extensions, for those paths that not everybody may use.
#[derive(Clone, Debug)]
pub(super) enum Access {
    /// Somebody with a token, or everybody where the server is open.
    Trusted,
    /// Somebody on this machine; what to say where that is not enough.
    Guest(Arc<str>),
}

/// Somebody who may read packets and change the server. As an argument of a handler it refuses all others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trusted;

impl Guard {
    /// The rules for a server that listens on `address`.
    pub fn new(config: &config::Http, address: SocketAddr) -> Self {
        let mut hosts = config.hosts.clone();
        hosts.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
        if !address.ip().is_unspecified() {
            hosts.push(address.ip().to_string());
        }
        let on_loopback = address.ip().is_loopback();
        Self { hosts, tokens: config.tokens.clone(), open: config.open, on_loopback, token_file: None }
    }

    /// The same, which also takes the token of the file `path`.
    #[must_use]
    pub fn with_token(mut self, token: String, path: PathBuf) -> Self {
        self.tokens.push(token);
        self.token_file = Some(path);
        self
    }

    fn admit(&self, headers: &HeaderMap) -> Result<Access, Refusal> {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        let token = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ")).map(str::trim);
        if token.is_some_and(|token| self.takes(token)) {
            return Ok(Access::Trusted);
        }
        if !self.on_loopback && !self.open {
            return Err(Refusal::Token(self.hint(token.is_some())));
        }
        let host = text(header::HOST).map(host_name);
        // An address was not looked up, so it cannot have been bound to us behind the browser's back.
        if host.is_some_and(|host| host.parse::<IpAddr>().is_err() && !self.knows(host)) {
            return Err(Refusal::Foreign("this Host is not this server's; hint: http.hosts\n"));
        }
        let origin = text(header::ORIGIN).map(|origin| origin.split_once("://").map_or(origin, |(_, host)| host));
        if origin.map(host_name).is_some_and(|origin| Some(origin) != host && !self.knows(origin)) {
            return Err(Refusal::Foreign("requests from other origins are refused; hint: http.hosts\n"));
        }
        if self.open { Ok(Access::Trusted) } else { Ok(Access::Guest(self.hint(token.is_some()).into())) }
    }

    /// What to do, for somebody whose token is wrong or missing.
    fn hint(&self, is_wrong: bool) -> String {
        let what = if is_wrong { "this is not the server's token" } else { "a token is needed" };
        // Where the folder is concerns this machine alone.
        let place = match &self.token_file {
            Some(path) if self.on_loopback => format!("the one in {}", path.display()),
            _ => "the one in the file http.token of the server's data folder".to_owned(),
        };
        format!("{what}; hint: send 'Authorization: Bearer TOKEN' with {place}, or with one of http.tokens\n")
    }

    fn takes(&self, token: &str) -> bool {
        self.tokens.iter().any(|known| same(known, token))
    }

    fn knows(&self, name: &str) -> bool {
        self.hosts.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Token(hint) => {
                (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], hint).into_response()
            }
            Self::Foreign(why) => (StatusCode::FORBIDDEN, why).into_response(),
        }
    }
}

impl Access {
    /// Refuses whoever has no token.
    pub(super) fn trusted(&self) -> Result<Trusted, Refusal> {
        match self {
            Self::Trusted => Ok(Trusted),
            Self::Guest(hint) => Err(Refusal::Token(hint.to_string())),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Access {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // Every path lies behind the guard; should one ever not, nobody gets in.
        let known = parts.extensions.get::<Self>().cloned();
        Ok(known.unwrap_or_else(|| Self::Guest("this path is not to be had\n".into())))
    }
}

impl<S: Sync> FromRequestParts<S> for Trusted {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Access::from_request_parts(parts, state).await {
            Ok(access) => access.trusted(),
        }
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

/// Lets a request through, with who asks, or says why not.
pub(super) async fn check(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    match guard.admit(request.headers()) {
        Err(refusal) => refusal.into_response(),
        Ok(access) => {
            request.extensions_mut().insert(access);
            next.run(request).await
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    fn headers(headers: &[(&'static str, &str)]) -> HeaderMap {
        headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn guard(config: &config::Http, address: &str) -> Guard {
        Guard::new(config, address.parse().unwrap())
    }

    fn refused(config: &config::Http, address: &str, fields: &[(&'static str, &str)]) -> Option<StatusCode> {
        let refusal = guard(config, address).admit(&headers(fields)).err();
        refusal.map(|refusal| refusal.into_response().status())
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

    #[test]
    fn on_loopback_the_token_is_what_makes_a_guest_trusted() {
        let config = config::Http { tokens: vec!["s3cret".into()], ..config::Http::default() };
        let guard = guard(&config, "127.0.0.1:8008").with_token("fr0m-file".into(), "/data/http.token".into());
        let trusted = |fields: &[_]| guard.admit(&headers(fields)).unwrap().trusted();
        for token in ["Bearer s3cret", "Bearer fr0m-file"] {
            assert!(trusted(&[("host", "localhost"), ("authorization", token)]).is_ok(), "{token}");
        }
        for wrong in ["Bearer s3cret2", "Bearer ", "Basic s3cret", "s3cret", ""] {
            let refusal = trusted(&[("host", "localhost"), ("authorization", wrong)]).unwrap_err().into_response();
            assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED, "{wrong}");
            assert_eq!(refusal.headers()[header::WWW_AUTHENTICATE], "Bearer");
        }
        assert!(guard.hint(false).starts_with(
            "a token is needed; hint: send 'Authorization: Bearer TOKEN' with the one in /data/http.token"
        ));
        assert!(guard.hint(true).starts_with("this is not the server's token; hint:"));
    }

    #[test]
    fn strangers_are_not_told_where_the_folder_is() {
        let config = config::Http { tokens: vec!["s3cret".into()], ..config::Http::default() };
        let guard = guard(&config, "10.0.0.1:8008").with_token("fr0m-file".into(), "/data/http.token".into());
        assert!(!guard.hint(false).contains("/data"), "{}", guard.hint(false));
    }

    #[test]
    fn where_the_server_is_open_everybody_is_trusted() {
        let config = config::Http { open: true, ..config::Http::default() };
        for address in ["127.0.0.1:8008", "0.0.0.0:8008"] {
            assert!(guard(&config, address).admit(&headers(&[])).unwrap().trusted().is_ok(), "{address}");
        }
    }
}
