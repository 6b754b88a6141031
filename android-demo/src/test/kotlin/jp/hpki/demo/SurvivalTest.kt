package jp.hpki.demo

import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.widget.Button
import android.widget.EditText
import java.time.Duration
import java.util.concurrent.atomic.AtomicInteger
import jp.hpki.agent.core.Verdict
import jp.hpki.agent.prescription
import jp.hpki.agent.verifyFile
import jp.hpki.demo.journey.Screen
import jp.hpki.demo.journey.Session
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowSystemClock

/** What a phone does to an app: nothing is lost, and nothing happens twice. */
@RunWith(RobolectricTestRunner::class)
class SurvivalTest {
    @Test
    fun `a phone that is turned keeps what was typed and where the doctor was`() {
        val hand = Hand()
        val letter = hand.app.office.letter(hand.app.office.doctor)
        hand.showLetter(letter)
        hand.type(R.id.code, "1234")
        RuntimeEnvironment.setQualifiers("+land")
        hand.window.recreate()
        assertEquals("1234", hand.activity.findViewById<EditText>(R.id.code)!!.text.toString())
        assertTrue(hand.screen is Screen.Code)
    }

    @Test
    fun `an app that was ended with a letter in hand asks for its code again`() {
        val first = Hand()
        val letter = first.app.office.letter(first.app.office.doctor)
        first.showLetter(letter)
        val again = first.endedBySystem()
        again.waitFor<Screen.Code>()
        again.enter(letter.code)
        again.waitFor<Screen.IsThisYou>()
        val third = again.endedBySystem()
        third.waitFor<Screen.IsThisYou>()
        third.tap(R.string.you_yes)
        third.waitFor<Screen.Inbox>()
    }

    @Test
    fun `an app that was ended while a prescription was read opens it again, and keeps nothing of a patient`() {
        val first = Hand().register()
        val request = first.openOne("見本　一郎")
        val saved = Bundle()
        first.window.pause().stop().saveInstanceState(saved)
        assertFalse(saved.toString().contains("見本"))
        val again = first.endedBySystem(saved)
        again.waitFor<Screen.Review>()
        assertTrue(again.sees("見本　一郎"))
        again.approve()
        again.waitFor<Screen.Results>()
        assertNotNull(again.app.office.collect(request))
    }

    @Test
    fun `an app that was ended in the middle of an approval has signed nothing, and signs once when it is back`() {
        val first = Hand().register()
        val request = first.openOne("見本　一郎")
        val asked = CompletableDeferred<Unit>()
        first.app.vault.user = {
            asked.complete(Unit)
            awaitCancellation()
        }
        first.approve()
        first.waitUntil("the prompt") { asked.isCompleted }
        val again = first.endedBySystem()
        again.app.vault.user = {}
        assertNull(again.app.office.collect(request))
        again.waitFor("見本　一郎")
        again.tap("見本　一郎")
        again.approve()
        again.waitFor<Screen.Results>()
        val report = runBlocking { verifyFile(again.app.office.collect(request)!!, again.app.office.material()) }
        assertEquals(Verdict.VALID, report.verdict)
    }

    @Test
    fun `a finger that taps twice, a phone that is turned and the back gesture ask the doctor once`() {
        val hand = Hand().register()
        val request = hand.openOne("見本　一郎")
        hand.readToTheEnd()
        val prompts = AtomicInteger()
        val go = CompletableDeferred<Unit>()
        hand.app.vault.user = {
            prompts.incrementAndGet()
            go.await()
        }
        val button = hand.views().filterIsInstance<Button>().first { it.text == hand.app.plural(R.plurals.approve, 1) }
        repeat(3) { button.performClick() }
        hand.waitUntil("the prompt") { prompts.get() > 0 }
        hand.back()
        assertTrue(hand.screen is Screen.Signing)
        hand.window.recreate()
        hand.back()
        assertTrue(hand.screen is Screen.Signing && !hand.activity.isFinishing)
        go.complete(Unit)
        hand.waitFor<Screen.Results>()
        assertEquals(1, prompts.get())
        assertNotNull(hand.app.office.collect(request))
        assertEquals(1, hand.app.vault.prompts.count { it is jp.hpki.agent.core.Prompt.Approve })
    }

