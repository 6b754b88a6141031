package jp.hpki.demo.pages

import android.text.Editable
import android.text.InputFilter
import android.text.InputType
import android.text.TextWatcher
import android.view.View
import android.view.inputmethod.EditorInfo
import android.widget.EditText
import jp.hpki.agent.core.ActivationCode
import jp.hpki.demo.R
import jp.hpki.demo.journey.Journey
import jp.hpki.demo.journey.Screen
import jp.hpki.demo.journey.State
import jp.hpki.demo.ui.Frame
import jp.hpki.demo.ui.Ui

/** The code that came apart from the letter, with the tries that are left. */
class CodePage(screen: Screen.Code, private val ui: Ui, private val journey: Journey) : Page {
    private var ticket = screen.ticket
    private val failure = ui.text("")
    private val failureBox = ui.danger(failure).apply { accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_ASSERTIVE }
    private val go = ui.primary(R.string.code_next) { send() }

    private val code = EditText(ui.context, null, 0, R.style.Field_Code).apply {
        id = R.id.code
        hint = ui.string(R.string.code_hint)
        inputType = InputType.TYPE_CLASS_PHONE
        imeOptions = EditorInfo.IME_ACTION_DONE or EditorInfo.IME_FLAG_NO_PERSONALIZED_LEARNING
        importantForAutofill = View.IMPORTANT_FOR_AUTOFILL_NO
        filters = arrayOf(InputFilter.LengthFilter(LONGEST))
        setOnEditorActionListener { _, _, _ -> send() }
        addTextChangedListener(object : TextWatcher {
            override fun afterTextChanged(text: Editable) = judge()

            override fun beforeTextChanged(text: CharSequence?, start: Int, count: Int, after: Int) = Unit

            override fun onTextChanged(text: CharSequence?, start: Int, before: Int, count: Int) = Unit
        })
    }

    override val view: View = with(ui) {
        val label = text(R.string.code_label, R.style.Text_Label).apply { labelFor = R.id.code }
        val content = column(failureBox, text(R.string.code_text, R.style.Text_Lead), column(label, code, gap = 4), gap = 16)
        Frame(ui, string(R.string.code_title), { journey.back() }, content, actions(go))
    }

    override fun keep(screen: Screen) = screen is Screen.Code

    override fun update(state: State) {
        val screen = state.screen as? Screen.Code ?: return
        ticket = screen.ticket
        failureBox.visibility = if (screen.failure == null) View.GONE else View.VISIBLE
        failure.text = screen.failure?.let { ui.pick(it.textJa, it.textEn) }
        judge()
    }

    /** Only what has the form of a code is sent: a slip costs none of the five tries. */
    private fun judge() {
        go.isEnabled = ActivationCode(code.text.toString()).use { it.isWellFormed() }
    }

    private fun send(): Boolean {
        if (go.isEnabled) journey.registration.register(ticket, code.text.toString())
        return true
    }

    private companion object {
        /** Eight digits, with room for what people put between them. */
        const val LONGEST = 24
    }
}
