#if canImport(Security)
    import Foundation
    import HpkiAgentCore
    import Security

    /// Small secrets in the data protection keychain: readable only while the phone is unlocked, never restored to another phone,
    /// never synchronised. On iOS the core does the same by itself; this one is for a keychain shared by an app and its
    /// extensions, and for macOS.
    public final class ProtectedKeychain: SecretStore {
        private let service: String
        private let accessGroup: String?

        /// - Parameters:
        ///   - service: sets these secrets apart from others of the app.
        ///   - accessGroup: a keychain access group; by default the app's own.
        public init(service: String = "jp.hpki.agent", accessGroup: String? = nil) {
            self.service = service
            self.accessGroup = accessGroup
        }

        public func get(name: String) throws -> Secret? {
            var query = query(name)
            query[kSecReturnData] = true
            var found: CFTypeRef?
            let status = SecItemCopyMatching(query as CFDictionary, &found)
            if status == errSecItemNotFound { return nil }
            guard status == errSecSuccess, let bytes = found as? Data else { throw SecretStoreError(status) }
            return Secret(bytes: bytes)
        }

        public func set(name: String, secret: Secret) throws {
            let value: [CFString: Any] = [
                kSecValueData: secret.expose(),
                kSecAttrAccessible: kSecAttrAccessibleWhenUnlockedThisDeviceOnly,
            ]
            let query = query(name)
            var status = SecItemUpdate(query as CFDictionary, value as CFDictionary)
            if status == errSecItemNotFound {
                status = SecItemAdd(query.merging(value) { $1 } as CFDictionary, nil)
            }
            guard status == errSecSuccess else { throw SecretStoreError(status) }
        }

        public func delete(name: String) throws {
            let status = SecItemDelete(query(name) as CFDictionary)
            guard status == errSecSuccess || status == errSecItemNotFound else { throw SecretStoreError(status) }
        }

        private func query(_ name: String) -> [CFString: Any] {
            var query: [CFString: Any] = [
                kSecClass: kSecClassGenericPassword,
                kSecAttrService: service,
                kSecAttrAccount: name,
                kSecAttrSynchronizable: false,
                kSecUseDataProtectionKeychain: true,
            ]
            query[kSecAttrAccessGroup] = accessGroup
            return query
        }
    }

    extension SecretStoreError {
        fileprivate init(_ status: OSStatus) {
            switch status {
            case errSecInteractionNotAllowed, errSecNotAvailable: self = .Unavailable
            default: self = .Failed(reason: "OSStatus \(status)")
            }
        }
    }
#endif
