//! Datagrams in, columns out: templates, record plans, sampling, sequences, times, sender rules.
