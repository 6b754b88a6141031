package jp.hpki.demo.pages

import android.view.Gravity
import android.view.View
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.ImageView
import android.widget.LinearLayout
import android.widget.ProgressBar
import jp.hpki.demo.R
import jp.hpki.demo.journey.Journey
import jp.hpki.demo.ui.Frame
import jp.hpki.demo.ui.Ui

/** The first page: what the app is for and what to have at hand. */
fun welcome(ui: Ui, journey: Journey): View = with(ui) {
    val mark = ImageView(context).apply {
        setImageDrawable(drawable(R.drawable.mark))
        importantForAccessibility = View.IMPORTANT_FOR_ACCESSIBILITY_NO
    }
    val content = LinearLayout(context).apply {
        orientation = LinearLayout.VERTICAL
        gravity = Gravity.CENTER_VERTICAL
        addView(mark, LinearLayout.LayoutParams(dp(72), dp(72)))
        stack(heading(string(R.string.welcome_title), R.style.Text_Display), gap = 20)
        stack(text(R.string.welcome_text, R.style.Text_Lead), gap = 12)
        stack(needs(), gap = 28)
    }
    Frame(ui, null, null, content, actions(primary(R.string.welcome_scan) { journey.registration.scan() }))
}

private fun Ui.needs(): View = card(
    heading(R.string.welcome_needs),
    step("1", R.string.welcome_need_letter),
    step("2", R.string.welcome_need_code),
    step("3", R.string.welcome_need_biometrics),
    gap = 12,
)

private fun Ui.step(number: String, id: Int): View {
    val badge = text(number, R.style.Text_Badge).apply {
        background = drawable(R.drawable.badge)
        gravity = Gravity.CENTER
        minWidth = dp(28)
        minHeight = dp(28)
    }
    return row(badge, text(id), stretched = 1).apply { isScreenReaderFocusable = true }
}

/** While something is being read. */
fun busy(ui: Ui): View = with(ui) {
    val ring = ProgressBar(context).apply { indeterminateTintList = context.getColorStateList(R.color.accent) }
    LinearLayout(context).apply {
        gravity = Gravity.CENTER
        setBackgroundColor(color(R.color.ground))
        contentDescription = string(R.string.working)
        addView(ring, LinearLayout.LayoutParams(WRAP_CONTENT, WRAP_CONTENT))
        layoutParams = LinearLayout.LayoutParams(MATCH_PARENT, MATCH_PARENT)
    }
}
