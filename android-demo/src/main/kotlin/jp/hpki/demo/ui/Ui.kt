package jp.hpki.demo.ui

import android.content.Context
import android.content.res.Configuration
import android.graphics.drawable.Drawable
import android.view.Gravity
import android.view.View
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.Button
import android.widget.FrameLayout
import android.widget.LinearLayout
import android.widget.TextView
import java.util.Locale
import jp.hpki.demo.R

/**
 * The building blocks of every page, on plain framework views. Type, spacing and colours stand in res/values: change them there.
 */
class Ui(val context: Context) {
    val japanese: Boolean = context.resources.configuration.locales[0].language == "ja"
    val landscape: Boolean = context.resources.configuration.orientation == Configuration.ORIENTATION_LANDSCAPE

    /** A tablet held sideways: there is room for two pages beside each other. */
    val wide: Boolean = context.resources.configuration.run { smallestScreenWidthDp >= TABLET && screenWidthDp >= TWO_PAGES }

    /** Text so large that two columns of it leave no room for a word. */
    val largeText: Boolean = context.resources.configuration.fontScale >= LARGE_TEXT

    /** The text for this reader; the other one where it is missing. */
    fun pick(ja: String, en: String): String = if (japanese) ja.ifEmpty { en } else en.ifEmpty { ja }

    fun string(id: Int, vararg arguments: Any): String = context.getString(id, *arguments)

    fun dp(value: Int): Int = (value * context.resources.displayMetrics.density + 0.5f).toInt()

    fun color(id: Int): Int = context.getColor(id)

    fun drawable(id: Int): Drawable = checkNotNull(context.getDrawable(id))

    // ---- Text ---------------------------------------------------------------------------------------------------------

    fun text(value: CharSequence, style: Int = R.style.Text_Body): TextView = TextView(context, null, 0, style).apply {
        text = value
        // Names are Japanese in an English app, too: the shapes of their characters are Japan's.
        textLocale = Locale.JAPAN
    }

    fun text(id: Int, style: Int = R.style.Text_Body): TextView = text(string(id), style)

    fun heading(value: CharSequence, style: Int = R.style.Text_Heading): TextView =
        text(value, style).apply { isAccessibilityHeading = true }

    fun heading(id: Int): TextView = heading(string(id))

    fun label(value: CharSequence): TextView = text(value, R.style.Text_Label)

    // ---- Boxes --------------------------------------------------------------------------------------------------------

    /** One below the other, [gap] dp apart. */
    fun column(vararg views: View, gap: Int = 0): LinearLayout = LinearLayout(context).apply {
        orientation = LinearLayout.VERTICAL
        views.forEach { stack(it, gap) }
    }

    /** Adds a view of full width below the others. */
    fun LinearLayout.stack(view: View, gap: Int = 0): LinearLayout = apply {
        val place = LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT)
        if (childCount > 0) place.topMargin = dp(gap)
        addView(view, place)
    }

    /** Beside each other; the first one that is [stretched] takes what is left. */
    fun row(vararg views: View, stretched: Int = 0, gap: Int = 12): LinearLayout = LinearLayout(context).apply {
        orientation = LinearLayout.HORIZONTAL
        gravity = Gravity.CENTER_VERTICAL
        views.forEachIndexed { index, view ->
            val place = if (index == stretched) LinearLayout.LayoutParams(0, WRAP_CONTENT, 1f)
            else LinearLayout.LayoutParams(WRAP_CONTENT, WRAP_CONTENT)
            if (index > 0) place.marginStart = dp(gap)
            addView(view, place)
        }
    }

    /** A raised sheet. */
    fun card(vararg views: View, gap: Int = 8): LinearLayout = column(*views, gap = gap).apply {
        background = drawable(R.drawable.card)
        setPadding(dp(16), dp(16), dp(16), dp(16))
    }

    /** A coloured box with something to heed: [R.drawable.notice_warning], [R.drawable.notice_danger], … */
    fun notice(background: Int, ink: Int, vararg views: TextView): LinearLayout = column(*views, gap = 4).apply {
        this.background = drawable(background)
        setPadding(dp(14), dp(12), dp(14), dp(12))
        views.forEach { it.setTextColor(color(ink)) }
    }

    fun warning(vararg views: TextView): LinearLayout = notice(R.drawable.notice_warning, R.color.on_warning, *views)

    fun danger(vararg views: TextView): LinearLayout = notice(R.drawable.notice_danger, R.color.on_danger, *views)

    fun calm(vararg views: TextView): LinearLayout = notice(R.drawable.notice_calm, R.color.on_calm, *views)

    fun good(vararg views: TextView): LinearLayout = notice(R.drawable.notice_good, R.color.on_good, *views)

    /** A name and what it is, one line of a list of facts. */
    fun fact(name: CharSequence, value: CharSequence): LinearLayout = column(label(name), text(value), gap = 2).apply {
        // Read in one breath.
        isScreenReaderFocusable = true
    }

    /** A line. A plain view would take all the height that it is offered; a frame is as high as it must be. */
    fun rule(): View = FrameLayout(context).apply {
        setBackgroundColor(color(R.color.line))
        minimumHeight = dp(1)
    }

    // ---- Buttons ------------------------------------------------------------------------------------------------------

    fun primary(value: CharSequence, onClick: () -> Unit): Button = button(value, R.style.Button_Primary, onClick)

    fun primary(id: Int, onClick: () -> Unit): Button = primary(string(id), onClick)

    fun secondary(id: Int, onClick: () -> Unit): Button = button(string(id), R.style.Button_Secondary, onClick)

    fun quiet(id: Int, onClick: () -> Unit): Button = button(string(id), R.style.Button_Quiet, onClick)

    fun destructive(id: Int, onClick: () -> Unit): Button = button(string(id), R.style.Button_Destructive, onClick)

    private fun button(value: CharSequence, style: Int, onClick: () -> Unit) = Button(context, null, 0, style).apply {
        text = value
        textLocale = Locale.JAPAN
        setOnClickListener { onClick() }
    }

    /** The page's buttons: beside each other where the window is wide, else one below the other, the main one first. */
    fun actions(vararg buttons: View): LinearLayout =
        if (landscape) LinearLayout(context).apply {
            buttons.reversed().forEachIndexed { index, button ->
                val place = LinearLayout.LayoutParams(0, MATCH_PARENT, 1f)
                if (index > 0) place.marginStart = dp(12)
                addView(button, place)
            }
        } else column(*buttons, gap = 8)

    private companion object {
        /** The shorter side of a tablet, and the width from which two pages fit, dp. */
        const val TABLET = 600
        const val TWO_PAGES = 840
        const val LARGE_TEXT = 1.5f
    }
}
