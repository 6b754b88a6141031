package jp.hpki.demo.pages

import android.text.InputFilter
import android.text.InputType
import android.view.Gravity
import android.view.View
import android.widget.EditText
import jp.hpki.demo.R
import jp.hpki.demo.journey.Journey
import jp.hpki.demo.journey.Screen
import jp.hpki.demo.journey.preview
import jp.hpki.demo.ui.Frame
import jp.hpki.demo.ui.Ui

/** The doctor's no. The reason goes to the clinic, and is not kept on this phone. */
class DeclinePage(private val screen: Screen.Decline, ui: Ui, private val journey: Journey) : Page {
    private val reason = EditText(ui.context, null, 0, R.style.Field).apply {
        id = R.id.reason
        hint = ui.string(R.string.decline_hint)
        gravity = Gravity.TOP or Gravity.START
        minLines = 3
        inputType = InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_FLAG_MULTI_LINE or InputType.TYPE_TEXT_FLAG_CAP_SENTENCES
        filters = arrayOf(InputFilter.LengthFilter(LONGEST))
    }

    override val view: View = with(ui) {
        val waiting = screen.waiting
        val who = card(
            text(waiting.preview?.patient?.name ?: string(R.string.decline_unreadable), R.style.Text_Name),
            label(waiting.requester()?.name.orEmpty()),
            gap = 2,
        )
        val label = text(R.string.decline_label, R.style.Text_Label).apply { labelFor = R.id.reason }
        val content = column(text(R.string.decline_text, R.style.Text_Lead), who, column(label, reason, gap = 4), gap = 20)
        listOf(R.string.reason_dose, R.string.reason_patient, R.string.reason_content).forEach { id ->
            content.stack(secondary(id) { reason.setText(string(id)) }, gap = 8)
        }
        val send = destructive(R.string.decline_send) { journey.signing.decline(waiting, reason.text.toString()) }
        Frame(ui, string(R.string.decline_title), { journey.back() }, content, actions(send))
    }

    override fun keep(screen: Screen) = screen === this.screen

    private companion object {
        /** As much as reaches the clinic. */
        const val LONGEST = 200
    }
}
