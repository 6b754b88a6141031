package jp.hpki.demo.journey

import jp.hpki.agent.core.AgentFailure
import jp.hpki.agent.core.Candidate
import jp.hpki.agent.core.Delivery
import jp.hpki.agent.core.JournalEntry
import jp.hpki.agent.core.LastInbox
import jp.hpki.agent.core.Preview
import jp.hpki.agent.core.ProgressStep
import jp.hpki.agent.core.Status
import jp.hpki.agent.core.Waiting
import jp.hpki.agent.core.WaitingContent
import jp.hpki.agent.core.Warning

/** What the window shows, in the order of the journey. */
sealed interface Screen {
    /** The doctor's work and what belongs to it: closed when the session ends. */
    sealed interface AtWork : Screen

    /** On a tablet, the inbox stays in sight beside it. */
    sealed interface BesideInbox : AtWork

    /** Something is being read or asked; the screen before has nothing more to press. */
    data object Busy : Screen

    data object Welcome : Screen

    /** The camera looks for the letter's QR; [hint] says what was wrong with a photo. */
    class Scan(val photoHadNoCode: Boolean = false) : Screen

    /** The letter asks for its code; [failure] says what was wrong with the last one. [ticket] is a secret until it is used. */
    class Code(val ticket: String, val failure: AgentFailure? = null) : Screen

    /** The phone is being registered. */
    class Registering(val step: ProgressStep) : Screen

    class IsThisYou(val candidate: Candidate) : Screen

    data object Inbox : BesideInbox

    /** Prescriptions laid out in full. Approval is offered once the last line was on the screen. */
    class Review(val waiting: List<Waiting>, val seenToTheEnd: Boolean = false) : BesideInbox

    /** A document that cannot be signed. */
    class Refused(val waiting: Waiting, val failure: AgentFailure) : BesideInbox

    class Decline(val waiting: Waiting) : BesideInbox

    /** One act for [count] prescriptions. */
    class Signing(val count: Int, val step: ProgressStep) : Screen

    class Results(val outcomes: List<Outcome>) : AtWork

    /** What was done with this phone; [exported] says whether the file that was asked for was written. */
    class Record(val entries: List<JournalEntry>, val exported: Boolean? = null) : AtWork

    class Settings(val phone: Status.Registered, val batchSigning: Boolean, val warnings: List<Warning>) : AtWork

    /** Asks once more before this phone is removed. */
    class Remove(val settings: Settings) : AtWork

    class Licences(val settings: Settings) : AtWork

    /** What went wrong and what to do; [again] repeats it, where that can help. */
    class Problem(val failure: AgentFailure, val again: (() -> Unit)? = null) : Screen

    /** Nobody touched the phone for half an hour. */
    data object Locked : Screen
}

/** What became of one approved prescription. */
class Outcome(val patient: String, val clinic: String, val delivery: Delivery)

/** All that the window shows. */
class State(
    val screen: Screen = Screen.Busy,
    /** What waits, oldest first; null before the first answer. */
    val waiting: List<Waiting>? = null,
    /** When that was read, and what it leaves out, while the service cannot be asked. */
    val remembered: LastInbox? = null,
    /** Identifiers of what is chosen for one approval. */
    val chosen: Set<String> = emptySet(),
    /** Why the inbox is not up to date. */
    val interrupted: AgentFailure? = null,
    val refreshing: Boolean = false,
    val warnings: List<Warning> = emptyList(),
    val batchSigning: Boolean = true,
    /** Why files that were signed earlier will never reach their clinic. */
    val undeliverable: List<AgentFailure> = emptyList(),
) {
    @Suppress("LongParameterList")
    fun with(
        screen: Screen = this.screen,
        waiting: List<Waiting>? = this.waiting,
        remembered: LastInbox? = this.remembered,
        chosen: Set<String> = this.chosen,
        interrupted: AgentFailure? = this.interrupted,
        refreshing: Boolean = this.refreshing,
        warnings: List<Warning> = this.warnings,
        batchSigning: Boolean = this.batchSigning,
        undeliverable: List<AgentFailure> = this.undeliverable,
    ) = State(screen, waiting, remembered, chosen, interrupted, refreshing, warnings, batchSigning, undeliverable)
}

/** The prescription that waits; null where it cannot be signed. */
val Waiting.preview: Preview? get() = (content() as? WaitingContent.Prescription)?.preview

/** What is kept when the system ends the process: where the doctor was, and nothing of a patient. */
class Saved(val ticket: String?, val reviewing: List<String>, val place: Place?, val lastUse: Long)

/** Screens that hold nothing which cannot be read again. */
enum class Place { SCAN, RECORD, SETTINGS }
