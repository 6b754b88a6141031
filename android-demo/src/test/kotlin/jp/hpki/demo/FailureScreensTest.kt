package jp.hpki.demo

import java.time.Instant
import jp.hpki.agent.HpkiAgent
import jp.hpki.agent.Phone
import jp.hpki.agent.core.ActivationCode
import jp.hpki.agent.core.Clock
import jp.hpki.agent.core.FailureKind
import jp.hpki.agent.core.KeyVaultException
import jp.hpki.agent.core.WaitingContent
import jp.hpki.agent.prescription
import jp.hpki.demo.journey.Screen
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** Whatever goes wrong has a screen that says what to do next, and pressing that does it. */
@RunWith(RobolectricTestRunner::class)
class FailureScreensTest {
    @Test
    fun `a wrong code shows the tries that are left, and the fifth locks the letter`() {
        val hand = Hand()
        val office = hand.app.office
        val letter = office.letter(office.doctor)
        val wrong = if (letter.code.replace("-", "") == "00000000") "11111111" else "００００－００００"
        hand.showLetter(letter)
        for (left in 4 downTo 1) {
            hand.enter(wrong)
            hand.waitFor("残り${left}回")
        }
        hand.enter(wrong)
        hand.waitFor(R.string.problem_locked)
        Gallery.hang(hand, "31-letter-locked")
        assertTrue(hand.sees(R.string.next_office) && hand.sees("TicketLocked"))
        hand.tap(R.string.to_start)
        hand.waitFor(R.string.welcome_scan)
    }

    @Test
    fun `another service's letter is refused before anything is sent`() {
        val stranger = TestApp.newOffice().use { it.letter(it.doctor).qrText }
        val hand = Hand()
        hand.waitFor(R.string.welcome_scan)
        hand.app.journey.letterRead(stranger)
        hand.waitFor(R.string.problem_letter)
        Gallery.hang(hand, "32-letter-of-another")
        assertTrue(hand.sees("UnknownIssuer") && hand.sees(R.string.next_refused))
        assertEquals(0, hand.app.vault.size)
    }

    @Test
    fun `a photo without a QR says so and the scanner stays`() {
        val hand = Hand()
        hand.waitFor(R.string.welcome_scan)
        hand.tap(R.string.welcome_scan)
        hand.tap(R.string.scan_photo)
        val empty = kotlin.io.path.createTempFile(suffix = ".png").toFile()
        javax.imageio.ImageIO.write(java.awt.image.BufferedImage(400, 400, java.awt.image.BufferedImage.TYPE_INT_RGB), "png", empty)
        hand.choosePhoto(empty)
        hand.waitFor(R.string.scan_photo_nothing)
        assertTrue(hand.screen is Screen.Scan)
    }

    @Test
    fun `a clock that is wrong is named, and set right the same letter registers`() {
        var late = 3600L * 24 * 365
        val wrong = object : Clock {
            override fun now(): Instant = Instant.now().plusSeconds(late)
        }
        val hand = Hand { clock = wrong }
        val office = hand.app.office
        val letter = office.letter(office.doctor)
        hand.waitFor(R.string.welcome_scan)
        hand.app.journey.letterRead(letter.qrText)
        hand.waitUntil("the code or the clock") { hand.screen is Screen.Code || hand.screen is Screen.Problem }
        if (hand.screen is Screen.Code) hand.enter(letter.code)
        hand.waitFor(R.string.problem_clock)
        Gallery.hang(hand, "33-clock-wrong")
        assertTrue(hand.sees(R.string.next_clock) && hand.sees(R.string.open_settings))
        late = 0
        hand.tap(R.string.again)
        hand.waitUntil("the registration") { hand.screen is Screen.Code || hand.screen is Screen.IsThisYou }
    }

    @Test
    fun `a pharmacist is told that the certificate cannot prescribe`() {
        val hand = Hand()
        val office = hand.app.office
        val letter = office.letter(office.issue("Pharmacist"))
        hand.showLetter(letter)
        hand.enter(letter.code)
        hand.waitFor("CertificateNotPrescriber")
        Gallery.hang(hand, "34-no-prescriber")
        assertTrue(hand.sees(R.string.problem_refused))
    }

