//! Numbers that have a word.

use super::value::Value;

/// The status of an application's operation. The last is spelt as it should be, which upstream does not.
pub(super) const fn app_status(status: u32) -> Value<'static> {
    Value::Word(match status {
        0 => "SUCCESS",
        1 => "OTHER",
        2 => "TIMEOUT",
        3 => "INTERNAL_ERROR",
        4 => "BAD_REQUEST",
        5 => "FORBIDDEN",
        6 => "TOO_LARGE",
        7 => "NOT_IMPLEMENTED",
        8 => "NOT_FOUND",
        9 => "UNAVAILABLE",
        10 => "UNAUTHORIZED",
        _ => return Value::Numbered("<out-of-range=", status, ">"),
    })
}

/// Which way a packet went through a socket.
pub(super) const fn direction(direction: u32) -> Value<'static> {
    match direction {
        0 => Value::Word("unknown"),
        1 => Value::Word("received"),
        2 => Value::Word("sent"),
        _ => Value::Word("<bad value>"),
    }
}

/// The method of a request on the web.
pub(super) const fn http_method(method: u32) -> &'static str {
    match method {
        1 => "OPTIONS",
        2 => "GET",
        3 => "HEAD",
        4 => "POST",
        5 => "PUT",
        6 => "DELETE",
        7 => "TRACE",
        8 => "CONNECT",
        _ => "-",
    }
}
