package jp.hpki.demo.pages

import android.net.Uri
import android.os.Build
import android.view.Gravity
import android.view.View
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.WindowInsets
import android.widget.FrameLayout
import android.widget.ImageView
import android.widget.LinearLayout
import jp.hpki.demo.MainActivity
import jp.hpki.demo.R
import jp.hpki.demo.journey.Journey
import jp.hpki.demo.journey.Screen
import jp.hpki.demo.journey.State
import jp.hpki.demo.ui.Frame
import jp.hpki.demo.ui.Ui
import jp.hpki.demo.ui.keepClearOf

/** A tablet's window: the inbox stays in sight, and beside it lies what was taken from it. */
class Panes(private val ui: Ui, private val window: MainActivity, private val journey: Journey) : Page {
    private val inbox = InboxPage(ui, journey)
    private val place = FrameLayout(ui.context)
    private var page: Page? = null

    override val view: View = LinearLayout(ui.context).apply {
        setBackgroundColor(ui.color(R.color.ground))
        addView(inbox.view, LinearLayout.LayoutParams(ui.dp(INBOX), MATCH_PARENT))
        addView(View(context).apply { setBackgroundColor(ui.color(R.color.line)) }, LinearLayout.LayoutParams(ui.dp(1), MATCH_PARENT))
        addView(place, LinearLayout.LayoutParams(0, MATCH_PARENT, 1f))
        // The system's bars are kept clear of once, around both.
        setOnApplyWindowInsetsListener { view, insets ->
            view.keepClearOf(insets)
            @Suppress("DEPRECATION")
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) WindowInsets.CONSUMED else insets.consumeSystemWindowInsets()
        }
    }

    override fun keep(screen: Screen) = screen is Screen.BesideInbox

    override fun update(state: State) {
        inbox.update(state)
        val before = page
        if (before?.keep(state.screen) == true) return before.update(state)
        before?.hidden()
        page = beside(state.screen).also {
            place.removeAllViews()
            place.addView(it.view, MATCH_PARENT, MATCH_PARENT)
            it.update(state)
        }
    }

    private fun beside(screen: Screen): Page =
        if (screen is Screen.Inbox) Still(screen, nothingOpen(ui)) else page(screen, ui, window, journey)

    override fun received(uri: Uri) {
        page?.received(uri)
    }

    private companion object {
        /** The inbox's width, dp: a phone's. */
        const val INBOX = 400
    }
}

/** What lies beside the inbox before anything is opened. */
private fun nothingOpen(ui: Ui): View = with(ui) {
    val mark = ImageView(context).apply {
        setImageDrawable(drawable(R.drawable.mark))
        importantForAccessibility = View.IMPORTANT_FOR_ACCESSIBILITY_NO
    }
    val words = text(R.string.inbox_choose_one, R.style.Text_Label).apply { gravity = Gravity.CENTER }
    val content = LinearLayout(context).apply {
        orientation = LinearLayout.VERTICAL
        gravity = Gravity.CENTER
        addView(mark, LinearLayout.LayoutParams(dp(72), dp(72)))
        stack(words, gap = 20)
    }
    Frame(ui, null, null, content)
}
