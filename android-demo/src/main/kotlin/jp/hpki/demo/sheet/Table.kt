package jp.hpki.demo.sheet

import android.view.View
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.LinearLayout
import jp.hpki.demo.R
import jp.hpki.demo.ui.Ui

/** A ruled table of names and values. Rows without a value are left out. */
class Table(private val ui: Ui, private val title: Int?) {
    private val rows = mutableListOf<View>()

    val isEmpty: Boolean get() = rows.isEmpty()

    fun row(name: Int, value: String) = row(ui.string(name), value)

    fun row(name: String, value: String) {
        if (value.isNotEmpty()) rows += line(name, ui.text(value, R.style.Text_SheetValue))
    }

    /** A person, with the reading above, as forms have it. */
    fun name(name: Int, kana: String, kanji: String) = with(ui) {
        if (kana.isEmpty() && kanji.isEmpty()) return
        val both = column(gap = 0)
        if (kana.isNotEmpty()) both.stack(text(kana, R.style.Text_Small))
        if (kanji.isNotEmpty()) both.stack(text(kanji, R.style.Text_SheetName))
        rows += line(string(name), both)
    }

    private fun line(name: String, value: View): View = LinearLayout(ui.context).apply {
        val label = ui.text(name, R.style.Text_SheetLabel).apply { setBackgroundResource(R.color.band) }
        listOf(label, value).forEach { it.setPadding(ui.dp(8), ui.dp(6), ui.dp(8), ui.dp(6)) }
        if (ui.largeText) {
            orientation = LinearLayout.VERTICAL
            listOf(label, value).forEach { addView(it, LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT)) }
        } else {
            addView(label, LinearLayout.LayoutParams(0, MATCH_PARENT, LABEL))
            // Both fill the row: then the taller of the two makes its height.
            addView(value, LinearLayout.LayoutParams(0, MATCH_PARENT, 1 - LABEL))
        }
        isScreenReaderFocusable = true
    }

    fun view(): LinearLayout = with(ui) {
        val table = LinearLayout(context).apply {
            orientation = LinearLayout.VERTICAL
            background = drawable(R.drawable.table)
            dividerDrawable = drawable(R.drawable.divider)
            showDividers = LinearLayout.SHOW_DIVIDER_MIDDLE
            setPadding(dp(1), dp(1), dp(1), dp(1))
            rows.forEach { addView(it, LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT)) }
        }
        if (title == null) table else column(heading(string(title), R.style.Text_SheetHeading), table, gap = 4)
    }

    private companion object {
        /** The names' share of the width. */
        const val LABEL = 0.34f
    }
}
