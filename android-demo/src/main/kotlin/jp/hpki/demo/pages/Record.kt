package jp.hpki.demo.pages

import android.content.ContentResolver
import android.content.Intent
import android.net.Uri
import android.view.View
import java.io.IOException
import jp.hpki.agent.core.JournalEntry
import jp.hpki.agent.core.JournalEvent
import jp.hpki.demo.MainActivity
import jp.hpki.demo.R
import jp.hpki.demo.journey.Journey
import jp.hpki.demo.journey.Screen
import jp.hpki.demo.ui.Frame
import jp.hpki.demo.ui.Ui
import jp.hpki.demo.ui.time
import jp.hpki.demo.ui.tool
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/** What was done with this phone, newest first. It holds no patient data, and nobody can change it unseen. */
class RecordPage(private val screen: Screen.Record, ui: Ui, private val window: MainActivity, private val journey: Journey) : Page {
    override val view: View = with(ui) {
        val content = column(text(R.string.record_text, R.style.Text_Label))
        when (screen.exported) {
            true -> content.stack(good(text(R.string.record_exported)), gap = 12)
            false -> content.stack(danger(text(R.string.record_not_exported)), gap = 12)
            null -> Unit
        }
        if (screen.entries.isEmpty()) content.stack(text(R.string.record_empty), gap = 24)
        screen.entries.forEach { content.stack(entry(it), gap = 8) }
        val export = tool(R.drawable.ic_export, R.string.record_export) { ask() }
        Frame(ui, string(R.string.record_title), { journey.back() }, content, null, export)
    }

    override fun keep(screen: Screen) = screen === this.screen

    private fun Ui.entry(entry: JournalEntry): View {
        val card = card(label("${entry.seq}　${time(entry.at)}"), text(title(entry.event), R.style.Text_Strong), gap = 2)
        details(entry.event).forEach { card.stack(text(it, R.style.Text_Mono), gap = 4) }
        return card.apply { isScreenReaderFocusable = true }
    }

    /** Where to put the file is the doctor's choice. */
    private fun ask() {
        val create = Intent(Intent.ACTION_CREATE_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE)
            .setType("application/jsonl").putExtra(Intent.EXTRA_TITLE, "hpki-record.jsonl")
        @Suppress("DEPRECATION")
        window.startActivityForResult(create, 1)
    }

    override fun received(uri: Uri) {
        val resolver = window.applicationContext.contentResolver
        journey.settings.export { bytes -> withContext(Dispatchers.IO) { write(resolver, uri, bytes) } }
    }
}

/** False where the place that the doctor chose does not take it. */
private fun write(resolver: ContentResolver, file: Uri, bytes: ByteArray): Boolean = try {
    resolver.openOutputStream(file)?.use { it.write(bytes) } != null
} catch (_: IOException) {
    false
} catch (_: SecurityException) {
    false
}

private fun Ui.title(event: JournalEvent): String = when (event) {
    is JournalEvent.Registered -> string(R.string.event_registered)
    is JournalEvent.Approved -> string(R.string.event_approved, event.documents.size)
    is JournalEvent.NotSigned -> string(R.string.event_not_signed, event.count.toInt())
    is JournalEvent.Signed -> string(R.string.event_signed)
    is JournalEvent.Delivered -> string(R.string.event_delivered)
    is JournalEvent.NotDelivered -> string(R.string.event_not_delivered)
    is JournalEvent.Declined -> string(R.string.event_declined)
    is JournalEvent.Refused -> string(R.string.event_refused)
    is JournalEvent.BindingChanged -> string(R.string.event_changed)
    is JournalEvent.Unregistered -> string(R.string.event_unregistered)
    is JournalEvent.Wiped -> string(R.string.event_wiped)
    is JournalEvent.SetAside -> string(R.string.event_set_aside)
}

/** Identifiers by which the clinic or the service finds the same thing. */
private fun details(event: JournalEvent): List<String> = when (event) {
    is JournalEvent.Registered -> listOf(event.service, event.credentialId)
    is JournalEvent.Approved -> event.documents.map(::short)
    is JournalEvent.NotSigned -> listOf(event.code)
    is JournalEvent.Signed -> listOf(short(event.document))
    is JournalEvent.Delivered -> listOf(short(event.document))
    is JournalEvent.NotDelivered -> listOf(short(event.document), event.code)
    is JournalEvent.Declined -> listOfNotNull(event.document?.let(::short))
    is JournalEvent.Refused -> listOf(short(event.document)) + event.codes
    is JournalEvent.BindingChanged -> listOf(event.code)
    is JournalEvent.Unregistered -> listOf(event.clientId)
    is JournalEvent.Wiped -> listOf(event.code)
    is JournalEvent.SetAside -> listOf("#${event.seq} ${event.kind}")
}

/** The beginning of a digest is enough to find it again. */
private fun short(digest: String): String = "SHA-256 ${digest.take(16)}…"
