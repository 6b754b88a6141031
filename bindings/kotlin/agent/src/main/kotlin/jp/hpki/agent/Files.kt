package jp.hpki.agent

import java.nio.ByteBuffer
import java.time.Instant
import jp.hpki.agent.core.Inspection
import jp.hpki.agent.core.JournalSummary
import jp.hpki.agent.core.LogLevel
import jp.hpki.agent.core.LogRecord
import jp.hpki.agent.core.LogSink
import jp.hpki.agent.core.MaterialException
import jp.hpki.agent.core.VerificationMaterial
import jp.hpki.agent.core.VerificationReport
import jp.hpki.agent.core.setLogSink
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/**
 * Verifies a signed file, without any network: whether its signatures hold, who made them, and whether they may have.
 *
 * @throws IllegalArgumentException when a certificate or a revocation list of [against] cannot be read
 */
public suspend fun verifyFile(
    file: ByteArray,
    against: VerificationMaterial,
    at: Instant = Instant.now(),
): VerificationReport = withContext(Dispatchers.Default) {
    try {
        jp.hpki.agent.core.verifyFile(direct(file), against, at)
    } catch (e: MaterialException.Unreadable) {
        throw IllegalArgumentException(e.reason, e)
    }
}

/** Reads any file as far as it can be read: what it is, what it says, what is wrong with it. */
public suspend fun inspectFile(file: ByteArray): Inspection =
    withContext(Dispatchers.Default) { jp.hpki.agent.core.inspect(direct(file)) }

/**
 * Checks that a journal exported by [HpkiAgent.exportJournal] hangs together.
 *
 * @throws JournalException.Tampered with the first place that is wrong
 */
public suspend fun verifyJournal(export: ByteArray): JournalSummary =
    withContext(Dispatchers.Default) { jp.hpki.agent.core.verifyJournalExport(direct(export)) }

/**
 * Sends the library's log, up to [level], to [sink] in place of the one before; null ends it. It holds no patient data and no
 * secret.
 */
public fun setHpkiLog(level: LogLevel = LogLevel.INFO, sink: ((LogRecord) -> Unit)?): Unit = setLogSink(
    sink?.let {
        object : LogSink {
            override fun log(record: LogRecord) = it(record)
        }
    },
    level,
)

private fun direct(bytes: ByteArray): ByteBuffer {
    val buffer = ByteBuffer.allocateDirect(bytes.size).put(bytes)
    buffer.flip()
    return buffer
}
