package jp.hpki.demo

import android.os.Looper
import android.widget.ScrollView
import java.time.Duration
import jp.hpki.agent.core.Prompt
import jp.hpki.agent.prescription
import jp.hpki.demo.journey.Screen
import kotlinx.coroutines.CompletableDeferred
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf

/**
 * Every screen of the journey, as the framework draws it, in the ways in which doctors hold and set their phones: no word is cut in
 * any, no button too small. The failures' screens are drawn where they happen, in [FailureScreensTest].
 */
@RunWith(RobolectricTestRunner::class)
class ScreensTest {
    @Test
    fun `from the first page to the inbox`() {
        val hand = Hand()
        val office = hand.app.office
        val letter = office.letter(office.doctor)
        hand.waitFor(R.string.welcome_scan)
        Gallery.hang(hand, "01-welcome")
        hand.tap(R.string.welcome_scan)
        Gallery.hang(hand, "02-scan")
        hand.tap(R.string.scan_photo)
        hand.choosePhoto(letter.picture.toFile())
        hand.waitFor<Screen.Code>()
        Gallery.hang(hand, "03-code")
        hand.enter(if (letter.code.replace("-", "") == "00000000") "11111111" else "00000000")
        hand.waitUntil("the tries left") { (hand.screen as? Screen.Code)?.failure != null }
        Gallery.hang(hand, "04-code-wrong")
        hand.enter(letter.code)
        hand.waitFor<Screen.IsThisYou>()
        Gallery.hang(hand, "05-is-this-you")
        hand.tap(R.string.you_yes)
        hand.waitFor<Screen.Inbox>()
        hand.emptyInbox()
        Gallery.hang(hand, "06-inbox-empty")
    }

    @Test
    fun `from the inbox to the result, and the day's end`() {
        // The first file reaches its clinic, the second not yet, the third never.
        val deliveries = listOf("delay 1", "instead empty 503", "instead empty 410")
        val faults = deliveries.flatMap { listOf("--fault", "POST /prescriptions/{id}: $it") }
        val hand = Hand { office = TestApp.newOffice(*faults.toTypedArray()) }
        val doctor = hand.app.office.issue(validDays = 50)
        hand.register(doctor = doctor)
        inbox(hand, doctor)
        prescription(hand)
        results(hand)
        settings(hand)
        shadowOf(Looper.getMainLooper()).idleFor(Duration.ofMinutes(31))
        hand.waitFor<Screen.Locked>()
        Gallery.hang(hand, "21-session-ended")
    }

    private fun inbox(hand: Hand, doctor: String) {
        hand.app.office.submit(doctor, Samples.full, prescription("見本　次郎"), prescription("見本　三郎"), Samples.refused)
        hand.waitFor("見本　三郎")
        hand.waitFor(R.string.inbox_refused)
        Gallery.hang(hand, "07-inbox")
        listOf(PATIENT, "見本　次郎").forEach { hand.tap(hand.app.getString(R.string.inbox_choose, it)) }
        Gallery.hang(hand, "08-inbox-chosen")
        hand.tap(hand.app.getString(R.string.inbox_choose, "見本　次郎"))
    }

    private fun prescription(hand: Hand) {
        val scroll = { hand.activity.findViewById<ScrollView>(R.id.review)!! }
        hand.tap(PATIENT)
        hand.waitFor<Screen.Review>()
        Gallery.hang(hand, "09-prescription")
        Gallery.hang(hand, "10-prescription-whole", whole = { scroll().getChildAt(0) })
        hand.readToTheEnd()
        Gallery.hang(hand, "11-prescription-end", before = { scroll().scrollTo(0, scroll().getChildAt(0).height) })
        hand.tap(R.string.review_decline)
        hand.tap(R.string.reason_dose)
        Gallery.hang(hand, "12-decline")
        hand.back()
        hand.readToTheEnd()
        val asked = CompletableDeferred<Unit>()
        val answer = CompletableDeferred<Unit>()
        hand.app.vault.user = { prompt ->
            if (prompt is Prompt.Approve && asked.complete(Unit)) answer.await()
        }
        hand.tap(hand.app.plural(R.plurals.approve, 1))
        hand.waitUntil("the prompt") { asked.isCompleted && hand.sees(R.string.progress_user) }
        Gallery.hang(hand, "13-signing")
        answer.complete(Unit)
        hand.waitFor<Screen.Results>()
        Gallery.hang(hand, "14-result")
        hand.tap(R.string.to_inbox)
    }

    private fun results(hand: Hand) {
        hand.waitFor("見本　三郎")
        listOf("見本　次郎", "見本　三郎").forEach { hand.tap(hand.app.getString(R.string.inbox_choose, it)) }
        hand.tap(hand.app.plural(R.plurals.inbox_open, 2))
        Gallery.hang(hand, "15-batch")
        hand.readToTheEnd()
        hand.tap(hand.app.plural(R.plurals.approve, 2))
        hand.waitFor<Screen.Results>()
        Gallery.hang(hand, "16-result-undelivered")
        hand.tap(R.string.to_inbox)
        hand.waitFor(R.string.inbox_refused)
    }

    private fun settings(hand: Hand) {
        hand.tap(R.string.record_title)
        hand.waitFor<Screen.Record>()
        Gallery.hang(hand, "17-record")
        hand.back()
        hand.tap(R.string.settings_title)
        hand.waitFor<Screen.Settings>()
        Gallery.hang(hand, "18-settings")
        hand.tap(R.string.licences)
        Gallery.hang(hand, "19-licences")
        hand.back()
        hand.tap(R.string.remove_phone)
        Gallery.hang(hand, "20-remove")
        hand.back()
        hand.back()
        hand.waitFor(R.string.inbox_refused)
    }

    private companion object {
        const val PATIENT = "電処　有効五二"
    }
}
