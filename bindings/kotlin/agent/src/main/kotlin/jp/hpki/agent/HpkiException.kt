package jp.hpki.agent

import java.util.concurrent.CancellationException
import jp.hpki.agent.core.AgentException
import jp.hpki.agent.core.AgentFailure
import jp.hpki.agent.core.FailureKind
import jp.hpki.agent.core.InternalException

/**
 * Why a step failed, sorted by what the doctor can do. [failure] holds a stable code and what to tell the doctor in Japanese and
 * English; neither holds patient data or a secret, so it may be shown, logged and reported.
 */
public sealed class HpkiException(
    /** The code, the texts, the tries left, the violations. */
    public val failure: AgentFailure,
    cause: Throwable,
) : Exception("${failure.code}: ${failure.textEn}", cause) {
    /** Try again, now or a little later; nothing is lost. */
    public class Retry internal constructor(failure: AgentFailure, cause: Throwable) : HpkiException(failure, cause)

    /** Set something right on this phone first (clock, biometrics, screen lock), then try again. */
    public class FixPhone internal constructor(failure: AgentFailure, cause: Throwable) : HpkiException(failure, cause)

    /** Ask the association's office, or whoever runs the service. */
    public class AskOffice internal constructor(failure: AgentFailure, cause: Throwable) : HpkiException(failure, cause)

    /** Register this phone again, with a new letter or with the card. */
    public class RegisterAgain internal constructor(failure: AgentFailure, cause: Throwable) : HpkiException(failure, cause)

    /** Refused for good: this document or this QR is not to be used. */
    public class Refused internal constructor(failure: AgentFailure, cause: Throwable) : HpkiException(failure, cause)

    /** A mistake inside the library. The step counts as broken off; please report it. */
    public class Internal internal constructor(cause: Throwable) : HpkiException(INTERNAL, cause)

    private companion object {
        val INTERNAL = AgentFailure(
            code = "Internal",
            kind = FailureKind.RETRY,
            textJa = "アプリの内部で問題が起きました。アプリを再起動して、もう一度お試しください。",
            textEn = "Something went wrong inside the app. Restart it and try again.",
            triesLeft = null,
            violations = emptyList(),
        )
    }
}

/** Runs [work] and turns what generated code throws into the exceptions of this library. */
internal inline fun <T> translating(work: () -> T): T = try {
    work()
} catch (e: AgentException) {
    throw when (e) {
        is AgentException.Retry -> HpkiException.Retry(e.failure, e)
        is AgentException.FixPhone -> HpkiException.FixPhone(e.failure, e)
        is AgentException.AskOffice -> HpkiException.AskOffice(e.failure, e)
        is AgentException.RegisterAgain -> HpkiException.RegisterAgain(e.failure, e)
        is AgentException.Refused -> HpkiException.Refused(e.failure, e)
        is AgentException.Cancelled -> CancellationException("cancelled").apply { initCause(e) }
        is AgentException.AlreadyUsed ->
            IllegalStateException("a candidate, a waiting prescription or a batch can be used once", e)
    }
} catch (e: InternalException) {
    throw HpkiException.Internal(e)
}
