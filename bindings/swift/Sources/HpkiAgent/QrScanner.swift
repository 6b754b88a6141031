import Foundation
import HpkiAgentCore

#if canImport(CoreVideo)
    import CoreVideo
#endif

/// Reads QR symbols from camera frames. One scanner serves a camera session; it remembers nothing of a frame. Its calls compute
/// for some tens of milliseconds: make them on the queue of the camera's frames, not on the main one.
public final class QrScanner: Sendable {
    private let core = Scanner()

    /// A scanner that has seen nothing yet.
    public init() {}

    /// Reads the symbol in a frame, where it lies: nothing is copied.
    ///
    /// - Parameters:
    ///   - luma: the Y plane, 8 bits a pixel.
    ///   - width: pixels in a row, 29 or more.
    ///   - height: rows, 29 or more; 4096 × 3072 pixels in all at most.
    ///   - bytesPerRow: bytes from the start of a row to the start of the next.
    /// - Throws: `FrameError` when the sizes do not fit each other.
    public func scan(luma: UnsafeRawBufferPointer, width: Int, height: Int, bytesPerRow: Int) throws -> ScanOutcome {
        guard let base = luma.baseAddress, let width = UInt32(exactly: width), let height = UInt32(exactly: height),
            let stride = UInt32(exactly: bytesPerRow)
        else { throw FrameError.Unusable(reason: "an empty frame, or a size that is negative") }
        let borrowed = Data(bytesNoCopy: UnsafeMutableRawPointer(mutating: base), count: luma.count, deallocator: .none)
        return try core.scan(luma: borrowed, width: width, height: height, stride: stride)
    }

    #if canImport(CoreVideo)
        /// Reads the symbol in a camera's frame, of `kCVPixelFormatType_420YpCbCr8BiPlanarFullRange` or `…VideoRange`.
        public func scan(_ frame: CVPixelBuffer) throws -> ScanOutcome {
            CVPixelBufferLockBaseAddress(frame, .readOnly)
            defer { CVPixelBufferUnlockBaseAddress(frame, .readOnly) }
            guard CVPixelBufferIsPlanar(frame) else { throw FrameError.Unusable(reason: "a frame without a luma plane") }
            let height = CVPixelBufferGetHeightOfPlane(frame, 0)
            let bytesPerRow = CVPixelBufferGetBytesPerRowOfPlane(frame, 0)
            return try scan(
                luma: UnsafeRawBufferPointer(
                    start: CVPixelBufferGetBaseAddressOfPlane(frame, 0), count: height * bytesPerRow),
                width: CVPixelBufferGetWidthOfPlane(frame, 0), height: height, bytesPerRow: bytesPerRow)
        }
    #endif
}
