package jp.hpki.demo

import android.app.Activity
import jp.hpki.agent.HpkiAgent
import jp.hpki.agent.android.AndroidKeyVault
import jp.hpki.agent.android.PromptTexts
import jp.hpki.agent.android.initialize
import jp.hpki.agent.core.ClientInfo
import jp.hpki.agent.core.Clock
import jp.hpki.agent.core.KeyVault
import jp.hpki.agent.core.KeyVaultException
import jp.hpki.agent.core.Prompt
import jp.hpki.agent.core.SecretStore
import jp.hpki.agent.core.TrustConfiguration
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/** Where an app gives the library its own: trust, name, keys. Tests replace what a phone's hardware does. */
open class Environment(private val app: DemoApp) {
    /** Patients' data stays out of screenshots, of recordings and of the list of recent apps. */
    open val hidesFromScreenshots: Boolean = true

    /** Opens the agent on this phone's state, off the main thread; [anew]: gives up a registration that is damaged. */
    suspend fun openAgent(anew: Boolean): HpkiAgent {
        initialize()
        val client = ClientInfo("jp.hpki.demo", "0.1.0", app.getString(R.string.app_name))
        val folder = withContext(Dispatchers.IO) { app.filesDir.resolve("hpki-agent").path }
        return if (anew) HpkiAgent.startOver(trust(), client, folder, keyVault(), secretStore(), clock())
        else HpkiAgent.open(trust(), client, folder, keyVault(), secretStore(), clock())
    }

    /** Which services exist, who signs their letters: the operator's `trust.json`. */
    protected open suspend fun trust(): TrustConfiguration = withContext(Dispatchers.IO) {
        TrustConfiguration.fromJson(app.assets.open("trust.json").use { it.readBytes() })
    }

    protected open suspend fun initialize() = HpkiAgent.initialize(app)

    /** The approval key, in the phone's secure hardware. */
    protected open fun keyVault(): KeyVault =
        AndroidKeyVault({ app.front() ?: throw KeyVaultException.Cancelled() }, Texts(app))

    protected open fun secretStore(): SecretStore? = null

    protected open fun clock(): Clock? = null

    /** Whether whoever holds the phone can unlock it: asked when a session has ended. */
    open suspend fun unlock(activity: Activity): Boolean = askToUnlock(activity)

    /** The app's own words for the platform's prompt. */
    private class Texts(private val app: DemoApp) : PromptTexts() {
        override fun title(prompt: Prompt): String = when (prompt) {
            is Prompt.Register -> app.getString(R.string.prompt_register)
            is Prompt.Approve -> app.resources.getQuantityString(R.plurals.prompt_approve, prompt.count.toInt(), prompt.count.toInt())
        }

        override fun description(prompt: Prompt): String = when (prompt) {
            is Prompt.Register -> app.getString(R.string.prompt_register_text, prompt.service)
            is Prompt.Approve -> app.getString(R.string.prompt_approve_text)
        }

        override val cancel: String get() = app.getString(R.string.cancel)
    }
}
