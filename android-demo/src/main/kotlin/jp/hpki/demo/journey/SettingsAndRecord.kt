package jp.hpki.demo.journey

import jp.hpki.agent.HpkiAgent
import jp.hpki.agent.core.Status

/** What the doctor looks up or changes beside the daily work. */
class SettingsAndRecord(private val journey: Journey) {
    fun openSettings(): Unit = journey.step(again = ::openSettings, work = ::settings)

    internal suspend fun settings(agent: HpkiAgent): Screen = when (val status = agent.status()) {
        is Status.Registered -> Screen.Settings(status, agent.batchSigning(), agent.warnings())
        else -> Screen.Welcome
    }

    fun setBatchSigning(on: Boolean): Unit = journey.step(meanwhile = journey.screen, again = ::openSettings) { agent ->
        agent.setBatchSigning(on)
        val settings = journey.screen as Screen.Settings
        Screen.Settings(settings.phone, on, settings.warnings)
    }

    fun openRecord(): Unit = journey.step(again = ::openRecord, work = ::record)

    internal suspend fun record(agent: HpkiAgent): Screen = Screen.Record(agent.journal().asReversed())

    /** The record as a file, for whoever asks the doctor for it; it holds no patient data. [write] says whether it was written. */
    fun export(write: suspend (ByteArray) -> Boolean) {
        val before = journey.screen as? Screen.Record ?: return
        journey.step(meanwhile = before, again = ::openRecord) { agent ->
            Screen.Record(before.entries, exported = write(agent.exportJournal()))
        }
    }

    fun licences(settings: Screen.Settings): Unit = journey.show(Screen.Licences(settings))

    fun askToRemove(settings: Screen.Settings): Unit = journey.show(Screen.Remove(settings))

    /** Removes this phone at the service and wipes its keys. */
    fun remove(): Unit = journey.step(again = ::openSettings) { agent ->
        agent.unregister()
        Screen.Welcome
    }
}
