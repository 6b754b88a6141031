package jp.hpki.demo

import java.io.ByteArrayOutputStream
import jp.hpki.agent.core.KeyVaultException
import jp.hpki.agent.prescription
import jp.hpki.demo.journey.Screen
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf

/** Wherever the system ends the app, the doctor finds it again where it was, or at the step before. */
@RunWith(RobolectricTestRunner::class)
class ProcessDeathTest {
    @Test
    fun `before a phone is registered`() {
        var hand = Hand()
        hand.waitFor<Screen.Welcome>()
        hand = hand.endedBySystem()
        hand.waitFor<Screen.Welcome>()
        hand.tap(R.string.welcome_scan)
        hand = hand.endedBySystem()
        hand.waitFor<Screen.Scan>()
        val letter = hand.app.office.let { it.letter(it.issue()) }
        hand.tap(R.string.scan_photo)
        hand.choosePhoto(letter.picture.toFile())
        hand.waitFor<Screen.Code>()
        hand = hand.endedBySystem()
        hand.waitFor<Screen.Code>()
        hand.enter(letter.code)
        hand.waitFor<Screen.IsThisYou>()
        hand = hand.endedBySystem()
        hand.waitFor<Screen.IsThisYou>()
        hand.tap(R.string.you_yes)
        hand.waitFor<Screen.Inbox>()
        hand = hand.endedBySystem()
        hand.waitFor<Screen.Inbox>()
    }

    @Test
    fun `while a photo of the letter is being chosen`() {
        val first = Hand()
        val letter = first.app.office.letter(first.app.office.doctor)
        first.waitFor<Screen.Welcome>()
        first.tap(R.string.welcome_scan)
        first.tap(R.string.scan_photo)
        val again = first.endedBySystem()
        again.gives(photo = letter.picture.toFile())
        again.waitFor<Screen.Code>()
    }

    @Test
    fun `while prescriptions are read, one that cannot be signed, and before a no`() {
        var hand = Hand().register()
        val office = hand.app.office
        office.submit(office.doctor, prescription("見本　一郎"), prescription("見本　次郎"), Samples.refused)
        hand.waitFor("見本　次郎")
        hand.waitFor(R.string.inbox_refused)
        listOf("見本　一郎", "見本　次郎").forEach { hand.tap(hand.app.getString(R.string.inbox_choose, it)) }
        hand.tap(hand.app.plural(R.plurals.inbox_open, 2))
        hand = hand.endedBySystem()
        assertEquals(2, hand.waitFor<Screen.Review>().waiting.size)
        assertTrue(hand.sees("見本　一郎") && hand.sees("見本　次郎"))
        hand.back()
        hand.waitFor(R.string.inbox_refused)
        hand.tap(R.string.inbox_refused)
        hand.waitFor<Screen.Refused>()
        hand = hand.endedBySystem()
        hand.waitFor<Screen.Refused>()
        hand.back()
        hand.waitFor("見本　次郎")
        hand.tap("見本　次郎")
        hand.readToTheEnd()
        hand.tap(R.string.review_decline)
        hand.waitFor<Screen.Decline>()
        hand = hand.endedBySystem()
        hand.waitFor<Screen.Review>()
        assertTrue(hand.sees("見本　次郎") && !hand.sees("見本　一郎"))
    }

    @Test
    fun `after an approval, and after one that went wrong`() {
        var hand = Hand().register()
        val request = hand.openOne("見本　一郎")
        hand.app.vault.user = { throw KeyVaultException.LockedOut() }
        hand.approve()
        hand.waitFor<Screen.Problem>()
        hand = hand.endedBySystem()
        hand.app.vault.user = {}
        hand.waitFor("見本　一郎")
        hand.tap("見本　一郎")
        hand.approve()
        hand.waitFor<Screen.Results>()
        hand = hand.endedBySystem()
        hand.waitFor(R.string.inbox_empty)
        assertNotNull(hand.app.office.collect(request))
    }

    @Test
    fun `beside the daily work`() {
        var hand = Hand().register()
        hand.tap(R.string.settings_title)
        hand.waitFor<Screen.Settings>()
        hand = hand.endedBySystem()
        hand.waitFor<Screen.Settings>()
        for (below in listOf(R.string.licences, R.string.remove_phone)) {
            hand.tap(below)
            hand = hand.endedBySystem()
            hand.waitFor<Screen.Settings>()
        }
        assertTrue("a question is not answered by its end", hand.app.vault.size > 0)
        hand.tap(R.string.record_title)
        hand.waitFor<Screen.Record>()
        val file = ByteArrayOutputStream()
        hand.tap(R.string.record_export)
        hand = hand.endedBySystem()
        hand.gives(place = file)
        hand.waitFor(R.string.record_exported)
        assertTrue(file.size() > 0)
    }

    @Test
    fun `when the session is over`() {
        var hand = Hand().register()
        shadowOf(android.os.Looper.getMainLooper()).idleFor(java.time.Duration.ofMinutes(31))
        hand.waitFor<Screen.Locked>()
        hand = hand.endedBySystem()
        hand.waitFor<Screen.Locked>()
        hand.tap(R.string.unlock)
        hand.waitFor<Screen.Inbox>()
    }
}
