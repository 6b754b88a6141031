//! The server: the folder's service on an address, over TLS with a certificate of the folder's own CA.

use crate::authority::{Authority, AuthorityError};
use crate::clock::Clock;
use crate::faults::Faults;
use crate::faults::line::LineAcceptor;
use crate::http::record::Recorder;
use crate::http::{App, router};
use crate::pki::tls::{self, ServedCertificate};
use crate::signer::Keys;
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Requests on their way get so long to finish at a stop.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// Where the state lies and where to listen.
pub struct Options {
    /// The folder; made when it is new.
    pub dir: PathBuf,
    /// Port 0 takes any free one.
    pub listen: SocketAddr,
    /// The URL that phones use; `https://<listen>` when `None`.
    pub issuer: Option<String>,
    /// The service's time.
    pub clock: Clock,
    /// Takes note of everything on the wire, secrets included: for tests.
    pub recorder: Option<Recorder>,
    /// Where the signing keys rest.
    pub keys: Keys,
}

impl Options {
    /// On any free port of loopback.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let (clock, keys) = (Clock::default(), Keys::default());
        Self { dir: dir.into(), listen, issuer: None, clock, recorder: None, keys }
    }
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder could not be opened.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The address could not be listened on.
    #[error("cannot listen: {0}")]
    Listen(#[from] std::io::Error),
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// The issuer is not `https://host[:port]`.
    #[error("the issuer must be https://host[:port]")]
    Issuer,
}

/// The reference service.
pub struct ReferenceService;

impl ReferenceService {
    /// Opens the folder and serves it until [`Running::stop`] or drop.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(options: Options) -> Result<Running, StartError> {
        let listener = TcpListener::bind(options.listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let issuer = options.issuer.unwrap_or_else(|| format!("https://{address}"));
        let host = host_of(&issuer).ok_or(StartError::Issuer)?;

        let (dir, clock, keys, name) = (options.dir, options.clock, options.keys, issuer.clone());
        let open = move || {
            let authority = Authority::open_with(&dir, clock, &keys)?;
            authority.set_issuer(&name)?;
            Ok::<_, AuthorityError>(authority)
        };
        let authority = tokio::task::spawn_blocking(open).await.map_err(std::io::Error::other)??;
        let config = tls::server_config(authority.tls_key_pem(), &host, ServedCertificate::Good)?;
        let config = RustlsConfig::from_config(Arc::new(config));
        let app = Arc::new(App::new(authority.clone(), issuer.clone(), options.recorder));

        let handle = Handle::new();
        let server = axum_server::from_tcp(listener)?
            .acceptor(LineAcceptor(RustlsAcceptor::new(config.clone())))
            .handle(handle.clone())
            .serve(router(Arc::clone(&app)).into_make_service());
        let task = tokio::spawn(server);
        Ok(Running { authority, app, address, issuer, host, config, handle, task })
    }
}

/// Host of `https://host[:port]` without a path.
fn host_of(issuer: &str) -> Option<String> {
    let url = url::Url::parse(issuer).ok()?;
    let plain =
        url.scheme() == "https" && url.path() == "/" && !issuer.ends_with('/') && url.query().is_none();
    url.host_str().filter(|_| plain).map(str::to_owned)
}

/// A server at work.
pub struct Running {
    authority: Authority,
    app: Arc<App>,
    address: SocketAddr,
    issuer: String,
    host: String,
    config: RustlsConfig,
    handle: Handle<SocketAddr>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Running {
    /// The office behind it.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `https://host[:port]`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The trust configuration for an app, as JSON.
    ///
    /// # Errors
    /// [`AuthorityError`] when the database fails.
    pub fn trust_json(&self) -> Result<String, AuthorityError> {
        Ok(self.authority.trust()?.to_string())
    }

    /// How often each `METHOD /path` was asked for since the start; ids in paths stand as `{id}`.
    pub fn requests_seen(&self) -> BTreeMap<String, u64> {
        self.app.requests_seen()
    }

    /// How long keys were at work for `signHash` since the start, all together.
    pub fn signing_time(&self) -> Duration {
        self.app.signing_time()
    }

    /// What goes wrong on purpose.
    pub fn faults(&self) -> &Faults {
        &self.app.faults
    }

    /// The TLS certificate of connections made from now on; those that stand keep theirs.
    ///
    /// # Errors
    /// [`TlsError`](tls::TlsError) when it cannot be made.
    pub fn present(&self, certificate: ServedCertificate) -> Result<(), tls::TlsError> {
        let config = tls::server_config(self.authority.tls_key_pem(), &self.host, certificate)?;
        self.config.reload_from_config(Arc::new(config));
        Ok(())
    }

    /// Stops, letting requests on their way finish for two seconds.
    pub async fn stop(mut self) {
        self.handle.graceful_shutdown(Some(STOP_GRACE));
        if let Err(error) = (&mut self.task).await {
            tracing::warn!(%error, "the server ended badly");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}
