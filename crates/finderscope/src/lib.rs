//! Network flow telemetry for Rust programs: read sFlow, NetFlow and IPFIX, and turn them into columns.
//!
//! * [`wire`]: the codecs, both ways, without IO.
//! * [`flow`]: columns, elements, batches.
//! * [`intake`]: datagrams in, Arrow batches out, with templates, sampling, times and balances.
//! * [`packets`]: the packets inside samples, and capture files of them.
//! * [`transport`]: UDP sockets and capture files.
//!
//! A datagram becomes rows in three steps: a [`Delivery`](wire::delivery::Delivery) says how it came, an
//! [`Intake`](intake::Intake) decodes it, and [`Tables`](flow::Tables) hold the columns.
//!
//! ```
//! use finderscope::flow::Tables;
//! use finderscope::intake::{Config, Intake, Quiet};
//! use finderscope::wire::delivery::{Delivery, Listener, Scheme};
//! use finderscope::wire::netflow::v5;
//!
//! let mut datagram = Vec::new();
//! let record = v5::Record { source: [10, 0, 0, 1], packets: 3.into(), octets: 180.into(), ..Default::default() };
//! v5::encode(&v5::Header::default(), &[record], &mut datagram)?;
//!
//! let (mut intake, mut tables) = (Intake::new(Config::default()), Tables::default());
//! let listener = Listener { scheme: Scheme::Udp, address: "127.0.0.1:2055".parse()? };
//! let source = "192.0.2.1:50000".parse()?;
//! let delivery = Delivery { sequence: 1, received_ns: 0, source, listener, identity: None, bytes: &datagram };
//! intake.handle(&delivery, &mut tables, &mut Quiet);
//!
//! assert_eq!(tables.flows.finish().num_rows(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use finderscope_flow as flow;
pub use finderscope_intake as intake;
pub use finderscope_packets as packets;
pub use finderscope_transport as transport;
pub use finderscope_wire as wire;
