//! `pgcred discover`: whom it asks, what it lists, and how it changes the configuration.

mod adding;
mod answers;
mod cloud;
mod failures;
mod terminal;
