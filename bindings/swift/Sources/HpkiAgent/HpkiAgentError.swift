import Foundation
import HpkiAgentCore

/// Why a step failed, sorted by what the doctor can do. ``failure`` holds a stable code and what to tell the doctor in Japanese
/// and English; it holds no patient data and no secret, so it may be shown, logged and reported.
public enum HpkiAgentError: Error, Sendable, Equatable {
    /// Try again, now or a little later; nothing is lost.
    case retry(AgentFailure)
    /// Set something right on this phone first (clock, biometrics, screen lock), then try again.
    case fixPhone(AgentFailure)
    /// Ask the association's office, or whoever runs the service.
    case askOffice(AgentFailure)
    /// Register this phone again, with a new letter or with the card.
    case registerAgain(AgentFailure)
    /// Refused for good: this document or this QR is not to be used.
    case refused(AgentFailure)
    /// The task was cancelled. What had begun is as after a crash: the same step repeated continues it.
    case cancelled
    /// A mistake of the app: a candidate, a waiting prescription or a batch can be used once, and this one was.
    case alreadyUsed
    /// A mistake inside the library, in its own words for a report to its makers. The step counts as broken off.
    case defect(String)

    /// The code, the texts, the tries left, the violations; none for a step that was cancelled and for mistakes of programs.
    public var failure: AgentFailure? {
        switch self {
        case .retry(let failure), .fixPhone(let failure), .askOffice(let failure), .registerAgain(let failure),
            .refused(let failure):
            failure
        case .cancelled, .alreadyUsed, .defect: nil
        }
    }
}

extension HpkiAgentError: LocalizedError {
    /// What to tell the doctor: Japanese where the phone speaks it, else English.
    public var errorDescription: String? {
        let japanese = Locale.preferredLanguages.first?.hasPrefix("ja") ?? false
        switch self {
        case .retry(let failure), .fixPhone(let failure), .askOffice(let failure), .registerAgain(let failure),
            .refused(let failure):
            return japanese ? failure.textJa : failure.textEn
        case .cancelled:
            return japanese ? "取り消しました。" : "Cancelled."
        case .alreadyUsed, .defect:
            return japanese
                ? "アプリの内部で問題が起きました。アプリを再起動して、もう一度お試しください。"
                : "Something went wrong inside the app. Restart it and try again."
        }
    }
}

extension HpkiAgentError {
    init(_ error: any Error) {
        self =
            switch error {
            case let error as HpkiAgentError: error
            case AgentError.Retry(let failure): .retry(failure)
            case AgentError.FixPhone(let failure): .fixPhone(failure)
            case AgentError.AskOffice(let failure): .askOffice(failure)
            case AgentError.RegisterAgain(let failure): .registerAgain(failure)
            case AgentError.Refused(let failure): .refused(failure)
            case AgentError.Cancelled, is CancellationError: .cancelled
            case AgentError.AlreadyUsed: .alreadyUsed
            default: .defect(error.localizedDescription)
            }
    }
}

extension AgentFailure {
    /// The folder cannot be made: told here, before the core is asked.
    static let storageFailed = AgentFailure(
        code: "StorageFailed",
        kind: .fixPhone,
        textJa: "端末に保存できません。空き容量を確認して、もう一度お試しください。",
        textEn: "The phone cannot store data. Check its free space and try again.",
        triesLeft: nil,
        violations: []
    )
}

/// Runs `work` and turns what generated code throws into ``HpkiAgentError``.
func translating<T>(_ work: () async throws -> T) async throws(HpkiAgentError) -> T {
    do {
        return try await work()
    } catch {
        throw HpkiAgentError(error)
    }
}

/// The same for a step that ends early when the task that waits for it is cancelled: the core does not see tasks.
func cancellable<T>(_ work: (CancellationToken) async throws -> T) async throws(HpkiAgentError) -> T {
    let token = CancellationToken()
    return try await translating {
        try await withTaskCancellationHandler {
            try await work(token)
        } onCancel: {
            token.cancel()
        }
    }
}
