package jp.hpki.agent

import com.sun.jna.CallbackThreadInitializer
import com.sun.jna.Native
import jp.hpki.agent.core.ActivationCode
import jp.hpki.agent.core.Agent
import jp.hpki.agent.core.Approved
import jp.hpki.agent.core.Batch
import jp.hpki.agent.core.Candidate
import jp.hpki.agent.core.ClientInfo
import jp.hpki.agent.core.Clock
import jp.hpki.agent.core.InboxEvent
import jp.hpki.agent.core.JournalEntry
import jp.hpki.agent.core.KeyVault
import jp.hpki.agent.core.LastInbox
import jp.hpki.agent.core.ProgressListener
import jp.hpki.agent.core.ProgressStep
import jp.hpki.agent.core.Redelivery
import jp.hpki.agent.core.SecretStore
import jp.hpki.agent.core.Status
import jp.hpki.agent.core.TrustConfiguration
import jp.hpki.agent.core.Waiting
import jp.hpki.agent.core.Warning
import jp.hpki.agent.core.libraryVersion
import jp.hpki.agent.core.uniffiRustFutureContinuationCallbackImpl
import kotlin.time.Duration
import kotlin.time.toJavaDuration
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.withContext

/**
 * The doctor's phone: it registers with the QR of a letter, lists the prescriptions that wait, and signs or declines them.
 *
 * Every function can be called from the main thread; the work is done off it. A coroutine that is cancelled breaks its step
 * off: what had begun is then as after a crash, and the same step repeated continues it. One agent lives on a data folder at a
 * time; [close] gives it free. What goes in and comes out are the types of `jp.hpki.agent.core`.
 */
public class HpkiAgent private constructor(private val agent: Agent) : AutoCloseable {
    /** Where this phone stands; no network. */
    public suspend fun status(): Status = step { agent.status() }

    /**
     * Registers this phone with the text of a registration QR and, where its ticket asks for one, the activation code. What
     * comes back is to be shown to the doctor, then given to [confirm] or [reject]. Repeating with the same QR continues the
     * same registration.
     *
     * @throws HpkiException among them `ActivationCodeRequired` (ask for the code and call again) and `WrongActivationCode`,
     * with the tries left, as [HpkiException.Retry]; a forged or foreign QR as [HpkiException.Refused], before any request
     */
    public suspend fun register(
        qrText: String,
        activationCode: ActivationCode? = null,
        onProgress: (ProgressStep) -> Unit = {},
    ): Candidate = step { agent.register(qrText, activationCode, Progress(onProgress)) }

    /** The registration that waits for the doctor's confirmation, for an app that was ended before it; null when there is none. */
    public suspend fun candidate(): Candidate? = step { agent.candidate() }

    /** The doctor has said "this is me": the binding is in force from here on. Uses [candidate] up. */
    public suspend fun confirm(candidate: Candidate): Unit = step { agent.confirm(candidate) }

    /** The doctor has said "this is not me": the phone is unregistered and its keys are wiped. Uses [candidate] up. */
    public suspend fun reject(candidate: Candidate): Unit = step { agent.reject(candidate) }

    /**
     * What waits for this doctor, oldest first; [wait] (0 to 25 seconds) is how long the service may hold its answer back until
     * something arrives. A document that cannot be signed is listed with its reasons: it can be declined.
     */
    public suspend fun inbox(wait: Duration = Duration.ZERO): List<Waiting> = step { agent.inbox(wait.toJavaDuration()) }

    /**
     * What waited when [inbox] or [inboxEvents] last read it, and when that was; no network. For a phone that is offline: null
     * before the first reading. What it lists can be shown; [prepare] asks the service whether it still waits.
     */
    public suspend fun lastInbox(): LastInbox? = step { agent.lastInbox() }

    /**
     * Watches the inbox while it is collected: all that waits, at first and whenever it has changed. While the service cannot
     * be reached it emits [InboxEvent.Interrupted] and goes on; what waiting does not mend is thrown as [HpkiException].
     */
    public fun inboxEvents(): Flow<InboxEvent> = flow {
        agent.watchInbox().use { watch ->
            while (true) emit(translating { watch.next() })
        }
    }.flowOn(Dispatchers.Default)

    /** A prescription that the app brings itself: the XML envelope without signature, or the bare `SJ1` CSV. */
    public suspend fun openDocument(file: ByteArray, label: String): Waiting = step { agent.openDocument(file, label) }