    @Test
    fun `biometrics enrolled anew lead to a new registration, and nothing was signed`() {
        val hand = Hand().register()
        val request = hand.openOne("見本　一郎")
        hand.app.vault.user = { throw KeyVaultException.Invalidated() }
        hand.approve()
        hand.waitFor(R.string.problem_biometrics)
        Gallery.hang(hand, "35-biometrics-changed")
        assertTrue(hand.sees(R.string.next_register))
        assertNull(hand.app.office.collect(request))
        hand.tap(R.string.register_again)
        hand.waitFor(R.string.welcome_scan)
    }

    @Test
    fun `a locked sensor and a cancelled one lead back to the same prescription, which is then signed`() {
        val hand = Hand().register()
        val request = hand.openOne("見本　一郎")
        for ((failure, title) in listOf(
            KeyVaultException.LockedOut() to R.string.problem_biometrics_locked,
            KeyVaultException.Cancelled() to R.string.problem_cancelled,
        )) {
            hand.app.vault.user = { throw failure }
            hand.approve()
            hand.waitFor(title)
            if (title == R.string.problem_biometrics_locked) Gallery.hang(hand, "36-biometrics-locked")
            assertNull(hand.app.office.collect(request))
            hand.tap(R.string.again)
            hand.waitFor<Screen.Review>()
        }
        hand.app.vault.user = {}
        hand.approve()
        hand.waitFor<Screen.Results>()
        assertNotNull(hand.app.office.collect(request))
    }

    @Test
    fun `a phone that was replaced says so and begins anew`() {
        val hand = Hand().register()
        val office = hand.app.office
        runBlocking {
            Phone(office).open().use { other: HpkiAgent ->
                val letter = office.letter(office.doctor)
                other.confirm(other.register(letter.qrText, ActivationCode(letter.code)))
            }
        }
        hand.tap(R.string.refresh)
        hand.waitFor(R.string.problem_unbound)
        Gallery.hang(hand, "37-replaced")
        assertTrue(hand.sees("PhoneUnbound"))
        assertEquals(0, hand.app.vault.size)
        hand.tap(R.string.register_again)
        hand.waitFor(R.string.welcome_scan)
    }

    @Test
    fun `a doctor whose certificate was revoked is sent to the association`() {
        val hand = Hand()
        val office = hand.app.office
        val doctor = office.issue()
        val letter = office.letter(doctor)
        office.revoke(doctor)
        hand.showLetter(letter)
        hand.enter(letter.code)
        hand.waitUntil("the problem") { hand.screen is Screen.Problem }
        Gallery.hang(hand, "38-revoked")
        assertTrue(hand.sees("CertificateRevoked") || hand.sees("CredentialDisabled"))
        assertTrue(hand.sees(R.string.problem_certificate) && hand.sees(R.string.next_office))
    }

    @Test
    fun `a phone without network is told so at the approval and in the inbox, and nothing is lost`() {
        val office = TestApp.newOffice()
        val hand = Hand { this.office = office }
        hand.register()
        hand.openOne("見本　一郎")
        office.close()
        hand.approve()
        assertEquals("Offline", hand.waitFor<Screen.Problem>().failure.code)
        Gallery.hang(hand, "39-offline")
        assertTrue(hand.sees(R.string.problem_offline) && hand.sees(R.string.next_retry) && hand.sees(R.string.again))
        hand.tap(R.string.to_start)
        hand.waitFor<Screen.Inbox>()
        hand.waitFor(R.string.inbox_interrupted)
        Gallery.hang(hand, "40-inbox-offline")
        assertTrue("what waited is still shown, and as of when", hand.sees("見本　一郎") && hand.sees("時点の署名待ちです"))
    }

