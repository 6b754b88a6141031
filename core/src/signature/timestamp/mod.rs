//! A time-stamp token (RFC 3161, RFC 5816) is CMS SignedData (RFC 5652) around a time and the digest of what existed
//! then. Comes in: the token's DER and certificates that may belong to it. Goes out: the time, once the token is whole,
//! stands for the digest in question, and is signed by a certificate for time-stamping alone that was valid then, was
//! not revoked and leads to a configured root. Refused: tokens of any other content, version, algorithm or number of
//! signers, and authorities that are not trusted. Unsigned attributes are never read (item 5.6.1 of the specification).

mod authority;
mod cms;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
mod token;

pub(super) use authority::{AuthorityError, Knowledge, judge};
pub(super) use token::{Token, TokenError};
