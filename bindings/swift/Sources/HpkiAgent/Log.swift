import Foundation
import HpkiAgentCore

#if canImport(os)
    import os
#endif

/// Sends the library's log, up to `level`, to `sink` in place of the one before; none ends it. It holds no patient data and no
/// secret.
public func setHpkiLog(level: LogLevel = .info, _ sink: (@Sendable (LogRecord) -> Void)?) {
    setLogSink(sink: sink.map(Sink.init), level: level)
}

private final class Sink: LogSink {
    private let take: @Sendable (LogRecord) -> Void

    init(_ take: @escaping @Sendable (LogRecord) -> Void) {
        self.take = take
    }

    func log(record: LogRecord) {
        take(record)
    }
}

#if canImport(os)
    /// Sends the library's log to the system's.
    @available(iOS 14, macOS 11, *)
    public func setHpkiLogToSystem(level: LogLevel = .info, subsystem: String) {
        let logger = Logger(subsystem: subsystem, category: "hpki-agent")
        setHpkiLog(level: level) { record in
            let level: OSLogType =
                switch record.level {
                case .error: .fault
                case .warn: .error
                case .info: .info
                case .debug, .trace: .debug
                }
            logger.log(level: level, "\(record.target, privacy: .public): \(record.text, privacy: .public)")
        }
    }
#endif
