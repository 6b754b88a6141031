package jp.hpki.demo

import android.app.Activity
import android.app.Application
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.os.Looper
import android.os.SystemClock
import android.view.MotionEvent
import android.view.View
import android.view.ViewGroup
import android.widget.EditText
import android.widget.ScrollView
import android.widget.TextView
import java.io.File
import java.io.OutputStream
import java.time.Duration
import jp.hpki.agent.Letter
import jp.hpki.agent.Office
import jp.hpki.demo.journey.Screen
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController

/** A hand and an eye at the app's window. */
class Hand(intent: Intent? = null, saved: Bundle? = null, before: TestApp.() -> Unit = {}) {
    val app: TestApp = (RuntimeEnvironment.getApplication() as TestApp).apply(before)
    val window: ActivityController<MainActivity> =
        Robolectric.buildActivity(MainActivity::class.java, intent).apply { if (saved == null) setup() else setup(saved) }
    val activity: MainActivity get() = window.get()
    val screen: Screen get() = app.journey.screen

    // ---- Seeing ---------------------------------------------------------------------------------------------------------

    fun views(root: View = activity.window.decorView): List<View> =
        if (root.visibility != View.VISIBLE) emptyList() else listOf(root) + children(root).flatMap(::views)

    private fun children(view: View): List<View> =
        (view as? ViewGroup)?.let { group -> (0 until group.childCount).map(group::getChildAt) }.orEmpty()

    fun texts(): List<String> = views().filterIsInstance<TextView>().map { it.text.toString() }

    fun sees(text: String): Boolean = texts().any { text in it }

    fun sees(id: Int, vararg arguments: Any): Boolean = sees(app.getString(id, *arguments))

    fun waitUntil(what: String, condition: () -> Boolean) {
        val end = System.nanoTime() + PATIENCE.toNanos()
        while (true) {
            shadowOf(Looper.getMainLooper()).idle()
            if (condition()) return
            assertTrue("waited in vain for $what; the window shows ${texts()}", System.nanoTime() < end)
            Thread.sleep(5)
        }
    }

    fun waitFor(text: String) = waitUntil(text) { sees(text) }

    fun waitFor(id: Int) = waitFor(app.getString(id))

    inline fun <reified S : Screen> waitFor(): S {
        waitUntil(S::class.java.simpleName) { screen is S }
        return screen as S
    }

    // ---- Touching -------------------------------------------------------------------------------------------------------

    fun tap(text: String) {
        val says = { view: View -> (view as? TextView)?.text?.toString() == text || view.contentDescription?.toString() == text }
        val view = views().firstOrNull { it.isEnabled && says(it) }
        val target = generateSequence(view) { it.parent as? View }.firstOrNull { it.isClickable }
        assertTrue("there is no $text to tap; the window shows ${texts()}", target != null)
        activity.onUserInteraction()
        target!!.performClick()
        shadowOf(Looper.getMainLooper()).idle()
    }

    fun tap(id: Int) = tap(app.getString(id))

    fun type(id: Int, text: String) {
        activity.findViewById<EditText>(id)!!.setText(text)
        shadowOf(Looper.getMainLooper()).idle()
    }

    @Suppress("DEPRECATION")
    fun back() {
        activity.onBackPressed()
        shadowOf(Looper.getMainLooper()).idle()
    }

    /** Turns the page down to its end, by the button that says there is more. */
    fun readToTheEnd() {
        val scroll = activity.findViewById<ScrollView>(R.id.review)!!
        var pages = 0
        while (sees(R.string.review_more) && pages++ < 50) {
            val before = scroll.scrollY
            tap(R.string.review_more)
            if (scroll.scrollY == before) scroll.scrollTo(0, before + scroll.height)
            shadowOf(Looper.getMainLooper()).idleFor(Duration.ofMillis(500))
        }
    }

    /** What the window has asked the system for. */
    private fun asked(): Intent = shadowOf(activity).nextStartedActivityForResult.intent

    fun choosePhoto(picture: File) {
        assertEquals(Intent.ACTION_OPEN_DOCUMENT, asked().action)
        gives(picture)
    }

    fun choosePlace(place: OutputStream) {
        assertEquals(Intent.ACTION_CREATE_DOCUMENT, asked().action)
        gives(place)
    }

    /** The photo that an earlier window, perhaps, asked for. */
    fun gives(photo: File) {
        val uri = Uri.parse("content://photos/${photo.name}")
        shadowOf(app.contentResolver).registerInputStreamSupplier(uri) { photo.inputStream() }
        receive(uri)
    }

    /** The place for a file that an earlier window, perhaps, asked for. */
    fun gives(place: OutputStream) {
        val uri = Uri.parse("content://files/${System.identityHashCode(place)}")
        shadowOf(app.contentResolver).registerOutputStream(uri, place)
        receive(uri)
    }

    private fun receive(uri: Uri) {
        val result = Intent().setData(uri)
        MainActivity::class.java.getDeclaredMethod("onActivityResult", Int::class.java, Int::class.java, Intent::class.java)
            .apply { isAccessible = true }.invoke(activity, 1, Activity.RESULT_OK, result)
        shadowOf(Looper.getMainLooper()).idle()
    }

    // ---- Whole steps ----------------------------------------------------------------------------------------------------

    /** From the first page to the code's, by a photo of the letter. */
    fun showLetter(letter: Letter) {
        waitFor(R.string.welcome_scan)
        tap(R.string.welcome_scan)
        tap(R.string.scan_photo)
        choosePhoto(letter.picture.toFile())
        waitFor<Screen.Code>()
    }

    fun enter(code: String) {
        type(R.id.code, code)
        tap(R.string.code_next)
    }

    /** A registered phone with an empty inbox. */
    fun register(office: Office = app.office, doctor: String = office.doctor): Hand = bind(office, doctor).apply { emptyInbox() }

    /** A registered phone. */
    fun bind(office: Office = app.office, doctor: String = office.doctor): Hand = apply {
        val letter = office.letter(doctor)
        showLetter(letter)
        enter(letter.code)
        waitFor<Screen.IsThisYou>()
        tap(R.string.you_yes)
        waitFor<Screen.Inbox>()
    }

    /** Declines what other tests have left for the same doctor. */
    fun emptyInbox() {
        val agent = checkNotNull(app.journey.agentOrNull())
        runBlocking { agent.inbox().forEach { agent.decline(it, "left by another test") } }
        app.journey.inbox.refresh()
        waitFor(R.string.inbox_empty)
    }

    /** A finger on the middle of [on], [down] dp downwards. What it sets off has not happened yet. */
    fun drag(on: View, down: Int) {
        val (left, top) = IntArray(2).also(on::getLocationInWindow)
        val (x, y) = left + on.width / 2f to top + on.height / 2f
        val density = app.resources.displayMetrics.density
        var at = SystemClock.uptimeMillis()
        val began = at
        val send = { action: Int, dp: Float ->
            at += 16
            val event = MotionEvent.obtain(began, at, action, x, y + dp * density, 0)
            activity.dispatchTouchEvent(event)
            event.recycle()
        }
        send(MotionEvent.ACTION_DOWN, 0f)
        for (step in 1..10) send(MotionEvent.ACTION_MOVE, down * step / 10f)
        send(MotionEvent.ACTION_UP, down.toFloat())
    }

    private companion object {
        val PATIENCE: Duration = Duration.ofSeconds(java.lang.Long.getLong("patience", 60))
    }
}

/** The resources in the language of the test. */
fun Application.plural(id: Int, count: Int): String = resources.getQuantityString(id, count, count)
