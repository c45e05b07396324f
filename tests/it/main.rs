//! The one test binary: the real pgcred in an empty environment, with fakes that are programs.

#![expect(clippy::disallowed_methods, reason = "the owners are those of src; tests make files themselves")]

mod aws_emulation;
mod bad_input;
mod cache;
#[cfg(unix)]
mod causes;
#[cfg(unix)]
mod chain; // runs programs
#[cfg(target_os = "linux")]
mod clients; // mounts, as disks does
#[cfg(target_os = "linux")]
mod cluster;
#[cfg(unix)]
mod configuration;
mod connections;
mod credentials;
#[cfg(unix)]
mod desk;
#[cfg(target_os = "linux")]
mod disks;
mod doubts;
#[cfg(target_os = "linux")]
mod editors; // slows pgcred down with strace
#[cfg(unix)]
mod exec;
#[cfg(unix)]
mod faults;
mod formats;
#[cfg(target_os = "linux")]
mod hostile;
#[cfg(unix)]
mod identity;
#[cfg(target_os = "linux")]
mod install; // compares homes, as setup does
#[cfg(target_os = "linux")]
mod kubernetes; // reads schemas by Python
#[cfg(unix)]
mod leftovers;
#[cfg(unix)]
mod login;
#[cfg(unix)]
mod mfa;
#[cfg(unix)]
mod network;
mod newcomer;
#[cfg(unix)]
mod passfile;
#[cfg(unix)]
mod policy; // runs cargo
#[cfg(target_os = "linux")]
mod postgres;
#[cfg(target_os = "linux")]
mod prompts;
#[cfg(unix)]
mod roots;
mod sandbox;
#[cfg(target_os = "linux")]
mod scarcity; // refuses threads by strace
#[cfg(target_os = "linux")]
mod schedulers;
#[cfg(all(target_os = "linux", feature = "secret-service"))]
mod secret_service;
#[cfg(target_os = "linux")]
mod sessions;
#[cfg(target_os = "linux")]
mod setup;
#[cfg(target_os = "linux")]
mod setup_commands;
#[cfg(target_os = "linux")]
mod setup_terminal;
#[cfg(target_os = "linux")]
mod shells; // counts processes with strace
mod source;
#[cfg(target_os = "linux")]
mod splitters;
#[cfg(unix)]
mod stubs;
#[cfg(target_os = "linux")]
mod sweep;
#[cfg(windows)]
mod task_scheduler;
#[cfg(unix)]
mod texts;
#[cfg(target_os = "linux")]
mod tmux;
#[cfg(target_os = "linux")]
mod trust;
mod vectors;
#[cfg(unix)]
mod week;
