package jp.hpki.demo

import jp.hpki.agent.core.Prompt
import jp.hpki.agent.core.Verdict
import jp.hpki.agent.prescription
import jp.hpki.agent.verifyFile
import jp.hpki.demo.journey.Screen
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** The doctor's whole way, by hand, against the real core and a running service. */
@RunWith(RobolectricTestRunner::class)
class JourneyTest {
    @Test
    fun `a photo of the letter leads to a signature that a stranger finds valid`() {
        val hand = Hand()
        val office = hand.app.office
        val letter = office.letter(office.doctor)
        hand.showLetter(letter)
        val buttons = hand.views().filterIsInstance<android.widget.Button>()
        assertFalse("nothing is sent before the code is whole", buttons.any { it.isEnabled && it.isClickable })
        hand.enter(letter.code)
        hand.waitFor<Screen.IsThisYou>()
        assertTrue(hand.sees("検証　花子") && hand.sees(R.string.role_doctor))
        hand.tap(R.string.you_yes)
        hand.waitFor<Screen.Inbox>()
        hand.emptyInbox()
        assertTrue(hand.app.vault.prompts.single() is Prompt.Register)

        val (request) = office.submit(office.doctor, prescription("見本　一郎"))
        hand.waitFor("見本　一郎")
        hand.tap("見本　一郎")
        hand.waitFor<Screen.Review>()
        hand.readToTheEnd()
        hand.tap(hand.app.plural(R.plurals.approve, 1))
        hand.waitFor<Screen.Results>()
        assertTrue(hand.sees(R.string.delivered) && hand.sees("見本　一郎"))
        assertEquals(Prompt.Approve(1u), hand.app.vault.prompts.last())

        val signed = office.collect(request)!!
        val report = runBlocking { verifyFile(signed, office.material()) }
        assertEquals("$report", Verdict.VALID, report.verdict)
        hand.tap(R.string.to_inbox)
        hand.waitFor(R.string.inbox_empty)
    }

    @Test
    fun `chosen prescriptions are read one after the other and signed by one act`() {
        val hand = Hand().register()
        val office = hand.app.office
        val requests = office.submit(office.doctor, prescription("見本　一郎"), prescription("見本　次郎"), prescription("見本　三郎"))
        hand.waitFor("見本　三郎")
        hand.tap(hand.app.getString(R.string.inbox_choose, "見本　一郎"))
        hand.tap(hand.app.getString(R.string.inbox_choose, "見本　三郎"))
        hand.tap(hand.app.plural(R.plurals.inbox_open, 2))
        assertTrue(hand.sees("見本　一郎") && hand.sees("見本　三郎") && !hand.sees("見本　次郎"))
        hand.readToTheEnd()
        hand.tap(hand.app.plural(R.plurals.approve, 2))
        assertEquals(2, hand.waitFor<Screen.Results>().outcomes.size)
        assertEquals(Prompt.Approve(2u), hand.app.vault.prompts.last())
        for (request in listOf(requests[0], requests[2])) {
            assertEquals(Verdict.VALID, runBlocking { verifyFile(office.collect(request)!!, office.material()) }.verdict)
        }
        assertNull(office.collect(requests[1]))
    }

    @Test
    fun `a no reaches the clinic with its reason`() {
        val hand = Hand().register()
        val office = hand.app.office
        val (request) = office.submit(office.doctor, prescription("見本　一郎"))
        hand.waitFor("見本　一郎")
        hand.tap("見本　一郎")
        hand.readToTheEnd()
        hand.tap(R.string.review_decline)
        hand.tap(R.string.reason_dose)
        hand.tap(R.string.decline_send)
        hand.waitFor(R.string.inbox_empty)
        assertTrue(office.declined(request)!!.contains(hand.app.getString(R.string.reason_dose)))
        assertNull(office.collect(request))
    }
}
