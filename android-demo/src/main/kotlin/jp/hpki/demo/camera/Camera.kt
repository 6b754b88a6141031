package jp.hpki.demo.camera

import android.annotation.SuppressLint
import android.content.Context
import android.graphics.ImageFormat
import android.graphics.Matrix
import android.graphics.RectF
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CaptureRequest
import android.media.ImageReader
import android.os.Handler
import android.os.HandlerThread
import android.util.Size
import android.view.Surface
import android.view.TextureView
import kotlin.math.abs
import kotlin.math.max

/** The camera at the back: its picture in a view, its luma planes to [finder], its lamp. Lives as long as the page. */
@SuppressLint("MissingPermission")
class Camera(context: Context, private val view: TextureView, private val finder: Finder, private val onFailure: () -> Unit) :
    AutoCloseable {
    private val manager = context.getSystemService(Context.CAMERA_SERVICE) as CameraManager
    private val id: String? = manager.cameraIdList.firstOrNull { facing(it) == CameraCharacteristics.LENS_FACING_BACK }
        ?: manager.cameraIdList.firstOrNull()
    private val thread = HandlerThread("camera").apply { start() }
    private val handler = Handler(thread.looper)
    private var device: CameraDevice? = null
    private var session: CameraCaptureSession? = null
    private var reader: ImageReader? = null
    private var request: CaptureRequest.Builder? = null

    val isThere: Boolean get() = id != null

    val hasLamp: Boolean get() = id?.let { of(it, CameraCharacteristics.FLASH_INFO_AVAILABLE) } == true

    fun open() {
        if (id == null) return onFailure()
        try {
            manager.openCamera(id, Opened(), handler)
        } catch (_: CameraAccessException) {
            onFailure()
        }
    }

    /** The lamp, for a letter in the dark. */
    fun light(on: Boolean) {
        val request = request ?: return
        request.set(CaptureRequest.FLASH_MODE, if (on) CaptureRequest.FLASH_MODE_TORCH else CaptureRequest.FLASH_MODE_OFF)
        session?.setRepeatingRequest(request.build(), null, handler)
    }

    override fun close() {
        handler.post {
            session?.close()
            device?.close()
            reader?.close()
            finder.close()
            thread.quitSafely()
        }
    }

    private inner class Opened : CameraDevice.StateCallback() {
        override fun onOpened(camera: CameraDevice) {
            device = camera
            val texture = view.surfaceTexture ?: return onFailure()
            show(camera, texture)
        }

        override fun onDisconnected(camera: CameraDevice) = camera.close()

        override fun onError(camera: CameraDevice, error: Int) {
            camera.close()
            onFailure()
        }
    }

    private fun show(camera: CameraDevice, texture: SurfaceTexture) {
        val size = frameSize()
        texture.setDefaultBufferSize(size.width, size.height)
        view.post { turn(size) }
        val frames = ImageReader.newInstance(size.width, size.height, ImageFormat.YUV_420_888, FRAMES).also { reader = it }
        frames.setOnImageAvailableListener({ look(it) }, handler)
        val picture = Surface(texture)
        val request = camera.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW).also { request = it }
        request.addTarget(picture)
        request.addTarget(frames.surface)
        request.set(CaptureRequest.CONTROL_AF_MODE, CaptureRequest.CONTROL_AF_MODE_CONTINUOUS_PICTURE)
        @Suppress("DEPRECATION")
        camera.createCaptureSession(listOf(picture, frames.surface), Configured(request), handler)
    }

    private inner class Configured(private val request: CaptureRequest.Builder) : CameraCaptureSession.StateCallback() {
        override fun onConfigured(configured: CameraCaptureSession) {
            session = configured
            configured.setRepeatingRequest(request.build(), null, handler)
        }

        override fun onConfigureFailed(failed: CameraCaptureSession) = onFailure()
    }

    /** The newest frame; those that came while the last one was read are dropped. */
    private fun look(frames: ImageReader) {
        frames.acquireLatestImage()?.use { image ->
            val luma = image.planes[0]
            finder.look(luma.buffer, image.width, image.height, luma.rowStride)
        }
    }

    /** Some 1080 rows: enough for a letter held at arm's length, and read in a few milliseconds. */
    private fun frameSize(): Size {
        val sizes = of(checkNotNull(id), CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP)
            ?.getOutputSizes(ImageFormat.YUV_420_888).orEmpty()
        return sizes.minByOrNull { abs(it.width * it.height - WANTED) } ?: Size(1280, 720)
    }

    /** Fills the view with the picture, upright and undistorted, however the phone is held. */
    private fun turn(size: Size) {
        val display = view.display ?: return
        val (width, height) = view.width.toFloat() to view.height.toFloat()
        val degrees = display.rotation * 90
        val box = RectF(0f, 0f, width, height)
        val matrix = Matrix()
        val sideways = degrees % 180 != 0
        val (bufferWidth, bufferHeight) = if (sideways) size.width to size.height else size.height to size.width
        val scale = max(width / bufferWidth, height / bufferHeight)
        matrix.postScale(bufferWidth * scale / width, bufferHeight * scale / height, box.centerX(), box.centerY())
        matrix.postRotate(-degrees.toFloat(), box.centerX(), box.centerY())
        view.setTransform(matrix)
    }

    private fun facing(camera: String) = of(camera, CameraCharacteristics.LENS_FACING)

    private fun <T> of(camera: String, key: CameraCharacteristics.Key<T>): T? = manager.getCameraCharacteristics(camera).get(key)

    private companion object {
        const val FRAMES = 2
        const val WANTED = 1920 * 1080
    }
}
