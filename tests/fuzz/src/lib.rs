//! What the targets share: [`input`] turns the fuzzer's bytes into changes of something genuine, [`files`] makes signed
//! files and says what a stranger finds in them, [`phone`] is a phone in memory with a folder that is emptied for each
//! run, [`office`] signs registration tickets, [`libxml2`] canonicalises XML by another implementation.

pub mod files;
pub mod input;
pub mod libxml2;
pub mod office;
pub mod phone;
