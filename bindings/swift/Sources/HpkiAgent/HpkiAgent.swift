import Foundation
@_exported import HpkiAgentCore

/// The doctor's phone: it registers with the QR of a letter, lists the prescriptions that wait, and signs or declines them.
///
/// Every function may be called from the main actor; the work is done off it. A task that is cancelled breaks its step off:
/// what had begun is then as after a crash, and the same step repeated continues it. One agent lives on a folder at a time;
/// the folder is free again when the agent is released.
public final class HpkiAgent: Sendable {
    private let core: Agent

    private init(_ core: Agent) {
        self.core = core
    }

    /// Version of the compiled core.
    public static var version: String { libraryVersion() }

    /// Opens the agent on this phone's state; no network.
    ///
    /// - Parameters:
    ///   - trust: which services exist, who signs their tickets, which roots count; shipped with the app.
    ///   - client: what the service is told of this app.
    ///   - folder: a private folder, made when absent and excluded from backups; by default one in Application Support.
    ///   - keys: holds the two keys, ``SecureEnclaveKeyVault`` on a phone.
    ///   - secrets: for small secrets, where the platform's own store is not wanted: on iOS that is the data protection keychain.
    ///   - clock: another time than the phone's, for tests.
    /// - Throws: ``HpkiAgentError``, among them `StateBusy` while another agent lives on the folder.
    public static func open(
        trust: TrustConfiguration,
        client: ClientInfo,
        folder: URL? = nil,
        keys: any KeyVault,
        secrets: (any SecretStore)? = nil,
        clock: (any HpkiAgentCore.Clock)? = nil
    ) async throws(HpkiAgentError) -> HpkiAgent {
        let path = try privateFolder(folder)
        return try await translating {
            HpkiAgent(
                try await Agent.open(
                    trust: trust, client: client, dataDir: path, keyVault: keys, secretStore: secrets, clock: clock))
        }
    }

    /// As ``open(trust:client:folder:keys:secrets:clock:)``, except that a registration which cannot be used any more
    /// (`StateDamaged`, `JournalTampered`) is given up. To be called when the doctor registers again, after a backup was put
    /// back or the phone's secrets were lost. Nothing is given up on a phone that opens; no network.
    public static func startOver(
        trust: TrustConfiguration,
        client: ClientInfo,
        folder: URL? = nil,
        keys: any KeyVault,
        secrets: (any SecretStore)? = nil,
        clock: (any HpkiAgentCore.Clock)? = nil
    ) async throws(HpkiAgentError) -> HpkiAgent {
        let path = try privateFolder(folder)
        return try await translating {
            HpkiAgent(
                try await Agent.startOver(
                    trust: trust, client: client, dataDir: path, keyVault: keys, secretStore: secrets, clock: clock))
        }
    }

    /// Where this phone stands; no network.
    public func status() async throws(HpkiAgentError) -> Status {
        try await translating { try await self.core.status() }
    }

    /// Registers this phone with the text of a registration QR and, where its ticket asks for one, the activation code. What
    /// comes back is to be shown to the doctor, then given to ``confirm(_:)`` or ``reject(_:)``. Repeating with the same QR
    /// continues the same registration.
    ///
    /// - Throws: ``HpkiAgentError``, among them `ActivationCodeRequired` (ask for the code and call again) and
    ///   `WrongActivationCode` with the tries left, as ``HpkiAgentError/retry(_:)``; a forged or foreign QR as
    ///   ``HpkiAgentError/refused(_:)``, before any request.
    public func register(
        qrText: String,
        activationCode: ActivationCode? = nil,
        onProgress: (@Sendable (ProgressStep) -> Void)? = nil
    ) async throws(HpkiAgentError) -> Candidate {
        try await cancellable { token in
            try await self.core.register(
                qrText: qrText, activationCode: activationCode, progress: onProgress.map(Progress.init), cancellation: token)
        }
    }

    /// The registration that waits for the doctor's confirmation, for an app that was ended before it.
    public func candidate() async throws(HpkiAgentError) -> Candidate? {
        try await cancellable { try await self.core.candidate(cancellation: $0) }
    }

    /// The doctor has said "this is me": the binding is in force from here on. Uses the candidate up.
    public func confirm(_ candidate: Candidate) async throws(HpkiAgentError) {
        try await translating { try await self.core.confirm(candidate: candidate) }
    }

    /// The doctor has said "this is not me": the phone is unregistered and its keys are wiped. Uses the candidate up.
    public func reject(_ candidate: Candidate) async throws(HpkiAgentError) {
        try await translating { try await self.core.reject(candidate: candidate) }
    }

    /// What waits for this doctor, oldest first. A document that cannot be signed is listed with its reasons: it can be declined.
    ///
    /// - Parameter wait: how long, in seconds from 0 to 25, the service may hold its answer back until something arrives.
    public func inbox(wait: TimeInterval = 0) async throws(HpkiAgentError) -> [Waiting] {
        try await cancellable { try await self.core.inbox(wait: min(max(wait, 0), 25), cancellation: $0) }
    }

