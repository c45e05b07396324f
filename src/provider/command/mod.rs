//! An authority for every service whose token a command of the service prints: pgcred runs the
//! command, and treats what it prints as a token.
//!
//! ```text
//! definition   what is known of a command: how it is run, where its answer has what
//!   |--> template   words with placeholders --> the words that are run
//!   '--> answer     what was printed --> token, user, end
//! ```

#![cfg_attr(
    not(test),
    expect(dead_code, reason = "the authority that runs commands follows")
)]

mod answer;
mod definition;
mod template;
