//! The OAuth half of the agent before an authorization server that others wrote: the npm package `oidc-provider`, run by
//! `provider.mjs` in a process of its own and reached over TLS. [`World`] is that process and an office that signs
//! tickets; [`Phone`] holds a phone's keys; [`Line`] is the agent's own HTTPS, which a test can overhear and disturb.
//! What the provider itself checks, and what was added through its hooks, stands at the top of `provider.mjs`.

mod line;
mod phone;
mod world;

pub use line::{Line, Seen};
pub use phone::Phone;
pub use world::World;
