//! sflow.
