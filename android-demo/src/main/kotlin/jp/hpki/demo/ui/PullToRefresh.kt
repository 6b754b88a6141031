package jp.hpki.demo.ui

import android.annotation.SuppressLint
import android.view.MotionEvent
import android.view.View
import android.view.ViewGroup
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.widget.LinearLayout
import android.widget.ProgressBar
import android.widget.ScrollView
import jp.hpki.demo.R

/** Lets a list be pulled down from its top to be asked for anew. The same can be had by a button: not every hand can pull. */
@SuppressLint("ClickableViewAccessibility")
class PullToRefresh(private val ui: Ui, private val scroll: ScrollView, private val onPulled: () -> Unit) {
    private val bar = ProgressBar(ui.context, null, android.R.attr.progressBarStyleHorizontal).apply {
        isIndeterminate = true
        indeterminateTintList = context.getColorStateList(R.color.accent)
        contentDescription = ui.string(R.string.working)
        visibility = View.INVISIBLE
    }
    private var from: Float? = null

    var refreshing: Boolean = false
        set(value) {
            field = value
            bar.visibility = if (value) View.VISIBLE else View.INVISIBLE
        }

    init {
        val parent = scroll.parent as ViewGroup
        parent.addView(bar, parent.indexOfChild(scroll), LinearLayout.LayoutParams(MATCH_PARENT, ui.dp(BAR)))
        scroll.setOnTouchListener { _, event -> watch(event) }
    }

    /** Never uses an event up: the list scrolls as it always does. */
    private fun watch(event: MotionEvent): Boolean {
        when (event.actionMasked) {
            MotionEvent.ACTION_DOWN -> from = event.y
            MotionEvent.ACTION_MOVE -> {
                val start = from ?: event.y.also { from = it }
                if (scroll.scrollY > 0) from = event.y else if (event.y - start > ui.dp(FAR) && !refreshing) pulled()
            }
            MotionEvent.ACTION_UP, MotionEvent.ACTION_CANCEL -> from = null
        }
        return false
    }

    private fun pulled() {
        from = null
        onPulled()
    }

    private companion object {
        const val BAR = 4
        const val FAR = 96
    }
}
