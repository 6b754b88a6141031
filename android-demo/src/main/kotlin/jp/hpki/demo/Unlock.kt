package jp.hpki.demo

import android.app.Activity
import android.content.DialogInterface
import android.hardware.biometrics.BiometricManager.Authenticators.BIOMETRIC_STRONG
import android.hardware.biometrics.BiometricManager.Authenticators.DEVICE_CREDENTIAL
import android.hardware.biometrics.BiometricPrompt
import android.os.Build
import android.os.CancellationSignal
import kotlin.coroutines.resume
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.suspendCancellableCoroutine

/** The platform's own unlocking, by biometrics or (from Android 11 on) the screen lock. It signs nothing. */
suspend fun askToUnlock(activity: Activity): Boolean = suspendCancellableCoroutine { waiting ->
    val closed = CancellationSignal()
    waiting.invokeOnCancellation { closed.cancel() }
    val builder = BiometricPrompt.Builder(activity).setTitle(activity.getString(R.string.locked_title))
    if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
        builder.setAllowedAuthenticators(BIOMETRIC_STRONG or DEVICE_CREDENTIAL)
    } else {
        val no = DialogInterface.OnClickListener { _, _ -> waiting.answer(false) }
        builder.setNegativeButton(activity.getString(R.string.cancel), activity.mainExecutor, no)
    }
    builder.build().authenticate(
        closed,
        activity.mainExecutor,
        object : BiometricPrompt.AuthenticationCallback() {
            override fun onAuthenticationSucceeded(result: BiometricPrompt.AuthenticationResult) = waiting.answer(true)

            override fun onAuthenticationError(errorCode: Int, errString: CharSequence?) = waiting.answer(false)
        },
    )
}

/** A prompt may call back twice (the button, then the closing); the first counts. */
private fun CancellableContinuation<Boolean>.answer(yes: Boolean) {
    if (isActive) resume(yes)
}
