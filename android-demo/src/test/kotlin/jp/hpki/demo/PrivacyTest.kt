package jp.hpki.demo

import android.content.pm.ApplicationInfo
import android.content.pm.PackageManager
import android.view.WindowManager.LayoutParams.FLAG_SECURE
import javax.xml.parsers.DocumentBuilderFactory
import jp.hpki.agent.prescription
import jp.hpki.demo.journey.Screen
import kotlin.math.max
import kotlin.math.min
import kotlin.math.pow
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** What the app asks of the phone, and what it keeps to itself. */
@RunWith(RobolectricTestRunner::class)
class PrivacyTest {
    private val app get() = RuntimeEnvironment.getApplication() as TestApp

    @Test
    fun `the window is closed to screenshots unless a test opens it`() {
        app.hides = true
        assertTrue(flags() and FLAG_SECURE != 0)
    }

    @Test
    fun `the app as it ships hides its window`() = assertTrue(Environment(app).hidesFromScreenshots)

    @Test
    fun `no page with a patient on it can be photographed`() {
        val hand = Hand { hides = true }.register()
        val office = hand.app.office
        office.submit(office.doctor, prescription("見本　一郎"), Samples.refused)
        val pages = mutableListOf<Class<*>>()
        val closed = {
            assertTrue("${hand.screen}", hand.activity.window.attributes.flags and FLAG_SECURE != 0)
            pages += hand.screen.javaClass
        }
        hand.waitFor("見本　一郎")
        hand.waitFor(R.string.inbox_refused)
        closed()
        hand.tap(R.string.inbox_refused)
        closed()
        hand.back()
        hand.tap("見本　一郎")
        hand.window.recreate()
        closed()
        hand.readToTheEnd()
        hand.tap(R.string.review_decline)
        closed()
        hand.back()
        hand.approve()
        closed()
        hand.waitFor<Screen.Results>()
        closed()
        val wanted = listOf(
            Screen.Inbox::class, Screen.Refused::class, Screen.Review::class, Screen.Decline::class, Screen.Signing::class,
            Screen.Results::class,
        )
        assertEquals(wanted.map { it.java }, pages)
    }

    private fun flags() = Robolectric.buildActivity(MainActivity::class.java).setup().get().window.attributes.flags

    @Test
    fun `three permissions and no more`() {
        val asked = app.packageManager.getPackageInfo(app.packageName, PackageManager.GET_PERMISSIONS).requestedPermissions!!
        val wanted = listOf("CAMERA", "INTERNET", "USE_BIOMETRIC").map { "android.permission.$it" }
        assertEquals(wanted, asked.toList().sorted())
    }

    @Test
    fun `nothing goes into a backup, to another phone, or over the wire in clear`() {
        val info = app.applicationInfo
        assertEquals(0, info.flags and ApplicationInfo.FLAG_ALLOW_BACKUP)
        assertEquals(0, info.flags and ApplicationInfo.FLAG_USES_CLEARTEXT_TRAFFIC)
        val manifest = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse("src/main/AndroidManifest.xml")
        val application = manifest.getElementsByTagName("application").item(0).attributes
        assertEquals("@xml/hpki_agent_extraction", application.getNamedItem("android:dataExtractionRules").nodeValue)
        assertEquals("@xml/hpki_agent_backup", application.getNamedItem("android:fullBackupContent").nodeValue)
    }

    @Test
    fun `only the window can be reached from outside, and the app posts no notification`() {
        val others = PackageManager.GET_SERVICES or PackageManager.GET_RECEIVERS or PackageManager.GET_PROVIDERS
        val info = app.packageManager.getPackageInfo(app.packageName, PackageManager.GET_ACTIVITIES or others)
        assertEquals(listOf(MainActivity::class.java.name), info.activities!!.filter { it.exported }.map { it.name })
        assertTrue(listOf(info.services, info.receivers, info.providers).all { it.isNullOrEmpty() })
    }

    @Test
    fun `every ink can be read on its ground`() = inksAreReadable()

    @Test
    @Config(qualifiers = "+night")
    fun `every ink can be read on its ground in the dark`() = inksAreReadable()

    private fun inksAreReadable() {
        val pairs = listOf(
            R.color.ink to R.color.ground, R.color.ink to R.color.sheet, R.color.ink to R.color.band,
            R.color.ink_soft to R.color.ground, R.color.ink_soft to R.color.sheet, R.color.ink_soft to R.color.band,
            R.color.on_accent to R.color.accent, R.color.accent to R.color.sheet, R.color.accent to R.color.ground,
            R.color.on_accent_soft to R.color.accent_soft, R.color.on_warning to R.color.warning, R.color.on_warning to R.color.sheet,
            R.color.on_danger to R.color.danger, R.color.on_good to R.color.good, R.color.on_calm to R.color.calm,
            R.color.on_idle to R.color.idle,
        )
        val faint = pairs.filter { (ink, ground) -> contrast(app.getColor(ink), app.getColor(ground)) < 4.5 }
        val name = app.resources::getResourceEntryName
        assertEquals(emptyList<String>(), faint.map { (ink, ground) -> "${name(ink)} on ${name(ground)}" })
        assertFalse(pairs.isEmpty())
    }

    /** WCAG 2.2, contrast ratio. */
    private fun contrast(a: Int, b: Int): Double = (max(light(a), light(b)) + 0.05) / (min(light(a), light(b)) + 0.05)

    private fun light(color: Int): Double {
        val linear = { part: Double -> if (part <= 0.03928) part / 12.92 else ((part + 0.055) / 1.055).pow(2.4) }
        val (r, g, b) = listOf(16, 8, 0).map { linear((color shr it and 255) / 255.0) }
        return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
}
