//! From the core's values to those that cross the boundary.

use std::time::{Duration, SystemTime};

use time::OffsetDateTime;

/// The same value as the boundary carries it.
pub(crate) trait Expose<T> {
    fn expose(&self) -> T;
}

macro_rules! expose_copies {
    ($($type:ty),*) => { $(impl Expose<$type> for $type { fn expose(&self) -> $type { *self } })* };
}
expose_copies!(bool, u16, u32, u64);

impl Expose<String> for String {
    fn expose(&self) -> String {
        self.clone()
    }
}

impl Expose<String> for &'static str {
    fn expose(&self) -> String {
        (*self).to_owned()
    }
}

impl Expose<SystemTime> for OffsetDateTime {
    fn expose(&self) -> SystemTime {
        let since = *self - OffsetDateTime::UNIX_EPOCH;
        let distance =
            Duration::new(since.whole_seconds().unsigned_abs(), since.subsec_nanoseconds().unsigned_abs());
        if since.is_negative() {
            SystemTime::UNIX_EPOCH - distance
        } else {
            SystemTime::UNIX_EPOCH + distance
        }
    }
}

impl<T: Expose<U>, U> Expose<Option<U>> for Option<T> {
    fn expose(&self) -> Option<U> {
        self.as_ref().map(Expose::expose)
    }
}

impl<T: Expose<U>, U> Expose<Vec<U>> for Vec<T> {
    fn expose(&self) -> Vec<U> {
        self.iter().map(Expose::expose).collect()
    }
}

impl<T: Expose<U>, U> Expose<Vec<U>> for [T] {
    fn expose(&self) -> Vec<U> {
        self.iter().map(Expose::expose).collect()
    }
}

/// A time that an app gave, where the core's calendar has it (years −9999 to 9999).
pub(crate) fn time(given: SystemTime) -> Option<OffsetDateTime> {
    let nanoseconds = match given.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i128::try_from(since.as_nanos()).ok()?,
        Err(before) => -i128::try_from(before.duration().as_nanos()).ok()?,
    };
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()
}

/// Declares records that mirror the core's structs field by field, and how they are filled.
macro_rules! records {
    ($($(#[$meta:meta])* $name:ident of $core:ty { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Debug, PartialEq, uniffi::Record)]
            pub struct $name {
                $($(#[$field_meta])* pub $field: $type,)*
            }

            impl $crate::convert::Expose<$name> for $core {
                fn expose(&self) -> $name {
                    $name { $($field: $crate::convert::Expose::expose(&self.$field),)* }
                }
            }
        )*
    };
}

/// Declares enums without fields that mirror the core's.
macro_rules! choices {
    ($($(#[$meta:meta])* $name:ident of $core:ty { $($(#[$variant_meta:meta])* $variant:ident,)* })*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
            pub enum $name {
                $($(#[$variant_meta])* $variant,)*
            }

            impl $crate::convert::Expose<$name> for $core {
                fn expose(&self) -> $name {
                    match self { $(Self::$variant => $name::$variant,)* }
                }
            }
        )*
    };
}

pub(crate) use {choices, records};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_and_after_1970_survive_both_ways() {
        for nanoseconds in [-86_400_000_000_001, -1, 0, 1, 1_763_800_000_123_456_789] {
            let core = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).unwrap();
            assert_eq!(time(core.expose()), Some(core), "{nanoseconds}");
        }
    }

    #[test]
    fn a_time_outside_of_the_calendar_is_none() {
        let far = Duration::from_secs(400_000_000_000);
        assert_eq!(time(SystemTime::UNIX_EPOCH + far), None);
        assert_eq!(time(SystemTime::UNIX_EPOCH - far), None);
    }
}
