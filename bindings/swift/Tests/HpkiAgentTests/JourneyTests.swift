import Foundation
import HpkiAgent
import XCTest

/// What an app does, against the real core and a running reference service.
final class JourneyTests: XCTestCase {
    private var office: Office!

    override func setUpWithError() throws {
        office = try Office.shared.get()
    }

    /// So many requests of the clinic, as the doctor sees them.
    private func asked(_ count: Int, of agent: HpkiAgent) async throws -> [Waiting] {
        let requests = try (0..<count).map { _ in try office.submit(prescription()) }
        let waiting = try await agent.inbox(wait: 5).filter { requests.contains($0.id()) }
        guard waiting.count == count else { throw Failed("\(waiting.count) of \(count) requests are in the inbox") }
        return waiting
    }

    override class func tearDown() {
        if case .success(let office) = Office.shared { office.close() }
    }

    func testARegisteredDoctorApprovesAndTheClinicHasAValidFile() async throws {
        let phone = Phone(office)
        let agent = try await phone.registered()
        guard case .registered(_, let holder, _) = try await agent.status() else { return XCTFail("not registered") }
        XCTAssertEqual(holder.nameKanji, Office.doctor)

        let waiting = try await asked(2, of: agent)
        let steps = Recorder<ProgressStep>()
        let approved = try await agent.approve(agent.prepare(waiting)) { steps.add($0) }

        XCTAssertEqual(approved.map { $0.delivery() }, [.delivered, .delivered])
        XCTAssertEqual(phone.vault.prompts.last, .approve(count: 2))
        XCTAssertEqual(steps.all, [.started, .awaitingUser, .userVerified])
        for signed in approved {
            let (code, file, error) = try office.collect(signed.id())
            XCTAssertEqual(code, 0, error)
            let report = try await verify(file, against: office.material())
            XCTAssertEqual(report.verdict, .valid)
        }
        let export = try await agent.exportJournal()
        let entries = try await agent.journal()
        let summary = try await verifyJournal(export)
        XCTAssertEqual(Int(summary.count), entries.count)
    }

    func testAPrescriptionIsUsedOnce() async throws {
        let agent = try await Phone(office).registered()
        let waiting = try await asked(1, of: agent)
        _ = try await agent.prepare(waiting)
        await assertThrows(.alreadyUsed) { _ = try await agent.prepare(waiting) }
    }

    func testADeclinedRequestIsToldToTheClinic() async throws {
        let agent = try await Phone(office).registered()
        let waiting = try await asked(1, of: agent)[0]
        try await agent.decline(waiting, reason: "用量を確認してください")
        let (code, _, error) = try office.collect(waiting.id())
        XCTAssertEqual(code, 4)
        XCTAssertTrue(error.contains("用量を確認してください"), error)
    }

    func testAWrongCodeTellsHowManyTriesAreLeft() async throws {
        let agent = try await Phone(office).open()
        let (qrText, code) = try office.letter()
        let wrong = String(code.reversed()) == code ? "00000000" : String(code.reversed())
        let failure = await thrown {
            _ = try await agent.register(qrText: qrText, activationCode: ActivationCode(typed: wrong))
        }
        XCTAssertEqual(failure?.kind, .retry)
        XCTAssertEqual(failure?.code, "WrongActivationCode")
        XCTAssertEqual(failure?.triesLeft, 4)
        XCTAssertEqual(failure?.textJa.contains("残り4回"), true)
    }

    func testAForeignQrIsRefused() async throws {
        let agent = try await Phone(office).open()
        let failure = await thrown {
            _ = try await agent.register(qrText: "https://example.com/r#eyJhbGciOiJFUzI1NiJ9.e30.AAAA")
        }
        XCTAssertEqual(failure?.kind, .refuse)
        XCTAssertEqual(failure?.textJa.isEmpty, false)
    }

    func testKeysThatThePlatformDestroyedAskForANewRegistration() async throws {
        let phone = Phone(office)
        let agent = try await phone.registered()
        let batch = try await agent.prepare(asked(1, of: agent))
        phone.vault.destroy(.approval)
        let failure = await thrown {
            _ = try await agent.approve(batch)
        }
        XCTAssertEqual(failure?.kind, .registerAgain)
        XCTAssertEqual(failure?.code, "KeysInvalidated")
    }

    func testWhateverTheVaultThrowsReachesTheAppAsATypedError() async throws {
        let phone = Phone(office)
        let agent = try await phone.registered()
        phone.vault.user { _ in throw Failed("the app's own") }
        let failure = await thrown {
            _ = try await agent.approve(agent.prepare(self.asked(1, of: agent)))
        }
        XCTAssertEqual(failure?.kind, .fixPhone)
        XCTAssertEqual(failure?.code, "KeyVaultFailed")
        phone.vault.user { _ in throw KeyVaultError.Cancelled }
        let second = await thrown {
            _ = try await agent.approve(agent.prepare(self.asked(1, of: agent)))
        }
        XCTAssertEqual(second?.kind, .retry)
        XCTAssertEqual(second?.code, "UserCancelled")
    }

