//! The durable log of deliveries.
