package jp.hpki.demo.pages

import android.view.Gravity
import android.view.View
import android.widget.LinearLayout
import jp.hpki.demo.R
import jp.hpki.demo.journey.Journey
import jp.hpki.demo.journey.Screen
import jp.hpki.demo.journey.State
import jp.hpki.demo.journey.preview
import jp.hpki.demo.sheet.Sheet
import jp.hpki.demo.ui.Frame
import jp.hpki.demo.ui.Ui

/**
 * Prescriptions in full, one after the other. The button below says that there is more until the last line was on the screen,
 * and only then offers the signature.
 */
class ReviewPage(private val screen: Screen.Review, private val ui: Ui, private val journey: Journey) : Page {
    private val waiting = screen.waiting
    private val more = ui.secondary(R.string.review_more) { onward() }
    private val moreHint = ui.text(R.string.review_more_hint, R.style.Text_Hint)
    private val reading = if (ui.landscape) ui.row(moreHint, more) else ui.column(moreHint, more, gap = 8)
    private val approve = ui.primary(approveText()) { journey.signing.approve() }
    private val decline = ui.quiet(R.string.review_decline) { journey.signing.askWhy(waiting.single()) }
    private val deciding = if (waiting.size == 1) ui.actions(approve, decline) else ui.actions(approve)
    private val frame: Frame

    init {
        val content = LinearLayout(ui.context).apply { orientation = LinearLayout.VERTICAL }
        with(ui) {
            waiting.forEachIndexed { index, one ->
                if (waiting.size > 1) {
                    content.stack(heading(string(R.string.review_of, index + 1, waiting.size)), gap = 24)
                }
                one.requester()?.let { content.stack(label(string(R.string.review_from, it.name, it.facilityCode)), gap = 4) }
                content.stack(Sheet(ui, checkNotNull(one.preview), one.warnings()).view(), gap = 8)
            }
            content.stack(label(string(R.string.review_end)).apply { gravity = Gravity.CENTER }, gap = 16)
        }
        val footer = ui.column(reading, deciding)
        frame = Frame(ui, title(), { journey.back() }, content, footer)
        frame.scroll.id = R.id.review
        frame.scroll.isScrollbarFadingEnabled = false
        frame.scroll.setOnScrollChangeListener { _, _, _, _, _ -> look() }
        frame.scroll.addOnLayoutChangeListener { _, _, _, _, _, _, _, _, _ -> frame.scroll.post(::look) }
    }

    override val view: View = frame

    private fun title() = if (waiting.size == 1) ui.string(R.string.review_title) else ui.string(R.string.review_batch, waiting.size)

    private fun approveText() = ui.context.resources.getQuantityString(R.plurals.approve, waiting.size, waiting.size)

    override fun keep(screen: Screen) = screen is Screen.Review && screen.waiting === waiting

    override fun update(state: State) {
        val seen = (state.screen as? Screen.Review)?.seenToTheEnd == true
        reading.visibility = if (seen) View.GONE else View.VISIBLE
        deciding.visibility = if (seen) View.VISIBLE else View.GONE
    }

    /** Tells the journey once the last line is on the screen. */
    private fun look() {
        val scroll = frame.scroll
        val content = scroll.getChildAt(0) ?: return
        if (scroll.height > 0 && content.height > 0 && scroll.scrollY + scroll.height >= content.height - ui.dp(SLACK)) {
            journey.signing.seenToTheEnd()
        }
    }

    /** A screen's height further, less a line that is seen twice. */
    private fun onward() = frame.scroll.smoothScrollBy(0, frame.scroll.height - ui.dp(OVERLAP))

    private companion object {
        /** The margin below the last line, dp. */
        const val SLACK = 16
        const val OVERLAP = 48
    }
}
