//! A fault in words, as it is planned from a command line: `[TIMES ]ENDPOINT: FAULT [ARGUMENTS]`.

use super::{Canned, Fault, Faults, Spoilt};
use crate::http::ENDPOINTS;
use std::str::FromStr;
use std::time::Duration;

/// A fault, where it is met, and how often: `POST /token: unheard`, `3 *: delay 2000`,
/// `always POST /csc/v2/signatures/signHash: signatures reversed`. Without a number it is met once.
///
/// | fault | arguments |
/// |---|---|
/// | `delay` | milliseconds |
/// | `unheard`, `silent`, `twice`, `again`, `endless`, `nulls` | |
/// | `cut` | bytes of the answer that still arrive |
/// | `instead`, `behind` | an answer: `empty STATUS`, `html STATUS`, `text STATUS WORDS`, `message STATUS WORDS`, `json STATUS JSON` |
/// | `slow` | bytes of a piece, milliseconds before each |
/// | `date` | seconds |
/// | `signatures` | `reversed`, `wrong`, `foreign`, `missing`, `surplus` |
#[derive(Clone, Debug)]
pub struct FaultSwitch {
    times: u32,
    endpoint: String,
    fault: Fault,
}

/// Why words are no fault.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FaultSwitchError {
    /// There is no colon.
    #[error("a fault is written [TIMES ]ENDPOINT: FAULT [ARGUMENTS]")]
    Form,
    /// The service has no such endpoint.
    #[error("there is no endpoint {0:?}; the service has * (any), {list}", list = ENDPOINTS.join(", "))]
    Endpoint(String),
    /// No fault has this name, or its arguments are not what it needs.
    #[error("there is no fault {0:?}")]
    Fault(String),
}

impl FaultSwitch {
    /// Plans it.
    pub fn plan(&self, faults: &Faults) {
        faults.next(self.times, &self.endpoint, self.fault.clone());
    }
}

impl FromStr for FaultSwitch {
    type Err = FaultSwitchError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (place, words) = text.split_once(':').ok_or(FaultSwitchError::Form)?;
        let place = place.trim();
        let (times, endpoint) = match place.split_once(' ') {
            Some(("always", endpoint)) => (u32::MAX, endpoint.trim()),
            Some((number, endpoint)) if number.parse::<u32>().is_ok_and(|n| n > 0) => {
                (number.parse().unwrap_or(1), endpoint.trim())
            }
            _ => (1, place),
        };
        if endpoint != "*" && !ENDPOINTS.contains(&endpoint) {
            return Err(FaultSwitchError::Endpoint(endpoint.to_owned()));
        }
        let fault = fault(words.trim()).ok_or_else(|| FaultSwitchError::Fault(words.trim().to_owned()))?;
        Ok(Self { times, endpoint: endpoint.to_owned(), fault })
    }
}

fn fault(words: &str) -> Option<Fault> {
    let (name, arguments) = words.split_once(' ').unwrap_or((words, ""));
    let arguments = arguments.trim();
    Some(match name {
        "delay" => Fault::Delay(milliseconds(arguments)?),
        "cut" => Fault::Cut(arguments.parse().ok()?),
        "instead" => Fault::Instead(answer(arguments)?),
        "behind" => Fault::Behind(answer(arguments)?),
        "slow" => {
            let (piece, pause) = arguments.split_once(' ')?;
            Fault::Slow { piece: piece.parse().ok()?, pause: milliseconds(pause.trim())? }
        }
        "date" => Fault::Date(arguments.parse().ok()?),
        "signatures" => Fault::Signatures(match arguments {
            "reversed" => Spoilt::Reversed,
            "wrong" => Spoilt::Wrong,
            "foreign" => Spoilt::Foreign,
            "missing" => Spoilt::Missing,
            "surplus" => Spoilt::Surplus,
            _ => return None,
        }),
        _ if !arguments.is_empty() => return None,
        "unheard" => Fault::Unheard,
        "silent" => Fault::Silent,
        "twice" => Fault::Twice,
        "again" => Fault::Again,
        "endless" => Fault::Endless,
        "nulls" => Fault::Nulls,
        _ => return None,
    })
}

