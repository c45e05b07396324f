//! libpq's passfile: which line a client takes, our block in it, and what in the user's lines
//! breaks readers. Pure, on bytes.

pub(crate) mod block;
pub(crate) mod line;
pub(crate) mod survey;

#[cfg(test)]
mod tests;
