import Foundation
import HpkiAgentCore

/// Verifies a signed file, without any network: whether its signatures hold, who made them, and whether they may have.
///
/// - Throws: `MaterialError` when a certificate or a revocation list of `against` cannot be read.
public func verify(_ file: Data, against: VerificationMaterial, at: Date = Date()) async throws -> VerificationReport {
    try verifyFile(file: file, against: against, at: at)
}

/// Reads any file as far as it can be read: what it is, what it says, what is wrong with it.
public func inspect(_ file: Data) async -> Inspection {
    HpkiAgentCore.inspect(file: file)
}

/// Checks that a journal exported by ``HpkiAgent/exportJournal()`` hangs together.
///
/// - Throws: `JournalError` with the first place that is wrong.
public func verifyJournal(_ export: Data) async throws -> JournalSummary {
    try verifyJournalExport(export: export)
}

extension ActivationCode {
    /// Reads what a person types: digits in half or full width, spaces and hyphens of any kind between them. A slip is told here
    /// and costs none of the five tries.
    ///
    /// - Throws: ``HpkiAgentError/retry(_:)`` with `ActivationCodeMalformed`.
    public static func typed(_ text: String) throws(HpkiAgentError) -> ActivationCode {
        do {
            return try parse(typed: text)
        } catch {
            throw HpkiAgentError(error)
        }
    }
}
