//! Placeholder that is replaced in the next moment, really.
