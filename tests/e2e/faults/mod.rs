//! J: faults of the store and crowds of clients, within one process. Those of the real one, and of its machine, are
//! with the command line.

mod crowds;
