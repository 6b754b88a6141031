use std::{
    fmt::{Debug, Write},
    sync::{Arc, Once, PoisonError, RwLock},
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::failure::CallbackError;

/// How important a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is odd.
    Warn,
    /// A step.
    Info,
    /// Causes of failures and details of steps.
    Debug,
    /// Everything.
    Trace,
}

/// One record of the agent's log: no patient data, no secret.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct LogRecord {
    /// How important it is.
    pub level: LogLevel,
    /// The module that speaks.
    pub target: String,
    /// What it says.
    pub text: String,
}

/// Where the agent's log goes.
#[uniffi::export(foreign)]
pub trait LogSink: Send + Sync {
    /// Takes one record; called on any thread. What it throws is ignored.
    fn log(&self, record: LogRecord) -> Result<(), CallbackError>;
}

/// Sends the agent's log, up to this level, to an app's sink in place of the one before; none ends it. Only this library's
/// own records come, never those of the libraries below it.
#[uniffi::export]
pub fn set_log_sink(sink: Option<Arc<dyn LogSink>>, level: LogLevel) {
    static INSTALLED: Once = Once::new();
    *SINK.write().unwrap_or_else(PoisonError::into_inner) =
        sink.map(|sink| Sink { sink, most: level.into() });
    // A Rust program around this library may have a subscriber of its own: then that one is left in place.
    INSTALLED.call_once(|| drop(tracing::subscriber::set_global_default(ToSink)));
    tracing::callsite::rebuild_interest_cache();
}

static SINK: RwLock<Option<Sink>> = RwLock::new(None);

#[derive(Clone)]
struct Sink {
    sink: Arc<dyn LogSink>,
    most: Level,
}

/// The sink in force, cloned so that no lock is held while it is called.
fn sink() -> Option<Sink> {
    SINK.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Every target of this library begins so.
const OWN: &str = "hpki_agent";

struct ToSink;

impl Subscriber for ToSink {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
            && metadata.target().starts_with(OWN)
            && sink().is_some_and(|sink| *metadata.level() <= sink.most)
    }
    fn event(&self, event: &Event<'_>) {
        let Some(Sink { sink, .. }) = sink() else { return };
        let mut text = Text(String::new());
        event.record(&mut text);
        let metadata = event.metadata();
        let level = (*metadata.level()).into();
        // A sink that fails cannot be told so.
        let _ = sink.log(LogRecord { level, target: metadata.target().to_owned(), text: text.0 });
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// `name=value` of each field, the message by itself.
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let space = if self.0.is_empty() { "" } else { " " };
        // Writing to a String does not fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{space}{value:?}"),
            name => write!(self.0, "{space}{name}={value:?}"),
        };
    }
}

impl From<LogLevel> for Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::ERROR => Self::Error,
            Level::WARN => Self::Warn,
            Level::INFO => Self::Info,
            Level::DEBUG => Self::Debug,
            Level::TRACE => Self::Trace,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Kept(Mutex<Vec<LogRecord>>);

    impl LogSink for Kept {
        fn log(&self, record: LogRecord) -> Result<(), CallbackError> {
            self.0.lock().unwrap().push(record);
            Ok(())
        }
    }

    #[test]
    fn a_sink_gets_this_librarys_records_up_to_its_level_until_it_is_taken_away() {
        let kept = Arc::new(Kept::default());
        set_log_sink(Some(kept.clone()), LogLevel::Info);
        tracing::info!(code = "Offline", "said");
        tracing::debug!("too fine");
        tracing::error!(target: "h2::proto", "not ours");
        set_log_sink(None, LogLevel::Trace);
        tracing::error!("nobody listens");
        let kept = kept.0.lock().unwrap();
        assert_eq!(kept.len(), 1, "{kept:?}");
        assert_eq!(kept[0].level, LogLevel::Info);
        assert_eq!(kept[0].text, "said code=\"Offline\"");
    }
}
