package jp.hpki.demo.journey

import jp.hpki.agent.HpkiAgent
import jp.hpki.agent.core.Approved
import jp.hpki.agent.core.ProgressStep
import jp.hpki.agent.core.Waiting
import jp.hpki.agent.core.WaitingContent

/** From a prescription on the screen to its signature, or to the doctor's no. */
class Signing(private val journey: Journey) {
    fun open(waiting: List<Waiting>) {
        // A tap that comes just after the session has ended opens nothing.
        if (journey.screen !is Screen.AtWork) return
        val first = waiting.firstOrNull() ?: return
        journey.show(refused(first) ?: Screen.Review(waiting))
    }

    private fun refused(waiting: Waiting): Screen? =
        (waiting.content() as? WaitingContent.Refused)?.let { Screen.Refused(waiting, it.failure) }

    /** The last line of the last prescription was on the screen. */
    fun seenToTheEnd() {
        val review = journey.screen as? Screen.Review ?: return
        if (!review.seenToTheEnd) journey.show(Screen.Review(review.waiting, seenToTheEnd = true))
    }

    /** One act over everything that is shown. */
    fun approve() {
        val review = journey.screen as? Screen.Review ?: return
        val waiting = review.waiting
        if (!review.seenToTheEnd) return
        journey.step(Screen.Signing(waiting.size, ProgressStep.STARTED), again = { reopen(waiting) }) { agent ->
            journey.inbox.forget(waiting)
            val batch = agent.prepare(waiting)
            check(batch.previews() == waiting.map { it.preview }) { "what is signed is what was shown" }
            val approved = agent.approve(batch) { step -> journey.onMain { progress(step) } }
            Screen.Results(approved.map { its -> outcome(waiting.first { it.id() == its.id() }, its) })
        }
    }

    private fun progress(step: ProgressStep) {
        val signing = journey.screen as? Screen.Signing ?: return
        journey.show(Screen.Signing(signing.count, step))
    }

    private fun outcome(waiting: Waiting, approved: Approved) =
        Outcome(waiting.preview?.patient?.name.orEmpty(), waiting.requester()?.name.orEmpty(), approved.delivery())

    /** The same prescriptions, read anew: what was handed to a failed approval is used up. */
    private fun reopen(waiting: List<Waiting>): Unit =
        journey.step(again = { reopen(waiting) }) { agent -> review(agent, waiting.map { it.id() }) }

    /** Those of [ids] that still wait; where one of them cannot be signed, that one. */
    internal suspend fun review(agent: HpkiAgent, ids: List<String>): Screen {
        val still = agent.inbox().filter { it.id() in ids }
        return still.firstNotNullOfOrNull(::refused) ?: if (still.isEmpty()) Screen.Inbox else Screen.Review(still)
    }

    fun askWhy(waiting: Waiting): Unit = journey.show(Screen.Decline(waiting))

    /** The doctor's no, with the reason for the clinic. */
    fun decline(waiting: Waiting, reason: String): Unit = journey.step(again = journey::home) { agent ->
        journey.inbox.forget(listOf(waiting))
        agent.decline(waiting, reason)
        Screen.Inbox
    }
}
