//! What the phone has stored, changed: a sealed entry or a secrets file opens as it was written or not at all, and an agent
//! whose entries say something else does not open, or shows no more than they say.

#![no_main]

use std::{
    fs,
    sync::{Arc, LazyLock},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use fuzz::{
    files::{AT, CSV, DOCTOR, DOCTOR_P256, FixedRandom, signing_certificate},
    input::{Input, edited},
    office::{ISSUER, NOW},
    phone::{Hardware, KEYS, Secrets, device, empty_folder, options, public_key, runtime},
};
use hpki_agent::{
    agent::{Agent, Code, Status},
    certificate::SigningCertificate,
    device::{
        KeyRole, Secret, SecretStore, State, StateError,
        desktop::{PassphraseError, PassphraseStore},
    },
    prescription::Prescription,
    registration::{Binding, BoundKeys, Registered},
    signature::{Prepared, prepare},
};
use libfuzzer_sys::fuzz_target;
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    pbkdf2,
};
use serde_json::json;
use tokio::runtime::Runtime;

static DOCTORS: LazyLock<SigningCertificate> = LazyLock::new(|| signing_certificate(DOCTOR_P256));
static RUNTIME: LazyLock<Runtime> = LazyLock::new(runtime);

static PREPARED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let prescription = Prescription::parse(CSV.as_bytes()).expect("a prescription");
    prepare(prescription, &DOCTORS, AT, &FixedRandom).expect("prepared").to_stored()
});

static BINDING: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let registered = Registered {
        issuer: ISSUER.into(),
        client_id: "client-1".into(),
        registration_access_token: Secret::new(b"token".to_vec()),
        registration_client_uri: format!("{ISSUER}/register/client-1"),
        credential_id: "credential-1".into(),
        replaced: false,
    };
    let (device, approval) = (public_key(KeyRole::Device), public_key(KeyRole::Approval));
    let keys = BoundKeys { binding: KEYS, device: &device, approval: &approval };
    let holder = signing_certificate(DOCTOR).holder().clone();
    Binding::pin(&registered, &keys, vec![DOCTOR.to_vec()], holder, NOW)
        .expect("pinned")
        .to_json()
        .expect("JSON")
});

/// Entries of the agent's state by their names, as the agent writes them.
static ENTRIES: LazyLock<[(&str, Vec<u8>); 5]> = LazyLock::new(|| {
    let answer = json!({
        "client_id": "client-1", "registration_client_uri": format!("{ISSUER}/register/client-1"),
        "credential_id": "credential-1", "replaced": false,
    });
    let begun =
        json!({"issuer": ISSUER, "ticket": "BwcHBwcHBwcHBwcHBwcHBw", "key_binding": KEYS, "answer": answer});
    let item = json!({
        "id": "r-1", "document": vec![7; 32], "response_uri": format!("{ISSUER}/prescriptions/r-1"),
        "prepared": BASE64_STANDARD.encode(&*PREPARED), "signed": BASE64_STANDARD.encode("<signed/>"),
    });
    let inbox = json!({"left_out": 1, "items": [{
        "id": "r-2", "label": "処方箋", "requester": "検証用病院", "facility_code": "8000010",
        "received_at": NOW.unix_timestamp(), "expires_at": NOW.unix_timestamp() + 3600,
        "response_uri": format!("{ISSUER}/prescriptions/r-2"), "document": BASE64_STANDARD.encode(CSV),
    }]});
    let read_at = NOW.unix_timestamp().to_be_bytes();
    [
        ("binding", BINDING.clone()),
        ("registration", begun.to_string().into_bytes()),
        ("outbox-000102030405060708090a0b0c0d0e0f", item.to_string().into_bytes()),
        ("inbox", inbox.to_string().into_bytes()),
        ("inbox-read-at", read_at.to_vec()),
    ]
});

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    match input.byte() % 5 {
        0 => sealed(&mut input),
        1 => secrets_file(&mut input),
        2 => prepared(&mut input),
        _ => agent(&mut input),
    }
});

/// A file of the state folder: as written, or damaged.
fn sealed(input: &mut Input) {
    let (name, value) = &ENTRIES[usize::from(input.byte()) % ENTRIES.len()];
    let device = device(Arc::default(), Arc::default(), empty_folder());
    let state = State::open(&device).expect("a state");
    state.write(name, value).expect("written");
    let file = device.data_dir.join("state").join(format!("{name}.sealed"));
    let written = fs::read(&file).expect("a file");
    let changed = edited(&written, input);
    // Its own place, or another entry's
    let other = if input.byte() & 1 == 0 { name } else { "binding" };
    fs::write(file.with_file_name(format!("{other}.sealed")), &changed).expect("written");
    match state.read(other) {
        Ok(read) => {
            assert!(changed == written && other == *name, "a changed entry was opened");
            assert_eq!(read.as_deref(), Some(value));
        }
        Err(error) => {
            assert!(changed != written || other != *name, "{error}");
            assert!(matches!(error, StateError::Damaged { .. } | StateError::TooLarge { .. }), "{error}");
        }
    }
}

