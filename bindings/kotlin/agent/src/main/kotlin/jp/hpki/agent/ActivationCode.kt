package jp.hpki.agent

/**
 * An activation code (アクティベーションコード): eight digits that came apart from the letter. A secret: it does not print, and is
 * wiped when it is closed.
 */
public class ActivationCode private constructor(internal val core: jp.hpki.agent.core.ActivationCode) : AutoCloseable {
    /** Wipes it. */
    override fun close(): Unit = core.close()

    public companion object {
        /**
         * Reads what a person types: digits in half or full width, spaces and hyphens of any kind between them.
         *
         * @throws HpkiException.Retry `ActivationCodeMalformed`: a slip is told here and costs none of the five tries
         */
        public fun parse(typed: String): ActivationCode =
            translating { ActivationCode(jp.hpki.agent.core.ActivationCode.parse(typed)) }
    }
}
