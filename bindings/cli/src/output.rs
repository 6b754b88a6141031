//! What goes to standard output. A reader that leaves early (`| head`) is no error: the rest is written to nobody, and the
//! exit code still says what was found. A full disk is one.

use std::{
    fmt,
    io::{self, Write},
};

macro_rules! out {
    ($($words:tt)*) => { $crate::output::line(format_args!($($words)*)) };
}

pub(crate) fn line(words: fmt::Arguments<'_>) {
    if let Err(error) = writeln!(io::stdout(), "{words}")
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        eprintln!("standard output: {error}");
        std::process::exit(1);
    }
}
