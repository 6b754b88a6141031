//! What the doctor may set, and what they are warned of while everything still works.

use time::Duration;

use super::{Agent, AgentError, clock::is_wrong};

/// From so long before its end the doctor is told that the certificate will expire: renewal at the association takes
/// weeks.
pub const EXPIRY_WARNING: Duration = Duration::days(60);

/// Written when the doctor switches batch signing off; its absence means on.
const BATCH_OFF: &str = "batch-signing-off";

/// Something to tell the doctor that stops nothing yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The certificate ends soon.
    CertificateExpires {
        /// Whole days left, 0 to 60.
        days: u16,
    },
    /// The phone's clock is wrong; the service's time is used instead.
    ClockWrong {
        /// Service's time minus phone's, in whole minutes.
        minutes: i64,
    },
}

impl Warning {
    /// What to tell a doctor, in Japanese.
    pub fn text_ja(&self) -> String {
        match self {
            Self::CertificateExpires { days } => {
                format!("証明書の有効期間は残り{days}日です。協会で更新の手続きをしてください。")
            }
            Self::ClockWrong { minutes } => {
                format!(
                    "端末の時計が{}分ずれています。設定で日時の自動設定を有効にしてください。",
                    minutes.abs()
                )
            }
        }
    }
    /// What to tell a doctor, in English.
    pub fn text_en(&self) -> String {
        match self {
            Self::CertificateExpires { days } => {
                format!("The certificate expires in {days} days. Ask your association to renew it.")
            }
            Self::ClockWrong { minutes } => {
                format!(
                    "This phone's clock is wrong by {} minutes. Turn on automatic date and time.",
                    minutes.abs()
                )
            }
        }
    }
}

impl Agent {
    /// What the doctor should know; no network. The clock is compared with the service of the session that is open.
    pub async fn warnings(&self) -> Vec<Warning> {
        let guard = self.bound.lock().await;
        let Some(bound) = guard.as_ref() else { return Vec::new() };
        let service = bound.session.as_ref().map(|session| &session.service);
        let now = service.map_or_else(|| self.device.clock.now(), |service| service.now());
        let left = bound.binding.holder().not_after - now;
        let expires = (left <= EXPIRY_WARNING)
            .then(|| Warning::CertificateExpires { days: u16::try_from(left.whole_days()).unwrap_or(0) });
        let skew = service.and_then(|service| service.clock_skew()).filter(|skew| is_wrong(*skew));
        let clock = skew.map(|skew| Warning::ClockWrong { minutes: skew.whole_minutes() });
        expires.into_iter().chain(clock).collect()
    }

    /// Whether several prescriptions may be approved in one act. On unless the doctor switched it off.
    ///
    /// # Errors
    /// [`Code::StateDamaged`](super::Code::StateDamaged), [`Code::StorageFailed`](super::Code::StorageFailed).
    pub async fn batch_signing(&self) -> Result<bool, AgentError> {
        self.with_state(|state| Ok(state.read(BATCH_OFF)?.is_none())).await
    }

    /// Switches batch signing on or off, for this phone and for good.
    ///
    /// # Errors
    /// [`Code::StorageFailed`](super::Code::StorageFailed).
    pub async fn set_batch_signing(&self, on: bool) -> Result<(), AgentError> {
        let set = move |state: &crate::device::state::State| {
            if on { state.remove(BATCH_OFF) } else { state.write(BATCH_OFF, b"off") }
        };
        self.with_state(move |state| Ok(set(state)?)).await
    }
}
