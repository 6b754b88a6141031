package jp.hpki.agent.android

import android.app.Activity
import android.content.DialogInterface
import android.hardware.biometrics.BiometricManager
import android.hardware.biometrics.BiometricPrompt
import android.os.Build
import android.os.CancellationSignal
import java.security.Signature
import jp.hpki.agent.core.KeyVaultException
import jp.hpki.agent.core.Prompt
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.suspendCancellableCoroutine

/** What the platform's prompt says. The default speaks Japanese; an app may bring its own words. */
public open class PromptTexts {
    /** The title. */
    public open fun title(prompt: Prompt): String = when (prompt) {
        is Prompt.Register -> "この端末を登録"
        is Prompt.Approve -> "処方箋 ${prompt.count} 件に電子署名"
    }

    /** The line below. */
    public open fun description(prompt: Prompt): String = when (prompt) {
        is Prompt.Register -> "${prompt.service} にこの端末を登録します"
        is Prompt.Approve -> "内容を確認した処方箋に署名します"
    }

    /** The button that ends it. */
    public open val cancel: String = "中止"
}

/**
 * Shows the platform's own biometric prompt, which unlocks this one signature. Runs on the main thread wherever it is called;
 * a cancelled coroutine closes the prompt.
 */
internal suspend fun verifyUser(activity: Activity, texts: PromptTexts, prompt: Prompt, signature: Signature): Signature =
    suspendCancellableCoroutine { waiting ->
        val closed = CancellationSignal()
        waiting.invokeOnCancellation { closed.cancel() }
        val onCancel = DialogInterface.OnClickListener { _, _ -> waiting.fail(KeyVaultException.Cancelled()) }
        activity.runOnUiThread {
            val builder = BiometricPrompt.Builder(activity)
                .setTitle(texts.title(prompt))
                .setDescription(texts.description(prompt))
                .setNegativeButton(texts.cancel, activity.mainExecutor, onCancel)
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
                builder.setAllowedAuthenticators(BiometricManager.Authenticators.BIOMETRIC_STRONG)
            }
            // Before API 30 a prompt with a CryptoObject admits strong biometrics alone.
            val crypto = BiometricPrompt.CryptoObject(signature)
            builder.build().authenticate(crypto, closed, activity.mainExecutor, Answer(waiting))
        }
    }

private class Answer(private val waiting: CancellableContinuation<Signature>) : BiometricPrompt.AuthenticationCallback() {
    override fun onAuthenticationSucceeded(result: BiometricPrompt.AuthenticationResult) {
        val signature = result.cryptoObject?.signature
        if (signature != null) waiting.answer(signature) else waiting.fail(KeyVaultException.Failed("no signature unlocked"))
    }

    override fun onAuthenticationError(errorCode: Int, errString: CharSequence?) {
        waiting.fail(
            when (errorCode) {
                BiometricPrompt.BIOMETRIC_ERROR_USER_CANCELED,
                BiometricPrompt.BIOMETRIC_ERROR_CANCELED,
                BiometricPrompt.BIOMETRIC_ERROR_TIMEOUT,
                -> KeyVaultException.Cancelled()
                BiometricPrompt.BIOMETRIC_ERROR_LOCKOUT,
                BiometricPrompt.BIOMETRIC_ERROR_LOCKOUT_PERMANENT,
                -> KeyVaultException.LockedOut()
                else -> KeyVaultException.Failed("biometric error $errorCode: $errString")
            },
        )
    }
}

/** A prompt may call back twice (the button, then the closing); the first counts. */
private fun CancellableContinuation<Signature>.answer(signature: Signature) {
    if (isActive) resume(signature)
}

private fun CancellableContinuation<Signature>.fail(why: KeyVaultException) {
    if (isActive) resumeWithException(why)
}
