package jp.hpki.demo.camera

import java.nio.ByteBuffer
import jp.hpki.agent.QrScanner
import jp.hpki.agent.core.ScanOutcome
import jp.hpki.agent.core.WhyNothing

/** Looks for a QR in one grey picture after another, and says what would help. Not for the main thread. */
class Finder(private val found: (String) -> Unit, private val hint: (WhyNothing) -> Unit) : AutoCloseable {
    private val scanner = QrScanner()
    private var done = false

    /** The luma plane of a frame, read where it lies. After the first QR nothing more is read. */
    @Synchronized
    fun look(luma: ByteBuffer, width: Int, height: Int, rowStride: Int) {
        if (done) return
        when (val outcome = scanner.scan(luma, width, height, rowStride)) {
            is ScanOutcome.Nothing -> hint(outcome.why)
            is ScanOutcome.Read -> {
                done = true
                found(outcome.symbol.use { it.text() })
            }
        }
    }

    @Synchronized
    override fun close() {
        done = true
        scanner.close()
    }
}
