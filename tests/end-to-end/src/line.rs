//! The line between a phone and its service, and what goes wrong on it: below TLS, at any byte of either direction.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// Bytes that are taken from a socket at once.
const PIECE: usize = 64 * 1024;
/// What is repeated has at most so many bytes.
const SEGMENT: usize = 1460;
/// A replayed connection is listened to so long.
const REPLAY: Duration = Duration::from_secs(2);

/// Which way bytes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the phone.
    Up,
    /// To the phone.
    Down,
}

/// A byte of what has been carried since [`Line::arm`]: connections are counted in the order in which they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 0.
    pub connection: usize,
    /// Which way.
    pub direction: Direction,
    /// Bytes before it, of this connection and direction.
    pub offset: usize,
}

/// What happens at a place. What TCP itself would set right (a lost or repeated packet) is no fault here: these are faults of what
/// lies between, or of somebody who sits there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection ends before this byte, both ways.
    Closed,
    /// The same, by a reset.
    Reset,
    /// This byte and what follows come later.
    Delayed(Duration),
    /// What follows in the same piece, at most a packet, comes twice.
    Doubled,
    /// The two halves of what follows in the same piece come in the wrong order.
    Swapped,
    /// All that the phone has sent over this connection so far is sent to the service once more, over another.
    Replayed,
}

/// One connection's bytes that came without any of the other direction between them: about one request, or one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Where it begins.
    pub start: Place,
    /// How many bytes it has.
    pub length: usize,
}

#[derive(Default)]
struct Plan {
    fault: Option<(Place, Fault)>,
    is_met: bool,
    connections: usize,
    flows: Vec<Flow>,
}

/// A line that carries connections to a service.
pub struct Line {
    address: SocketAddr,
    target: Mutex<Option<SocketAddr>>,
    plan: Arc<Mutex<Plan>>,
}

impl Line {
    /// A line that leads nowhere yet; runs on this runtime.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn new() -> Arc<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let line = Arc::new(Self { address, target: Mutex::default(), plan: Arc::default() });
        let weak = Arc::downgrade(&line);
        tokio::spawn(async move {
            while let Ok((phone, _)) = listener.accept().await {
                let Some(line) = weak.upgrade() else { return };
                let target = *lock(&line.target);
                let connection = Connection::new(Arc::clone(&line.plan), target);
                tokio::spawn(connection.carry(phone));
            }
        });
        line
    }

    /// Where phones connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it leads to this service.
    pub fn leads_to(&self, service: SocketAddr) {
        *lock(&self.target) = Some(service);
    }

    /// Counts connections anew, and lets this happen at that place; nothing when `None`.
    pub fn arm(&self, fault: Option<(Place, Fault)>) {
        *lock(&self.plan) = Plan { fault, ..Plan::default() };
    }

    /// Whether it has happened.
    pub fn is_met(&self) -> bool {
        lock(&self.plan).is_met
    }

    /// What was carried since [`Line::arm`].
    pub fn flows(&self) -> Vec<Flow> {
        lock(&self.plan).flows.clone()
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a connection is given up.
enum Broken {
    Closed,
    Reset,
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self::Closed
    }
}

struct Connection {
    number: usize,
    plan: Arc<Mutex<Plan>>,
    target: Option<SocketAddr>,
    /// What the phone has sent.
    sent: Mutex<Vec<u8>>,
}

impl Connection {
    fn new(plan: Arc<Mutex<Plan>>, target: Option<SocketAddr>) -> Self {
        let number = {
            let mut plan = lock(&plan);
            plan.connections += 1;
            plan.connections - 1
        };
        Self { number, plan, target, sent: Mutex::default() }
    }

    async fn carry(self, phone: TcpStream) {
        let Some(target) = self.target else { return };
        let Ok(service) = TcpStream::connect(target).await else { return };
        let is_quick = phone.set_nodelay(true).and(service.set_nodelay(true));
        let ((from_phone, to_phone), (from_service, to_service)) = (phone.into_split(), service.into_split());
        let (mut up, mut down) = ((from_phone, to_service), (from_service, to_phone));
        let broken = tokio::try_join!(
            async { is_quick.map_err(Broken::from) },
            self.pump(Direction::Up, &mut up),
            self.pump(Direction::Down, &mut down)
        );
        if matches!(broken, Err(Broken::Reset)) {
            for socket in [up.0.reunite(down.1), down.0.reunite(up.1)].into_iter().flatten() {
                let _ = socket.set_zero_linger();
            }
        }
    }

    async fn pump(
        &self,
        direction: Direction,
        (from, to): &mut (OwnedReadHalf, OwnedWriteHalf),
    ) -> Result<(), Broken> {
        let (mut buffer, mut carried) = (vec![0; PIECE], 0);
        loop {
            let got = from.read(&mut buffer).await?;
            if got == 0 {
                return Ok(to.shutdown().await?);
            }
            let piece = &buffer[..got];
            if direction == Direction::Up {
                lock(&self.sent).extend_from_slice(piece);
            }
            let fault = self.note(Place { connection: self.number, direction, offset: carried }, got);
            carried += got;
            match fault {
                Some((at, fault)) => self.meet(fault, piece.split_at(at), to).await?,
                None => to.write_all(piece).await?,
            }
        }
    }

    /// Takes note of a piece; gives what happens within it, and before which of its bytes.
    fn note(&self, start: Place, length: usize) -> Option<(usize, Fault)> {
        let mut plan = lock(&self.plan);
        let of_this_connection = |flow: &&mut Flow| flow.start.connection == start.connection;
        match plan.flows.iter_mut().rfind(of_this_connection) {
            Some(last) if last.start.direction == start.direction => last.length += length,
            _ => plan.flows.push(Flow { start, length }),
        }
        let (place, fault) = plan.fault?;
        let at = place.offset.checked_sub(start.offset).filter(|at| *at < length)?;
        let is_here = (place.connection, place.direction) == (start.connection, start.direction);
        if !is_here {
            return None;
        }
        plan.fault = None;
        plan.is_met = true;
        Some((at, fault))
    }

    async fn meet(
        &self,
        fault: Fault,
        (before, after): (&[u8], &[u8]),
        to: &mut OwnedWriteHalf,
    ) -> Result<(), Broken> {
        to.write_all(before).await?;
        match fault {
            Fault::Closed => return Err(Broken::Closed),
            Fault::Reset => return Err(Broken::Reset),
            Fault::Delayed(time) => {
                tokio::time::sleep(time).await;
                to.write_all(after).await?;
            }
            Fault::Doubled => {
                to.write_all(&after[..after.len().min(SEGMENT)]).await?;
                to.write_all(after).await?;
            }
            Fault::Swapped => {
                let (first, second) = after.split_at(after.len() / 2);
                to.write_all(&[second, first].concat()).await?;
            }
            Fault::Replayed => {
                let (sent, target) = (lock(&self.sent).clone(), self.target);
                tokio::spawn(tokio::time::timeout(REPLAY, replay(sent, target)));
                to.write_all(after).await?;
            }
        }
        Ok(())
    }
}

async fn replay(sent: Vec<u8>, target: Option<SocketAddr>) -> io::Result<()> {
    let Some(target) = target else { return Ok(()) };
    let mut again = TcpStream::connect(target).await?;
    again.write_all(&sent).await?;
    let mut answered = Vec::new();
    again.read_to_end(&mut answered).await.map(drop)
}
