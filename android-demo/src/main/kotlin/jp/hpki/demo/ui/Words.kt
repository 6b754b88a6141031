package jp.hpki.demo.ui

import java.time.Duration
import java.time.Instant
import java.time.LocalDate
import java.time.ZoneId
import java.time.format.DateTimeFormatter
import java.util.Locale
import jp.hpki.agent.core.Coded
import jp.hpki.agent.core.DateText
import jp.hpki.demo.R

/** Prescriptions and certificates are dated in Japan. */
private val zone: ZoneId = ZoneId.of("Asia/Tokyo")

private fun Ui.locale(): Locale = if (japanese) Locale.JAPAN else Locale.UK

fun Ui.day(at: Instant): String =
    DateTimeFormatter.ofPattern(string(R.string.format_day), locale()).format(at.atZone(zone))

fun Ui.time(at: Instant): String =
    DateTimeFormatter.ofPattern(string(R.string.format_time), locale()).format(at.atZone(zone))

/** How long ago, in the largest unit that fits. */
fun Ui.age(of: Instant, now: Instant = Instant.now()): String {
    val age = Duration.between(of, now)
    return when {
        age.toMinutes() < 1 -> string(R.string.age_now)
        age.toHours() < 1 -> string(R.string.age_minutes, age.toMinutes())
        age.toDays() < 1 -> string(R.string.age_hours, age.toHours())
        else -> string(R.string.age_days, age.toDays())
    }
}

/** What a code means; the code itself where no table has it. */
fun Ui.said(coded: Coded?): String = coded?.let { pick(it.ja, it.en).ifEmpty { it.code } }.orEmpty()

/** A date as its digits mean it; as it is written where they are no date. */
fun Ui.said(date: DateText?): String {
    val iso = date?.iso ?: return date?.text.orEmpty()
    return DateTimeFormatter.ofPattern(string(R.string.format_day), locale()).format(LocalDate.parse(iso))
}

/** A role of the HPKI directory, in the reader's language. */
fun Ui.role(role: String): String = when (role) {
    "Medical Doctor" -> string(R.string.role_doctor)
    "Dentist" -> string(R.string.role_dentist)
    else -> role
}
