package jp.hpki.demo.pages

import android.view.View
import jp.hpki.agent.core.Delivery
import jp.hpki.demo.R
import jp.hpki.demo.journey.Journey
import jp.hpki.demo.journey.Outcome
import jp.hpki.demo.journey.Screen
import jp.hpki.demo.ui.Frame
import jp.hpki.demo.ui.Ui

/** What became of each approved prescription. */
fun results(screen: Screen.Results, ui: Ui, journey: Journey): View = with(ui) {
    val count = screen.outcomes.size
    val content = column(
        heading(context.resources.getQuantityString(R.plurals.results_title, count, count), R.style.Text_Display),
        gap = 16,
    )
    screen.outcomes.forEach { content.stack(outcome(it), gap = 12) }
    Frame(ui, string(R.string.results_bar), null, content, actions(primary(R.string.to_inbox) { journey.back() }))
}

private fun Ui.outcome(outcome: Outcome): View {
    val card = card(text(outcome.patient, R.style.Text_Name), label(outcome.clinic), gap = 4)
    card.stack(
        when (val delivery = outcome.delivery) {
            is Delivery.Delivered -> good(text(R.string.delivered))
            is Delivery.Returned -> good(text(R.string.returned))
            // It is tried again without the doctor: what the failure says to do is done already.
            is Delivery.Pending -> warning(text(R.string.pending), text(string(R.string.problem_code, delivery.failure.code)))
            is Delivery.Refused -> danger(
                text(R.string.undeliverable),
                text(pick(delivery.failure.textJa, delivery.failure.textEn)),
            )
        },
        gap = 12,
    )
    return card
}
