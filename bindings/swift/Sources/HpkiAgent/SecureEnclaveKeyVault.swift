#if canImport(Security) && canImport(LocalAuthentication)
    import Foundation
    import HpkiAgentCore
    import LocalAuthentication
    import Security

    /// The two keys of a binding in the Secure Enclave, which they never leave.
    ///
    /// The approval key asks for Face ID or Touch ID at every single use, and is void as soon as a face or a finger is enrolled
    /// anew. The device key is used without the user, while the phone is unlocked. Neither is restored to another phone. There is no
    /// attestation of such keys on Apple's platforms, so none is given. The app's Info.plist needs `NSFaceIDUsageDescription`.
    public final class SecureEnclaveKeyVault: KeyVault {
        private let tagPrefix: String
        private let accessGroup: String?
        private let reason: @Sendable (Prompt) -> String
        /// Signing blocks while the system asks for the doctor's face, which no thread of Swift's own pool may do.
        private let queue = DispatchQueue(label: "jp.hpki.agent.key-vault", attributes: .concurrent)

        /// - Parameters:
        ///   - tagPrefix: sets this vault's keys apart from others of the app.
        ///   - accessGroup: a keychain access group; by default the app's own.
        ///   - reason: what the doctor reads while being verified; by default in Japanese. No patient data.
        public init(
            tagPrefix: String = "jp.hpki.agent",
            accessGroup: String? = nil,
            reason: @escaping @Sendable (Prompt) -> String = SecureEnclaveKeyVault.japaneseReason
        ) {
            self.tagPrefix = tagPrefix
            self.accessGroup = accessGroup
            self.reason = reason
        }

        /// The default text of the system's prompt.
        public static func japaneseReason(_ prompt: Prompt) -> String {
            switch prompt {
            case .register(let service): "この端末を「\(service)」に登録します"
            case .approve(let count): "処方箋\(count)件に電子署名します"
            }
        }

        public func create(alias: KeyAlias, attestationChallenge: Data) async throws -> NewKey {
            try await onQueue {
                try self.remove(alias)
                var error: Unmanaged<CFError>?
                guard let access = SecAccessControlCreateWithFlags(nil, alias.accessible, alias.access, &error) else {
                    throw KeyVaultError(error)
                }
                var item: [CFString: Any] = [
                    kSecAttrIsPermanent: true,
                    kSecAttrApplicationTag: self.tag(alias),
                    kSecAttrAccessControl: access,
                ]
                item[kSecAttrAccessGroup] = self.accessGroup
                let attributes: [CFString: Any] = [
                    kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom,
                    kSecAttrKeySizeInBits: 256,
                    kSecAttrTokenID: kSecAttrTokenIDSecureEnclave,
                    kSecPrivateKeyAttrs: item,
                ]
                guard let key = SecKeyCreateRandomKey(attributes as CFDictionary, &error) else { throw KeyVaultError(error) }
                return NewKey(publicKey: try publicHalf(of: key), attestation: [])
            }
        }

        public func publicKey(alias: KeyAlias) async throws -> Data {
            try await onQueue { try publicHalf(of: self.find(alias, with: nil)) }
        }

        public func sign(alias: KeyAlias, message: Data, prompt: Prompt?) async throws -> Data {
            let context = LAContext()
            if let prompt { context.localizedReason = reason(prompt) }
            // A passcode is no answer: the button that offers it is taken away.
            context.localizedFallbackTitle = ""
            let asking = Asking(context)
            return try await withTaskCancellationHandler {
                try await onQueue {
                    let key = try self.find(alias, with: asking.context)
                    var error: Unmanaged<CFError>?
                    let algorithm = SecKeyAlgorithm.ecdsaSignatureMessageX962SHA256
                    guard let signature = SecKeyCreateSignature(key, algorithm, message as CFData, &error) else {
                        throw KeyVaultError(error)
                    }
                    return signature as Data
                }
            } onCancel: {
                asking.context.invalidate()
            }
        }

        public func delete(alias: KeyAlias) async throws {
            try await onQueue { try self.remove(alias) }
        }

        private func remove(_ alias: KeyAlias) throws {
            let status = SecItemDelete(query(alias) as CFDictionary)
            guard status == errSecSuccess || status == errSecItemNotFound else { throw KeyVaultError(status) }
        }

        /// A key whose biometrics have changed is no longer found; the core tells the doctor to register again in both cases.
        private func find(_ alias: KeyAlias, with context: LAContext?) throws -> SecKey {
            var query = query(alias)
            query[kSecReturnRef] = true
            query[kSecUseAuthenticationContext] = context
            var found: CFTypeRef?
            let status = SecItemCopyMatching(query as CFDictionary, &found)
            guard status == errSecSuccess, let found, CFGetTypeID(found) == SecKeyGetTypeID() else {
                throw KeyVaultError(status)
            }
            return found as! SecKey
        }

        private func query(_ alias: KeyAlias) -> [CFString: Any] {
            var query: [CFString: Any] = [
                kSecClass: kSecClassKey,
                kSecAttrKeyClass: kSecAttrKeyClassPrivate,
                kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom,
                kSecAttrApplicationTag: tag(alias),
                kSecUseDataProtectionKeychain: true,
            ]
            query[kSecAttrAccessGroup] = accessGroup
            return query
        }

        private func tag(_ alias: KeyAlias) -> Data {
            let role = alias.role == .approval ? "approval" : "device"
            return Data("\(tagPrefix).\(alias.binding).\(role)".utf8)
        }

        private func onQueue<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
            try await withCheckedThrowingContinuation { continuation in
                queue.async { continuation.resume(with: Result(catching: work)) }
            }
        }
    }

    /// A prompt under way; `LAContext` may be invalidated from any thread.
    private struct Asking: @unchecked Sendable {
        let context: LAContext

        init(_ context: LAContext) {
            self.context = context
        }
    }

    /// X9.63: `04 || x || y`, 65 bytes.
    private func publicHalf(of key: SecKey) throws -> Data {
        var error: Unmanaged<CFError>?
        guard let half = SecKeyCopyPublicKey(key), let point = SecKeyCopyExternalRepresentation(half, &error) else {
            throw KeyVaultError(error)
        }
        return point as Data
    }

    extension KeyAlias {
        fileprivate var accessible: CFString {
            role == .approval ? kSecAttrAccessibleWhenPasscodeSetThisDeviceOnly : kSecAttrAccessibleWhenUnlockedThisDeviceOnly
        }

        fileprivate var access: SecAccessControlCreateFlags {
            role == .approval ? [.privateKeyUsage, .biometryCurrentSet] : .privateKeyUsage
        }
    }

    extension KeyVaultError {
        fileprivate init(_ error: Unmanaged<CFError>?) {
            guard let given = error?.takeRetainedValue() else {
                self = .Failed(reason: "no reason given")
                return
            }
            let error = given as Error as NSError
            switch (error.domain, error.code) {
            case (LAError.errorDomain, LAError.userCancel.rawValue), (LAError.errorDomain, LAError.appCancel.rawValue),
                (LAError.errorDomain, LAError.systemCancel.rawValue), (LAError.errorDomain, LAError.userFallback.rawValue),
                (LAError.errorDomain, LAError.authenticationFailed.rawValue):
                self = .Cancelled
            case (LAError.errorDomain, LAError.biometryLockout.rawValue):
                self = .LockedOut
            case (LAError.errorDomain, LAError.biometryNotEnrolled.rawValue),
                (LAError.errorDomain, LAError.passcodeNotSet.rawValue):
                self = .Invalidated
            case (NSOSStatusErrorDomain, let status):
                self.init(OSStatus(truncatingIfNeeded: status))
            default:
                self = .Failed(reason: "\(error.domain) \(error.code)")
            }
        }

        fileprivate init(_ status: OSStatus) {
            switch status {
            case errSecItemNotFound: self = .NotFound
            case errSecUserCanceled: self = .Cancelled
            default: self = .Failed(reason: "OSStatus \(status)")
            }
        }
    }
#endif
