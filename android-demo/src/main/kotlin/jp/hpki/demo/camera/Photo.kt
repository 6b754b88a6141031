package jp.hpki.demo.camera

import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.net.Uri
import java.io.IOException
import java.nio.ByteBuffer
import jp.hpki.agent.QrScanner
import jp.hpki.agent.core.ScanOutcome
import kotlin.math.max
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/** The text of the QR in a photo; null when it holds none or cannot be opened. */
suspend fun readPhoto(resolver: ContentResolver, photo: Uri): String? = withContext(Dispatchers.Default) {
    val bitmap = try {
        decode(resolver, photo)
    } catch (_: IOException) {
        null
    } ?: return@withContext null
    val (width, height) = bitmap.width to bitmap.height
    val outcome = QrScanner().use { it.scan(luma(bitmap), width, height) }
    (outcome as? ScanOutcome.Read)?.symbol?.use { it.text() }
}

/** Large photos are halved until the scanner takes them. */
private fun decode(resolver: ContentResolver, photo: Uri): Bitmap? {
    val options = BitmapFactory.Options().apply { inJustDecodeBounds = true }
    resolver.openInputStream(photo)?.use { BitmapFactory.decodeStream(it, null, options) }
    options.inJustDecodeBounds = false
    options.inSampleSize = 1
    while (max(options.outWidth, options.outHeight) / options.inSampleSize > LONGEST) options.inSampleSize *= 2
    return resolver.openInputStream(photo)?.use { BitmapFactory.decodeStream(it, null, options) }
}

/** The same grey as a camera's Y plane. */
private fun luma(bitmap: Bitmap): ByteBuffer {
    val luma = ByteBuffer.allocateDirect(bitmap.width * bitmap.height)
    val row = IntArray(bitmap.width)
    for (y in 0 until bitmap.height) {
        bitmap.getPixels(row, 0, bitmap.width, 0, y, bitmap.width, 1)
        for (pixel in row) {
            luma.put(((77 * (pixel shr 16 and 255) + 150 * (pixel shr 8 and 255) + 29 * (pixel and 255)) shr 8).toByte())
        }
    }
    luma.flip()
    return luma
}

/** The scanner takes at most 4096 × 3072 pixels. */
private const val LONGEST = 3072
