//! Network flow telemetry for Rust: decode sFlow, NetFlow and IPFIX.
