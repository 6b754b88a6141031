package jp.hpki.demo.journey

import jp.hpki.agent.HpkiAgent
import jp.hpki.agent.HpkiException
import jp.hpki.agent.core.Delivery
import jp.hpki.agent.core.InboxEvent
import jp.hpki.agent.core.Waiting
import jp.hpki.agent.core.WaitingContent
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch

/** What waits, kept up to date while it is shown. */
class Inbox(private val journey: Journey, private val scope: CoroutineScope) {
    private var watch: Job? = null

    /** A tablet shows the inbox beside what was opened. */
    var staysInSight: Boolean = false

    /** Starts to watch, or stops, as [screen] shows the inbox or not. */
    internal fun watchOn(screen: Screen): Unit = watchWhile(screen is Screen.Inbox || staysInSight && screen is Screen.BesideInbox)

    internal fun watchWhile(shown: Boolean) {
        if (!shown) watch?.cancel().also { watch = null } else if (watch?.isActive != true) watch = scope.launch { follow() }
    }

    /** The doctor pulled: asks the service now. */
    fun refresh() {
        journey.change { it.with(refreshing = true) }
        watchWhile(false)
        watchWhile(true)
    }

    private suspend fun follow() {
        val agent = journey.agentOrNull() ?: return
        try {
            val (warnings, batch) = agent.warnings() to agent.batchSigning()
            journey.change { it.with(warnings = warnings, batchSigning = batch) }
            coroutineScope {
                launch { deliverNowAndThen(agent) }
                agent.inboxEvents().collect { tell(it, agent) }
            }
        } catch (e: HpkiException) {
            journey.change { it.with(refreshing = false) }
            journey.show(Screen.Problem(e.failure, again = journey::home))
        }
    }

    private suspend fun deliverNowAndThen(agent: HpkiAgent): Nothing {
        while (true) {
            deliver(agent)
            delay(AGAIN_MS)
        }
    }

    /** Files that were signed earlier and have not reached their clinic yet. */
    private suspend fun deliver(agent: HpkiAgent) = try {
        val never = agent.deliverPending().mapNotNull { (it.delivery as? Delivery.Refused)?.failure }
        journey.change { it.with(undeliverable = it.undeliverable + never) }
    } catch (_: HpkiException) {
        // They are kept for the next time; the watch beside this says what is wrong.
    }

    private suspend fun tell(event: InboxEvent, agent: HpkiAgent) = when (event) {
        is InboxEvent.Changed -> journey.change { it.withList(event.prescriptions).with(remembered = null, interrupted = null) }
        is InboxEvent.Interrupted -> {
            // What was read when there was a network; it can be looked at, and approved when there is one again.
            val last = agent.lastInbox()
            journey.change { state -> state.withList(last?.waiting ?: state.waiting.orEmpty()).with(remembered = last, interrupted = event.failure) }
        }
    }

    private fun State.withList(waiting: List<Waiting>): State {
        val ids = waiting.map { it.id() }.toSet()
        return with(waiting = waiting, chosen = chosen intersect ids, refreshing = false)
    }

    fun open(waiting: Waiting) = journey.signing.open(listOf(waiting))

    /** Marks or unmarks one for a common approval. */
    fun choose(waiting: Waiting) {
        if (waiting.content() !is WaitingContent.Prescription) return
        val id = waiting.id()
        journey.change { it.with(chosen = if (id in it.chosen) it.chosen - id else it.chosen + id) }
    }

    fun openChosen() {
        val state = journey.state.value
        journey.signing.open(state.waiting.orEmpty().filter { it.id() in state.chosen })
    }

    /** What was handed to the service is no longer offered; what still waits comes back with the next answer. */
    internal fun forget(gone: List<Waiting>) {
        val ids = gone.map { it.id() }.toSet()
        journey.change { state -> state.with(waiting = state.waiting?.filter { it.id() !in ids }) }
    }

    private companion object {
        /** How long until a file that did not reach its clinic is handed over again. */
        const val AGAIN_MS = 60_000L
    }
}
