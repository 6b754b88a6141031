package jp.hpki.agent

import java.time.Duration
import java.time.Instant
import jp.hpki.agent.core.ActivationCode
import jp.hpki.agent.core.Delivery
import jp.hpki.agent.core.InboxEvent
import jp.hpki.agent.core.JournalException
import jp.hpki.agent.core.KeyVaultException
import jp.hpki.agent.core.ProgressStep
import jp.hpki.agent.core.Prompt
import jp.hpki.agent.core.ScanOutcome
import jp.hpki.agent.core.Status
import jp.hpki.agent.core.TamperingKind
import jp.hpki.agent.core.Verdict
import jp.hpki.agent.core.ViolationSeverity
import jp.hpki.agent.core.Waiting
import jp.hpki.agent.core.WaitingContent
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.filterIsInstance
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance

/** The doctor's whole way, against the real core and a running service. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class JourneyTest {
    private val office = Office()

    @AfterAll
    fun close() = office.close()

    private fun journey(test: suspend () -> Unit) = runBlocking { withTimeout(180_000) { test() } }

    @Test
    fun `the picture of a letter makes a registered phone`() = journey {
        val letter = office.letter(office.doctor)
        val frame = letter.luma()
        val read = QrScanner().use { it.scan(frame.luma, frame.width, frame.height) }
        val text = assertInstanceOf(ScanOutcome.Read::class.java, read).symbol.text()
        assertEquals(letter.qrText, text)

        val phone = Phone(office)
        phone.open().use { agent ->
            assertEquals(Status.Unregistered, agent.status())
            val steps = mutableListOf<ProgressStep>()
            val candidate = agent.register(text, ActivationCode(letter.code)) { steps += it }
            assertEquals(listOf(ProgressStep.STARTED, ProgressStep.AWAITING_USER, ProgressStep.USER_VERIFIED), steps)
            assertEquals(Office.DOCTOR, candidate.holder().nameKanji)
            assertEquals(listOf("Medical Doctor"), candidate.holder().roles)
            assertFalse(candidate.replaced())
            assertEquals(Status.AwaitingConfirmation, agent.status())
            agent.confirm(candidate)
            val status = assertInstanceOf(Status.Registered::class.java, agent.status())
            assertEquals(Office.DOCTOR, status.holder.nameKanji)
            assertEquals(0uL, status.undelivered)
        }
        assertInstanceOf(Prompt.Register::class.java, phone.vault.prompts.single())
        phone.open().use { assertInstanceOf(Status.Registered::class.java, it.status()) }
    }

    @Test
    fun `what the doctor approves in one act reaches the clinic signed, and is valid to a stranger`() = journey {
        val phone = Phone(office)
        phone.registered().use { agent ->
            val requests = office.submit(office.doctor, prescription("見本　一郎"), prescription("見本　次郎"))
            val waiting = agent.inbox()
            assertEquals(requests, waiting.map { it.id() })
            val shown = waiting.map { assertInstanceOf(WaitingContent.Prescription::class.java, it.content()).preview }
            assertEquals(listOf("見本　一郎", "見本　次郎"), shown.map { it.patient.name })
            assertEquals("ガスターＤ錠２０ｍｇ", shown.first().rps.single().drugs.single().name)
            assertEquals("試験クリニック", waiting.first().requester()?.name)

            val batch = agent.prepare(waiting)
            assertEquals(2uL, batch.count())
            assertEquals(shown, batch.previews())
            val approved = agent.approve(batch)
            assertEquals(listOf(Delivery.Delivered, Delivery.Delivered), approved.map { it.delivery() })
            assertEquals(Prompt.Approve(2u), phone.vault.prompts.last())
            assertTrue(agent.inbox().isEmpty())

            for ((request, one) in requests.zip(approved)) {
                val collected = office.collect(request)!!
                assertTrue(collected.contentEquals(one.signedFile()))
                val report = verifyFile(collected, office.material())
                assertEquals(Verdict.VALID, report.verdict, "$report")
                assertEquals(Office.DOCTOR, report.signatures.single().signer)
            }
            val changed = approved.first().signedFile().also { it[it.size / 2] = (it[it.size / 2].toInt() xor 1).toByte() }
            assertEquals(Verdict.INVALID, verifyFile(changed, office.material()).verdict)
        }
    }

    @Test
    fun `without network the inbox is shown as it was last read, and nothing of it is signed`() = journey {
        Office().use { own ->
            val phone = Phone(own)
            phone.open().use { agent ->
                val letter = own.letter(own.doctor)
                agent.confirm(agent.register(letter.qrText, ActivationCode(letter.code)))
                assertNull(agent.lastInbox())
                own.submit(own.doctor, prescription("見本　一郎"))
                assertEquals(1, agent.inbox().size)
            }
            val requests = own.submit(own.doctor, prescription("見本　次郎"))
            phone.open().use { agent ->
                val read = agent.inbox().map { it.id() }
                assertEquals(requests, read.drop(1))
                own.stop()
                assertEquals("Offline", refusal<HpkiException.Retry> { agent.inbox() }.failure.code)
            }
            phone.open().use { agent ->
                val last = agent.lastInbox()!!
                val shown = last.waiting.map { assertInstanceOf(WaitingContent.Prescription::class.java, it.content()).preview }
                assertEquals(listOf("見本　一郎", "見本　次郎"), shown.map { it.patient.name })
                assertEquals(0uL, last.leftOut)
                assertTrue(Duration.between(last.readAt, Instant.now()).abs() < Duration.ofMinutes(5))
                assertEquals("Offline", refusal<HpkiException.Retry> { agent.prepare(last.waiting) }.failure.code)
                assertEquals(2, agent.lastInbox()!!.waiting.size)
            }
        }
    }

    @Test
    fun `a declined prescription tells the clinic why and is not signed`() = journey {
        Phone(office).registered().use { agent ->
            val (request) = office.submit(office.doctor, prescription())
            agent.decline(agent.inbox().single(), "用量を確認してください")
            assertTrue(office.declined(request)!!.contains("用量を確認してください"))
            assertNull(office.collect(request))
            assertTrue(agent.inbox().isEmpty())
        }
    }

    @Test
    fun `a document that cannot be signed is listed with its reasons and can be declined`() = journey {
        Phone(office).registered().use { agent ->
            val (request) = office.submit(office.doctor, prescription().replace("\n12,1\n", "\n12,7\n"))
            val refused = assertInstanceOf(WaitingContent.Refused::class.java, agent.inbox().single().content()).failure
            assertEquals("DocumentRefused", refused.code)
            assertTrue(refused.violations.any { it.record == 12.toUShort() && it.severity == ViolationSeverity.ERROR })
            val thrown = refusal<HpkiException.Refused> { agent.prepare(agent.inbox()) }
            assertEquals(refused.violations, thrown.failure.violations)
            agent.decline(agent.inbox().single(), "")
            assertNotNull(office.declined(request))
        }
    }

    @Test
    fun `an approval that is cancelled in the middle signs nothing, and the next one signs`() = journey {
        val phone = Phone(office)
        phone.registered().use { agent ->
            val (request) = office.submit(office.doctor, prescription())
            val prompted = CompletableDeferred<Unit>()
            val promptClosed = CompletableDeferred<Unit>()
            phone.vault.user = {
                prompted.complete(Unit)
                try {
                    awaitCancellation()
                } finally {
                    promptClosed.complete(Unit)
                }
            }
            val batch = agent.prepare(agent.inbox())
            runBlocking {
                val approval = launch { agent.approve(batch) }
                prompted.await()
                approval.cancel()
                approval.join()
                assertTrue(approval.isCancelled)
            }
            promptClosed.await()
            assertNull(office.collect(request))

            phone.vault.user = {}
            agent.approve(agent.prepare(agent.inbox()))
            assertEquals(Verdict.VALID, verifyFile(office.collect(request)!!, office.material()).verdict)
        }
    }

    @Test
    fun `a wrong code says how many tries remain, and a slip costs none`() = journey {
        val letter = office.letter(office.doctor)
        val wrong = ActivationCode(if (letter.code.replace("-", "") == "00000000") "11111111" else "００００－００００")
        Phone(office).open().use { agent ->
            val missing = refusal<HpkiException.Retry> { agent.register(letter.qrText) }
            assertEquals("ActivationCodeRequired", missing.failure.code)
            val slip = refusal<HpkiException.Retry> { agent.register(letter.qrText, ActivationCode("1234")) }
            assertEquals("ActivationCodeMalformed", slip.failure.code)
            for (left in 4 downTo 3) {
                val thrown = refusal<HpkiException.Retry> { agent.register(letter.qrText, wrong) }
                assertEquals("WrongActivationCode", thrown.failure.code)
                assertEquals(left.toUInt(), thrown.failure.triesLeft)
                assertTrue(thrown.failure.textJa.contains("残り${left}回"))
            }
            agent.confirm(agent.register(letter.qrText, ActivationCode(letter.code)))
        }
    }

    @Test
    fun `a phone that was replaced learns it, wipes its keys and asks to be registered again`() = journey {
        val old = Phone(office)
        old.registered().use { agent ->
            val letter = office.letter(office.doctor)
            Phone(office).open().use { new ->
                val candidate = new.register(letter.qrText, ActivationCode(letter.code))
                assertTrue(candidate.replaced())
                new.confirm(candidate)
            }
            assertEquals("PhoneUnbound", refusal<HpkiException.RegisterAgain> { agent.inbox() }.failure.code)
            assertEquals(Status.Unregistered, agent.status())
            assertEquals(0, old.vault.size)
        }
    }

    @Test
    fun `a key that a new fingerprint has destroyed sends the doctor to register again`() = journey {
        val phone = Phone(office)
        phone.registered().use { agent ->
            val (request) = office.submit(office.doctor, prescription())
            phone.vault.user = { throw KeyVaultException.Invalidated() }
            val batch = agent.prepare(agent.inbox())
            val thrown = refusal<HpkiException.RegisterAgain> { agent.approve(batch) }
            assertEquals("KeysInvalidated", thrown.failure.code)
            assertNull(office.collect(request))

            phone.vault.user = {}
            assertEquals(Status.Unregistered, agent.status())
            val letter = office.letter(office.doctor)
            agent.confirm(agent.register(letter.qrText, ActivationCode(letter.code)))
            agent.approve(agent.prepare(agent.inbox()))
            assertNotNull(office.collect(request))
        }
    }

    @Test
    fun `whatever the app's own vault throws is an error and not a crash`() = journey {
        val phone = Phone(office)
        phone.registered().use { agent ->
            office.submit(office.doctor, prescription())
            val answers = mapOf<() -> Throwable, String>(
                { KeyVaultException.Cancelled() } to "UserCancelled",
                { KeyVaultException.LockedOut() } to "BiometricsLocked",
                { KeyVaultException.Failed("Keymaster") } to "KeyVaultFailed",
                { IllegalStateException("a mistake of the app: 検証 太郎") } to "KeyVaultFailed",
            )
            for ((exception, code) in answers) {
                phone.vault.user = { throw exception() }
                val thrown = refusal<HpkiException> { agent.approve(agent.prepare(agent.inbox())) }
                assertEquals(code, thrown.failure.code)
                assertFalse(thrown.stackTraceToString().contains("検証"))
            }
            phone.vault.user = {}
            assertEquals(Delivery.Delivered, agent.approve(agent.prepare(agent.inbox())).single().delivery())
        }
    }

    @Test
    fun `the inbox's flow tells of each arrival until nobody collects it`() = journey {
        Phone(office).registered().use { agent ->
            val events = agent.inboxEvents().filterIsInstance<InboxEvent.Changed>()
            assertTrue(events.first().prescriptions.isEmpty())
            val seen = CompletableDeferred<Waiting>()
            val listening = CompletableDeferred<Unit>()
            runBlocking {
                val watch = launch {
                    events.collect { event ->
                        listening.complete(Unit)
                        event.prescriptions.firstOrNull()?.let { seen.complete(it) }
                    }
                }
                listening.await()
                val (request) = office.submit(office.doctor, prescription())
                assertEquals(request, seen.await().id())
                watch.cancel()
            }
        }
    }

    @Test
    fun `the journal tells what was done, without a patient, and shows tampering`() = journey {
        Phone(office).registered().use { agent ->
            office.submit(office.doctor, prescription("秘密　太郎"))
            agent.approve(agent.prepare(agent.inbox()))
            val kinds = agent.journal().map { it.event::class.simpleName }
            assertEquals(listOf("Registered", "Approved", "Signed", "Delivered"), kinds)
            val export = agent.exportJournal()
            assertFalse(export.decodeToString().contains("秘密"))
            assertEquals(4uL, verifyJournal(export).count)
            val changed = export.decodeToString().replaceFirst("approval_key\":\"", "approval_key\":\"x").toByteArray()
            val found = refusal<JournalException.Tampered> { verifyJournal(changed) }
            assertEquals(1uL to TamperingKind.ALTERED, found.seq to found.kind)
        }
    }

    @Test
    fun `the doctor's no undoes a registration, and unregistering ends it`() = journey {
        val phone = Phone(office)
        phone.open().use { agent ->
            val first = office.letter(office.doctor)
            agent.reject(agent.register(first.qrText, ActivationCode(first.code)))
            assertEquals(Status.Unregistered, agent.status())
            assertEquals(0, phone.vault.size)
            val second = office.letter(office.doctor)
            agent.confirm(agent.register(second.qrText, ActivationCode(second.code)))
            agent.unregister()
            assertEquals("NotRegistered", refusal<HpkiException.RegisterAgain> { agent.inbox() }.failure.code)
        }
    }

    @Test
    fun `a registration that was not confirmed is found again after a restart`() = journey {
        val letter = office.letter(office.doctor)
        val phone = Phone(office)
        phone.open().use { it.register(letter.qrText, ActivationCode(letter.code)) }
        phone.open().use { agent ->
            assertEquals(Status.AwaitingConfirmation, agent.status())
            agent.confirm(agent.candidate()!!)
            assertInstanceOf(Status.Registered::class.java, agent.status())
        }
    }

    @Test
    fun `a pharmacist's certificate is refused and nothing stays behind`() = journey {
        val letter = office.letter(office.issue("Pharmacist"))
        val phone = Phone(office)
        phone.open().use { agent ->
            val thrown = refusal<HpkiException.Refused> { agent.register(letter.qrText, ActivationCode(letter.code)) }
            assertEquals("CertificateNotPrescriber", thrown.failure.code)
            assertEquals(0, phone.vault.size)
        }
    }
}

/** The exception of this kind that [work] throws. */
inline fun <reified E : Throwable> refusal(work: () -> Any?): E {
    val thrown = try {
        work()
        null
    } catch (e: Throwable) {
        e
    }
    return assertInstanceOf(E::class.java, thrown, thrown?.stackTraceToString() ?: "nothing was thrown")
}
