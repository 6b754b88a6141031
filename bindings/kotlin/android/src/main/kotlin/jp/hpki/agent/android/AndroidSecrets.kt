package jp.hpki.agent.android

import android.content.Context
import io.crates.keyring.Keyring
import jp.hpki.agent.HpkiAgent
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/**
 * Loads the native library and opens the way to the phone's secret store, off the main thread. Call it once before
 * [HpkiAgent.open]; a second call does nothing.
 *
 * Small secrets lie in SharedPreferences, encrypted under a key of the AndroidKeyStore. They and the agent's data folder must
 * stay out of backups: name `@xml/hpki_agent_backup` and `@xml/hpki_agent_extraction` in the app's manifest, and keep the data
 * in `filesDir/hpki-agent`.
 */
public suspend fun HpkiAgent.Companion.initialize(context: Context) {
    withContext(Dispatchers.IO) { Keyring.initializeNdkContext(context.applicationContext) }
    warmUp()
}
