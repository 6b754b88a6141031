package jp.hpki.demo.pages

import android.content.ActivityNotFoundException
import android.content.Intent
import android.os.Build
import android.provider.Settings
import android.view.View
import android.widget.Button
import jp.hpki.agent.core.AgentFailure
import jp.hpki.agent.core.FailureKind
import jp.hpki.agent.core.Violation
import jp.hpki.demo.MainActivity
import jp.hpki.demo.R
import jp.hpki.demo.journey.Journey
import jp.hpki.demo.journey.Screen
import jp.hpki.demo.ui.Frame
import jp.hpki.demo.ui.Ui

/** What went wrong, in the library's words, and what to do, by its kind. */
fun problem(screen: Screen.Problem, ui: Ui, window: MainActivity, journey: Journey): View = with(ui) {
    val failure = screen.failure
    val said = text(pick(failure.textJa, failure.textEn), R.style.Text_Lead)
    said.accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_ASSERTIVE
    val content = column(
        heading(string(title(failure)), R.style.Text_Display),
        said,
        card(heading(R.string.problem_next), text(next(failure))),
        gap = 20,
    )
    violations(failure.violations)?.let { content.stack(it, gap = 20) }
    content.stack(label(string(R.string.problem_code, failure.code)), gap = 20)
    Frame(ui, string(R.string.problem_bar), { journey.back() }, content, actions(*buttons(screen, window, journey)))
}

private fun title(failure: AgentFailure): Int = when (failure.code) {
    "Offline" -> R.string.problem_offline
    "ServiceUnavailable" -> R.string.problem_service
    "TicketLocked" -> R.string.problem_locked
    "TicketExpired", "TicketUsed", "TicketUnknown", "TicketForged", "UnknownIssuer", "NotATicket" -> R.string.problem_letter
    "ClockWrong" -> R.string.problem_clock
    "PhoneUnbound" -> R.string.problem_unbound
    "KeysInvalidated" -> R.string.problem_biometrics
    "BiometricsLocked" -> R.string.problem_biometrics_locked
    "UserCancelled" -> R.string.problem_cancelled
    "CertificateRevoked", "CertificateExpired", "CredentialDisabled", "CertificateChanged" -> R.string.problem_certificate
    "DocumentRefused" -> R.string.problem_document
    else -> when (failure.kind) {
        FailureKind.RETRY -> R.string.problem_retry
        FailureKind.FIX_PHONE -> R.string.problem_phone
        FailureKind.ASK_OFFICE -> R.string.problem_office
        FailureKind.REGISTER_AGAIN -> R.string.problem_register
        FailureKind.REFUSE -> R.string.problem_refused
    }
}

private fun next(failure: AgentFailure): Int = when (failure.kind) {
    FailureKind.RETRY -> R.string.next_retry
    FailureKind.FIX_PHONE -> if (failure.code == "ClockWrong") R.string.next_clock else R.string.next_phone
    FailureKind.ASK_OFFICE -> R.string.next_office
    FailureKind.REGISTER_AGAIN -> R.string.next_register
    FailureKind.REFUSE -> if (failure.violations.isEmpty()) R.string.next_refused else R.string.next_document
}

private fun Ui.buttons(screen: Screen.Problem, window: MainActivity, journey: Journey): Array<Button> {
    val home = { id: Int -> if (screen.again == null) primary(id) { journey.home() } else secondary(id) { journey.home() } }
    val again = screen.again?.let { primary(R.string.again, it) }
    return when (screen.failure.kind) {
        FailureKind.RETRY -> listOfNotNull(again, home(R.string.to_start))
        FailureKind.FIX_PHONE -> listOfNotNull(
            again,
            secondary(R.string.open_settings) { window.openSystemSettings(screen.failure) },
            quiet(R.string.to_start) { journey.home() },
        )
        FailureKind.REGISTER_AGAIN -> listOf(primary(R.string.register_again) { journey.startOver() })
        else -> listOfNotNull(
            primary(R.string.to_start) { journey.home() },
            // When the association has been told: the record is set aside, and a new letter begins a new one.
            if (screen.failure.code == "JournalTampered") secondary(R.string.register_again) { journey.startOver() } else null,
        )
    }.toTypedArray()
}

private fun MainActivity.openSystemSettings(failure: AgentFailure) {
    val page = when {
        failure.code == "ClockWrong" -> Settings.ACTION_DATE_SETTINGS
        Build.VERSION.SDK_INT >= Build.VERSION_CODES.R && "Biometrics" in failure.code -> Settings.ACTION_BIOMETRIC_ENROLL
        else -> Settings.ACTION_SECURITY_SETTINGS
    }
    try {
        startActivity(Intent(page))
    } catch (_: ActivityNotFoundException) {
        startActivity(Intent(Settings.ACTION_SETTINGS))
    }
}

/** Every reason why a document cannot be signed, with its place; null when there is none. */
fun Ui.violations(violations: List<Violation>): View? {
    if (violations.isEmpty()) return null
    val list = card(heading(string(R.string.violations, violations.size)), gap = 12)
    violations.forEach { violation ->
        list.stack(rule(), gap = 12)
        val place = listOfNotNull(
            violation.record?.let { string(R.string.violation_record, it.toInt()) },
            violation.line?.let { string(R.string.violation_line, it.toInt()) },
            violation.field?.let { pick(it.ja, it.en) }?.ifEmpty { null },
        ).joinToString("・")
        val entry = column(text(pick(violation.messageJa, violation.messageEn)), gap = 2)
        if (place.isNotEmpty()) entry.addView(label(place), 0)
        list.stack(entry, gap = 12)
    }
    return list
}

/** A document that cannot be signed: why, and the way to tell the clinic. */
fun refused(screen: Screen.Refused, ui: Ui, journey: Journey): View = with(ui) {
    val failure = screen.failure
    val content = column(
        danger(text(pick(failure.textJa, failure.textEn))),
        fact(string(R.string.from_clinic), screen.waiting.requester()?.name.orEmpty()),
        gap = 16,
    )
    violations(failure.violations)?.let { content.stack(it, gap = 16) }
    content.stack(label(string(R.string.problem_code, failure.code)), gap = 16)
    val tell = primary(R.string.refused_tell) { journey.signing.askWhy(screen.waiting) }
    Frame(ui, string(R.string.problem_document), { journey.back() }, content, actions(tell))
}

/** Nobody touched the phone for half an hour. */
fun locked(ui: Ui, window: MainActivity, journey: Journey): View = with(ui) {
    val title = heading(string(R.string.locked_title), R.style.Text_Display)
    val content = column(title, text(R.string.locked_text, R.style.Text_Lead), gap = 12)
    Frame(ui, null, null, content, actions(primary(R.string.unlock) { window.unlock() }))
}
