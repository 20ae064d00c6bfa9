//! Columns whose cells are one of a few words, as types.

macro_rules! words {
    ($(#[$doc:meta] $name:ident { $($(#[$word_doc:meta])* $variant:ident $word:literal,)* })*) => {$(
        #[$doc]
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[repr(u8)]
        pub enum $name { $($(#[$word_doc])* $variant,)* }

        impl $name {
            /// Every word, in the order of the variants.
            pub const WORDS: &'static [&'static str] = &[$($word,)*];

            /// The word as cells have it.
            pub const fn word(self) -> &'static str {
                Self::WORDS[self as usize]
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    )*};
}

words! {
    /// Protocol and version of a datagram, in goflow2's words.
    FlowType {
        /// Not recognised.
        Unknown "UNKNOWN",
        /// sFlow version 5.
        Sflow5 "SFLOW_5",
        /// NetFlow version 5.
        NetflowV5 "NETFLOW_V5",
        /// NetFlow version 9 (RFC 3954).
        NetflowV9 "NETFLOW_V9",
        /// IPFIX (RFC 7011).
        Ipfix "IPFIX",
        /// NetFlow version 1.
        NetflowV1 "NETFLOW_V1",
        /// NetFlow version 6.
        NetflowV6 "NETFLOW_V6",
        /// NetFlow version 7.
        NetflowV7 "NETFLOW_V7",
        /// NetFlow version 8.
        NetflowV8 "NETFLOW_V8",
        /// sFlow version 2.
        Sflow2 "SFLOW_2",
        /// sFlow version 4.
        Sflow4 "SFLOW_4",
    }

    /// Where a flow's times are from.
    TimeSource {
        /// The record has wall-clock times.
        Absolute "absolute",
        /// From the exporter's uptime.
        Uptime "uptime",
        /// A packet sample: the receive time.
        Sample "sample",
        /// Shifted by the exporter's clock offset.
        Corrected "corrected",
        /// The record has no time, or an impossible one: the receive time.
        Assumed "assumed",
    }

    /// Where a sampling rate is known from.
    SamplingSource {
        /// The sFlow sample itself.
        Sample "sample",
        /// The record itself.
        Record "record",
        /// The datagram's header (NetFlow v5).
        Header "header",
        /// Options data.
        Options "options",
        /// The operator's configuration.
        Override "override",
        /// Known to be unsampled.
        None "none",
        /// Not known; the configuration says what to assume.
        Assumed "assumed",
    }

    /// Which direction of a two-way record a row is (RFC 5103).
    Biflow {
        /// The initiator's.
        Forward "forward",
        /// The responder's.
        Reverse "reverse",
    }
}
