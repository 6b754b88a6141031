package jp.hpki.demo

import android.graphics.Bitmap
import android.graphics.Canvas
import android.os.Looper
import android.view.View
import android.widget.Button
import android.widget.EditText
import android.widget.ScrollView
import android.widget.TextView
import java.io.File
import org.junit.Assert.assertTrue
import org.robolectric.Shadows.shadowOf

/** Pictures of the window, and whether its words can be read. */
class Gallery(private val name: String) {
    private val folder = File(System.getProperty("screens")).apply { mkdirs() }

    /** Draws what the window shows to NAME-SCREEN.png, after looking for words that are cut. */
    fun hang(hand: Hand, screen: String) {
        shadowOf(Looper.getMainLooper()).idle()
        val faults = hand.views().flatMap(::faults)
        assertTrue("$name-$screen: $faults", faults.isEmpty())
        val root = hand.activity.window.decorView
        val bitmap = Bitmap.createBitmap(root.width, root.height, Bitmap.Config.ARGB_8888)
        root.draw(Canvas(bitmap))
        write(bitmap, screen)
    }

    /** A long page as one picture. */
    fun hangWhole(hand: Hand, screen: String, scroll: ScrollView) {
        val page = scroll.getChildAt(0)
        val bitmap = Bitmap.createBitmap(page.width, page.height, Bitmap.Config.ARGB_8888)
        val canvas = Canvas(bitmap)
        canvas.drawColor(hand.app.getColor(R.color.ground))
        page.draw(canvas)
        write(bitmap, screen)
    }

    /** In full, and small for a README. */
    private fun write(bitmap: Bitmap, screen: String) {
        val small = Bitmap.createScaledBitmap(bitmap, SMALL, bitmap.height * SMALL / bitmap.width, true)
        for ((size, picture) in listOf("" to bitmap, "small" to small)) {
            val file = File(folder.resolve(size).apply { mkdirs() }, "$screen-$name.png")
            file.outputStream().use { picture.compress(Bitmap.CompressFormat.PNG, 100, it) }
        }
    }

    private fun faults(view: View): List<String> = listOfNotNull(cut(view), outside(view), tooSmall(view))

    /** A text whose last line or longest word does not fit into its view. */
    private fun cut(view: View): String? {
        val layout = (view as? TextView)?.layout ?: return null
        val room = view.width - view.totalPaddingLeft - view.totalPaddingRight
        val widest = (0 until layout.lineCount).maxOfOrNull { layout.getLineMax(it) } ?: 0f
        val tall = layout.height > view.height - view.totalPaddingTop - view.totalPaddingBottom + 1
        val dots = (0 until layout.lineCount).any { layout.getEllipsisCount(it) > 0 }
        return "“${view.text}” is cut".takeIf { (widest > room + 1 || tall || dots) && view !is EditText }
    }

    /** A view that sticks out of what it lies in: it would be cut, or lie over its neighbour. */
    private fun outside(view: View): String? {
        val parent = view.parent as? View ?: return null
        if (view.width == 0 || parent is ScrollView || parent.parent !is View) return null
        val sticks = view.left < 0 || view.right > parent.width || view.top < 0 || view.bottom > parent.height
        return "$view sticks out of $parent".takeIf { sticks && view is TextView }
    }

    /** 48 dp is what a finger hits. */
    private fun tooSmall(view: View): String? {
        if (view !is Button || view.width == 0) return null
        val least = (48 * view.resources.displayMetrics.density).toInt()
        return "“${view.text}” is too small to touch".takeIf { view.height < least || view.width < least }
    }

    private companion object {
        /** Pixels across. */
        const val SMALL = 360
    }
}
