//! `plimsoll serve` as a process on loopback, without a cluster.

#[path = "../common/mod.rs"]
mod common;
mod limits;
mod log;
mod program;
mod reload;
mod reviews;
mod shutdown;
