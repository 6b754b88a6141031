//! The one error of the agent's edge: a stable code, what kind of help it needs, and what to tell the doctor in
//! Japanese and English. Never patient data, never a secret; the precise cause stays inside, as the error's source.

use std::{error::Error, fmt};

use serde::Serialize;

use crate::prescription::Violation;

/// What the user can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Try again, now or a little later; nothing is lost.
    Retry,
    /// Set something right on this phone first (clock, biometrics, screen lock), then try again.
    FixPhone,
    /// Ask the association's office (or whoever runs the service).
    AskOffice,
    /// Register this phone again, with a new letter or with the card.
    RegisterAgain,
    /// Refused for good: this document or this QR is not to be used.
    Refuse,
}

macro_rules! codes {
    ($($variant:ident $kind:ident $ja:literal $en:literal)*) => {
        /// What went wrong, as a stable code. The text of [`Code::as_str`] never changes between versions.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $en] $variant,)*
        }
        impl Code {
            /// Every code there is, for a documentation page or a test of an app's own texts.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// The stable code, the name of the variant.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)* }
            }
            /// What the user can do.
            pub const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }
            const fn texts(self) -> (&'static str, &'static str) {
                match self { $(Self::$variant => ($ja, $en),)* }
            }
        }
    };
}

codes! {
    NotATicket Refuse
        "これは初期登録用QRコードではありません。協会からの案内状にあるQRコードを読み取ってください。"
        "This is not an initial-registration QR. Scan the one in the letter from your association."
    UnknownIssuer Refuse
        "このQRコードの発行元は、このアプリが信頼するサービスではありません。使用せず、協会へ連絡してください。"
        "The issuer of this QR is not a service that this app trusts. Do not use it; tell your association."
    TicketForged Refuse
        "このQRコードは正規のものと確認できません。使用せず、協会へ連絡してください。"
        "This QR could not be verified as genuine. Do not use it; tell your association."
    TicketExpired AskOffice
        "このQRコードの有効期限が切れています。協会へ新しい案内状を請求してください。"
        "This QR has expired. Ask your association for a new letter."
    TicketUsed AskOffice
        "このQRコードは別の端末で使用済みです。心当たりがなければ、直ちに協会へ連絡してください。"
        "This QR was already used by another phone. If that was not you, tell your association at once."
    TicketLocked AskOffice
        "アクティベーションコードを5回誤ったため、このQRコードはロックされました。協会へ新しい案内状を請求してください。"
        "Five wrong activation codes have locked this QR. Ask your association for a new letter."
    TicketUnknown AskOffice
        "サービスがこのQRコードを受け付けませんでした。協会へ連絡してください。"
        "The service does not accept this QR. Ask your association."
    ActivationCodeRequired Retry
        "アクティベーションコードを入力してください。案内状とは別に届いています。"
        "Enter the activation code. It was delivered separately from the letter."
    ActivationCodeMalformed Retry
        "アクティベーションコードの形式が正しくありません。届いた用紙のとおりに入力してください。"
        "That is not the form of an activation code. Type it as it is printed on the sheet."
    WrongActivationCode Retry
        "アクティベーションコードが違います。残り{tries}回でロックされます。"
        "Wrong activation code. {tries} tries remain before it is locked."
    ClockWrong FixPhone
        "端末の時計がずれています。設定で日時の自動設定を有効にして、もう一度お試しください。"
        "This phone's clock is wrong. Turn on automatic date and time in its settings, then try again."
    SessionEnded Retry
        "表示してから30分が過ぎました。内容を確認するため、もう一度開いてください。"
        "Thirty minutes have passed since this was shown. Open it again to see what is approved."
    BatchSigningOff FixPhone
        "一括署名は設定で無効になっています。1件ずつ承認してください。"
        "Signing several at once is switched off in the settings. Approve them one by one."
    Offline Retry
        "ネットワークに接続できません。接続を確認して、もう一度お試しください。"
        "There is no network. Check the connection and try again."
    ServiceUnavailable Retry
        "サービスが応答しません。しばらくしてからもう一度お試しください。"
        "The service does not answer. Try again in a little while."
    ServiceNotTrusted Refuse
        "接続先が正規のサービスと確認できません。別のネットワークでお試しください。続く場合は協会へ連絡してください。"
        "The other side could not be verified as the genuine service. Try another network; if it persists, tell your association."
    ServiceMisbehaved AskOffice
        "サービスの応答が規格に合わないため、処理を中止しました。続く場合は協会へ連絡してください。"
        "The service's answer does not follow the standard, so this was stopped. If it persists, tell your association."
    ServiceRefused AskOffice
        "サービスが要求を拒否しました。続く場合は協会へ連絡してください。"
        "The service refused the request. If it persists, tell your association."
    PhoneUnbound RegisterAgain
        "この端末の登録は解除されています（機種変更または失効）。続けて使うには、もう一度登録してください。"
        "This phone is no longer registered (it was replaced or revoked). To use it, register again."
    NotRegistered RegisterAgain
        "この端末はまだ登録されていません。初期登録用QRコードを読み取ってください。"
        "This phone is not registered yet. Scan the initial-registration QR."
    AlreadyRegistered Refuse
        "この端末は登録済みです。登録し直すには、先に登録を解除してください。"
        "This phone is registered already. To register again, remove the present registration first."
    KeysInvalidated RegisterAgain
        "生体認証の登録が変わったため、この端末の鍵は無効になりました。もう一度登録してください。"
        "The biometrics of this phone have changed, so its keys are void. Register again."
    UserCancelled Retry
        "本人確認が取り消されました。何も署名されていません。"
        "The confirmation was cancelled. Nothing was signed."
    BiometricsLocked FixPhone
        "生体認証がロックされています。端末のロックを解除してから、もう一度お試しください。"
        "Biometrics are locked. Unlock the phone with its passcode, then try again."
    KeyVaultFailed FixPhone
        "端末の鍵を使用できません。端末を再起動して、もう一度お試しください。"
        "The phone's keys cannot be used. Restart the phone and try again."
    SecretStoreUnavailable FixPhone
        "端末の安全な保管領域を開けません。画面ロックを解除して、もう一度お試しください。"
        "The phone's secret store cannot be opened. Unlock the phone and try again."
    StateDamaged RegisterAgain
        "この端末に保存された登録情報が壊れています。もう一度登録してください。"
        "The registration stored on this phone is damaged. Register again."
    StateBusy Retry
        "このアプリは別の画面で動作中です。そちらを閉じてから、もう一度お試しください。"
        "The agent is already running on this phone. Close the other one and try again."
    StorageFailed FixPhone
        "端末に保存できません。空き容量を確認して、もう一度お試しください。"
        "The phone cannot store data. Check its free space and try again."
    JournalTampered AskOffice
        "この端末の署名記録が改変されています。使用を中止し、協会へ連絡してください。"
        "The record of signatures on this phone was altered. Stop using it and tell your association."
    CertificateNotPrescriber Refuse
        "この証明書の資格（{role}）では処方箋に署名できません。"
        "A certificate of this role ({role}) cannot sign prescriptions."
    CertificateWithoutRole Refuse
        "この証明書には医師・歯科医師の資格情報（hcRole）がないため、処方箋に署名できません。"
        "This certificate names no healthcare role (hcRole), so it cannot sign prescriptions."
    CertificateForAuthentication Refuse
        "これは認証用の証明書です。処方箋の署名には署名用の証明書が必要です。"
        "This is an authentication certificate. Prescriptions need a signing certificate."
    CertificateExpired AskOffice
        "証明書の有効期間外です。協会で更新の手続きをしてください。"
        "The certificate is outside its period of validity. Ask your association to renew it."
    CertificateRevoked AskOffice
        "証明書は失効しています。協会へ連絡してください。"
        "The certificate is revoked. Ask your association."
    CertificateUntrusted Refuse
        "証明書が正規のHPKI認証局から発行されたものと確認できません。協会へ連絡してください。"
        "The certificate does not lead to a trusted HPKI root. Tell your association."
    CertificateInvalid Refuse
        "証明書がHPKI署名用証明書の規格に合いません。協会へ連絡してください。"
        "The certificate does not follow the profile of HPKI signing certificates. Tell your association."
    CertificateChanged RegisterAgain
        "サービスにある証明書が、登録時に確認したものと異なります。確認のため、もう一度登録してください。"
        "The service's certificate is not the one that you confirmed. Register again to confirm it."
    CredentialDisabled AskOffice
        "この証明書の鍵は停止されています。協会へ連絡してください。"
        "The key of this certificate is disabled. Ask your association."
    SoleControlMissing Refuse
        "このサービスは署名ごとの本人承認（SCAL2）に対応していないため、使用できません。"
        "This service does not bind each signature to your approval (SCAL2), so it cannot be used."
    DocumentRefused Refuse
        "この文書には署名できません。理由を確認し、発行した医療機関へ連絡してください。"
        "This document cannot be signed. See the reasons and tell the clinic that sent it."
    RequestDamaged Refuse
        "届いた処方箋が送信時の内容と一致しません。発行した医療機関へ再送を依頼してください。"
        "What arrived is not what was sent. Ask the clinic to send the prescription again."
    BatchEmpty Refuse
        "承認する処方箋が選ばれていません。"
        "No prescription was chosen for approval."
    BatchStale Retry
        "この処方箋は、先に開いた画面で承認が始まっています。一覧を開き直してください。"
        "An approval of this prescription has begun from an earlier view. Open the list again."
    BatchTooLarge Refuse
        "一度に承認できる件数（{limit}件）を超えています。分けて承認してください。"
        "More prescriptions than can be approved at once ({limit}). Approve them in parts."
    SignatureRefused Retry
        "サービスが署名を拒否しました。何も署名されていません。もう一度承認してください。"
        "The service refused to sign. Nothing was signed. Approve once more."
    SignatureWrong AskOffice
        "サービスから返された署名が正しくないため、破棄しました。協会へ連絡してください。"
        "The signature that came back is wrong and was thrown away. Tell your association."
    AlreadyAnswered Refuse
        "この処方箋は既に処理されています。"
        "This prescription was already answered."
    RequestGone Refuse
        "この処方箋の依頼は、取り下げられたか期限を過ぎました。必要であれば、発行した医療機関へ再送を依頼してください。"
        "This request was withdrawn or has expired. If it is still needed, ask the clinic to send it again."
}

