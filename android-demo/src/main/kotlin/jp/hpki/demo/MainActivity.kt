package jp.hpki.demo

import android.app.Activity
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.os.Handler
import android.os.Looper
import android.view.WindowManager
import jp.hpki.demo.journey.Journey
import jp.hpki.demo.journey.Place
import jp.hpki.demo.journey.Saved
import jp.hpki.demo.journey.Screen
import jp.hpki.demo.journey.Session
import jp.hpki.demo.pages.Page
import jp.hpki.demo.pages.Still
import jp.hpki.demo.pages.pageInWindow
import jp.hpki.demo.ui.Ui
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.MainScope
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch

/** The one window: it shows the page of the journey's screen, and passes on what the system tells it. It holds no state. */
class MainActivity : Activity() {
    private lateinit var journey: Journey
    private val ui by lazy { Ui(this) }
    private var page: Page? = null
    private var shown: CoroutineScope? = null
    private var file: Uri? = null
    private val clock = Handler(Looper.getMainLooper())
    private val endSession = Runnable { journey.lock() }

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        val app = application as DemoApp
        journey = app.journey
        if (app.environment.hidesFromScreenshots) window.addFlags(WindowManager.LayoutParams.FLAG_SECURE)
        journey.inbox.staysInSight = ui.wide
        if (state == null) openLink(intent)
        journey.start(state?.let(::saved))
        show()
    }

    private fun saved(state: Bundle) = Saved(
        ticket = state.getString(TICKET),
        reviewing = state.getStringArrayList(REVIEWING).orEmpty(),
        place = state.getString(PLACE)?.let(Place::valueOf),
        lastUse = state.getLong(LAST_USE),
    )

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        openLink(intent)
    }

    /** The letter's QR, read by the phone's own camera app. */
    private fun openLink(intent: Intent) {
        if (intent.action == Intent.ACTION_VIEW) intent.dataString?.let(journey::letterRead)
    }

    override fun onStart() {
        super.onStart()
        shown = MainScope().also { scope -> scope.launch { journey.state.collect { show() } } }
        journey.inFront()
        page?.shown()
        restartClock()
    }

    override fun onStop() {
        shown?.cancel()
        shown = null
        page?.hidden()
        journey.inBackground()
        super.onStop()
    }

    override fun onDestroy() {
        clock.removeCallbacks(endSession)
        super.onDestroy()
    }

    override fun onSaveInstanceState(state: Bundle) {
        super.onSaveInstanceState(state)
        val saved = journey.toSave()
        state.putString(TICKET, saved.ticket)
        state.putStringArrayList(REVIEWING, ArrayList(saved.reviewing))
        state.putString(PLACE, saved.place?.name)
        state.putLong(LAST_USE, saved.lastUse)
    }

    override fun onUserInteraction() {
        if (journey.session.hasEnded) return journey.lock()
        journey.session.used()
        restartClock()
    }

    /** The doctor is back after the session has ended. */
    fun unlock() {
        shown?.launch { if ((application as DemoApp).environment.unlock(this@MainActivity)) journey.unlocked() }
    }

    private fun restartClock() {
        clock.removeCallbacks(endSession)
        clock.postDelayed(endSession, Session.LENGTH_MS)
    }

    @Deprecated("The gesture's newer form begins with Android 13; this one is there on all.")
    override fun onBackPressed() {
        if (!journey.back()) {
            @Suppress("DEPRECATION")
            super.onBackPressed()
        }
    }

    /** For pages that ask the system for a file, a photo or a permission. */
    @Deprecated("AndroidX has another form")
    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        file = data?.data.takeIf { result == RESULT_OK }
        handOver()
    }

    /** The app may have been ended while the doctor chose: then the page that asked is not there yet. */
    private fun handOver() {
        val chosen = file ?: return
        if ((page as? Still)?.screen is Screen.Busy) return
        file = null
        page?.received(chosen)
    }

    override fun onRequestPermissionsResult(request: Int, permissions: Array<String>, results: IntArray) {
        page?.permissionsChanged()
    }

    private fun show() {
        val state = journey.state.value
        val before = page
        if (before?.keep(state.screen) == true) return before.update(state)
        before?.hidden()
        page = pageInWindow(state.screen, ui, this, journey).also {
            setContentView(it.view)
            it.update(state)
            if (shown != null) it.shown()
        }
        handOver()
    }

    private companion object {
        const val TICKET = "ticket"
        const val REVIEWING = "reviewing"
        const val PLACE = "place"
        const val LAST_USE = "lastUse"
    }
}
