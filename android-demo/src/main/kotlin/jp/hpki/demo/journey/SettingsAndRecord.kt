package jp.hpki.demo.journey

import jp.hpki.agent.core.Status

/** What the doctor looks up or changes beside the daily work. */
class SettingsAndRecord(private val journey: Journey) {
    fun openSettings(): Unit = journey.step(again = ::openSettings) { agent ->
        when (val status = agent.status()) {
            is Status.Registered -> Screen.Settings(status, agent.batchSigning(), agent.warnings())
            else -> Screen.Welcome
        }
    }

    fun setBatchSigning(on: Boolean): Unit = journey.step(meanwhile = journey.screen, again = ::openSettings) { agent ->
        agent.setBatchSigning(on)
        val settings = journey.screen as Screen.Settings
        Screen.Settings(settings.phone, on, settings.warnings)
    }

    fun openRecord(): Unit = journey.step(again = ::openRecord) { agent -> Screen.Record(agent.journal().asReversed()) }

    /** The record as a file, for whoever asks the doctor for it; it holds no patient data. */
    fun export(write: suspend (ByteArray) -> Unit) {
        val before = journey.screen
        journey.step(meanwhile = before, again = ::openRecord) { agent ->
            write(agent.exportJournal())
            before
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