fn milliseconds(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_millis)
}

fn answer(words: &str) -> Option<Canned> {
    let mut parts = words.splitn(3, ' ');
    let (kind, status, rest) = (parts.next()?, parts.next()?.parse().ok()?, parts.next());
    axum::http::StatusCode::from_u16(status).ok()?;
    match (kind, rest) {
        ("empty", None) => Some(Canned::empty(status)),
        ("html", None) => Some(Canned::html(status)),
        ("text", Some(words)) => Some(Canned::text(status, words)),
        ("message", Some(words)) => Some(Canned::message(status, words)),
        ("json", Some(json)) => Some(Canned::json(status, &serde_json::from_str(json).ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(u32, String, String), FaultSwitchError> {
        let switch = text.parse::<FaultSwitch>()?;
        Ok((switch.times, switch.endpoint, format!("{:?}", switch.fault)))
    }

    #[test]
    fn every_fault_has_its_words() {
        for (words, fault) in [
            ("delay 2000", "Delay(2s)"),
            ("unheard", "Unheard"),
            ("silent", "Silent"),
            ("cut 40", "Cut(40)"),
            ("twice", "Twice"),
            ("again", "Again"),
            ("slow 10 50", "Slow { piece: 10, pause: 50ms }"),
            ("endless", "Endless"),
            ("date -7200", "Date(-7200)"),
            ("nulls", "Nulls"),
            ("signatures reversed", "Signatures(Reversed)"),
            ("signatures wrong", "Signatures(Wrong)"),
            ("signatures foreign", "Signatures(Foreign)"),
            ("signatures missing", "Signatures(Missing)"),
            ("signatures surplus", "Signatures(Surplus)"),
        ] {
            let found = read(&format!("POST /token: {words}"));
            assert_eq!(found, Ok((1, "POST /token".into(), fault.into())), "{words}");
        }
        for answer in [
            "empty 502",
            "html 503",
            "text 400 SAD expired",
            "message 500 down",
            "json 400 {\"error\": \"x\"}",
        ] {
            for when in ["instead", "behind"] {
                let (_, _, fault) = read(&format!("*: {when} {answer}")).unwrap();
                assert!(fault.to_lowercase().starts_with(when), "{fault}");
            }
        }
    }

    #[test]
    fn a_fault_is_met_once_so_often_or_always() {
        let times = |text: &str| read(text).map(|(times, endpoint, _)| (times, endpoint));
        assert_eq!(times("*: twice"), Ok((1, "*".into())));
        assert_eq!(times("3 *: twice"), Ok((3, "*".into())));
        let path = "POST /prescriptions/{id}";
        assert_eq!(times(&format!("always {path}: twice")), Ok((u32::MAX, path.into())));
        let faults = Faults::default();
        "2 *: twice".parse::<FaultSwitch>().unwrap().plan(&faults);
        assert_eq!(faults.left(), 2);
    }

    #[test]
    fn what_is_no_fault_is_refused_and_names_what_is() {
        assert_eq!(read("twice"), Err(FaultSwitchError::Form));
        for endpoint in ["POST /tokens", "0 *", "GET /token", "often *", ""] {
            let refused = read(&format!("{endpoint}: twice")).unwrap_err();
            assert_eq!(refused, FaultSwitchError::Endpoint(endpoint.into()));
            assert!(refused.to_string().contains("POST /csc/v2/signatures/signHash"));
        }
        for words in [
            "",
            "explode",
            "twice 1",
            "delay",
            "delay soon",
            "cut -1",
            "slow 10",
            "date",
            "signatures right",
            "instead",
            "instead html",
            "instead html 42",
            "instead html 502 x",
            "behind text 500",
            "behind json 400 {",
            "instead picture 200",
        ] {
            assert_eq!(read(&format!("*: {words}")).unwrap_err(), FaultSwitchError::Fault(words.into()));
        }
    }
}
