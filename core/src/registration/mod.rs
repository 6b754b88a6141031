//! Text of a QR → verified [`Ticket`] → [`RegistrationRequest`] → [`Registered`] → [`Binding`] of this phone.
//! Nothing here does I/O: requests are built and answers judged by plain functions, the approval proof being signed by
//! the phone's vault. A ticket of an unknown issuer, or one that does not verify, is refused before there is anything
//! to send; every refusal by the service is told apart as far as it tells the doctor what to do. Sources: protocol §2
//! (ticket), §3 (binding); RFC 7591 (registration), RFC 7592 (removal), RFC 7638 (thumbprints).

mod answer;
mod binding;
mod code;
mod request;
mod ticket;

pub use answer::{MAX_ANSWER, Registered, RegistrationRefusal, Unregistration, judge, judge_unregistration};
pub use binding::{Binding, BindingError, BoundKeys, secret_name};
pub use code::{ActivationCode, ActivationCodeError, CODE_DIGITS};
pub use request::{ClientInfo, RegistrationError, RegistrationRequest};
pub use ticket::{MAX_QR_TEXT, Route, Ticket, TicketError};

#[cfg(test)]
mod testing;
