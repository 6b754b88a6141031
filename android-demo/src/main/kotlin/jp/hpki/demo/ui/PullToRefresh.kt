package jp.hpki.demo.ui

import android.annotation.SuppressLint
import android.view.MotionEvent
import android.view.View
import android.view.ViewConfiguration
import android.widget.ProgressBar
import android.widget.ScrollView
import jp.hpki.demo.R

/** A list that can be pulled down from its top to be asked for anew. The same can be had by a button: not every hand can pull. */
@SuppressLint("ClickableViewAccessibility", "ViewConstructor")
class PullToRefresh(private val ui: Ui, private val onPulled: () -> Unit) : ScrollView(ui.context) {
    /** Runs while the list is asked for; its place is above the list. */
    val bar: View = ProgressBar(ui.context, null, android.R.attr.progressBarStyleHorizontal).apply {
        isIndeterminate = true
        indeterminateTintList = context.getColorStateList(R.color.accent)
        contentDescription = ui.string(R.string.working)
        visibility = View.INVISIBLE
    }
    private val slop = ViewConfiguration.get(ui.context).scaledTouchSlop
    private var from: Float? = null

    var refreshing: Boolean = false
        set(value) {
            field = value
            bar.visibility = if (value) View.VISIBLE else View.INVISIBLE
        }

    /** A pull that begins on a card is taken from the card, which is then not opened; a short list, too, can be pulled. */
    override fun onInterceptTouchEvent(event: MotionEvent): Boolean = super.onInterceptTouchEvent(event) || pulledBy(event) > slop

    override fun onTouchEvent(event: MotionEvent): Boolean {
        if (pulledBy(event) > ui.dp(FAR) && !refreshing) {
            from = null
            onPulled()
        }
        return super.onTouchEvent(event)
    }

    /** How far the finger has gone down since the list was at its top, pixels. */
    private fun pulledBy(event: MotionEvent): Float {
        when (event.actionMasked) {
            MotionEvent.ACTION_DOWN -> from = event.y
            MotionEvent.ACTION_UP, MotionEvent.ACTION_CANCEL -> from = null
            else -> if (scrollY > 0 && from != null) from = event.y
        }
        return from?.let { event.y - it } ?: 0f
    }

    companion object {
        /** The bar's height, dp. */
        const val BAR = 4
        private const val FAR = 96
    }
}
