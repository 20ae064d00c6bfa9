//! Configuration, topology, REST and lifecycle of the collector.