/// The secrets file of a desktop, made here as its description says, with few iterations.
fn secrets_file(input: &mut Input) {
    static GENUINE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut file = [b"HPKAPS01".as_slice(), &10_u32.to_be_bytes(), &[5; 16]].concat();
        let mut key = [0; 32];
        let iterations = std::num::NonZeroU32::new(10).expect("not zero");
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, &[5; 16], b"passphrase", &mut key);
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).expect("a key"));
        for (number, plain) in [b"".as_slice(), b"\0\x01a\0\x03one\0\x01b\0\0"].iter().enumerate() {
            let nonce = [u8::try_from(number).expect("few"); 12];
            let mut sealed = plain.to_vec();
            let context = Aad::from(file.clone());
            key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), context, &mut sealed)
                .expect("sealed");
            file.extend_from_slice(&nonce);
            file.extend_from_slice(&sealed);
        }
        file
    });
    let changed = edited(&GENUINE, input);
    // More iterations only take longer.
    if changed.get(8..12).is_some_and(|count| {
        *count > 1000_u32.to_be_bytes()[..] && *count <= 10_000_000_u32.to_be_bytes()[..]
    }) {
        return;
    }
    let path = empty_folder().join("secrets");
    fs::write(&path, &changed).expect("written");
    match PassphraseStore::open(&path, &Secret::new(b"passphrase".to_vec()), Arc::new(FixedRandom)) {
        Ok(store) => {
            assert!(changed == *GENUINE, "a changed secrets file was opened");
            let get = |name| store.get(name).expect("read").map(|secret| secret.expose().to_vec());
            assert_eq!((get("a"), get("b"), get("c")), (Some(b"one".to_vec()), Some(Vec::new()), None));
        }
        Err(error) => {
            assert!(changed != *GENUINE, "{error}");
            use PassphraseError::{Damaged, Foreign, Wrong};
            assert!(matches!(error, Damaged | Foreign | Wrong), "{error}");
            assert_eq!(fs::read(&path).expect("a file"), changed, "a file that was refused was changed");
        }
    }
}

/// What was prepared before a crash gives the same to sign, or nothing.
fn prepared(input: &mut Input) {
    let genuine = Prepared::from_stored(&PREPARED, &DOCTORS).expect("as stored");
    if let Ok(kept) = Prepared::from_stored(&edited(&PREPARED, input), &DOCTORS) {
        assert_eq!(kept.signed_info(), genuine.signed_info());
        assert_eq!(kept.prescription().csv(), CSV);
    }
}

/// The agent on entries that were sealed by its own phone and say something else.
fn agent(input: &mut Input) {
    let hardware = Arc::<Hardware>::default();
    let device = device(Arc::<Secrets>::default(), hardware, empty_folder());
    let chosen = input.byte();
    let is_bound = input.byte() & 1 == 0;
    let mut entries = ENTRIES.clone();
    let (changed, value) = &mut entries[usize::from(chosen) % ENTRIES.len()];
    *value = if chosen & 128 == 0 { edited(value, input) } else { input.rest().to_vec() };
    let changed = *changed;
    let entries = entries.iter().filter(|(name, _)| is_bound || *name != "binding" || changed == "binding");
    let entry =
        |name: &str| entries.clone().find(|(known, _)| *known == name).map(|(_, value)| value.as_slice());
    {
        let state = State::open(&device).expect("a state");
        for (name, value) in entries.clone() {
            state.write(name, value).expect("written");
        }
    }
    let binding = entry("binding").map(Binding::from_json);
    let opened = Agent::open(options(device.clone()));
    let agent = match opened {
        Ok(agent) => agent,
        Err(error) => {
            assert_eq!(error.code(), Code::StateDamaged, "{error}");
            assert!(binding.is_some_and(|binding| binding.is_err()));
            let agent = RUNTIME.block_on(Agent::start_over(options(device))).expect("started over");
            assert_eq!(RUNTIME.block_on(agent.status()).expect("a status"), Status::Unregistered);
            return;
        }
    };
    match RUNTIME.block_on(agent.status()) {
        Ok(Status::Registered { issuer, holder, undelivered }) => {
            let binding = binding.expect("bound").expect("a binding");
            assert_eq!((issuer.as_str(), &holder), (binding.issuer(), binding.holder()));
            assert!(undelivered <= 1);
            let again = Binding::from_json(&binding.to_json().expect("JSON")).expect("a binding");
            assert!(again == binding);
        }
        Ok(Status::AwaitingConfirmation) => assert!(binding.is_none() && entry("registration").is_some()),
        Ok(Status::Unregistered) => assert!(binding.is_none()),
        Err(error) => assert_eq!(error.code(), Code::StateDamaged, "{error}"),
    }
    match RUNTIME.block_on(agent.last_inbox()) {
        Ok(Some(inbox)) => {
            assert!(entry("inbox").is_some() && entry("inbox-read-at").is_some());
            for waiting in inbox.waiting {
                assert!(waiting.expires_at().is_none_or(|end| end > NOW));
                assert!(
                    waiting.prescription().is_err()
                        || waiting.prescription().is_ok_and(|p| !p.csv().is_empty())
                );
            }
        }
        Ok(None) => {}
        Err(error) => assert!(matches!(error.code(), Code::StateDamaged | Code::NotRegistered), "{error}"),
    }
    assert!(RUNTIME.block_on(agent.journal()).expect("a record").is_empty());
    let _ = RUNTIME.block_on(agent.warnings());
    assert!(RUNTIME.block_on(agent.batch_signing()).expect("a setting"));
}
