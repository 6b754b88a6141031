package jp.hpki.demo

import android.Manifest
import java.nio.ByteBuffer
import jp.hpki.agent.Frame
import jp.hpki.agent.core.WhyNothing
import jp.hpki.demo.camera.Finder
import jp.hpki.demo.journey.Screen
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

/** What the camera's pictures come to, and what is done where there is no camera. */
@RunWith(RobolectricTestRunner::class)
class ScannerTest {
    private val found = mutableListOf<String>()
    private val hints = mutableListOf<WhyNothing>()

    @Test
    fun `a letter before the camera is read where its frame lies, and once`() {
        val letter = (RuntimeEnvironment.getApplication() as TestApp).office.let { it.letter(it.doctor) }
        val frame = letter.luma()
        val stride = frame.width + 64
        val plane = padded(frame, stride)
        Finder(found::add, hints::add).use { finder -> repeat(2) { finder.look(plane, frame.width, frame.height, stride) } }
        assertEquals(listOf(letter.qrText), found)
        assertEquals(emptyList<WhyNothing>(), hints)
    }

    @Test
    fun `an empty frame is told of, and nothing is read after the page has gone`() {
        val empty = ByteBuffer.allocateDirect(640 * 480)
        val finder = Finder(found::add, hints::add)
        finder.look(empty, 640, 480, 640)
        finder.close()
        finder.look(empty, 640, 480, 640)
        assertEquals(listOf(WhyNothing.NO_CODE), hints)
    }

    @Test
    fun `a doctor who has not allowed the camera is asked, and can take a photo`() {
        val hand = Hand()
        hand.waitFor(R.string.welcome_scan)
        hand.tap(R.string.welcome_scan)
        assertTrue(hand.sees(R.string.scan_no_leave) && hand.sees(R.string.scan_photo))
        hand.tap(R.string.scan_allow)
        assertArrayEquals(arrayOf(Manifest.permission.CAMERA), shadowOf(hand.activity).lastRequestedPermission.requestedPermissions)
    }

    @Test
    fun `a phone without a camera says so, and a photo does`() {
        val hand = Hand { shadowOf(this).grantPermissions(Manifest.permission.CAMERA) }
        hand.waitFor(R.string.welcome_scan)
        hand.tap(R.string.welcome_scan)
        hand.waitFor(R.string.scan_no_camera)
        assertTrue(!hand.sees(R.string.scan_allow))
        hand.tap(R.string.scan_photo)
        hand.choosePhoto(hand.app.office.let { it.letter(it.doctor) }.picture.toFile())
        hand.waitFor<Screen.Code>()
    }

    /** As a camera gives it: rows that begin further apart than they are long. */
    private fun padded(frame: Frame, stride: Int): ByteBuffer {
        val plane = ByteBuffer.allocateDirect(stride * frame.height)
        val row = ByteArray(frame.width)
        for (y in 0 until frame.height) {
            frame.luma.position(y * frame.width)
            frame.luma.get(row)
            plane.position(y * stride)
            plane.put(row)
        }
        plane.position(0)
        return plane
    }
}
