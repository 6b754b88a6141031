package jp.hpki.demo.journey

import jp.hpki.agent.HpkiAgent
import jp.hpki.agent.HpkiException
import jp.hpki.agent.core.AgentFailure
import jp.hpki.agent.core.Status
import jp.hpki.demo.Environment
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.launch

/**
 * The one place of state. Everything that a finger can do is a function here, called on the main thread; each step runs once,
 * however often it is tapped, and goes on when the window is turned round or left. What it comes to is the next screen.
 */
class Journey(private val environment: Environment, private val scope: CoroutineScope) {
    private val states = MutableStateFlow(State())
    val state: StateFlow<State> = states

    val session = Session()
    val registration = Registration(this)
    val inbox = Inbox(this, scope)
    val signing = Signing(this)
    val settings = SettingsAndRecord(this)

    private var agent: HpkiAgent? = null
    private var running: Job? = null
    private var saved: Saved? = null
    private var letterInHand: String? = null
    private var anew = false
    private var started = false

    val screen: Screen get() = states.value.screen

    /** The app begins, perhaps where the system ended it. A second call does nothing. */
    fun start(saved: Saved?) {
        if (started) return
        started = true
        this.saved = saved
        saved?.let { session.resume(it.lastUse) }
        open()
    }

    private fun open(): Unit = step(again = ::open) { agent ->
        when (agent.status()) {
            is Status.Unregistered -> unregistered()
            is Status.AwaitingConfirmation -> agent.candidate()?.let { Screen.IsThisYou(it) } ?: Screen.Welcome
            is Status.Registered -> if (session.hasEnded) Screen.Locked else atWork(agent)
        }
    }

    private fun unregistered(): Screen =
        saved?.ticket?.let { Screen.Code(it) } ?: if (saved?.place == Place.SCAN) Screen.Scan() else Screen.Welcome

    /** Where the doctor was, read anew. */
    private suspend fun atWork(agent: HpkiAgent): Screen {
        val reviewing = saved?.reviewing.orEmpty()
        return when (saved?.place) {
            Place.RECORD -> settings.record(agent)
            Place.SETTINGS -> settings.settings(agent)
            else -> if (reviewing.isEmpty()) Screen.Inbox else signing.review(agent, reviewing)
        }
    }

    /** A letter's QR, read by this app's camera, from a photo, or by the phone's own camera app. */
    fun letterRead(text: String) {
        if (agent == null || screen is Screen.Busy) letterInHand = text else registration.register(text, code = null)
    }

    /** What to keep when the system may end the process. */
    fun toSave(): Saved = Saved(
        ticket = (screen as? Screen.Code)?.ticket,
        reviewing = when (val screen = screen) {
            is Screen.Review -> screen.waiting.map { it.id() }
            is Screen.Refused -> listOf(screen.waiting.id())
            is Screen.Decline -> listOf(screen.waiting.id())
            else -> emptyList()
        },
        place = when (screen) {
            is Screen.Scan -> Place.SCAN
            is Screen.Record -> Place.RECORD
            is Screen.Settings, is Screen.Remove, is Screen.Licences -> Place.SETTINGS
            else -> null
        },
        lastUse = session.lastUse,
    )

    /** The back gesture. True when it was used up here. */
    fun back(): Boolean {
        when (val screen = screen) {
            is Screen.Busy, is Screen.Registering, is Screen.Signing -> Unit
            is Screen.Scan, is Screen.Code -> show(Screen.Welcome)
            is Screen.Review, is Screen.Refused, is Screen.Results, is Screen.Record, is Screen.Settings -> show(Screen.Inbox)
            is Screen.Decline -> signing.open(listOf(screen.waiting))
            is Screen.Remove -> show(screen.settings)
            is Screen.Licences -> show(screen.settings)
            is Screen.Problem -> home()
            is Screen.Welcome, is Screen.IsThisYou, is Screen.Inbox, is Screen.Locked -> return false
        }
        return true
    }

    /** Where the phone stands now, whatever went wrong before. */
    fun home() {
        saved = null
        open()
    }

    /** The doctor registers again; what was registered before and is damaged is given up. */
    fun startOver() {
        anew = true
        home()
    }

    /** The window is in front: what waits is watched while the inbox is shown. */
    fun inFront() {
        if (session.hasEnded) lock() else inbox.watchOn(screen)
    }

    fun inBackground() = inbox.watchWhile(false)

    /** The session has ended: what was shown is let go. An approval under way is finished first. */
    fun lock() {
        if (!session.hasEnded || running?.isActive == true || screen !is Screen.AtWork) return
        change { State(Screen.Locked) }
        inbox.watchWhile(false)
    }

    fun unlocked() {
        session.used()
        show(Screen.Inbox)
    }

    // ---- For the parts of the journey -----------------------------------------------------------------------------------

    internal fun change(to: (State) -> State) {
        states.value = to(states.value)
    }

    internal fun show(screen: Screen) {
        change { it.with(screen = screen, chosen = if (screen is Screen.Inbox) emptySet() else it.chosen) }
        inbox.watchOn(screen)
    }

    /**
     * One step at a time: shows [meanwhile], then what [work] comes to, or what went wrong, with [again] to repeat it.
     */
    internal fun step(
        meanwhile: Screen = Screen.Busy,
        again: (() -> Unit)? = null,
        failed: (AgentFailure) -> Screen = { Screen.Problem(it, again) },
        work: suspend (HpkiAgent) -> Screen,
    ) {
        if (running?.isActive == true) return
        show(meanwhile)
        running = scope.launch {
            val next = try {
                work(agent ?: environment.openAgent(anew).also { agent = it })
            } catch (e: HpkiException) {
                failed(e.failure)
            } finally {
                running = null
            }
            show(next)
            if (agent != null) letterInHand?.let { letter ->
                letterInHand = null
                registration.register(letter, code = null)
            }
        }
    }

    /** The library tells of its progress on threads of its own; a photo is read on another. */
    internal fun onMain(work: suspend () -> Unit) {
        scope.launch { work() }
    }

    /** The agent, once it is open. */
    internal fun agentOrNull(): HpkiAgent? = agent
}
