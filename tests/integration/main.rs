//! What the built binary does: one program for all of it, so that there is one to link. A module a subject.
//!
//! Most register in a binfmt_misc of a test's own, and need neither root nor a machine of their own. What needs one is
//! in the directories beside this: tests that boot machines, build images, or use Docker.

#[path = "../common/mod.rs"]
mod common;

mod access;
mod binary;
mod command;
mod completions;
mod documents;
mod explain;
mod failures;
mod front_door;
mod full_status;
mod headers;
mod hold;
mod init;
mod kept;
mod kernels_to_come;
mod malformed;
mod modes;
mod others;
mod owners;
mod pin;
mod probes;
mod register;
mod replace;
mod rootless;
mod rules;
mod status;
mod systemd;
mod table;
mod trust;
mod truth;
mod workflows;
