package jp.hpki.demo

import android.os.Looper
import java.time.Instant
import java.util.concurrent.ConcurrentHashMap
import jp.hpki.agent.core.Clock
import jp.hpki.demo.journey.Screen
import kotlinx.coroutines.CompletableDeferred
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** The window is there at once; what takes time is done beside the main thread. */
@RunWith(RobolectricTestRunner::class)
class StartTest {
    @Test
    fun `the window stands, can be turned and left before the library is loaded`() {
        val loaded = CompletableDeferred<Unit>()
        val hand = Hand { beforeOpening = { loaded.await() } }
        assertSame(Screen.Busy, hand.screen)
        assertTrue(hand.views().any { it.contentDescription == hand.app.getString(R.string.working) && it.height > 0 })
        hand.back()
        hand.window.recreate()
        assertNull(hand.app.journey.agentOrNull())
        loaded.complete(Unit)
        hand.waitFor<Screen.Welcome>()
    }

    @Test
    fun `from the start to the signature, the core works on no main thread`() {
        val threads = ConcurrentHashMap.newKeySet<Thread>()
        val watching = object : Clock {
            override fun now(): Instant = Instant.now().also { threads += Thread.currentThread() }
        }
        val hand = Hand { clock = watching }.register()
        hand.openOne("見本　一郎")
        hand.app.vault.user = { threads += Thread.currentThread() }
        hand.approve()
        hand.waitFor<Screen.Results>()
        val main = Looper.getMainLooper().thread
        assertSame(main, Thread.currentThread())
        for (seen in listOf(threads, hand.app.secrets.threads)) {
            assertTrue(seen.isNotEmpty())
            assertFalse(main in seen)
        }
    }
}
