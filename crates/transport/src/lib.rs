//! Sockets and capture files behind endpoints.