/// The error of every public step of [`crate::agent::Agent`].
pub struct AgentError {
    code: Code,
    tries_left: Option<u32>,
    /// What fills the one gap of the text: a role, a limit.
    detail: Option<String>,
    violations: Vec<Violation>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl AgentError {
    pub(super) fn new(code: Code) -> Self {
        Self { code, tries_left: None, detail: None, violations: Vec::new(), source: None }
    }
    pub(super) fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }
    pub(super) fn tries(mut self, tries_left: u32) -> Self {
        self.tries_left = Some(tries_left);
        self
    }
    pub(super) fn detail(mut self, detail: impl fmt::Display) -> Self {
        self.detail = Some(detail.to_string());
        self
    }
    pub(super) fn because(mut self, violations: Vec<Violation>) -> Self {
        self.violations = violations;
        self
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.code
    }
    /// What the user can do.
    pub fn kind(&self) -> Kind {
        self.code.kind()
    }
    /// Activation codes that may still be tried, with [`Code::WrongActivationCode`].
    pub fn tries_left(&self) -> Option<u32> {
        self.tries_left
    }
    /// Why a document was refused, with [`Code::DocumentRefused`]: all of its violations, by record and line.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
    /// What to tell a doctor, in Japanese.
    pub fn text_ja(&self) -> String {
        self.fill(self.code.texts().0)
    }
    /// What to tell a doctor, in English.
    pub fn text_en(&self) -> String {
        self.fill(self.code.texts().1)
    }

    fn fill(&self, text: &str) -> String {
        let tries = self.tries_left.map(|n| n.to_string()).unwrap_or_default();
        let detail = self.detail.as_deref().unwrap_or("—");
        text.replace("{tries}", &tries).replace("{role}", detail).replace("{limit}", detail)
    }
}

impl fmt::Debug for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentError({self})")
    }
}

impl fmt::Display for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.text_en())
    }
}

impl Error for AgentError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_tells_the_doctor_something_in_both_languages() {
        for code in Code::ALL {
            let error = AgentError::new(*code).tries(3).detail("x");
            assert!(error.text_ja().chars().any(|c| ('\u{3040}'..'\u{30ff}').contains(&c)), "{code:?}");
            assert!(error.text_en().ends_with('.') && error.text_en().is_ascii(), "{code:?}");
            assert!(!error.text_ja().contains('{') && !error.text_en().contains('{'), "{code:?}");
        }
    }

    #[test]
    fn a_wrong_code_says_how_many_tries_remain() {
        let error = AgentError::new(Code::WrongActivationCode).tries(2);
        assert!(error.text_ja().contains("残り2回"));
        assert!(error.text_en().contains("2 tries"));
    }
}
