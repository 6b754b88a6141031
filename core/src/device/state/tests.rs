use std::sync::Arc;

use super::super::testing::{MemorySecrets, device};
use super::*;

fn file(device: &Device, name: &str) -> PathBuf {
    device.data_dir.join(FOLDER).join(format!("{name}{SUFFIX}"))
}

fn damaged(name: &str) -> StateError {
    StateError::Damaged { name: name.into() }
}

#[test]
fn an_entry_outlives_the_process_and_does_not_stand_in_the_clear() {
    let (device, _folder) = device();
    State::open(&device).unwrap().write("binding.1", b"something to remember").unwrap();
    let on_disk = fs::read(file(&device, "binding.1")).unwrap();
    assert!(!on_disk.windows(9).any(|w| w == b"something"));

    let state = State::open(&device).unwrap();
    assert_eq!(state.read("binding.1").unwrap().unwrap().as_slice(), b"something to remember");
    state.write("binding.1", b"").unwrap();
    assert!(state.read("binding.1").unwrap().unwrap().is_empty());
    state.remove("binding.1").unwrap();
    state.remove("binding.1").unwrap();
    assert!(state.read("binding.1").unwrap().is_none());
}

#[test]
fn two_agents_do_not_run_on_one_state() {
    let (device, _folder) = device();
    let first = State::open(&device).unwrap();
    assert_eq!(State::open(&device).err(), Some(StateError::InUse));
    assert_eq!(State::erase(&device.data_dir, &*device.secrets).err(), Some(StateError::InUse));
    drop(first);
    State::open(&device).unwrap();
}

#[test]
fn every_cut_and_every_changed_byte_of_an_entry_is_named_as_damage() {
    let (device, _folder) = device();
    let state = State::open(&device).unwrap();
    state.write("pending", b"prepared").unwrap();
    let whole = fs::read(file(&device, "pending")).unwrap();
    for length in 0..whole.len() {
        fs::write(file(&device, "pending"), &whole[..length]).unwrap();
        assert_eq!(state.read("pending").err(), Some(damaged("pending")), "cut to {length}");
    }
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x20;
        fs::write(file(&device, "pending"), &changed).unwrap();
        assert_eq!(state.read("pending").err(), Some(damaged("pending")), "changed at {at}");
    }
    assert_eq!(state.list("").unwrap(), ["pending"], "damage does not make an entry vanish");
}

#[test]
fn an_entry_under_another_name_or_from_another_installation_is_refused() {
    let (here, _here) = device();
    let (there, _there) = device();
    let state = State::open(&here).unwrap();
    state.write("a", b"a's").unwrap();
    fs::copy(file(&here, "a"), file(&here, "b")).unwrap();
    assert_eq!(state.read("b").err(), Some(damaged("b")));

    State::open(&there).unwrap().write("a", b"other").unwrap();
    fs::copy(file(&there, "a"), file(&here, "a")).unwrap();
    assert_eq!(state.read("a").err(), Some(damaged("a")));
}

#[test]
fn a_crash_while_writing_leaves_the_old_entry() {
    let (device, _folder) = device();
    State::open(&device).unwrap().write("a", b"old").unwrap();
    let half = device.data_dir.join(FOLDER).join(format!("a{SUFFIX}{}", files::TEMPORARY));
    fs::write(&half, b"HPKA").unwrap();
    let state = State::open(&device).unwrap();
    assert_eq!(state.read("a").unwrap().unwrap().as_slice(), b"old");
    assert_eq!(state.list("").unwrap(), ["a"]);
    assert!(!half.exists());
}

#[test]
fn a_lost_key_is_told_and_not_replaced_until_the_state_is_erased() {
    let (mut device, _folder) = device();
    State::open(&device).unwrap().write("a", b"1").unwrap();
    device.secrets = Arc::new(MemorySecrets::default());
    assert_eq!(State::open(&device).err(), Some(StateError::KeyLost));
    assert!(device.secrets.get(KEY_NAME).unwrap().is_none());
    State::erase(&device.data_dir, &*device.secrets).unwrap();
    assert!(State::open(&device).unwrap().list("").unwrap().is_empty());

    device.secrets.set(KEY_NAME, &Secret::new(vec![1; 5])).unwrap();
    assert_eq!(State::open(&device).err(), Some(StateError::KeyLost));
}

#[test]
fn entries_are_listed_by_prefix_in_order_and_a_foreign_file_is_told() {
    let (device, _folder) = device();
    let state = State::open(&device).unwrap();
    for name in ["signed.2", "signed.1", "binding"] {
        state.write(name, b"x").unwrap();
    }
    assert_eq!(state.list("signed.").unwrap(), ["signed.1", "signed.2"]);
    assert_eq!(state.list("none").unwrap(), Vec::<String>::new());
    fs::write(device.data_dir.join(FOLDER).join(".DS_Store"), b"").unwrap();
    assert_eq!(state.list("").unwrap().len(), 3);
    fs::write(device.data_dir.join(FOLDER).join("note.txt"), b"").unwrap();
    assert_eq!(state.list("").err(), Some(StateError::Foreign));
}

#[test]
fn a_name_cannot_leave_the_folder_and_sizes_are_bounded() {
    let (device, _folder) = device();
    let state = State::open(&device).unwrap();
    let long = "a".repeat(MAX_NAME + 1);
    for name in ["", ".", "..", "../x", "a/b", "a\\b", "A", "é", "a b", ".hidden", "a\0", &long] {
        assert_eq!(state.write(name, b"x").err(), Some(StateError::BadName), "{name:?}");
        assert_eq!(state.read(name).err(), Some(StateError::BadName), "{name:?}");
        assert_eq!(state.remove(name).err(), Some(StateError::BadName), "{name:?}");
    }
    state.write(&long[1..], b"x").unwrap();
    let too_large = Some(StateError::TooLarge { name: "a".into() });
    assert_eq!(state.write("a", &vec![0; MAX_ENTRY + 1]).err(), too_large);
    let sparse = fs::File::create(file(&device, "a")).unwrap();
    sparse.set_len((MAX_ENTRY + 1000) as u64).unwrap();
    assert_eq!(state.read("a").err(), too_large);
}

#[cfg(unix)]
#[test]
fn entries_are_readable_by_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (device, _folder) = device();
    State::open(&device).unwrap().write("a", b"x").unwrap();
    assert_eq!(fs::metadata(file(&device, "a")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(device.data_dir.join(FOLDER)).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_failing_secret_store_is_told() {
    let (mut device, _folder) = device();
    device.secrets = Arc::new(MemorySecrets::failing());
    assert_eq!(State::open(&device).err(), Some(StateError::Secrets(SecretStoreError::Unavailable)));
}
