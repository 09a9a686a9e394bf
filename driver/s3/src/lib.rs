#![doc = include_str!("../README.md")]

mod abandoned;
mod check;
mod client;
mod config;
mod copy;
mod cursor;
mod date;
mod delete;
mod disposition;
mod driver;
mod encode;
mod endpoint;
mod fault;
mod flight;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzz;
mod key;
mod list;
mod multipart;
mod object;
mod octets;
mod operation;
mod profile;
mod read;
mod remove;
mod settings;
mod sharing;
mod sign;
mod size;
mod stat;
mod transfer;
mod write;
mod xml;

pub use self::driver::S3;

#[cfg(target_family = "wasm")]
orlop_driver::export!(S3<orlop_driver::Sandbox>: Storage + Writable + Removable + Transfer + Sharing);
