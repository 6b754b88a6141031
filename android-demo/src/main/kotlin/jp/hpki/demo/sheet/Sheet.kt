package jp.hpki.demo.sheet

import android.view.View
import android.widget.LinearLayout
import jp.hpki.agent.core.Institution
import jp.hpki.agent.core.Insurance
import jp.hpki.agent.core.Patient
import jp.hpki.agent.core.Preview
import jp.hpki.agent.core.Violation
import jp.hpki.demo.R
import jp.hpki.demo.ui.Ui
import jp.hpki.demo.ui.said

/**
 * A prescription as a doctor knows it on paper: what to heed, the patient, the medicines by RP, remarks, then who pays and who
 * issued it. Every value of the preview has its place here; a test gives each field a value of its own and looks for it.
 */
class Sheet(private val ui: Ui, private val preview: Preview, private val warnings: List<Violation>) {
    fun view(): View = with(ui) {
        val paper = column().apply {
            background = drawable(R.drawable.paper)
            setPadding(dp(12), dp(16), dp(12), dp(16))
        }
        paper.stack(heading(string(R.string.sheet_title), R.style.Text_SheetTitle))
        heed().forEach { paper.stack(it, gap = 8) }
        paper.stack(patient(preview.patient), gap = 12)
        preview.rps.forEach { paper.stack(Medicines(ui, it).view(), gap = 12) }
        sections().forEach { paper.stack(it.view(), gap = 12) }
        paper
    }

    /** What the doctor must not miss, before anything else. */
    private fun Ui.heed(): List<View> {
        val heeded = mutableListOf<View>()
        warnings.forEach { heeded += warning(text(pick(it.messageJa, it.messageEn))) }
        preview.refill?.let { heeded += calm(text(string(R.string.sheet_refill, it))) }
        preview.split?.let { heeded += calm(text(string(R.string.sheet_split, it.parts, it.part))) }
        preview.leftover?.let { heeded += calm(text(string(R.string.sheet_leftover, said(it)))) }
        preview.narcotics?.let {
            heeded += column(
                warning(text(R.string.sheet_narcotics)),
                Table(ui, null).apply {
                    row(R.string.sheet_licence, it.licence)
                    row(R.string.sheet_address, it.address)
                    row(R.string.sheet_phone, it.phone)
                }.view(),
            )
        }
        return heeded
    }

    private fun patient(patient: Patient): LinearLayout = Table(ui, null).apply {
        name(R.string.sheet_patient, patient.kana, patient.name)
        row(R.string.sheet_birth, ui.said(patient.birthDate))
        row(R.string.sheet_sex, ui.said(patient.sex))
        row(R.string.sheet_copayment, ui.said(patient.copayment))
        row(R.string.sheet_patient_code, patient.code)
        row(R.string.sheet_issued, ui.said(preview.issued))
        preview.useBy?.let {
            row(R.string.sheet_use_by, ui.said(it.date) + if (it.computed) ui.string(R.string.sheet_use_by_computed) else "")
        }
        preview.number?.let { row(ui.said(it.kind).ifEmpty { ui.string(R.string.sheet_number) }, it.number) }
    }.view()

    private fun sections(): List<Table> = listOf(remarks(), clinical(), insurance(preview.insurance), issuer(preview.institution), other())
        .filterNot { it.isEmpty }

    private fun remarks() = Table(ui, R.string.sheet_remarks).apply {
        preview.remarks.forEach { row(numbered(it.serial, ui.said(it.kind)), it.text) }
    }

    private fun clinical() = Table(ui, R.string.sheet_clinical).apply {
        preview.clinical.forEach { row(numbered(it.serial, it.drug), it.text) }
        preview.tests.forEach { row(numbered(it.serial, ui.string(R.string.sheet_test)), it.text) }
    }

    private fun insurance(insurance: Insurance) = Table(ui, R.string.sheet_insurance).apply {
        row(R.string.sheet_insurance_kind, ui.said(insurance.kind))
        row(R.string.sheet_insurer, insurance.insurerNumber)
        row(R.string.sheet_symbol, insurance.symbol)
        row(R.string.sheet_insured_number, insurance.number)
        row(R.string.sheet_branch, insurance.branch)
        row(R.string.sheet_insured, ui.said(insurance.insured))
        row(R.string.sheet_patient_rate, percent(insurance.patientRate))
        row(R.string.sheet_insurer_rate, percent(insurance.insurerRate))
        row(R.string.sheet_work, ui.said(insurance.workReason))
        insurance.publicExpenses.forEach {
            val rank = ui.pick(it.rank.ja, it.rank.en)
            row(ui.string(R.string.sheet_payer, rank), it.payer)
            row(ui.string(R.string.sheet_recipient, rank), it.recipient)
        }
        row(R.string.sheet_claim, insurance.claimCode)
    }

    private fun percent(rate: String) = if (rate.isEmpty()) "" else "$rate%"

    private fun issuer(institution: Institution) = Table(ui, R.string.sheet_institution).apply {
        row(R.string.sheet_institution_name, institution.name)
        row(R.string.sheet_institution_code, institution.code)
        row(R.string.sheet_institution_kind, ui.said(institution.kind))
        row(R.string.sheet_address, joined(ui.said(institution.prefecture), institution.postalCode, institution.address))
        row(R.string.sheet_phone, institution.phone)
        row(R.string.sheet_fax, institution.fax)
        row(R.string.sheet_contact, institution.otherContact)
        preview.department?.let { row(R.string.sheet_department, joined(it.name, it.code, ui.said(it.kind))) }
        name(R.string.sheet_prescriber, preview.prescriber.kana, preview.prescriber.name)
        row(R.string.sheet_prescriber_code, preview.prescriber.code)
    }

    /** Lines that have no place of their own, word for word. */
    private fun other() = Table(ui, R.string.sheet_other).apply {
        preview.other.forEach { row(ui.string(R.string.violation_line, it.line.toInt()), it.text) }
    }
}

internal fun numbered(serial: String, what: String): String = joined(serial.trimStart('0'), what)

internal fun joined(vararg parts: String): String = parts.filter { it.isNotEmpty() }.joinToString("　")