    func testACancelledTaskEndsALongPollAtOnce() async throws {
        let agent = try await Phone(office).registered()
        for waiting in try await agent.inbox() { try await agent.decline(waiting, reason: "試験") }
        let began = Date()
        let task = Task { try await agent.inbox(wait: 25) }
        try await Task.sleep(nanoseconds: 500_000_000)
        task.cancel()
        await assertThrows(.cancelled) { _ = try await task.value }
        XCTAssertLessThan(Date().timeIntervalSince(began), 20)
    }

    func testTheInboxStreamTellsWhatArrivesAndEndsWithItsTask() async throws {
        let agent = try await Phone(office).registered()
        let seen = Recorder<[String]>()
        let task = Task {
            for try await event in agent.inboxEvents() {
                if case .changed(let waiting) = event { seen.add(waiting.map { $0.id() }) }
            }
        }
        let request = try office.submit(prescription())
        for _ in 0..<300 where seen.all.last?.contains(request) != true { try await Task.sleep(nanoseconds: 100_000_000) }
        XCTAssertEqual(seen.all.last?.contains(request), true)
        task.cancel()
        try await task.value
    }

    func testADoctorWhoSwitchedBatchSigningOffApprovesOneAtATime() async throws {
        let agent = try await Phone(office).registered()
        try await agent.setBatchSigning(false)
        let failure = await thrown {
            _ = try await agent.prepare(self.asked(2, of: agent))
        }
        XCTAssertEqual(failure?.code, "BatchSigningOff")
        let approved = try await agent.approve(agent.prepare(asked(1, of: agent)))
        XCTAssertEqual(approved.count, 1)
    }

    func testASecondAgentOnTheSameFolderIsRefused() async throws {
        let phone = Phone(office)
        let first = try await phone.open()
        let failure = await thrown {
            _ = try await phone.open()
        }
        XCTAssertEqual(failure?.kind, .retry)
        XCTAssertEqual(failure?.code, "StateBusy")
        _ = try await first.status()
    }
}

/// What needs neither registration nor service.
final class BoundaryTests: XCTestCase {
    func testAFrameWithoutASymbolSaysSoAndWrongSizesAreAnError() throws {
        let scanner = QrScanner()
        let grey = [UInt8](repeating: 128, count: 640 * 480)
        try grey.withUnsafeBytes { luma in
            guard case .nothing(let why) = try scanner.scan(luma: luma, width: 640, height: 480, bytesPerRow: 640) else {
                return XCTFail("read a symbol from nothing")
            }
            XCTAssertEqual(why, .noCode)
            XCTAssertThrowsError(try scanner.scan(luma: luma, width: 640, height: 481, bytesPerRow: 640))
            XCTAssertThrowsError(try scanner.scan(luma: luma, width: -1, height: 480, bytesPerRow: 640))
        }
    }

    func testATypingSlipIsKnownBeforeItIsSent() {
        XCTAssertFalse(ActivationCode(typed: "1234").isWellFormed())
        XCTAssertTrue(ActivationCode(typed: "１２３４-5678").isWellFormed())
    }

    func testAFileThatIsSomethingElseIsToldByName() async {
        let found = await inspect(Data("%PDF-1.7".utf8))
        XCTAssertFalse(found.isSignable)
        XCTAssertEqual(found.lookAlike?.code, "pdf")
    }

    func testEveryFailureHasTextInTheDoctorsLanguage() {
        let failure = AgentFailure(
            code: "X", kind: .refuse, textJa: "いけません", textEn: "No", triesLeft: nil, violations: [])
        XCTAssertTrue(["いけません", "No"].contains(HpkiAgentError.refused(failure).errorDescription))
        XCTAssertFalse(try XCTUnwrap(HpkiAgentError.defect("x").errorDescription).contains("x:"))
    }
}

/// Collects what is told on any thread.
final class Recorder<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var values: [Value] = []

    var all: [Value] { lock.withLock { values } }

    func add(_ value: Value) {
        lock.withLock { values.append(value) }
    }
}

/// Why `work` failed, for the doctor.
func thrown(_ work: () async throws -> Void) async -> AgentFailure? {
    do {
        try await work()
        XCTFail("nothing was thrown")
        return nil
    } catch {
        return (error as? HpkiAgentError)?.failure
    }
}

func assertThrows(_ expected: HpkiAgentError, _ work: () async throws -> Void, line: UInt = #line) async {
    do {
        try await work()
        XCTFail("nothing was thrown", line: line)
    } catch {
        XCTAssertEqual(error as? HpkiAgentError, expected, line: line)
    }
}
