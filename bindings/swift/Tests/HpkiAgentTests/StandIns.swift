// What the README's quick start uses of Apple's platforms, so that it compiles on others, too.

#if !canImport(CoreVideo)
    import HpkiAgent

    typealias SecureEnclaveKeyVault = TestVault

    struct CVPixelBuffer {}

    extension QrScanner {
        func scan(_ frame: CVPixelBuffer) throws -> ScanOutcome {
            .nothing(why: .noCode)
        }
    }
#endif
