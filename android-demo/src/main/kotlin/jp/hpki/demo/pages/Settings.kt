package jp.hpki.demo.pages

import android.view.View
import android.widget.LinearLayout
import android.widget.Switch
import java.time.Duration
import java.time.Instant
import jp.hpki.agent.core.Warning
import jp.hpki.demo.R
import jp.hpki.demo.journey.Journey
import jp.hpki.demo.journey.Screen
import jp.hpki.demo.ui.Frame
import jp.hpki.demo.ui.Ui

/** The certificate, and what the doctor decides for good. */
fun settings(screen: Screen.Settings, ui: Ui, journey: Journey): View = with(ui) {
    val phone = screen.phone
    val content = column(gap = 0)
    screen.warnings.forEach { content.stack(warning(text(words(it))), gap = 12) }
    content.stack(heading(R.string.settings_certificate), gap = 16)
    content.stack(holder(phone.holder), gap = 8)
    val left = Duration.between(Instant.now(), phone.holder.notAfter).toDays().coerceAtLeast(0)
    content.stack(label(string(R.string.settings_days_left, left)), gap = 8)
    content.stack(fact(string(R.string.settings_service), phone.issuer), gap = 16)
    if (phone.undelivered > 0u) {
        content.stack(warning(text(string(R.string.settings_undelivered, phone.undelivered.toInt()))), gap = 12)
    }
    content.stack(heading(R.string.settings_signing), gap = 28)
    content.stack(batch(screen, journey), gap = 8)
    content.stack(heading(R.string.settings_phone), gap = 28)
    content.stack(text(R.string.settings_change_phone), gap = 8)
    content.stack(secondary(R.string.remove_phone) { journey.settings.askToRemove(screen) }, gap = 12)
    content.stack(heading(R.string.settings_more), gap = 28)
    content.stack(secondary(R.string.record_title) { journey.settings.openRecord() }, gap = 8)
    content.stack(secondary(R.string.licences) { journey.settings.licences(screen) }, gap = 8)
    Frame(ui, string(R.string.settings_title), { journey.back() }, content)
}

private fun Ui.batch(screen: Screen.Settings, journey: Journey): LinearLayout {
    val switch = Switch(context).apply {
        text = string(R.string.settings_batch)
        setTextAppearance(R.style.Text_Body)
        minHeight = dp(56)
        isChecked = screen.batchSigning
        setOnCheckedChangeListener { _, on -> journey.settings.setBatchSigning(on) }
    }
    return card(switch, label(string(R.string.settings_batch_text)))
}

fun Ui.words(warning: Warning): String = when (warning) {
    is Warning.CertificateExpires -> pick(warning.textJa, warning.textEn)
    is Warning.ClockWrong -> pick(warning.textJa, warning.textEn)
}

/** Asks once more: what is removed cannot be put back without a new letter. */
fun remove(screen: Screen.Remove, ui: Ui, journey: Journey): View = with(ui) {
    val content = column(text(R.string.remove_text, R.style.Text_Lead), gap = 16)
    if (screen.settings.phone.undelivered > 0u) {
        content.stack(warning(text(string(R.string.settings_undelivered, screen.settings.phone.undelivered.toInt()))), gap = 16)
    }
    val buttons = actions(
        destructive(R.string.remove_yes) { journey.settings.remove() },
        secondary(R.string.cancel) { journey.back() },
    )
    Frame(ui, string(R.string.remove_phone), { journey.back() }, content, buttons)
}

/** Whose work this app stands on. */
fun licences(ui: Ui, journey: Journey): View = with(ui) {
    val notices = context.assets.open("licences.txt").use { it.readBytes().decodeToString() }
    Frame(ui, string(R.string.licences), { journey.back() }, column(text(notices, R.style.Text_Small)))
}
