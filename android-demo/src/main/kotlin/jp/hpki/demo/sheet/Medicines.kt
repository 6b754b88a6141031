package jp.hpki.demo.sheet

import android.view.View
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.LinearLayout
import jp.hpki.agent.core.Burden
import jp.hpki.agent.core.Coded
import jp.hpki.agent.core.Drug
import jp.hpki.agent.core.Rp
import jp.hpki.demo.R
import jp.hpki.demo.ui.Ui
import jp.hpki.demo.ui.said

/** One RP: its medicines, how they are taken, and for how long. */
internal class Medicines(private val ui: Ui, private val rp: Rp) {
    fun view(): View = with(ui) {
        LinearLayout(context).apply {
            orientation = LinearLayout.VERTICAL
            background = drawable(R.drawable.table)
            setPadding(dp(1), dp(1), dp(1), dp(1))
            addView(head(), LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT))
            rp.drugs.forEach { addView(padded(drug(it)), LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT)) }
            addView(rule(), LinearLayout.LayoutParams(MATCH_PARENT, dp(1)))
            addView(padded(usage()), LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT))
        }
    }

    private fun Ui.padded(view: View): View = view.apply { setPadding(dp(12), dp(10), dp(12), dp(10)) }

    /** Which RP, which form, how much of it: the line that is read first. */
    private fun Ui.head(): View {
        val form = joined("RP${rp.number}", said(rp.form), rp.formName)
        val quantity = if (rp.quantity.isEmpty()) "" else rp.quantity + pick(rp.quantityUnit.ja, " " + rp.quantityUnit.en)
        val head = row(heading(form, R.style.Text_SheetHeading), text(quantity, R.style.Text_SheetQuantity))
        head.setBackgroundResource(R.color.band)
        return head.apply {
            setPadding(dp(12), dp(8), dp(12), dp(8))
            isScreenReaderFocusable = true
        }
    }

    private fun Ui.drug(drug: Drug): LinearLayout {
        val lines = column(
            text(joined(drug.serial.trimStart('0').let { if (rp.drugs.size > 1) "$it." else "" }, drug.name), R.style.Text_SheetDrug),
            text(joined("${drug.dose}${drug.unit}", said(drug.potency)), R.style.Text_SheetDose),
            gap = 2,
        )
        forbidden(drug).forEach { lines.stack(chip(it), gap = 6) }
        details(drug).forEach { lines.stack(text(it, R.style.Text_Small), gap = 2) }
        return lines.apply { isScreenReaderFocusable = true }
    }

    private fun forbidden(drug: Drug): List<Int> = listOfNotNull(
        R.string.drug_no_generic.takeIf { drug.noGeneric },
        R.string.drug_no_other_form.takeIf { drug.noOtherForm },
        R.string.drug_no_other_strength.takeIf { drug.noOtherStrength },
        R.string.drug_brand.takeIf { drug.brandAtPatientsWish },
    )

    private fun Ui.chip(id: Int): View = text(id, R.style.Text_Chip).apply { background = drawable(R.drawable.notice_warning) }

    private fun Ui.details(drug: Drug): List<String> = buildList {
        drug.singleDose?.let { add(string(R.string.drug_single, it.amount + drug.unit, it.timesPerDay)) }
        drug.uneven?.let { uneven ->
            add(string(R.string.drug_uneven, uneven.doses.joinToString(" – ").plus(drug.unit)))
            if (uneven.codes.any { it.isNotEmpty() }) add(string(R.string.drug_uneven_codes, uneven.codes.joinToString(" – ")))
        }
        drug.supplements.forEach { add(joined("・" + numbered(it.serial, said(it.kind)), it.text, it.code)) }
        drug.conversion?.let { add(string(R.string.drug_conversion, it)) }
        drug.burden?.let { add(string(R.string.drug_burden, burden(it))) }
        add(joined(said(drug.kind), string(R.string.drug_code, said(drug.codeKind), drug.code)))
        if (rp.drugs.size == 1 && drug.serial.trimStart('0') != "1") add(string(R.string.drug_serial, drug.serial))
    }

    private fun Ui.burden(burden: Burden): String = listOf(
        R.string.burden_first to burden.first,
        R.string.burden_second to burden.second,
        R.string.burden_third to burden.third,
        R.string.burden_special to burden.special,
    ).filter { (_, coded: Coded?) -> coded != null }.joinToString("、") { (name, coded) -> "${string(name)} ${said(coded)}" }

    private fun Ui.usage(): LinearLayout {
        val lines = column(gap = 2)
        rp.usage?.let { usage ->
            lines.stack(text(joined(string(R.string.usage), usage.name), R.style.Text_SheetValue))
            val times = if (usage.timesPerDay.isEmpty()) "" else string(R.string.usage_times, usage.timesPerDay)
            lines.stack(text(joined(times, string(R.string.usage_code, said(usage.codeKind), usage.code)), R.style.Text_Small), gap = 2)
        }
        rp.supplements.forEach {
            val line = joined("・" + numbered(it.serial, said(it.kind)), it.text, it.code, it.siteCode)
            lines.stack(text(line, R.style.Text_SheetValue), gap = 2)
        }
        rp.split?.let { lines.stack(text(string(R.string.rp_split, it.part, it.total), R.style.Text_SheetValue), gap = 2) }
        return lines.apply { isScreenReaderFocusable = true }
    }
}
