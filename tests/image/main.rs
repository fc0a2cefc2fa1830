//! The images, with a real Docker Engine and real programs of other architectures. What a privileged container
//! registers is registered in this machine's kernel: every test removes what it has made, see [`docker::Host`].

#[path = "../common/mod.rs"]
mod common;
mod docker;
mod drop_in;
mod engine;
mod foreign;
mod given;
mod last;
mod made;
mod reference;
mod refused;
mod release;
mod translations;
