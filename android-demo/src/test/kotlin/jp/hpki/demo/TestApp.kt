package jp.hpki.demo

import android.app.Activity
import jp.hpki.agent.MemorySecrets
import jp.hpki.agent.Office
import jp.hpki.agent.TestVault
import jp.hpki.agent.core.Clock
import jp.hpki.agent.core.KeyVault
import jp.hpki.agent.core.SecretStore
import jp.hpki.agent.core.TrustConfiguration
import jp.hpki.demo.journey.Journey
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.MainScope
import kotlinx.coroutines.cancel

/**
 * The app on a phone without secure hardware: Robolectric has no AndroidKeyStore and no biometric prompt, so keys lie in memory
 * and a test answers for the doctor. Everything else is the app: the core is the real one, and so is the service.
 */
class TestApp : DemoApp() {
    val vault = TestVault()
    val secrets = MemorySecrets()
    var office: Office = Companion.office
    var clock: Clock? = null
    var hides = false
    var unlocks = true

    /** What happens before the agent is opened. */
    var beforeOpening: suspend () -> Unit = {}
    private var life: CoroutineScope = MainScope()
    private var now: Journey? = null

    override val journey: Journey get() = now ?: Journey(environment, life).also { now = it }

    override fun environment(): Environment = TestEnvironment(this)

    /** What the system does to an app that is not in front: nothing of it goes on, nobody is told. */
    fun die() {
        life.cancel()
        now?.agentOrNull()?.close()
        now = null
        life = MainScope()
    }

    override fun onTerminate() {
        die()
        super.onTerminate()
    }

    companion object {
        /** One for all tests of a run. */
        val office: Office by lazy(::newOffice)

        /** Another, for a test that closes it; it ends with the process at the latest. */
        fun newOffice(vararg options: String): Office = Office(*options).also { Runtime.getRuntime().addShutdownHook(Thread(it::close)) }
    }
}

private class TestEnvironment(private val app: TestApp) : Environment(app) {
    override val hidesFromScreenshots: Boolean get() = app.hides

    override suspend fun trust(): TrustConfiguration = app.office.trust

    override suspend fun initialize() = app.beforeOpening()

    override fun keyVault(): KeyVault = app.vault

    override fun secretStore(): SecretStore = app.secrets

    override fun clock(): Clock? = app.clock

    override suspend fun unlock(activity: Activity): Boolean = app.unlocks
}
