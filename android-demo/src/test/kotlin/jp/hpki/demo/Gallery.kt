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
import org.junit.Assert.assertEquals
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

/** How a doctor holds and sets a phone. */
enum class Setting(val folder: String, private val qualifiers: String, private val fontScale: Float = 1f) {
    PHONE("phone-ja", "ja-rJP-w411dp-h891dp-port-notnight-420dpi"),
    DARK("phone-ja-dark", "ja-rJP-w411dp-h891dp-port-night-420dpi"),
    ENGLISH("phone-en", "en-rGB-w411dp-h891dp-port-notnight-420dpi"),
    LARGE_TEXT("phone-ja-large", "ja-rJP-w360dp-h640dp-port-notnight-xhdpi", fontScale = 2f),
    LARGE_ENGLISH("phone-en-large", "en-rGB-w360dp-h640dp-port-notnight-xhdpi", fontScale = 2f),
    SIDEWAYS("phone-ja-land", "ja-rJP-w891dp-h411dp-land-notnight-xhdpi"),
    TABLET("tablet-ja", "ja-rJP-w1280dp-h800dp-land-notnight-mdpi"),
    TABLET_ENGLISH("tablet-en-dark", "en-rGB-w800dp-h1280dp-port-night-mdpi"),
    ;

    /** Sets the phone so; the window is made anew, as the system does it. */
    fun set(hand: Hand) {
        RuntimeEnvironment.setQualifiers(qualifiers)
        RuntimeEnvironment.setFontScale(fontScale)
        hand.window.recreate()
        shadowOf(Looper.getMainLooper()).idle()
    }
}

/** Pictures of the window in every setting, and whether its words can be read in each. */
object Gallery {
    /** Pictures are written where `-Dscreens` says; drawn and judged they are in any case. */
    private val folder = System.getProperty("screens").orEmpty().ifEmpty { null }?.let(::File)

    /** Shows [screen] in every setting, the phone's last; [before]: what is to be done in each before it is drawn. */
    fun hang(hand: Hand, screen: String, before: () -> Unit = {}, whole: () -> View = { hand.activity.window.decorView }) {
        val faults = Setting.entries.flatMap { setting ->
            setting.set(hand)
            before()
            shadowOf(Looper.getMainLooper()).idle()
            draw(hand, whole(), "${setting.folder}/$screen.png")
            faults(hand).map { "${setting.folder}: $it" }
        }
        Setting.PHONE.set(hand)
        assertEquals(screen, emptyList<String>(), faults)
    }

    private fun draw(hand: Hand, view: View, name: String) {
        val bitmap = Bitmap.createBitmap(view.width, view.height, Bitmap.Config.ARGB_8888)
        val canvas = Canvas(bitmap)
        canvas.drawColor(hand.activity.getColor(R.color.ground))
        view.draw(canvas)
        if (folder == null) return
        write(bitmap, folder.resolve(name))
        // Small for a README, where a phone is as high as it is beside others.
        val width = if (bitmap.width > bitmap.height) LYING else STANDING
        write(Bitmap.createScaledBitmap(bitmap, width, bitmap.height * width / bitmap.width, true), folder.resolve("small/$name"))
    }

    private fun write(picture: Bitmap, file: File) {
        file.parentFile!!.mkdirs()
        file.outputStream().use { picture.compress(Bitmap.CompressFormat.PNG, 100, it) }
    }

    private fun faults(hand: Hand): List<String> =
        if (hand.texts().isEmpty()) listOf("nothing stands there") else hand.views().flatMap(::faults)

    private fun faults(view: View): List<String> = listOfNotNull(cut(view), broken(view), outside(view), tooSmall(view))

    /** A text whose last line or longest word does not fit into its view. */
    private fun cut(view: View): String? {
        val layout = (view as? TextView)?.layout ?: return null
        val room = view.width - view.totalPaddingLeft - view.totalPaddingRight
        val widest = (0 until layout.lineCount).maxOfOrNull { layout.getLineMax(it) } ?: 0f
        val tall = layout.height > view.height - view.totalPaddingTop - view.totalPaddingBottom + 1
        val dots = (0 until layout.lineCount).any { layout.getEllipsisCount(it) > 0 }
        return "“${view.text}” is cut".takeIf { (widest > room + 1 || tall || dots) && view !is EditText }
    }

    /** A word of letters that goes on in the next line; names and digests of more letters than a word has may. */
    private fun broken(view: View): String? {
        val layout = (view as? TextView)?.layout ?: return null
        val text = layout.text
        val word = (0 until layout.lineCount - 1).map(layout::getLineEnd).firstNotNullOfOrNull { end -> wordAround(text, end) }
        return "“$word” is broken".takeIf { word != null && word.length <= LONGEST_WORD && view !is EditText }
    }

    private fun wordAround(text: CharSequence, place: Int): String? {
        val word = text.substring(0, place).takeLastWhile(::isLatin) to text.substring(place).takeWhile(::isLatin)
        return (word.first + word.second).takeIf { word.first.isNotEmpty() && word.second.isNotEmpty() && it.all(Char::isLetter) }
    }

    private fun isLatin(char: Char) = char in 'a'..'z' || char in 'A'..'Z' || char in '0'..'9'

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

    private const val LONGEST_WORD = 14

    /** Pixels across. */
    private const val STANDING = 360
    private const val LYING = 1000
}
