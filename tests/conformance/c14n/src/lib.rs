//! What the canonical-XML tests share: the independent implementation that they compare with, and where vectors lie.
//!
//! The oracle is a Python process with lxml and libxml2 (`oracle.py`); `HPKI_AGENT_PYTHON` names its interpreter.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hpki_agent::signature::Method;
use serde_json::{Value, json};

/// One way to canonicalise a document.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// Which canonical XML.
    pub method: Method,
    /// Whether comments are kept.
    pub with_comments: bool,
    /// InclusiveNamespaces PrefixList (exclusive canonical XML only).
    pub prefixes: &'a [&'a str],
    /// The element with this id, or the whole document.
    pub id: Option<&'a str>,
}

impl Query<'_> {
    /// What our core makes of it.
    ///
    /// # Errors
    /// The core's own.
    pub fn ours(&self, xml: &[u8]) -> Result<Vec<u8>, hpki_agent::signature::XmlError> {
        hpki_agent::signature::canonicalize(xml, self.id, self.method, self.with_comments, self.prefixes)
    }

    fn to_json(self) -> Value {
        let method = match self.method {
            Method::Inclusive10 => "inclusive10",
            Method::Inclusive11 => "inclusive11",
            Method::Exclusive => "exclusive",
        };
        json!({"method": method, "comments": self.with_comments, "prefixes": self.prefixes, "id": self.id})
    }
}

/// libxml2's canonical XML in a process of its own.
pub struct Oracle {
    process: Child,
    requests: ChildStdin,
    replies: BufReader<ChildStdout>,
}

impl Oracle {
    /// Starts the process.
    ///
    /// # Panics
    /// When there is no Python.
    pub fn start() -> Self {
        let python = std::env::var("HPKI_AGENT_PYTHON").unwrap_or_else(|_| "python3".into());
        let mut process = Command::new(&python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/oracle.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {python} (set HPKI_AGENT_PYTHON): {error}"));
        let requests = process.stdin.take().expect("stdin is piped");
        let replies = BufReader::new(process.stdout.take().expect("stdout is piped"));
        Self { process, requests, replies }
    }

    /// The canonical bytes for each query, `None` where libxml2 refuses; `None` altogether where it cannot parse `xml`.
    ///
    /// # Panics
    /// When the process died, most likely because the interpreter has no lxml (`tests/conformance/requirements.txt`).
    pub fn canonicalize(&mut self, xml: &[u8], queries: &[Query]) -> Option<Vec<Option<Vec<u8>>>> {
        let queries: Vec<Value> = queries.iter().map(|query| query.to_json()).collect();
        let mut line = json!({"xml": STANDARD.encode(xml), "queries": queries}).to_string();
        line.push('\n');
        let mut reply = String::new();
        let exchanged = self
            .requests
            .write_all(line.as_bytes())
            .and_then(|()| self.requests.flush())
            .and_then(|()| self.replies.read_line(&mut reply));
        assert!(exchanged.is_ok_and(|read| read > 0), "the oracle died: does its Python have lxml?");
        let reply: Value = serde_json::from_str(&reply).expect("the oracle answers in JSON");
        let decode = |text: &str| STANDARD.decode(text).expect("the oracle answers in base64");
        Some(reply["outputs"].as_array()?.iter().map(|output| output.as_str().map(decode)).collect())
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // The tests are over; nothing is lost with it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The folder of published XML vectors: `xml` under `HPKI_AGENT_VECTORS`, or under `shared/vectors` beside the repository.
///
/// # Panics
/// When it is not there: tests without their vectors prove nothing.
pub fn vectors() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/vectors");
    let root = std::env::var_os("HPKI_AGENT_VECTORS").map_or_else(|| beside.into(), PathBuf::from);
    let xml = root.join("xml");
    assert!(
        xml.is_dir(),
        "no vectors at {}: set HPKI_AGENT_VECTORS to the folder that holds xml/",
        xml.display()
    );
    xml
}
