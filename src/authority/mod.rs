//! Who issues tokens: what `issue` knows of an authority such as AWS.

mod ask;

pub(crate) use ask::{AskPolicy, LoginPolicy, Notes};