    @Test
    fun `two taps on yes, no or remove do it once`() {
        val hand = Hand()
        val office = hand.app.office
        val doctor = office.issue()
        val letter = office.letter(doctor)
        hand.showLetter(letter)
        hand.enter(letter.code)
        hand.waitFor<Screen.IsThisYou>()
        hand.tapTwice(R.string.you_yes)
        hand.waitFor(R.string.inbox_empty)
        val (request) = office.submit(doctor, prescription("見本　一郎"))
        hand.waitFor("見本　一郎")
        hand.tap("見本　一郎")
        hand.readToTheEnd()
        hand.tap(R.string.review_decline)
        hand.tap(R.string.reason_patient)
        hand.tapTwice(R.string.decline_send)
        hand.waitFor(R.string.inbox_empty)
        assertTrue(office.declined(request)!!.contains(hand.app.getString(R.string.reason_patient)))
        hand.tap(R.string.settings_title)
        hand.waitFor<Screen.Settings>()
        hand.tap(R.string.remove_phone)
        hand.tapTwice(R.string.remove_yes)
        hand.waitFor<Screen.Welcome>()
        assertEquals(0, hand.app.vault.size)
    }

    private fun Hand.tapTwice(id: Int) {
        val button = views().filterIsInstance<Button>().first { it.text == app.getString(id) }
        repeat(2) { button.performClick() }
    }

    @Test
    fun `a call in the middle of an approval does not end it`() {
        val hand = Hand().register()
        val request = hand.openOne("見本　一郎")
        val go = CompletableDeferred<Unit>()
        hand.app.vault.user = { go.await() }
        hand.approve()
        hand.window.pause().stop()
        go.complete(Unit)
        hand.waitUntil("the result") { hand.screen is Screen.Results }
        hand.window.restart().start().resume()
        hand.waitFor(R.string.delivered)
        assertNotNull(hand.app.office.collect(request))
    }

    @Test
    fun `a prescription whose end was not seen cannot be signed`() {
        val hand = Hand().register()
        hand.openOne("見本　一郎")
        assertTrue(hand.sees(R.string.review_more_hint))
        assertFalse(hand.sees(hand.app.plural(R.plurals.approve, 1)))
        hand.app.journey.signing.approve()
        assertTrue(hand.screen is Screen.Review)
        hand.readToTheEnd()
        assertFalse(hand.sees(R.string.review_more_hint))
        assertTrue(hand.sees(hand.app.plural(R.plurals.approve, 1)))
    }

    @Test
    fun `a session ends after half an hour without a touch, and what was shown is let go`() {
        val hand = Hand().register()
        hand.openOne("見本　一郎")
        hand.activity.onUserInteraction()
        shadowOf(android.os.Looper.getMainLooper()).idleFor(Duration.ofMillis(Session.LENGTH_MS - 1_000))
        assertTrue(hand.screen is Screen.Review)
        shadowOf(android.os.Looper.getMainLooper()).idleFor(Duration.ofSeconds(2))
        assertSame(Screen.Locked, hand.screen)
        assertFalse(hand.sees("見本"))
        assertNull(hand.app.journey.state.value.waiting)

        hand.app.unlocks = false
        hand.tap(R.string.unlock)
        assertSame(Screen.Locked, hand.screen)
        hand.app.unlocks = true
        hand.tap(R.string.unlock)
        hand.waitFor("見本　一郎")
    }

    @Test
    fun `a session that ended while the phone slept is over when it wakes`() {
        val hand = Hand().register()
        hand.openOne("見本　一郎")
        hand.window.pause().stop()
        ShadowSystemClock.advanceBy(Duration.ofMinutes(31))
        hand.window.restart().start().resume()
        hand.waitFor(R.string.locked_title)
    }

    @Test
    fun `a session that ended while the app was gone is over when it is back`() {
        val first = Hand().register()
        first.openOne("見本　一郎")
        val saved = Bundle()
        first.window.pause().stop().saveInstanceState(saved)
        ShadowSystemClock.advanceBy(Duration.ofMinutes(31))
        val again = first.endedBySystem(saved)
        again.waitFor(R.string.locked_title)
    }

    @Test
    fun `the phone's own camera app hands the letter over by its link, also while this app is open`() {
        val letter = (RuntimeEnvironment.getApplication() as TestApp).office.let { it.letter(it.doctor) }
        val link = Intent(Intent.ACTION_VIEW, Uri.parse(letter.qrText))
        val cold = Hand(link)
        cold.waitFor<Screen.Code>()
        cold.back()
        cold.waitFor(R.string.welcome_scan)
        cold.window.newIntent(link)
        cold.waitFor<Screen.Code>()
        cold.enter(letter.code)
        cold.waitFor<Screen.IsThisYou>()
    }
}

/** The system ends the process in the background; the doctor comes back to it later. */
fun Hand.endedBySystem(kept: Bundle? = null, meanwhile: () -> Unit = {}): Hand {
    val saved = kept ?: Bundle().also { window.pause().stop().saveInstanceState(it) }
    window.destroy()
    app.die()
    meanwhile()
    return Hand(saved = saved)
}
