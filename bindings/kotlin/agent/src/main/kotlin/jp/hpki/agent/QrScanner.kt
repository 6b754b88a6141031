package jp.hpki.agent

import java.nio.ByteBuffer
import jp.hpki.agent.core.FrameException
import jp.hpki.agent.core.ScanOutcome
import jp.hpki.agent.core.Scanner

/**
 * Reads QR symbols from camera frames. One scanner serves a camera session; it remembers nothing of a frame. Its calls compute:
 * make them on the camera's analysis thread, not on the main one.
 */
public class QrScanner : AutoCloseable {
    private val scanner = Scanner()

    /** For buffers that do not lie where native code can read them; kept, so that a session allocates once. */
    private var copy: ByteBuffer = ByteBuffer.allocateDirect(0)

    /**
     * Reads the symbol in a frame.
     *
     * @param luma the Y plane, 8 bits a pixel, from its position to its limit. A direct buffer, as Camera2 and CameraX give it,
     * is read where it lies; another is copied first
     * @param width pixels in a row
     * @param height rows
     * @param rowStride bytes from the start of a row to the start of the next
     * @throws IllegalArgumentException when the sizes do not fit each other: fewer than 29 pixels a side, more than 4096 × 3072
     */
    @Synchronized
    public fun scan(luma: ByteBuffer, width: Int, height: Int, rowStride: Int = width): ScanOutcome = try {
        require(width >= 0 && height >= 0 && rowStride >= 0) { "a size is negative" }
        scanner.scan(readable(luma), width.toUInt(), height.toUInt(), rowStride.toUInt())
    } catch (e: FrameException.Unusable) {
        throw IllegalArgumentException(e.reason, e)
    }

    /** Native code reads from where the memory begins, so a buffer's position must be there. */
    private fun readable(luma: ByteBuffer): ByteBuffer {
        if (luma.isDirect) return luma.slice()
        if (copy.capacity() < luma.remaining()) copy = ByteBuffer.allocateDirect(luma.remaining())
        copy.clear()
        copy.put(luma.duplicate())
        copy.flip()
        return copy
    }

    override fun close(): Unit = scanner.close()
}
