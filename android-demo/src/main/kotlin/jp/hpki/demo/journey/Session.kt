package jp.hpki.demo.journey

import android.os.SystemClock
import java.util.concurrent.TimeUnit

/** How long the doctor may leave the phone before it has to be unlocked again. Time asleep counts. */
class Session {
    /** Milliseconds since the phone was started. */
    var lastUse: Long = SystemClock.elapsedRealtime()
        private set

    fun used() {
        lastUse = SystemClock.elapsedRealtime()
    }

    /** Goes on with the session of a process that the system has ended. */
    fun resume(lastUse: Long) {
        this.lastUse = lastUse
    }

    val hasEnded: Boolean get() = SystemClock.elapsedRealtime() - lastUse >= LENGTH_MS

    companion object {
        /** The length that the service gives a session, too. */
        val LENGTH_MS: Long = TimeUnit.MINUTES.toMillis(30)
    }
}
