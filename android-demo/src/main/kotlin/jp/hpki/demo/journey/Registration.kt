package jp.hpki.demo.journey

import jp.hpki.agent.core.ActivationCode
import jp.hpki.agent.core.Candidate
import jp.hpki.agent.core.ProgressStep

/** From the letter to a phone that is registered. */
class Registration(private val journey: Journey) {
    fun scan(): Unit = journey.show(Screen.Scan())

    /** A photo in place of the camera: [read] gives the text of its QR, or null. */
    fun photo(read: suspend () -> String?): Unit = journey.onMain {
        val text = read()
        if (journey.screen !is Screen.Scan) return@onMain
        if (text == null) journey.show(Screen.Scan(photoHadNoCode = true)) else register(text, code = null)
    }

    /** Registers; a letter that wants a code, or another code, leads to the code's screen. */
    fun register(ticket: String, code: String?): Unit = journey.step(
        meanwhile = Screen.Registering(ProgressStep.STARTED),
        again = { register(ticket, code) },
        failed = { failure ->
            when (failure.code) {
                "ActivationCodeRequired" -> Screen.Code(ticket)
                "ActivationCodeMalformed", "WrongActivationCode" -> Screen.Code(ticket, failure)
                else -> Screen.Problem(failure, again = { register(ticket, code) })
            }
        },
    ) { agent ->
        val candidate = code?.let(::ActivationCode).useOrNull {
            agent.register(ticket, it) { step -> journey.onMain { progress(step) } }
        }
        Screen.IsThisYou(candidate)
    }

    private fun progress(step: ProgressStep) {
        if (journey.screen is Screen.Registering) journey.show(Screen.Registering(step))
    }

    fun confirm(candidate: Candidate): Unit = journey.step(again = journey::home) { agent ->
        agent.confirm(candidate)
        Screen.Inbox
    }

    fun reject(candidate: Candidate): Unit = journey.step(again = journey::home) { agent ->
        agent.reject(candidate)
        Screen.Welcome
    }

    private inline fun <T> ActivationCode?.useOrNull(work: (ActivationCode?) -> T): T = if (this == null) work(null) else use(work)
}
