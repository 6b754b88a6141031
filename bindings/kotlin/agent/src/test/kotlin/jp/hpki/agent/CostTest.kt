package jp.hpki.agent

import java.lang.management.ManagementFactory
import java.nio.ByteBuffer
import java.nio.file.Files
import java.util.Locale
import jp.hpki.agent.core.ActivationCode
import jp.hpki.agent.core.Delivery
import jp.hpki.agent.core.ScanOutcome
import jp.hpki.agent.core.WhyNothing
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.MethodOrderer
import org.junit.jupiter.api.Order
import org.junit.jupiter.api.Tag
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance
import org.junit.jupiter.api.TestMethodOrder

/**
 * What the boundary costs: the same calls in Kotlin and in Rust, in turns; the median of each. Prints a table; a goal that is
 * missed is told there and fails nothing, since time is the machine's.
 */
@Tag("cost")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation::class)
class CostTest {
    private val table = mutableListOf<String>()
    private lateinit var office: Office

    @BeforeAll
    fun first() {
        val (first, version) = timed { runBlocking { HpkiAgent.warmUp() } }
        val (second, _) = timed { runBlocking { HpkiAgent.warmUp() } }
        assertTrue(version.isNotEmpty())
        table += row("first call after load, ms", first / 1e6)
        table += row("the call after it, ms", second / 1e6)
        office = Office()
    }

    @AfterAll
    fun close() {
        office.close()
        println("COST\n" + table.joinToString("\n"))
    }

    /** A frame of 64 × 64 is mostly boundary; in one of 1080p, whatever the boundary did to its bytes would show. */
    @Test
    @Order(1)
    fun `a frame is scanned as in Rust`() {
        for ((width, height, turns) in listOf(Triple(64, 64, 1000), Triple(1920, 1080, 400))) {
            val frame = ByteBuffer.allocateDirect(width * height)
            for (at in 0 until width * height) frame.put(at, (at % 251 / 64).toByte())
            val file = Files.createTempFile("frame", ".luma")
            Files.newByteChannel(file, java.nio.file.StandardOpenOption.WRITE).use { it.write(frame.duplicate()) }
            QrScanner().use { scanner ->
                InRust("scan", "$file", "$width", "$height").use { rust ->
                    val inKotlin = mutableListOf<Long>()
                    val inRust = mutableListOf<Long>()
                    repeat(turns / RUN) {
                        repeat(RUN) { inRust += rust.turn() }
                        repeat(RUN) {
                            val (took, outcome) = timed(ownTime) { scanner.scan(frame, width, height) }
                            assertEquals(WhyNothing.NO_CODE, (outcome as ScanOutcome.Nothing).why)
                            inKotlin += took
                        }
                    }
                    val more = (median(inKotlin) - median(inRust)) / 1e6
                    table += row("$width x $height frame in Rust, ms", median(inRust) / 1e6)
                    table += row("$width x $height frame in Kotlin, ms more", more, goal = 0.2)
                }
            }
            Files.delete(file)
        }
    }

    /**
     * On a phone its hardware signs, here Java does; the vault on the other side takes as long for each of its signatures. The
     * first turns are the JVM's, which compiles while it runs.
     */
    @Test
    @Order(2)
    fun `a hundred prescriptions are approved as in Rust`() = runBlocking {
        val (doctor, other) = office.doctor to office.issue()
        val letter = office.letter(other)
        val phone = Phone(office)
        val inKotlin = mutableListOf<Long>()
        val inRust = mutableListOf<Long>()
        val folder = Files.createTempDirectory("phone")
        InRust("approve", "${office.trustFile}", "$folder", letter.qrText, letter.code).use { rust ->
            rust.answer()
            phone.registered().use { agent ->
                repeat(WARM_UP + JUDGED) {
                    val asked = Array(100) { prescription() }
                    office.submit(doctor, *asked)
                    val batch = agent.prepare(agent.inbox())
                    phone.vault.signatures.clear()
                    val (took, approved) = timed { runBlocking { agent.approve(batch) } }
                    assertEquals(List(100) { Delivery.Delivered }, approved.map { it.delivery() })
                    inKotlin += took
                    if (inKotlin.size > WARM_UP) {
                        office.submit(other, *asked)
                        inRust += rust.turn(phone.vault.signatures.average().toLong())
                    }
                }
            }
        }
        table += row("the first approve of 100 in Kotlin, ms", inKotlin.first() / 1e6)
        val judged = inKotlin.drop(WARM_UP).zip(inRust)
        table += row("approve of 100 in Rust, ms", median(judged.map { it.second }) / 1e6)
        table += row("approve of 100 in Kotlin, ms", median(judged.map { it.first }) / 1e6)
        table += row("the one in Kotlin / the one in Rust", median(judged.map { it.first / it.second.toDouble() }), goal = 1.1)
    }

    private fun <T : Comparable<T>> median(of: List<T>): T = of.sorted()[of.size / 2]

    private fun row(what: String, figure: Double, goal: Double? = null): String {
        val judged = goal?.let { String.format(Locale.ROOT, "   goal %.2f   %s", it, if (figure <= it) "met" else "NOT MET") }
        return String.format(Locale.ROOT, "    %-36s%10.3f%s", what, figure, judged.orEmpty())
    }

    private fun <T> timed(clock: () -> Long = System::nanoTime, work: () -> T): Pair<Long, T> {
        val began = clock()
        val done = work()
        return clock() - began to done
    }

    /** What this thread has computed: another process that takes the core away is not the boundary's cost. */
    private val ownTime: () -> Long = ManagementFactory.getThreadMXBean()::getCurrentThreadCpuTime
}

/** Frames that are scanned one after another before the other side's turn, as a camera gives them. */
private const val RUN = 20

/**
 * Approvals of a hundred until the JVM has compiled what they run through: until then its compiler takes more of two cores than the
 * boundary does. After them, those that are judged.
 */
private const val WARM_UP = 40
private const val JUDGED = 31

/** The same calls without a boundary: `bindings/examples/cost.rs` in a process of its own. */
private class InRust(vararg arguments: String) : AutoCloseable {
    private val process = ProcessBuilder(System.getProperty("cost.in.rust"), *arguments)
        .redirectError(ProcessBuilder.Redirect.INHERIT).start()
    private val questions = process.outputWriter()
    private val answers = process.inputReader()

    /** One call, with a key vault whose signatures take at least [signature]; how long it took. Both in nanoseconds. */
    fun turn(signature: Long = 0): Long {
        questions.write("$signature\n")
        questions.flush()
        return answer()
    }

    fun answer(): Long = checkNotNull(answers.readLine()) { "the Rust side has ended" }.toLong()

    override fun close() {
        questions.close()
        check(process.waitFor() == 0) { "the Rust side has failed" }
    }
}
