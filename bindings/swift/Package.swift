// swift-tools-version: 6.0

import Foundation
import PackageDescription

/// Where the compiled core comes from.
///
/// - `HPKI_AGENT_CORE` unset: the released XCFramework; before the first release, the local one
/// - `HPKI_AGENT_CORE=local`: the XCFramework that `./make-xcframework` has just built
/// - `HPKI_AGENT_CORE=/a/folder`: the library of this machine in that folder, for tests on a desktop
let core = Context.environment["HPKI_AGENT_CORE"] ?? ""

/// Address and checksum of the released XCFramework, as `./make-xcframework` prints them.
let release: (url: String, checksum: String)? = nil

let ffi: Target
var linkerSettings: [LinkerSetting] = []
if core.hasPrefix("/") {
    ffi = .systemLibrary(name: "HpkiAgentCoreFFI")
    linkerSettings = [.unsafeFlags(["-L\(core)", "-lhpki_agent_bindings", "-Xlinker", "-rpath", "-Xlinker", core])]
} else if let release, core != "local" {
    ffi = .binaryTarget(name: "HpkiAgentCoreFFI", url: release.url, checksum: release.checksum)
} else {
    ffi = .binaryTarget(name: "HpkiAgentCoreFFI", path: "build/HpkiAgentCoreFFI.xcframework")
}

let package = Package(
    name: "HpkiAgent",
    defaultLocalization: "ja",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "HpkiAgent", targets: ["HpkiAgent"])],
    targets: [
        ffi,
        // Generated code; it is written for Swift 5.
        .target(
            name: "HpkiAgentCore",
            dependencies: ["HpkiAgentCoreFFI"],
            swiftSettings: [.swiftLanguageMode(.v5)],
            linkerSettings: linkerSettings
        ),
        .target(
            name: "HpkiAgent",
            dependencies: ["HpkiAgentCore"],
            resources: [.copy("PrivacyInfo.xcprivacy")]
        ),
        .testTarget(name: "HpkiAgentTests", dependencies: ["HpkiAgent"]),
    ]
)
