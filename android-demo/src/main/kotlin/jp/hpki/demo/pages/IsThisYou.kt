package jp.hpki.demo.pages

import android.view.View
import jp.hpki.agent.core.Holder
import jp.hpki.demo.R
import jp.hpki.demo.journey.Journey
import jp.hpki.demo.journey.Screen
import jp.hpki.demo.ui.Frame
import jp.hpki.demo.ui.Ui
import jp.hpki.demo.ui.day
import jp.hpki.demo.ui.role

/** Whose certificate it is: nothing is in force before the doctor has said yes. */
fun isThisYou(screen: Screen.IsThisYou, ui: Ui, journey: Journey): View = with(ui) {
    val candidate = screen.candidate
    val facts = column(text(R.string.you_text, R.style.Text_Lead), holder(candidate.holder()), gap = 16)
    if (candidate.replaced()) facts.stack(warning(text(R.string.you_replaced)), gap = 16)
    facts.stack(fact(string(R.string.you_service), candidate.serviceName()), gap = 16)
    val yes = primary(R.string.you_yes) { journey.registration.confirm(candidate) }
    val no = secondary(R.string.you_no) { journey.registration.reject(candidate) }
    Frame(ui, string(R.string.you_title), null, facts, actions(yes, no))
}

/** A certificate as a doctor would read it. */
fun Ui.holder(holder: Holder): View {
    val card = card(
        column(
            text(holder.nameKanji ?: holder.nameRomaji, R.style.Text_Name),
            text(holder.nameRomaji, R.style.Text_Label),
        ),
        rule(),
        fact(string(R.string.holder_role), holder.roles.joinToString("・") { role(it) }),
        gap = 12,
    )
    holder.organization?.let { card.stack(fact(string(R.string.holder_organization), it), gap = 12) }
    card.stack(fact(string(R.string.holder_issuer), holder.issuer), gap = 12)
    card.stack(fact(string(R.string.holder_validity), "${day(holder.notBefore)} – ${day(holder.notAfter)}"), gap = 12)
    card.stack(fact(string(R.string.holder_serial), holder.serialNumber), gap = 12)
    return card
}
