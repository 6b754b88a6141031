package jp.hpki.demo

import android.widget.CheckBox
import java.io.ByteArrayOutputStream
import java.io.IOException
import java.io.OutputStream
import jp.hpki.agent.HpkiException
import jp.hpki.agent.Phone
import jp.hpki.agent.core.ActivationCode
import jp.hpki.agent.core.Warning
import jp.hpki.agent.prescription
import jp.hpki.agent.verifyJournal
import jp.hpki.demo.journey.Screen
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** What the doctor looks up, takes along or decides for good. */
@RunWith(RobolectricTestRunner::class)
class SettingsTest {
    @Test
    fun `the record is exported where the doctor says, whole, and without the patient`() {
        val hand = Hand().register()
        hand.openOne("見本　一郎")
        hand.approve()
        hand.waitFor<Screen.Results>()
        hand.tap(R.string.to_inbox)
        hand.tap(R.string.record_title)
        val shown = hand.waitFor<Screen.Record>().entries
        assertTrue(hand.sees(R.string.event_registered) && hand.sees(R.string.event_signed) && hand.sees(R.string.event_delivered))
        val file = ByteArrayOutputStream()
        hand.exportTo(file)
        hand.waitFor(R.string.record_exported)
        val summary = runBlocking { verifyJournal(file.toByteArray()) }
        assertEquals(shown.size.toLong(), summary.count.toLong())
        assertFalse(file.toString("UTF-8").contains("見本"))
    }

    @Test
    fun `a record that cannot be written says so, and the next place takes it`() {
        val hand = Hand().register()
        hand.tap(R.string.record_title)
        hand.waitFor<Screen.Record>()
        hand.exportTo(object : OutputStream() {
            override fun write(byte: Int) = throw IOException("no space left")
        })
        hand.waitFor(R.string.record_not_exported)
        val file = ByteArrayOutputStream()
        hand.exportTo(file)
        hand.waitFor(R.string.record_exported)
        assertTrue(file.size() > 0)
    }

    @Test
    fun `a phone that is removed holds no key, and a new letter registers it again`() {
        val hand = Hand().register()
        hand.tap(R.string.settings_title)
        hand.waitFor<Screen.Settings>()
        hand.tap(R.string.remove_phone)
        assertTrue(hand.sees(R.string.remove_text))
        hand.tap(R.string.cancel)
        assertTrue(hand.screen is Screen.Settings && hand.app.vault.size > 0)
        hand.tap(R.string.remove_phone)
        hand.tap(R.string.remove_yes)
        hand.waitFor(R.string.welcome_scan)
        assertEquals(0, hand.app.vault.size)
        hand.register()
        assertTrue(hand.app.vault.size > 0)
    }

    @Test
    fun `a phone that takes another's place says so first, and the other is out of force`() {
        val office = (org.robolectric.RuntimeEnvironment.getApplication() as TestApp).office
        val doctor = office.issue()
        val old = runBlocking {
            val letter = office.letter(doctor)
            Phone(office).open().also { it.confirm(it.register(letter.qrText, ActivationCode(letter.code))) }
        }
        val hand = Hand()
        val letter = office.letter(doctor)
        hand.showLetter(letter)
        hand.enter(letter.code)
        hand.waitFor<Screen.IsThisYou>()
        assertTrue(hand.sees(R.string.you_replaced))
        hand.tap(R.string.you_yes)
        hand.waitFor<Screen.Inbox>()
        val refused = assertThrows(HpkiException::class.java) { runBlocking { old.inbox() } }
        assertEquals("PhoneUnbound", refused.failure.code)
        old.close()
    }

    @Test
    fun `somebody else's certificate is refused by a tap, and nothing of it stays`() {
        val hand = Hand()
        val letter = hand.app.office.let { it.letter(it.issue()) }
        hand.showLetter(letter)
        hand.enter(letter.code)
        hand.waitFor<Screen.IsThisYou>()
        assertFalse(hand.sees(R.string.you_replaced))
        hand.tap(R.string.you_no)
        hand.waitFor(R.string.welcome_scan)
        assertEquals(0, hand.app.vault.size)
    }

    @Test
    fun `batch signing that is switched off stays off, and can be switched on again`() {
        val first = Hand().register()
        first.app.office.let { it.submit(it.doctor, prescription("見本　一郎"), prescription("見本　次郎")) }
        first.waitFor("見本　次郎")
        assertEquals(2, first.boxes())
        first.switchBatchSigning(to = false)
        first.waitFor("見本　次郎")
        first.waitUntil("the list without boxes") { first.boxes() == 0 }
        val again = first.endedBySystem()
        again.waitFor("見本　次郎")
        assertEquals(0, again.boxes())
        again.switchBatchSigning(to = true)
        again.waitFor("見本　次郎")
        again.waitUntil("the list with boxes") { again.boxes() == 2 }
    }

    @Test
    fun `a certificate that ends within sixty days is warned of in the inbox and in the settings`() {
        val hand = Hand()
        hand.register(doctor = hand.app.office.issue(validDays = 40))
        val warning = runBlocking { hand.app.journey.agentOrNull()!!.warnings() }.single() as Warning.CertificateExpires
        assertTrue("${warning.days}", warning.days.toInt() in 39..40)
        assertTrue(hand.sees(warning.textJa))
        hand.tap(R.string.settings_title)
        hand.waitFor<Screen.Settings>()
        assertTrue(hand.sees(warning.textJa))
    }

    @Test
    fun `and one that ends later is not`() {
        val hand = Hand()
        hand.register(doctor = hand.app.office.issue(validDays = 62))
        assertTrue(hand.app.journey.state.value.warnings.isEmpty())
        hand.tap(R.string.settings_title)
        assertTrue(hand.waitFor<Screen.Settings>().warnings.isEmpty())
        assertTrue(hand.sees(hand.app.getString(R.string.settings_days_left, 61L)))
    }

    @Test
    fun `the licences of what is inside can be read`() {
        val hand = Hand().register()
        hand.tap(R.string.settings_title)
        hand.waitFor<Screen.Settings>()
        hand.tap(R.string.licences)
        assertTrue(hand.screen is Screen.Licences && listOf("rqrr", "ring", "JNA").all(hand::sees))
    }

    private fun Hand.exportTo(place: OutputStream) {
        tap(R.string.record_export)
        choosePlace(place)
    }

    private fun Hand.boxes() = views().count { it is CheckBox }

    private fun Hand.switchBatchSigning(to: Boolean) {
        tap(R.string.settings_title)
        waitFor<Screen.Settings>()
        tap(R.string.settings_batch)
        waitUntil("the switch") { (screen as? Screen.Settings)?.batchSigning == to }
        back()
    }
}
