import Foundation
import HpkiAgent

/// A phone with keys and secrets in memory, and a user whom a test answers for.
final class Phone: Sendable {
    let vault = TestVault()
    private let office: Office
    private let secrets = MemorySecrets()
    private let folder: URL

    init(_ office: Office) {
        self.office = office
        folder = office.folder.appendingPathComponent("phone-\(UUID().uuidString)")
    }

    func open() async throws -> HpkiAgent {
        try await HpkiAgent.open(
            trust: office.trust(), client: ClientInfo(softwareId: "jp.hpki.agent.test", softwareVersion: "1", clientName: "試験"),
            folder: folder, keys: vault, secrets: secrets)
    }

    /// An agent registered by a new letter.
    func registered() async throws -> HpkiAgent {
        let agent = try await open()
        let (qrText, code) = try office.letter()
        let candidate = try await agent.register(qrText: qrText, activationCode: ActivationCode(typed: code))
        try await agent.confirm(candidate)
        return agent
    }
}

/// P-256 keys in files, by the openssl that every system has: Swift's own cryptography is not on all of them.
final class TestVault: KeyVault, @unchecked Sendable {
    private let lock = NSLock()
    private var keys: [KeyAlias: Data] = [:]
    private var asked: [Prompt] = []
    private var answer: (@Sendable (Prompt) async throws -> Void)?

    /// What the user was asked.
    var prompts: [Prompt] { lock.withLock { asked } }

    /// Answers every prompt from here on; throws to refuse.
    func user(_ answer: @escaping @Sendable (Prompt) async throws -> Void) {
        lock.withLock { self.answer = answer }
    }

    /// What the platform does when biometrics are enrolled anew.
    func destroy(_ role: KeyRole) {
        lock.withLock { keys = keys.filter { $0.key.role != role } }
    }

    func create(alias: KeyAlias, attestationChallenge: Data) async throws -> NewKey {
        let key = try openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout")
        lock.withLock { keys[alias] = key }
        return NewKey(publicKey: try await publicKey(alias: alias), attestation: [])
    }

    func publicKey(alias: KeyAlias) async throws -> Data {
        try openssl("pkey", "-pubout", "-outform", "DER", input: key(alias))
    }

    func sign(alias: KeyAlias, message: Data, prompt: Prompt?) async throws -> Data {
        if let prompt {
            let answer = lock.withLock {
                asked.append(prompt)
                return self.answer
            }
            try await answer?(prompt)
        }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).pem")
        try key(alias).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try openssl("dgst", "-sha256", "-sign", file.path, input: message)
    }

    func delete(alias: KeyAlias) async throws {
        lock.withLock { keys[alias] = nil }
    }

    private func key(_ alias: KeyAlias) throws -> Data {
        guard let key = lock.withLock({ keys[alias] }) else { throw KeyVaultError.NotFound }
        return key
    }

    private func openssl(_ arguments: String..., input: Data = Data()) throws -> Data {
        let (code, output, error) = try run(URL(fileURLWithPath: "/usr/bin/openssl"), arguments, input: input)
        guard code == 0 else { throw KeyVaultError.Failed(reason: error) }
        return output
    }
}

final class MemorySecrets: SecretStore, @unchecked Sendable {
    private let lock = NSLock()
    private var secrets: [String: Data] = [:]

    func get(name: String) -> Secret? {
        lock.withLock { secrets[name] }.map(Secret.init)
    }

    func set(name: String, secret: Secret) {
        lock.withLock { secrets[name] = secret.expose() }
    }

    func delete(name: String) {
        lock.withLock { secrets[name] = nil }
    }
}

/// The CSV of a prescription issued today.
func prescription(patient: String = "電処　太郎") -> String {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = TimeZone(identifier: "Asia/Tokyo")!
    let day = { (date: Date) in
        let parts = calendar.dateComponents([.year, .month, .day], from: date)
        return String(format: "%04d%02d%02d", parts.year!, parts.month!, parts.day!)
    }
    let today = Date()
    return """
        SJ1
        1,1,1312345,13,検証用クリニック
        2,100-0001,東京都千代田区千代田一丁目
        3,03-0000-0000,,
        4,2,01,内科
        5,,ｹﾝｼｮｳ ﾊﾅｺ,\(Office.doctor)
        11,00000001,\(patient),ﾃﾞﾝｼｮ ﾀﾛｳ
        12,1
        13,19750401
        21,1
        22,06123456
        23,１２３,４５６７,1,01
        51,\(day(today))
        52,\(day(today.addingTimeInterval(3 * 86_400)))
        101,1,1,,28
        111,1,3,1013044400000000,１日２回朝夕食後　服用,2
        201,1,1,1,2,610406079,ガスターＤ錠２０ｍｇ,2,1,錠

        """
}
