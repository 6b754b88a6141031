import Foundation
import HpkiAgent

/// The association's office, the clinic and the remote-signing service: a reference service in a process of its own.
final class Office: @unchecked Sendable {
    static let doctor = "検証　花子"

    /// The one of all tests. Each new phone of its doctor replaces the one before.
    static let shared = Result { try Office() }

    /// Her credential's identifier.
    private(set) var credential = ""

    /// Everything of the tests lies in it.
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("office-\(UUID().uuidString)")
    private let server = Process()

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let output = Pipe()
        server.executableURL = try program("HPKI_REFERENCE_SERVICE")
        server.arguments = ["--dir", folder.path, "serve", "--listen", "127.0.0.1:0"]
        server.standardOutput = output
        try server.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard line.contains("issuer") else { throw Failed("the service did not start: \(line)") }
        credential = try issue()
    }

    func close() {
        server.terminate()
        server.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    func trust() throws -> TrustConfiguration {
        try TrustConfiguration.fromJson(json: Data(contentsOf: folder.appendingPathComponent("trust.json")))
    }

    private func issue() throws -> String {
        let name = Self.doctor.replacingOccurrences(of: "　", with: " ")
        return try service("issue", "--name-kanji", name, "--name-romaji", "HANAKO KENSHO", "--role", "Medical Doctor").text
    }

    /// A letter's QR text and the activation code that comes apart from it.
    func letter() throws -> (qrText: String, code: String) {
        let out = folder.appendingPathComponent(UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
        let lines = try service("letter", "--credential", credential, "--out", out, "--print").text.split(separator: "\n")
        guard lines.count == 2 else { throw Failed("no letter") }
        return (String(lines[0]), String(lines[1]))
    }

    /// A clinic asks for a signature; returns the request's identifier.
    func submit(_ prescription: String) throws -> String {
        let file = folder.appendingPathComponent("\(UUID().uuidString).csv")
        try Data(prescription.utf8).write(to: file)
        return try service("submit", "--doctor", credential, file.path).text
    }

    /// The signed file, where the clinic has it; what it was told, where the doctor declined.
    func collect(_ request: String) throws -> (code: Int32, output: Data, error: String) {
        try run(program("HPKI_REFERENCE_SERVICE"), ["--dir", folder.path, "collect", request])
    }

    func material() throws -> VerificationMaterial {
        _ = try service("crl")
        let read = { name in try Data(contentsOf: self.folder.appendingPathComponent(name)) }
        return VerificationMaterial(
            roots: [try read("root.der")], intermediates: [try read("ca.der")],
            revocationLists: [try read("crl/root.crl"), try read("crl/sign.crl")],
            prescriberRoles: ["Medical Doctor", "Dentist"])
    }

    private func service(_ arguments: String...) throws -> (output: Data, text: String) {
        let (code, output, error) = try run(program("HPKI_REFERENCE_SERVICE"), ["--dir", folder.path] + arguments)
        guard code == 0 else { throw Failed("\(arguments[0]): \(error)") }
        return (output, String(decoding: output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }
}

struct Failed: Error {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}

/// The program that an environment variable names.
func program(_ variable: String) throws -> URL {
    guard let path = ProcessInfo.processInfo.environment[variable] else { throw Failed("\(variable) is not set") }
    return URL(fileURLWithPath: path)
}

/// Runs a program to its end.
func run(_ program: URL, _ arguments: [String], input: Data = Data()) throws -> (code: Int32, output: Data, error: String) {
    let process = Process()
    let (standardInput, output, errors) = (Pipe(), Pipe(), Pipe())
    process.executableURL = program
    process.arguments = arguments
    process.standardInput = standardInput
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    standardInput.fileHandleForWriting.write(input)
    try standardInput.fileHandleForWriting.close()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    let error = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, bytes, error)
}
