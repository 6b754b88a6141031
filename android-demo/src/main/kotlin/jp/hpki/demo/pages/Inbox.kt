package jp.hpki.demo.pages

import android.view.Gravity
import android.view.View
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.widget.CheckBox
import android.widget.LinearLayout
import jp.hpki.agent.core.Waiting
import jp.hpki.demo.R
import jp.hpki.demo.journey.Journey
import jp.hpki.demo.journey.Screen
import jp.hpki.demo.journey.State
import jp.hpki.demo.journey.preview
import jp.hpki.demo.ui.Frame
import jp.hpki.demo.ui.PullToRefresh
import jp.hpki.demo.ui.Ui
import jp.hpki.demo.ui.age
import jp.hpki.demo.ui.time
import jp.hpki.demo.ui.tool

/** What waits for the doctor, oldest first. A tap opens one; marked ones are opened together for one approval. */
class InboxPage(private val ui: Ui, private val journey: Journey) : Page {
    private val list = LinearLayout(ui.context).apply { orientation = LinearLayout.VERTICAL }
    private val pull = PullToRefresh(ui) { journey.inbox.refresh() }
    private val together = ui.primary("") { journey.inbox.openChosen() }
    private val footer = ui.actions(together)
    private val frame = Frame(
        ui, ui.string(R.string.inbox_title), null, list, footer,
        ui.tool(R.drawable.ic_refresh, R.string.refresh) { journey.inbox.refresh() },
        ui.tool(R.drawable.ic_record, R.string.record_title) { journey.settings.openRecord() },
        ui.tool(R.drawable.ic_settings, R.string.settings_title) { journey.settings.openSettings() },
        scroll = pull,
    )

    init {
        frame.addView(pull.bar, frame.indexOfChild(pull), LinearLayout.LayoutParams(MATCH_PARENT, ui.dp(PullToRefresh.BAR)))
    }

    override val view: View = frame

    override fun keep(screen: Screen) = screen is Screen.Inbox

    override fun update(state: State) = with(ui) {
        pull.refreshing = state.refreshing
        list.removeAllViews()
        state.warnings.forEach { list.stack(warning(text(words(it))), gap = 12) }
        state.interrupted?.let {
            list.stack(danger(text(R.string.inbox_interrupted), text(pick(it.textJa, it.textEn))), gap = 12)
        }
        state.remembered?.takeUnless { it.waiting.isEmpty() }?.let { list.stack(label(string(R.string.inbox_as_of, time(it.readAt))), gap = 12) }
        state.undeliverable.forEach { list.stack(danger(text(R.string.undeliverable), text(pick(it.textJa, it.textEn))), gap = 12) }
        val waiting = state.waiting
        when {
            waiting.isNullOrEmpty() && state.interrupted != null -> list.stack(empty(R.string.inbox_unknown, null), gap = 12)
            waiting == null -> list.stack(empty(R.string.inbox_loading, null), gap = 12)
            waiting.isEmpty() -> list.stack(empty(R.string.inbox_empty, R.string.inbox_empty_text), gap = 12)
            else -> waiting.forEach { list.stack(item(it, state), gap = 12) }
        }
        state.remembered?.leftOut?.toInt()?.takeIf { it > 0 }?.let {
            list.stack(warning(text(context.resources.getQuantityString(R.plurals.inbox_left_out, it, it))), gap = 12)
        }
        val chosen = state.chosen.size
        frame.footer?.visibility = if (chosen > 0) View.VISIBLE else View.GONE
        together.text = context.resources.getQuantityString(R.plurals.inbox_open, chosen, chosen)
    }

    private fun Ui.empty(title: Int, words: Int?): View {
        val box = column(text(title, R.style.Text_Heading).apply { gravity = Gravity.CENTER }, gap = 8)
        words?.let { box.stack(text(it, R.style.Text_Label).apply { gravity = Gravity.CENTER }, gap = 8) }
        return box.apply { setPadding(dp(16), dp(96), dp(16), dp(96)) }
    }

    private fun Ui.item(waiting: Waiting, state: State): View {
        val preview = waiting.preview
        val words = column(text(preview?.patient?.name ?: string(R.string.inbox_refused), R.style.Text_Name), gap = 2)
        val drugs = preview?.rps?.flatMap { it.drugs }?.map { it.name }.orEmpty()
        if (drugs.isNotEmpty()) words.stack(text(drugs.joinToString("、"), R.style.Text_Small), gap = 2)
        words.stack(label(listOfNotNull(waiting.requester()?.name, waiting.receivedAt()?.let { age(it) }).joinToString("・")), gap = 6)
        waiting.expiresAt()?.let { words.stack(text(string(R.string.inbox_until, time(it)), R.style.Text_Small), gap = 2) }
        if (preview == null) words.stack(danger(text(R.string.inbox_refused_text)), gap = 8)
        else if (waiting.warnings().isNotEmpty()) words.stack(warning(text(R.string.inbox_warnings)), gap = 8)
        val card = if (preview != null && state.batchSigning) card(row(words, mark(waiting, state), gap = 8)) else card(words)
        return card.apply {
            if (isOpen(waiting, state.screen)) background = drawable(R.drawable.card_open)
            isClickable = true
            isFocusable = true
            foreground = drawable(R.drawable.touch)
            setOnClickListener { journey.inbox.open(waiting) }
        }
    }

    /** Whether it lies beside the inbox just now. */
    private fun isOpen(waiting: Waiting, screen: Screen): Boolean = when (screen) {
        is Screen.Review -> screen.waiting.any { it.id() == waiting.id() }
        is Screen.Refused -> screen.waiting.id() == waiting.id()
        is Screen.Decline -> screen.waiting.id() == waiting.id()
        else -> false
    }

    private fun Ui.mark(waiting: Waiting, state: State) = CheckBox(context).apply {
        isChecked = waiting.id() in state.chosen
        minWidth = dp(48)
        minHeight = dp(48)
        contentDescription = string(R.string.inbox_choose, waiting.preview?.patient?.name.orEmpty())
        setOnClickListener { journey.inbox.choose(waiting) }
    }
}
