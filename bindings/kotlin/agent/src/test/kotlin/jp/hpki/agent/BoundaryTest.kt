package jp.hpki.agent

import java.nio.ByteBuffer
import java.nio.file.Files
import java.nio.file.Path
import jp.hpki.agent.core.ActivationCode
import jp.hpki.agent.core.Agent
import jp.hpki.agent.core.AgentException
import jp.hpki.agent.core.CancellationToken
import jp.hpki.agent.core.ClientInfo
import jp.hpki.agent.core.Clock
import jp.hpki.agent.core.KeyVaultException
import jp.hpki.agent.core.LogLevel
import jp.hpki.agent.core.LogRecord
import jp.hpki.agent.core.ScanOutcome
import jp.hpki.agent.core.Secret
import jp.hpki.agent.core.SecretStore
import jp.hpki.agent.core.Status
import jp.hpki.agent.core.TrustConfiguration
import jp.hpki.agent.core.TrustException
import jp.hpki.agent.core.allFailureCodes
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance

/** What crosses between Kotlin and Rust, and what it costs. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BoundaryTest {
    private val office = Office()

    @AfterAll
    fun close() = office.close()

    private fun journey(test: suspend () -> Unit) = runBlocking { withTimeout(180_000) { test() } }

    @Test
    fun `fifty coroutines at once get their answers`() = journey {
        Phone(office).registered().use { agent ->
            office.submit(office.doctor, prescription())
            val answers = runBlocking {
                (0 until 50).map { index ->
                    async(Dispatchers.Default) {
                        when (index % 3) {
                            0 -> agent.inbox().size
                            1 -> agent.journal().size
                            else -> if (agent.status() is Status.Registered) 1 else 0
                        }
                    }
                }.awaitAll()
            }
            assertEquals(List(50) { 1 }, answers)
        }
    }

    @Test
    fun `nothing of the agent's work runs on the thread that asks`() = journey {
        val phone = Phone(office)
        phone.registered().use { it.journal() }
        assertTrue(phone.secrets.threads.isNotEmpty())
        assertFalse(Thread.currentThread() in phone.secrets.threads)
    }

    @Test
    fun `ten thousand scans leave the memory as it was`() {
        val side = 64
        val frame = ByteBuffer.allocateDirect(side * side)
        for (at in 0 until side * side) frame.put(at, (at * 31 % 256).toByte())
        QrScanner().use { scanner ->
            val scan = { times: Int ->
                repeat(times) { assertInstanceOf(ScanOutcome.Nothing::class.java, scanner.scan(frame, side, side)) }
            }
            scan(2_000)
            val before = residentKilobytes()
            scan(10_000)
            val grown = residentKilobytes() - before
            println("10,000 scans: $grown KiB more resident memory")
            assertTrue(grown < 8 * 1024, "$grown KiB")
        }
    }

    @Test
    fun `a frame is read where it lies, from its position, with its stride, direct or not`() {
        val frame = office.letter(office.doctor).luma()
        val (margin, stride) = 100 to frame.width + 24
        val size = margin + stride * frame.height
        for (buffer in listOf(ByteBuffer.allocateDirect(size), ByteBuffer.allocate(size))) {
            for (y in 0 until frame.height) {
                for (x in 0 until frame.width) buffer.put(margin + y * stride + x, frame.luma.get(y * frame.width + x))
            }
            buffer.position(margin)
            QrScanner().use { scanner ->
                assertInstanceOf(ScanOutcome.Read::class.java, scanner.scan(buffer, frame.width, frame.height, stride))
                assertEquals(margin, buffer.position())
            }
        }
    }

    @Test
    fun `a frame whose sizes do not fit is the app's mistake and says so`() {
        QrScanner().use { scanner ->
            val frame = ByteBuffer.allocateDirect(100 * 100)
            val wrong = listOf(Triple(100, 101, 100), Triple(100, 100, 99), Triple(20, 100, 100), Triple(-1, 100, 100))
            for ((width, height, stride) in wrong) {
                refusal<IllegalArgumentException> { scanner.scan(frame, width, height, stride) }
            }
        }
    }

    @Test
    fun `what can be used once is refused a second time, and a list is used whole or not at all`() = journey {
        Phone(office).registered().use { agent ->
            office.submit(office.doctor, prescription(), prescription())
            val (first, second) = agent.inbox()
            refusal<IllegalStateException> { agent.prepare(listOf(first, second, first)) }
            val batch = agent.prepare(listOf(first, second))
            refusal<IllegalStateException> { agent.decline(first, "") }
            assertEquals(2, agent.approve(batch).size)
            refusal<IllegalStateException> { agent.approve(batch) }
        }
    }

    @Test
    fun `a cancellation token ends a step at once and leaves the agent usable`() = journey {
        val phone = Phone(office)
        val letter = office.letter(office.doctor)
        val agent = Agent.open(office.trust, ClientInfo("t", "1", "t"), phone.folder.toString(), phone.vault, phone.secrets)
        agent.use {
            val prompted = CompletableDeferred<Unit>()
            phone.vault.user = {
                prompted.complete(Unit)
                awaitCancellation()
            }
            val token = CancellationToken()
            val code = ActivationCode(letter.code)
            runBlocking {
                val step = async(Dispatchers.Default) {
                    refusal<AgentException.Cancelled> { agent.register(letter.qrText, code, null, token) }
                }
                prompted.await()
                token.cancel()
                step.await()
            }
            phone.vault.user = {}
            agent.confirm(agent.register(letter.qrText, code))
            assertInstanceOf(Status.Registered::class.java, agent.status())
        }
    }

    @Test
    fun `a doctor who switched batch signing off approves one at a time`() = journey {
        Phone(office).registered().use { agent ->
            assertTrue(agent.batchSigning())
            agent.setBatchSigning(false)
            office.submit(office.doctor, prescription(), prescription())
            assertEquals("BatchSigningOff", refusal<HpkiException.FixPhone> { agent.prepare(agent.inbox()) }.failure.code)
            assertEquals(1, agent.approve(agent.prepare(agent.inbox().take(1))).size)
            agent.setBatchSigning(true)
            assertEquals(1uL, agent.prepare(agent.inbox()).count())
            assertTrue(agent.warnings().isEmpty())
        }
    }

    @Test
    fun `one data folder has one agent`() = journey {
        val phone = Phone(office)
        phone.open().use {
            assertEquals("StateBusy", refusal<HpkiException.Retry> { phone.open() }.failure.code)
        }
        phone.open().close()
    }

    @Test
    fun `a phone that has lost its secrets registers again`() = journey {
        val phone = Phone(office)
        phone.registered().close()
        phone.startOver().use { assertInstanceOf(Status.Registered::class.java, it.status()) }
        phone.secrets.clear()
        assertEquals("StateDamaged", refusal<HpkiException.RegisterAgain> { phone.open() }.failure.code)
        phone.startOver().use { agent ->
            val letter = office.letter(office.doctor)
            agent.confirm(agent.register(letter.qrText, ActivationCode(letter.code)))
            assertInstanceOf(Status.Registered::class.java, agent.status())
        }
        phone.open().close()
    }

    @Test
    fun `a service that nobody trusts is refused before any request`() = journey {
        val letter = Office().use { other -> other.letter(other.doctor) }
        Phone(office).open().use { agent ->
            assertEquals("UnknownIssuer", refusal<HpkiException.Refused> { agent.register(letter.qrText) }.failure.code)
            assertEquals("NotATicket", refusal<HpkiException.Refused> { agent.register("https://example.com/") }.failure.code)
        }
        refusal<TrustException.Invalid> { TrustConfiguration.fromJson("{}".toByteArray()) }
    }

    @Test
    fun `every failure has a code of its own`() {
        val codes = allFailureCodes()
        assertTrue("WrongActivationCode" in codes && "KeysInvalidated" in codes)
        assertEquals(codes.size, codes.toSet().size)
    }

    @Test
    fun `a log that listens to everything hears no secret and no patient`() = journey {
        val records = java.util.Collections.synchronizedList(mutableListOf<LogRecord>())
        setHpkiLog(LogLevel.TRACE) { records += it }
        val letter = office.letter(office.doctor)
        val phone = Phone(office)
        phone.open().use { agent ->
            refusal<HpkiException.Refused> { agent.register("https://example.com/") }
            agent.confirm(agent.register(letter.qrText, ActivationCode(letter.code)))
            office.submit(office.doctor, prescription("秘密　太郎"))
            phone.vault.user = { throw KeyVaultException.LockedOut() }
            refusal<HpkiException.FixPhone> { agent.approve(agent.prepare(agent.inbox())) }
            phone.vault.user = {}
            agent.approve(agent.prepare(agent.inbox()))
        }
        setHpkiLog(sink = null)
        val log = records.joinToString("\n") { "${it.level} ${it.target} ${it.text}" }
        assertTrue(log.contains("locked out"), log)
        assertTrue(records.all { it.target.startsWith("hpki_agent") })
        assertFalse(phone.secrets.leaksInto(log))
        assertFalse(listOf("秘密", letter.code, letter.qrText.substringAfter('#')).any { log.contains(it) })
    }

    @Test
    fun `an app's own sink, listener and secret store may throw`() = journey {
        setHpkiLog(LogLevel.TRACE) { error("the sink") }
        val letter = office.letter(office.doctor)
        Phone(office).open().use { agent ->
            val candidate = agent.register(letter.qrText, ActivationCode(letter.code)) { error("the listener") }
            agent.confirm(candidate)
        }
        setHpkiLog(sink = null)
        val broken = object : SecretStore {
            override fun get(name: String): Secret = error("the store")
            override fun set(name: String, secret: Secret) = error("the store")
            override fun delete(name: String) = error("the store")
        }
        val folder = Files.createTempDirectory("phone").toString()
        val thrown = refusal<HpkiException.FixPhone> {
            HpkiAgent.open(office.trust, ClientInfo("t", "1", "t"), folder, TestVault(), broken)
        }
        assertEquals("SecretStoreUnavailable", thrown.failure.code)
    }

    @Test
    fun `an app's clock decides what has expired`() = journey {
        val letter = office.letter(office.doctor)
        val late = object : Clock {
            override fun now() = java.time.Instant.now().plusSeconds(3600L * 24 * 365)
        }
        val folder = Files.createTempDirectory("phone").toString()
        HpkiAgent.open(office.trust, ClientInfo("t", "1", "t"), folder, TestVault(), MemorySecrets(), late).use { agent ->
            val thrown = refusal<HpkiException.FixPhone> { agent.register(letter.qrText, ActivationCode(letter.code)) }
            assertEquals("ClockWrong", thrown.failure.code)
        }
    }

    @Test
    fun `any file can be inspected`() = journey {
        assertTrue(inspectFile(prescription().toByteArray()).isSignable)
        assertEquals("pdf", inspectFile("%PDF-1.7".toByteArray()).lookAlike?.code)
        assertEquals("empty", inspectFile(ByteArray(0)).lookAlike?.code)
    }

    private fun residentKilobytes(): Long {
        System.gc()
        val line = Files.readAllLines(Path.of("/proc/self/status")).first { it.startsWith("VmRSS:") }
        return line.filter(Char::isDigit).toLong()
    }
}