    @Test
    fun `an app that is opened without network shows what waited when it was last asked`() {
        val office = TestApp.newOffice()
        val first = Hand { this.office = office }.register()
        office.submit(office.doctor, prescription("見本　一郎"))
        first.waitFor("見本　一郎")
        val hand = first.endedBySystem { office.stop() }
        hand.waitFor(R.string.inbox_interrupted)
        assertTrue(hand.sees("見本　一郎") && hand.sees("時点の署名待ちです"))
        hand.tap("見本　一郎")
        hand.waitFor<Screen.Review>()
        hand.approve()
        assertEquals("Offline", hand.waitFor<Screen.Problem>().failure.code)
    }

    @Test
    fun `an inbox that was never read is not said to be empty`() {
        val hand = Hand { office = TestApp.newOffice("--fault", "always GET /prescriptions: instead empty 503") }.bind()
        hand.waitFor(R.string.inbox_interrupted)
        assertTrue(hand.sees(R.string.inbox_unknown) && !hand.sees(R.string.inbox_empty))
    }

    @Test
    fun `a service that is down says so, and once it is up the same prescription is signed`() {
        val hand = Hand { office = TestApp.newOffice("--fault", "POST /csc/v2/signatures/signHash: instead html 503") }.register()
        val request = hand.openOne("見本　一郎")
        hand.approve()
        hand.waitFor(R.string.problem_service)
        Gallery.hang(hand, "41-service-down")
        assertTrue(hand.sees("ServiceUnavailable") && hand.sees(R.string.next_retry))
        assertNull(hand.app.office.collect(request))
        hand.tap(R.string.again)
        hand.waitFor<Screen.Review>()
        hand.approve()
        hand.waitFor<Screen.Results>()
        assertNotNull(hand.app.office.collect(request))
    }

    @Test
    fun `a phone whose secrets were lost is registered anew with a new letter`() {
        val first = Hand().register()
        first.app.secrets.clear()
        val hand = first.endedBySystem()
        assertEquals(FailureKind.REGISTER_AGAIN, hand.waitFor<Screen.Problem>().failure.kind)
        hand.tap(R.string.register_again)
        hand.waitFor(R.string.welcome_scan)
        hand.register()
    }

    @Test
    fun `a record that was changed is told of, set aside, and the phone registered anew`() {
        val first = Hand().register()
        val record = first.app.filesDir.walk().single { it.name == "journal.jsonl" }
        val again = first.endedBySystem { record.writeText(record.readText().replaceFirst("\"seq\":", "\"seq\":7")) }
        assertEquals("JournalTampered", again.waitFor<Screen.Problem>().failure.code)
        Gallery.hang(again, "42-record-changed")
        assertTrue(again.sees(R.string.next_office))
        again.tap(R.string.register_again)
        again.waitFor(R.string.welcome_scan)
        again.register()
        again.tap(R.string.record_title)
        again.waitFor(R.string.event_set_aside)
    }

    @Test
    fun `a document that cannot be signed shows every reason, and the clinic can be told`() {
        val hand = Hand().register()
        val office = hand.app.office
        val (request) = office.submit(office.doctor, prescription("見本　一郎").replace("\n12,1\n", "\n12,7\n"))
        hand.waitFor(R.string.inbox_refused)
        hand.tap(hand.app.getString(R.string.inbox_refused))
        val refused = hand.waitFor<Screen.Refused>()
        Gallery.hang(hand, "30-document-refused")
        val violations = (refused.waiting.content() as WaitingContent.Refused).failure.violations
        assertTrue(violations.isNotEmpty() && violations.all { hand.sees(it.messageJa) })
        hand.tap(R.string.refused_tell)
        hand.tap(R.string.reason_content)
        hand.tap(R.string.decline_send)
        hand.waitFor(R.string.inbox_empty)
        assertTrue(office.declined(request)!!.contains(hand.app.getString(R.string.reason_content)))
    }
}

/** A prescription for this patient waits and is opened; returns the request's identifier. */
fun Hand.openOne(patient: String): String {
    val (request) = app.office.submit(app.office.doctor, prescription(patient))
    waitFor(patient)
    tap(patient)
    waitFor<Screen.Review>()
    return request
}

fun Hand.approve() {
    readToTheEnd()
    tap(app.plural(R.plurals.approve, 1))
}