    /// What waited when ``inbox(wait:)`` or ``inboxEvents()`` last read it, and when that was; no network. For a phone that is
    /// offline: none before the first reading. What it lists can be shown; ``prepare(_:)`` asks the service whether it still waits.
    public func lastInbox() async throws(HpkiAgentError) -> LastInbox? {
        try await translating { try await self.core.lastInbox() }
    }

    /// Watches the inbox for as long as it is iterated: all that waits, at first and whenever it has changed. While the service
    /// cannot be reached it yields `.interrupted` and goes on; what waiting does not mend is thrown as ``HpkiAgentError``. It ends
    /// when its task is cancelled, and asks the service nothing between two elements.
    public func inboxEvents() -> AsyncThrowingStream<InboxEvent, any Error> {
        let watch = core.watchInbox()
        return AsyncThrowingStream {
            do {
                return try await cancellable { try await watch.next(cancellation: $0) }
            } catch HpkiAgentError.cancelled {
                return nil
            }
        }
    }

    /// A prescription that the app brings itself: the XML envelope without signature, or the bare `SJ1` CSV.
    public func open(document: Data, label: String) async throws(HpkiAgentError) -> Waiting {
        try await translating { try await self.core.openDocument(file: document, label: label) }
    }

    /// Makes prescriptions ready for one approval. Uses them up, also when it fails: what waits is still in the inbox. Nothing is
    /// signed yet.
    public func prepare(_ waiting: [Waiting]) async throws(HpkiAgentError) -> Batch {
        try await cancellable { try await self.core.prepare(waiting: waiting, cancellation: $0) }
    }

    /// Signs a batch in one act: the key vault verifies the doctor, the service signs, every signature is verified and every file
    /// delivered. Uses the batch up. A file that could not be delivered is no failure: see `Approved.delivery()`.
    public func approve(
        _ batch: Batch,
        onProgress: (@Sendable (ProgressStep) -> Void)? = nil
    ) async throws(HpkiAgentError) -> [Approved] {
        try await cancellable { token in
            try await self.core.approve(batch: batch, progress: onProgress.map(Progress.init), cancellation: token)
        }
    }

    /// Tells the requester that the doctor will not sign. Uses the waiting prescription up.
    ///
    /// - Parameter reason: the doctor's own words to the clinic; its first 200 characters are sent, never kept.
    public func decline(_ waiting: Waiting, reason: String) async throws(HpkiAgentError) {
        try await cancellable { try await self.core.decline(waiting: waiting, reason: reason, cancellation: $0) }
    }

    /// Hands over signed files that the service has not yet taken, and returns what became of each: for an app's start and for the
    /// return of the network.
    @discardableResult
    public func deliverPending() async throws(HpkiAgentError) -> [Redelivery] {
        try await cancellable { try await self.core.deliverPending(cancellation: $0) }
    }

    /// What the doctor should know while everything still works: a certificate that ends soon, a clock that is wrong. No network.
    public func warnings() async throws(HpkiAgentError) -> [Warning] {
        try await translating { await self.core.warnings() }
    }

    /// Whether several prescriptions may be approved in one act. On unless the doctor switched it off.
    public func batchSigning() async throws(HpkiAgentError) -> Bool {
        try await translating { try await self.core.batchSigning() }
    }

    /// Switches batch signing on or off, for this phone and for good.
    public func setBatchSigning(_ on: Bool) async throws(HpkiAgentError) {
        try await translating { try await self.core.setBatchSigning(on: on) }
    }

    /// Removes this phone from the service and wipes keys, secrets and binding.
    public func unregister() async throws(HpkiAgentError) {
        try await cancellable { try await self.core.unregister(cancellation: $0) }
    }

    /// The record of what was approved, declined and refused, verified, oldest first; it holds no patient data.
    public func journal() async throws(HpkiAgentError) -> [JournalEntry] {
        try await translating { try await self.core.journal() }
    }

    /// The same as a file, for ``verifyJournal(_:)``.
    public func exportJournal() async throws(HpkiAgentError) -> Data {
        try await translating { try await self.core.exportJournal() }
    }
}

/// What an app's closure is told through.
private final class Progress: ProgressListener {
    private let tell: @Sendable (ProgressStep) -> Void

    init(_ tell: @escaping @Sendable (ProgressStep) -> Void) {
        self.tell = tell
    }

    func onProgress(step: ProgressStep) {
        tell(step)
    }
}

/// Makes the folder, out of reach of backups and, on a phone, readable only after the first unlock.
private func privateFolder(_ given: URL?) throws(HpkiAgentError) -> String {
    do {
        let files = FileManager.default
        var folder = try given ?? defaultFolder()
        try files.createDirectory(at: folder, withIntermediateDirectories: true)
        #if canImport(Darwin)
            var values = URLResourceValues()
            values.isExcludedFromBackup = true
            try folder.setResourceValues(values)
        #endif
        #if os(iOS)
            try files.setAttributes(
                [.protectionKey: FileProtectionType.completeUntilFirstUserAuthentication], ofItemAtPath: folder.path)
        #endif
        folder.standardize()
        return folder.path
    } catch {
        throw .fixPhone(.storageFailed)
    }
}

private func defaultFolder() throws -> URL {
    try FileManager.default
        .url(for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
        .appendingPathComponent("hpki-agent", isDirectory: true)
}