    /**
     * Makes prescriptions ready for one approval. Uses them up, also when it fails: what waits is still in the inbox. Nothing
     * is signed yet.
     */
    public suspend fun prepare(waiting: List<Waiting>): Batch = step { agent.prepare(waiting) }

    /**
     * Signs a batch in one act: the key vault verifies the doctor, the service signs, every signature is verified and every file
     * delivered. Uses [batch] up. A file that could not be delivered is no failure: see [Approved.delivery].
     */
    public suspend fun approve(batch: Batch, onProgress: (ProgressStep) -> Unit = {}): List<Approved> =
        step { agent.approve(batch, Progress(onProgress)) }

    /** Tells the requester that the doctor will not sign, with the first 200 characters of [reason]. Uses [waiting] up. */
    public suspend fun decline(waiting: Waiting, reason: String): Unit = step { agent.decline(waiting, reason) }

    /** Hands over signed files that the service has not yet taken, and returns what became of each: for an app's start. */
    public suspend fun deliverPending(): List<Redelivery> = step { agent.deliverPending() }

    /** Removes this phone from the service and wipes keys, secrets and binding. */
    public suspend fun unregister(): Unit = step { agent.unregister() }

    /** The record of what was approved, declined and refused, verified, oldest first; it holds no patient data. */
    public suspend fun journal(): List<JournalEntry> = step { agent.journal() }

    /** The same as a file, for [verifyJournal]. */
    public suspend fun exportJournal(): ByteArray = step { agent.exportJournal() }

    /** What the doctor should know while everything still works: a certificate that ends soon, a clock that is wrong. No network. */
    public suspend fun warnings(): List<Warning> = step { agent.warnings() }

    /** Whether several prescriptions may be approved in one act. On unless the doctor switched it off. */
    public suspend fun batchSigning(): Boolean = step { agent.batchSigning() }

    /** Switches batch signing on or off, for this phone and for good. */
    public suspend fun setBatchSigning(on: Boolean): Unit = step { agent.setBatchSigning(on) }

    /** Gives the data folder free. Steps under way are finished first. */
    override fun close(): Unit = agent.close()

    private class Progress(private val tell: (ProgressStep) -> Unit) : ProgressListener {
        override fun onProgress(step: ProgressStep) = tell(step)
    }

    public companion object {
        /**
         * Loads the native library, off the main thread: the first use costs some 100 ms and more. Call it when the app starts;
         * everything else does so by itself when it was not called. Returns the library's version.
         */
        public suspend fun warmUp(): String = withContext(Dispatchers.IO) { libraryVersion() }

        /**
         * Opens the agent on this phone's state; no network.
         *
         * @param dataDir a private folder of the app, excluded from backups; made when absent
         * @param keyVault holds the two keys: on Android `AndroidKeyVault`
         * @param secretStore for small secrets, where the platform's own is not wanted
         * @param clock another time than the phone's, for tests
         */
        @Suppress("LongParameterList")
        public suspend fun open(
            trust: TrustConfiguration,
            client: ClientInfo,
            dataDir: String,
            keyVault: KeyVault,
            secretStore: SecretStore? = null,
            clock: Clock? = null,
        ): HpkiAgent = opened { Agent.open(trust, client, dataDir, keyVault, secretStore, clock) }

        /**
         * As [open], except that a registration which cannot be used any more (`StateDamaged`, `JournalTampered`) is given up. To
         * be called when the doctor registers again, after a backup was put back or the phone's secrets were lost. Nothing is
         * given up on a phone that opens; no network.
         */
        @Suppress("LongParameterList")
        public suspend fun startOver(
            trust: TrustConfiguration,
            client: ClientInfo,
            dataDir: String,
            keyVault: KeyVault,
            secretStore: SecretStore? = null,
            clock: Clock? = null,
        ): HpkiAgent = opened { Agent.startOver(trust, client, dataDir, keyVault, secretStore, clock) }

        /** The library's thread that wakes coroutines stays attached to the JVM; JNA would attach and detach it for each. */
        private suspend fun opened(agent: suspend () -> Agent): HpkiAgent = step {
            val staysAttached = CallbackThreadInitializer(true, false, "hpki-agent")
            Native.setCallbackThreadInitializer(uniffiRustFutureContinuationCallbackImpl, staysAttached)
            HpkiAgent(agent())
        }

        /** Futures are polled where they are awaited; what they compute between two waits takes milliseconds. */
        private suspend fun <T> step(work: suspend () -> T): T = withContext(Dispatchers.Default) { translating { work() } }
    }
}
