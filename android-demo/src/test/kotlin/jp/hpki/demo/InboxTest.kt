package jp.hpki.demo

import android.view.View
import android.widget.CheckBox
import android.widget.TextView
import java.time.Duration
import jp.hpki.agent.prescription
import jp.hpki.demo.journey.Screen
import jp.hpki.demo.ui.PullToRefresh
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/** What waits, how it is asked for anew, and what became of what was signed. */
@RunWith(RobolectricTestRunner::class)
class InboxTest {
    @Test
    fun `a pull at an empty list asks anew`() {
        val hand = Hand { office = TestApp.newOffice("--fault", "always GET /prescriptions: delay 1500") }.register()
        hand.drag(hand.list(), down = 200)
        hand.waitUntil("the bar") { hand.list().bar.visibility == View.VISIBLE }
        hand.waitUntil("the answer") { hand.list().bar.visibility != View.VISIBLE }
        assertTrue(hand.sees(R.string.inbox_empty))
    }

    @Test
    fun `a pull that begins on a card asks anew and opens nothing, a short one does neither`() {
        val hand = Hand().register()
        hand.app.office.let { it.submit(it.doctor, prescription("見本　一郎")) }
        hand.waitFor("見本　一郎")
        hand.drag(hand.card("見本　一郎"), down = 60)
        assertFalse(hand.app.journey.state.value.refreshing)
        hand.drag(hand.card("見本　一郎"), down = 200)
        hand.asksAnew()
        assertTrue(hand.screen is Screen.Inbox && hand.sees("見本　一郎"))
        hand.drag(hand.card("見本　一郎"), down = 0)
        hand.waitFor<Screen.Review>()
    }

    @Test
    fun `a finger that only scrolls a long list asks for nothing`() {
        val hand = Hand().register()
        val patients = (1..12).map { "見本　${it}郎" }
        hand.app.office.let { office -> office.submit(office.doctor, *patients.map { prescription(it) }.toTypedArray()) }
        hand.waitFor(patients.last())
        hand.list().scrollTo(0, 2_000)
        hand.drag(hand.list(), down = 200)
        assertTrue(hand.list().scrollY in 1 until 2_000)
        assertFalse(hand.app.journey.state.value.refreshing)
    }

    @Test
    fun `a file that does not reach the clinic is told of, kept, and handed over by itself`() {
        val hand = Hand { office = TestApp.newOffice("--fault", "2 POST /prescriptions/{id}: instead empty 503") }.register()
        val request = hand.openOne("見本　一郎")
        hand.approve()
        hand.waitFor<Screen.Results>()
        assertTrue(hand.sees(R.string.pending) && !hand.sees(R.string.delivered))
        assertNull(hand.app.office.collect(request))
        hand.tap(R.string.to_inbox)
        hand.tap(R.string.settings_title)
        hand.waitFor(hand.app.getString(R.string.settings_undelivered, 1))
        hand.back()
        hand.waitUntil("the delivery") {
            shadowOf(android.os.Looper.getMainLooper()).idleFor(Duration.ofSeconds(20))
            hand.app.office.collect(request) != null
        }
    }

    @Test
    fun `a file that the clinic will never take is told of, with the reason`() {
        val hand = Hand { office = TestApp.newOffice("--fault", "POST /prescriptions/{id}: instead empty 410") }.register()
        val request = hand.openOne("見本　一郎")
        hand.approve()
        hand.waitFor<Screen.Results>()
        assertTrue(hand.sees(R.string.undeliverable) && !hand.sees(R.string.delivered))
        assertNull(hand.app.office.collect(request))
    }

    @Test
    fun `a delivery that fails later for good is told of in the inbox`() {
        val faults = listOf(503, 410).flatMap { listOf("--fault", "POST /prescriptions/{id}: instead empty $it") }
        val hand = Hand { office = TestApp.newOffice(*faults.toTypedArray()) }.register()
        hand.openOne("見本　一郎")
        hand.approve()
        hand.waitFor<Screen.Results>()
        hand.tap(R.string.to_inbox)
        hand.waitFor(R.string.undeliverable)
    }

    @Test
    @Config(qualifiers = "w1280dp-h800dp-land-mdpi")
    fun `on a tablet the inbox stays beside the prescription, and is kept up to date`() {
        val hand = Hand().register()
        assertTrue(hand.sees(R.string.inbox_choose_one))
        val request = hand.openOne("見本　一郎")
        assertTrue(hand.sees(R.string.inbox_title) && hand.sees(R.string.review_title))
        hand.app.office.let { it.submit(it.doctor, prescription("見本　次郎")) }
        hand.waitFor("見本　次郎")
        assertTrue(hand.screen is Screen.Review)
        hand.approve()
        hand.waitFor<Screen.Results>()
        assertNotNull(hand.app.office.collect(request))
        hand.tap(R.string.to_inbox)
        hand.tap("見本　次郎")
        hand.waitFor<Screen.Review>()
        hand.tap(R.string.back)
        assertTrue(hand.screen is Screen.Inbox && hand.sees(R.string.inbox_choose_one))
    }

    @Test
    fun `a batch is offered for signing once the end of its last prescription was seen`() {
        val hand = Hand().register()
        hand.app.office.let { it.submit(it.doctor, prescription("見本　一郎"), prescription("見本　次郎")) }
        hand.waitFor("見本　次郎")
        hand.views().filterIsInstance<CheckBox>().forEach { hand.tap(it.contentDescription.toString()) }
        hand.tap(hand.app.plural(R.plurals.inbox_open, 2))
        assertTrue(hand.sees(R.string.review_more_hint) && !hand.sees(hand.app.plural(R.plurals.approve, 2)))
        hand.readToTheEnd()
        assertTrue(!hand.sees(R.string.review_more_hint) && hand.sees(hand.app.plural(R.plurals.approve, 2)))
        assertEquals(0, hand.app.vault.prompts.count { it is jp.hpki.agent.core.Prompt.Approve })
    }

    private fun Hand.list() = views().filterIsInstance<PullToRefresh>().single()

    private fun Hand.card(patient: String): View =
        generateSequence(views().first { it is TextView && it.text.toString() == patient }) { it.parent as? View }.first { it.isClickable }

    private fun Hand.asksAnew() {
        assertTrue(app.journey.state.value.refreshing)
        waitUntil("the answer") { !app.journey.state.value.refreshing }
    }
}
