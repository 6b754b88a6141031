//! One step at the secret store of the desktop that this process runs on, so that each test can have a desktop of its own:
//!
//! ```text
//! get NAME | set NAME | delete NAME     through the agent's KeyringStore; secrets by standard input and output
//! lock | unlock                         the user's keyring; the password of the login by standard input
//! ```
//! Exit code 0; 1 with the agent's error on standard output; 3 when there is no secret of this name.

use std::{
    error::Error,
    io::{Read, Write, stdin, stdout},
    process::ExitCode,
};

use hpki_agent::device::{Secret, SecretStore, SecretStoreError, desktop::KeyringStore};
use zbus::{
    blocking::{Connection, Proxy},
    zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value},
};

/// No secret of this name.
const NONE: u8 = 3;
/// Name and object of the Secret Service on the session bus.
const SERVICE: &str = "org.freedesktop.secrets";
const OBJECT: &str = "/org/freedesktop/secrets";
/// The keyring that a login opens.
const LOGIN: &str = "/org/freedesktop/secrets/collection/login";

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["lock"] => lock(),
        ["unlock"] => unlock(&input()?),
        _ => Ok(()),
    }?;
    let done = match arguments[..] {
        ["get", name] => store().and_then(|store| store.get(name)),
        ["set", name] => {
            let secret = Secret::new(input()?);
            store().and_then(|store| store.set(name, &secret)).map(|()| Some(Secret::new(Vec::new())))
        }
        ["delete", name] => {
            store().and_then(|store| store.delete(name)).map(|()| Some(Secret::new(Vec::new())))
        }
        ["lock" | "unlock"] => Ok(Some(Secret::new(Vec::new()))),
        _ => return Err("get NAME, set NAME, delete NAME, lock or unlock".into()),
    };
    Ok(match done {
        Ok(Some(secret)) => {
            stdout().write_all(secret.expose())?;
            ExitCode::SUCCESS
        }
        Ok(None) => ExitCode::from(NONE),
        Err(error) => {
            print!("{error}");
            ExitCode::FAILURE
        }
    })
}

fn input() -> Result<Vec<u8>, std::io::Error> {
    let mut bytes = Vec::new();
    stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// As the command line opens it.
fn store() -> Result<KeyringStore, SecretStoreError> {
    keyring::Entry::store_status().as_ref().map_err(|_| SecretStoreError::Unavailable)?;
    keyring_core::get_default_store().map(KeyringStore::new).ok_or(SecretStoreError::Unavailable)
}

/// Secret Service API 0.2, `Service.Lock`.
fn lock() -> Result<(), Box<dyn Error>> {
    let bus = Connection::session()?;
    let service = Proxy::new(&bus, SERVICE, OBJECT, "org.freedesktop.Secret.Service")?;
    let (locked, _): (Vec<OwnedObjectPath>, OwnedObjectPath) =
        service.call("Lock", &vec![ObjectPath::try_from(LOGIN)?])?;
    if locked.is_empty() { Err("the keyring is not locked".into()) } else { Ok(()) }
}

/// What the desktop's own dialogue does once the user has typed the password: gnome-keyring offers it to nobody else.
fn unlock(password: &[u8]) -> Result<(), Box<dyn Error>> {
    let bus = Connection::session()?;
    let service = Proxy::new(&bus, SERVICE, OBJECT, "org.freedesktop.Secret.Service")?;
    let (_, session): (OwnedValue, OwnedObjectPath) =
        service.call("OpenSession", &("plain", Value::from("")))?;
    let dialogue =
        Proxy::new(&bus, SERVICE, OBJECT, "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface")?;
    let secret = (session, Vec::<u8>::new(), password, "text/plain");
    dialogue.call::<_, _, ()>("UnlockWithMasterPassword", &(ObjectPath::try_from(LOGIN)?, secret))?;
    Ok(())
}
