//! The server: the folder's service on an address, over TLS with a certificate of the folder's own CA.

use crate::authority::{Authority, AuthorityError};
use crate::clock::Clock;
use crate::http::record::Recorder;
use crate::http::{App, router};
use crate::pki::tls;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
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
}

impl Options {
    /// On any free port of loopback.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { dir: dir.into(), listen, issuer: None, clock: Clock::default(), recorder: None }
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
        let issuer = options
            .issuer
            .map_or_else(|| Ok(format!("https://{}", listener.local_addr()?)), Ok::<_, StartError>)?;
        let host = host_of(&issuer).ok_or(StartError::Issuer)?;

        let (dir, clock, name) = (options.dir, options.clock, issuer.clone());
        let open = move || {
            let authority = Authority::open(&dir, clock)?;
            authority.set_issuer(&name)?;
            Ok::<_, AuthorityError>(authority)
        };
        let authority = tokio::task::spawn_blocking(open).await.map_err(std::io::Error::other)??;
        let config = tls::server_config(authority.tls_key_pem(), &host)?;
        let app = Arc::new(App::new(authority.clone(), issuer.clone(), options.recorder));

        let handle = Handle::new();
        let server = axum_server::from_tcp_rustls(listener, RustlsConfig::from_config(Arc::new(config)))?
            .handle(handle.clone())
            .serve(router(Arc::clone(&app)).into_make_service());
        Ok(Running { authority, app, issuer, handle, task: tokio::spawn(server) })
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
    issuer: String,
    handle: Handle<SocketAddr>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Running {
    /// The office behind it.
    pub fn authority(&self) -> &Authority {
        &self.authority
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
