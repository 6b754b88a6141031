package jp.hpki.demo.pages

import android.Manifest
import android.content.Intent
import android.content.pm.PackageManager
import android.graphics.SurfaceTexture
import android.net.Uri
import android.provider.Settings
import android.view.TextureView
import android.view.View
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.FrameLayout
import android.widget.LinearLayout
import jp.hpki.agent.core.WhyNothing
import jp.hpki.demo.MainActivity
import jp.hpki.demo.R
import jp.hpki.demo.camera.Camera
import jp.hpki.demo.camera.Finder
import jp.hpki.demo.camera.readPhoto
import jp.hpki.demo.journey.Journey
import jp.hpki.demo.journey.Screen
import jp.hpki.demo.journey.State
import jp.hpki.demo.ui.Ui
import jp.hpki.demo.ui.keepClearOf
import jp.hpki.demo.ui.tool

/** The camera looks for the letter's QR. Without a camera, or without leave to use it, a photo does. */
class ScanPage(private val ui: Ui, private val window: MainActivity, private val journey: Journey) : Page {
    private val hint = ui.text(R.string.scan_hint, R.style.Text_Lead).apply {
        accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE
    }
    private val picture = TextureView(ui.context).apply { contentDescription = ui.string(R.string.scan_picture) }
    private val frame = View(ui.context).apply { background = ui.drawable(R.drawable.finder) }
    private val lamp = ui.tool(R.drawable.ic_lamp, R.string.scan_lamp) { switchLamp() }.apply { visibility = View.GONE }
    private val allow = ui.primary(R.string.scan_allow) { askForLeave() }
    private val photo = ui.secondary(R.string.scan_photo) { askForPhoto() }
    private var camera: Camera? = null
    private var lit = false

    override val view: View = layout()

    override fun keep(screen: Screen) = screen is Screen.Scan

    override fun update(state: State) {
        if ((state.screen as? Screen.Scan)?.photoHadNoCode == true) hint.setText(R.string.scan_photo_nothing)
    }

    private fun layout(): View = with(ui) {
        val bar = row(
            tool(R.drawable.ic_back, R.string.back) { journey.back() },
            heading(string(R.string.scan_title), R.style.Text_Title), lamp, stretched = 1, gap = 0,
        ).apply { minimumHeight = dp(64) }
        val finder = FrameLayout(context).apply {
            setBackgroundColor(color(R.color.camera))
            addView(picture, MATCH_PARENT, MATCH_PARENT)
            addView(frame, FrameLayout.LayoutParams(MATCH_PARENT, MATCH_PARENT))
        }
        val foot = column(hint, actions(allow, photo), gap = 12).apply { setPadding(dp(20), dp(16), dp(20), dp(16)) }
        val body = LinearLayout(context).apply {
            orientation = if (landscape) LinearLayout.HORIZONTAL else LinearLayout.VERTICAL
            val half = LinearLayout.LayoutParams(0, MATCH_PARENT, 1f)
            addView(finder, if (landscape) half else LinearLayout.LayoutParams(MATCH_PARENT, 0, 1f))
            addView(foot, if (landscape) LinearLayout.LayoutParams(half) else LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT))
        }
        LinearLayout(context).apply {
            orientation = LinearLayout.VERTICAL
            setBackgroundColor(color(R.color.ground))
            stack(bar)
            addView(body, LinearLayout.LayoutParams(MATCH_PARENT, 0, 1f))
            setOnApplyWindowInsetsListener { view, insets -> view.keepClearOf(insets) }
        }
    }

    // ---- The camera -----------------------------------------------------------------------------------------------------

    private fun mayUseCamera() = window.checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED

    private fun askForLeave() {
        if (window.shouldShowRequestPermissionRationale(Manifest.permission.CAMERA) || !asked) {
            asked = true
            window.requestPermissions(arrayOf(Manifest.permission.CAMERA), 1)
        } else {
            val app = Uri.fromParts("package", window.packageName, null)
            window.startActivity(Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, app))
        }
    }

    private var asked = false

    override fun permissionsChanged() {
        if (mayUseCamera() && camera == null) openCamera()
    }

    private fun openCamera() {
        allow.visibility = View.GONE
        picture.visibility = View.VISIBLE
        frame.visibility = View.VISIBLE
        hint.setText(R.string.scan_hint)
        val finder = Finder({ text -> picture.post { journey.letterRead(text) } }, { why -> picture.post { tell(why) } })
        val camera = Camera(window, picture, finder) { picture.post { withoutCamera() } }.also { camera = it }
        if (!camera.isThere) return withoutCamera()
        lamp.visibility = if (camera.hasLamp) View.VISIBLE else View.GONE
        if (picture.isAvailable) return camera.open()
        picture.surfaceTextureListener = object : TextureView.SurfaceTextureListener {
            override fun onSurfaceTextureAvailable(surface: SurfaceTexture, width: Int, height: Int) {
                this@ScanPage.camera?.open()
            }

            override fun onSurfaceTextureSizeChanged(surface: SurfaceTexture, width: Int, height: Int) = Unit

            override fun onSurfaceTextureDestroyed(surface: SurfaceTexture) = true

            override fun onSurfaceTextureUpdated(surface: SurfaceTexture) = Unit
        }
    }

    private fun withoutCamera() {
        allow.visibility = if (mayUseCamera()) View.GONE else View.VISIBLE
        picture.visibility = View.GONE
        frame.visibility = View.GONE
        hint.setText(if (mayUseCamera()) R.string.scan_no_camera else R.string.scan_no_leave)
    }

    private fun tell(why: WhyNothing) = hint.setText(
        when (why) {
            WhyNothing.NO_CODE -> R.string.scan_hint
            WhyNothing.TOO_SMALL -> R.string.scan_closer
            WhyNothing.TOO_BLURRED -> R.string.scan_still
            WhyNothing.UNREADABLE -> R.string.scan_light
            WhyNothing.UNSUPPORTED -> R.string.scan_other_code
        },
    )

    private fun switchLamp() {
        lit = !lit
        camera?.light(lit)
        lamp.contentDescription = ui.string(if (lit) R.string.scan_lamp_off else R.string.scan_lamp)
    }

    // ---- A photo --------------------------------------------------------------------------------------------------------

    private fun askForPhoto() {
        val pick = Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE).setType("image/*")
        @Suppress("DEPRECATION")
        window.startActivityForResult(pick, 1)
    }

    override fun received(uri: Uri) {
        val resolver = window.applicationContext.contentResolver
        journey.registration.photo { readPhoto(resolver, uri) }
    }

    override fun shown() = if (mayUseCamera()) openCamera() else withoutCamera()

    override fun hidden() {
        camera?.close()
        camera = null
        lit = false
    }
}
