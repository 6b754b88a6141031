package jp.hpki.demo.pages

import android.view.Gravity
import android.view.View
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.LinearLayout
import android.widget.ProgressBar
import jp.hpki.agent.core.ProgressStep
import jp.hpki.demo.R
import jp.hpki.demo.journey.Screen
import jp.hpki.demo.journey.State
import jp.hpki.demo.ui.Frame
import jp.hpki.demo.ui.Ui

/** A registration or an approval under way. There is nothing to press: the platform's own prompt asks and can be cancelled. */
class ProgressPage(private val ui: Ui) : Page {
    private val title = ui.heading("", R.style.Text_Display)
    private val step = ui.text("", R.style.Text_Lead).apply { accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE }
    private val ring = ProgressBar(ui.context).apply { indeterminateTintList = context.getColorStateList(R.color.accent) }

    override val view: View = with(ui) {
        val content = LinearLayout(context).apply {
            orientation = LinearLayout.VERTICAL
            gravity = Gravity.CENTER_VERTICAL
            addView(ring, LinearLayout.LayoutParams(WRAP_CONTENT, WRAP_CONTENT))
            stack(title, gap = 24)
            stack(step, gap = 12)
        }
        Frame(ui, null, null, content)
    }

    override fun keep(screen: Screen) = screen is Screen.Registering || screen is Screen.Signing

    override fun update(state: State) {
        val screen = state.screen
        val at = (screen as? Screen.Signing)?.step ?: (screen as? Screen.Registering)?.step ?: return
        title.text = when (screen) {
            is Screen.Signing -> ui.context.resources.getQuantityString(R.plurals.signing_title, screen.count, screen.count)
            else -> ui.string(R.string.registering_title)
        }
        step.text = ui.string(
            when (at) {
                ProgressStep.STARTED -> R.string.progress_started
                ProgressStep.AWAITING_USER -> R.string.progress_user
                ProgressStep.USER_VERIFIED ->
                    if (screen is Screen.Signing) R.string.progress_signing else R.string.progress_registering
            },
        )
    }
}
