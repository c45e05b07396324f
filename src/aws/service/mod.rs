//! AWS's services: `endpoints` names them and their addresses, and `refusal` turns a failed call
//! into an error. They are asked by the client of `crate::http`.

pub(crate) mod endpoints;
pub(crate) mod refusal;
