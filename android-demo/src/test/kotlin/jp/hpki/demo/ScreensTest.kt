package jp.hpki.demo

import android.os.Looper
import android.widget.ScrollView
import java.time.Duration
import jp.hpki.agent.core.KeyVaultException
import jp.hpki.agent.core.Prompt
import jp.hpki.agent.prescription
import jp.hpki.demo.journey.Screen
import kotlinx.coroutines.CompletableDeferred
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/** Every screen, as the framework draws it, in the ways in which doctors hold and set their phones; no word is cut in any. */
@RunWith(RobolectricTestRunner::class)
class ScreensTest {
    @Test
    fun `a phone in Japanese`() = everyScreen("phone-ja")

    @Test
    @Config(qualifiers = "+night")
    fun `a phone in the dark`() = everyScreen("phone-ja-dark")

    @Test
    @Config(qualifiers = "en-rGB-w411dp-h891dp-port-420dpi")
    fun `a phone in English`() = everyScreen("phone-en")

    @Test
    @Config(qualifiers = "ja-rJP-w360dp-h640dp-port-xhdpi", fontScale = 2.0f)
    fun `a small phone with the largest text`() = everyScreen("phone-ja-large")

    @Test
    @Config(qualifiers = "ja-rJP-w891dp-h411dp-land-xhdpi")
    fun `a phone held sideways`() = everyScreen("phone-ja-land")

    @Test
    @Config(qualifiers = "ja-rJP-w1280dp-h800dp-land-mdpi")
    fun `a tablet`() = everyScreen("tablet-ja")

    @Test
    @Config(qualifiers = "en-rGB-w800dp-h1280dp-port-night-mdpi")
    fun `a tablet in English in the dark`() = everyScreen("tablet-en-dark")

    private fun everyScreen(name: String) {
        val gallery = Gallery(name)
        val hand = Hand()
        registration(hand, gallery)
        signing(hand, gallery)
        failures(hand, gallery)
        settings(hand, gallery)
    }

    private fun registration(hand: Hand, gallery: Gallery) {
        val office = hand.app.office
        val letter = office.letter(office.doctor)
        hand.waitFor(R.string.welcome_scan)
        gallery.hang(hand, "01-welcome")
        hand.tap(R.string.welcome_scan)
        gallery.hang(hand, "02-scan")
        hand.tap(R.string.scan_photo)
        hand.choosePhoto(letter.picture.toFile())
        hand.waitFor<Screen.Code>()
        gallery.hang(hand, "03-code")
        hand.enter(if (letter.code.replace("-", "") == "00000000") "11111111" else "00000000")
        hand.waitUntil("the tries left") { (hand.screen as? Screen.Code)?.failure != null }
        gallery.hang(hand, "04-code-wrong")
        hand.enter(letter.code)
        hand.waitFor<Screen.IsThisYou>()
        gallery.hang(hand, "05-is-this-you")
        hand.tap(R.string.you_yes)
        hand.waitFor<Screen.Inbox>()
        hand.emptyInbox()
        gallery.hang(hand, "06-inbox-empty")
    }

    private fun signing(hand: Hand, gallery: Gallery) {
        val office = hand.app.office
        office.submit(office.doctor, Samples.full, prescription("見本　次郎"), Samples.refused)
        hand.waitFor("見本　次郎")
        val patient = "電処　有効五二"
        hand.waitFor(patient)
        gallery.hang(hand, "07-inbox")
        hand.tap(hand.app.getString(R.string.inbox_choose, patient))
        hand.tap(hand.app.getString(R.string.inbox_choose, "見本　次郎"))
        gallery.hang(hand, "08-inbox-chosen")
        hand.tap(hand.app.getString(R.string.inbox_choose, "見本　次郎"))
        hand.tap(patient)
        hand.waitFor<Screen.Review>()
        gallery.hang(hand, "09-prescription")
        gallery.hangWhole(hand, "10-prescription-whole", hand.activity.findViewById<ScrollView>(R.id.review)!!)
        hand.readToTheEnd()
        gallery.hang(hand, "11-prescription-end")
        hand.tap(R.string.review_decline)
        hand.tap(R.string.reason_dose)
        gallery.hang(hand, "12-decline")
        hand.back()
        hand.readToTheEnd()
        val asked = CompletableDeferred<Unit>()
        val answer = CompletableDeferred<Unit>()
        hand.app.vault.user = { prompt ->
            if (prompt is Prompt.Approve) {
                asked.complete(Unit)
                answer.await()
            }
        }
        hand.tap(hand.app.plural(R.plurals.approve, 1))
        hand.waitUntil("the prompt") { asked.isCompleted && hand.sees(R.string.progress_user) }
        gallery.hang(hand, "13-signing")
        answer.complete(Unit)
        hand.waitFor<Screen.Results>()
        gallery.hang(hand, "14-result")
        hand.tap(R.string.to_inbox)
    }

    private fun failures(hand: Hand, gallery: Gallery) {
        hand.waitFor(R.string.inbox_refused)
        hand.tap(hand.app.getString(R.string.inbox_refused))
        hand.waitFor<Screen.Refused>()
        gallery.hang(hand, "15-document-refused")
        hand.back()
        hand.waitFor("見本　次郎")
        hand.tap("見本　次郎")
        hand.app.vault.user = { throw KeyVaultException.LockedOut() }
        hand.approve()
        hand.waitFor(R.string.problem_biometrics_locked)
        gallery.hang(hand, "16-biometrics-locked")
        hand.tap(R.string.to_start)
        hand.waitFor<Screen.Inbox>()
        hand.waitFor("見本　次郎")
    }

    private fun settings(hand: Hand, gallery: Gallery) {
        hand.tap(R.string.record_title)
        hand.waitFor<Screen.Record>()
        gallery.hang(hand, "17-record")
        hand.back()
        hand.tap(R.string.settings_title)
        hand.waitFor<Screen.Settings>()
        gallery.hang(hand, "18-settings")
        hand.tap(R.string.licences)
        gallery.hang(hand, "19-licences")
        hand.back()
        hand.tap(R.string.remove_phone)
        gallery.hang(hand, "20-remove")
        hand.back()
        hand.back()
        hand.waitFor("見本　次郎")
        shadowOf(Looper.getMainLooper()).idleFor(Duration.ofMinutes(31))
        hand.waitFor<Screen.Locked>()
        gallery.hang(hand, "21-session-ended")
    }
}
