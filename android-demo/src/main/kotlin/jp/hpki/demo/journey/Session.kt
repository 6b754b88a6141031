package jp.hpki.demo.journey

import android.os.SystemClock
import java.util.concurrent.TimeUnit

/** How long the doctor may leave the phone before it has to be unlocked again. Time asleep counts. */
class Session {
    private var lastUse = SystemClock.elapsedRealtime()

    fun used() {
        lastUse = SystemClock.elapsedRealtime()
    }

    val hasEnded: Boolean get() = SystemClock.elapsedRealtime() - lastUse >= LENGTH_MS

    companion object {
        /** The length that the service gives a session, too. */
        val LENGTH_MS: Long = TimeUnit.MINUTES.toMillis(30)
    }
}
