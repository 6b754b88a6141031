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
