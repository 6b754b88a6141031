package jp.hpki.demo.ui

import android.content.Context
import android.os.Build
import android.view.Gravity
import android.view.View
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.view.WindowInsets
import android.widget.FrameLayout
import android.widget.ImageButton
import android.widget.LinearLayout
import android.widget.ScrollView
import jp.hpki.demo.R

/** A page: title, content that scrolls, and the buttons below it that are always in reach. */
class Frame(
    ui: Ui,
    title: CharSequence?,
    onBack: (() -> Unit)?,
    content: View,
    footer: View? = null,
    vararg tools: View,
    val scroll: ScrollView = ScrollView(ui.context),
) : LinearLayout(ui.context) {
    var footer: View? = null
        private set

    init {
        orientation = VERTICAL
        setBackgroundColor(ui.color(R.color.ground))
        accessibilityPaneTitle = title ?: ui.string(R.string.app_name)
        val edge = ui.dp(resources.getInteger(R.integer.edge))
        if (title != null) {
            val head = Measured(ui.context, ui.dp(WIDEST + 2 * INDENT), header(ui, title, onBack, tools))
            head.setPadding(edge - ui.dp(INDENT), 0, edge - ui.dp(INDENT), 0)
            addView(head, MATCH_PARENT, WRAP_CONTENT)
        }
        val body = Measured(ui.context, ui.dp(WIDEST), content)
        body.setPadding(edge, ui.dp(if (title == null) 24 else 8), edge, ui.dp(24))
        scroll.isFillViewport = true
        scroll.clipToPadding = false
        scroll.addView(body, MATCH_PARENT, WRAP_CONTENT)
        addView(scroll, LayoutParams(MATCH_PARENT, 0, 1f))
        if (footer != null) {
            val foot = Measured(ui.context, ui.dp(WIDEST), footer)
            foot.background = ui.drawable(R.drawable.footer)
            foot.setPadding(edge, ui.dp(12), edge, ui.dp(12))
            addView(foot, MATCH_PARENT, WRAP_CONTENT)
            this.footer = foot
        }
        setOnApplyWindowInsetsListener { view, insets -> view.keepClearOf(insets) }
    }

    private fun header(ui: Ui, title: CharSequence, onBack: (() -> Unit)?, tools: Array<out View>): View {
        val bar = LinearLayout(ui.context).apply {
            gravity = Gravity.CENTER_VERTICAL
            minimumHeight = ui.dp(64)
            setPadding(ui.dp(if (onBack == null) INDENT else 4), 0, ui.dp(8), 0)
        }
        if (onBack != null) bar.addView(ui.tool(R.drawable.ic_back, R.string.back, onBack))
        bar.addView(ui.heading(title, R.style.Text_Title), LayoutParams(0, WRAP_CONTENT, 1f))
        tools.forEach { bar.addView(it) }
        return bar
    }

    private companion object {
        /** Lines longer than this are hard to follow, dp. */
        const val WIDEST = 640

        /** How far the title stands from the edge of its bar, dp; there the content begins, too. */
        const val INDENT = 20
    }
}

/** A button that is a picture, 48 dp. */
fun Ui.tool(icon: Int, description: Int, onClick: () -> Unit): ImageButton =
    ImageButton(context, null, 0, R.style.Button_Tool).apply {
        setImageDrawable(drawable(icon))
        contentDescription = string(description)
        setOnClickListener { onClick() }
    }

/** Keeps its one child in the middle and not wider than [widest] pixels. */
class Measured(context: Context, private val widest: Int, child: View) : FrameLayout(context) {
    init {
        addView(child, LayoutParams(MATCH_PARENT, MATCH_PARENT, Gravity.CENTER_HORIZONTAL))
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val room = MeasureSpec.getSize(widthMeasureSpec) - paddingLeft - paddingRight
        getChildAt(0).layoutParams.width = if (room > widest) widest else MATCH_PARENT
        super.onMeasure(widthMeasureSpec, heightMeasureSpec)
    }
}

/** Leaves the edges to the system's bars, the cutout and the keyboard. */
fun View.keepClearOf(insets: WindowInsets): WindowInsets {
    if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
        val all = WindowInsets.Type.systemBars() or WindowInsets.Type.displayCutout() or WindowInsets.Type.ime()
        val clear = insets.getInsets(all)
        setPadding(clear.left, clear.top, clear.right, clear.bottom)
    } else {
        @Suppress("DEPRECATION")
        setPadding(
            insets.systemWindowInsetLeft, insets.systemWindowInsetTop, insets.systemWindowInsetRight, insets.systemWindowInsetBottom,
        )
    }
    return insets
}
