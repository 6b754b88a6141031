package jp.hpki.agent.android

import android.app.Activity
import android.os.Build
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import android.security.keystore.StrongBoxUnavailableException
import java.security.GeneralSecurityException
import java.security.KeyPairGenerator
import java.security.KeyStore
import java.security.PrivateKey
import java.security.ProviderException
import java.security.Signature
import java.security.UnrecoverableKeyException
import java.security.spec.ECGenParameterSpec
import jp.hpki.agent.core.KeyAlias
import jp.hpki.agent.core.KeyRole
import jp.hpki.agent.core.KeyVault
import jp.hpki.agent.core.KeyVaultException
import jp.hpki.agent.core.NewKey
import jp.hpki.agent.core.Prompt
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/**
 * The two keys of a binding in the phone's secure hardware (AndroidKeyStore; StrongBox where there is one). The approval key
 * signs only after a strong biometric, for each single use, and is destroyed by the platform when biometrics are enrolled anew.
 * Needs API 28, Android 9, for the platform's biometric prompt.
 *
 * @param activity the activity that is in front now: the prompt is shown over it
 * @param texts what the prompt says
 */
public class AndroidKeyVault(
    private val activity: () -> Activity,
    private val texts: PromptTexts = PromptTexts(),
) : KeyVault {
    override suspend fun create(alias: KeyAlias, attestationChallenge: ByteArray): NewKey = hardware {
        try {
            generate(alias, attestationChallenge, strongBox = true)
        } catch (_: StrongBoxUnavailableException) {
            generate(alias, attestationChallenge, strongBox = false)
        }
        val chain = keys().getCertificateChain(alias.name) ?: throw KeyVaultException.NotFound()
        // A phone without attestation gives a single certificate that the key signed itself, which attests nothing.
        val attestation = if (chain.size > 1) chain.map { it.encoded } else emptyList()
        NewKey(publicKey = chain.first().publicKey.encoded, attestation = attestation)
    }

    override suspend fun publicKey(alias: KeyAlias): ByteArray = hardware {
        keys().getCertificate(alias.name)?.publicKey?.encoded ?: throw KeyVaultException.NotFound()
    }

    override suspend fun sign(alias: KeyAlias, message: ByteArray, prompt: Prompt?): ByteArray {
        val locked = hardware {
            val key = keys().getKey(alias.name, null) as? PrivateKey ?: throw KeyVaultException.NotFound()
            Signature.getInstance("SHA256withECDSA").apply { initSign(key) }
        }
        val unlocked = if (prompt == null) locked else verifyUser(activity(), texts, prompt, locked)
        return hardware {
            unlocked.update(message)
            unlocked.sign()
        }
    }

    override suspend fun delete(alias: KeyAlias): Unit = hardware { keys().deleteEntry(alias.name) }

    private fun generate(alias: KeyAlias, challenge: ByteArray, strongBox: Boolean) {
        val spec = KeyGenParameterSpec.Builder(alias.name, KeyProperties.PURPOSE_SIGN)
            .setAlgorithmParameterSpec(ECGenParameterSpec("secp256r1"))
            .setDigests(KeyProperties.DIGEST_SHA256)
            .setAttestationChallenge(challenge)
            .setIsStrongBoxBacked(strongBox)
        if (alias.role == KeyRole.APPROVAL) spec.eachUseByStrongBiometric()
        KeyPairGenerator.getInstance(KeyProperties.KEY_ALGORITHM_EC, PROVIDER).run {
            initialize(spec.build())
            generateKeyPair()
        }
    }

    private fun KeyGenParameterSpec.Builder.eachUseByStrongBiometric() {
        setUserAuthenticationRequired(true)
        setInvalidatedByBiometricEnrollment(true)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
            setUserAuthenticationParameters(0, KeyProperties.AUTH_BIOMETRIC_STRONG)
        } else {
            // Before API 30 this is the form of the same: a biometric for every use.
            @Suppress("DEPRECATION")
            setUserAuthenticationValidityDurationSeconds(-1)
        }
    }

    private fun keys(): KeyStore = KeyStore.getInstance(PROVIDER).apply { load(null) }

    private val KeyAlias.name get() = "hpki-agent.$binding.${role.name.lowercase()}"

    /** The key store blocks, and each platform error is told as what it means to the doctor. */
    private suspend fun <T> hardware(work: () -> T): T = withContext(Dispatchers.IO) {
        try {
            work()
        } catch (_: KeyPermanentlyInvalidatedException) {
            throw KeyVaultException.Invalidated()
        } catch (_: UnrecoverableKeyException) {
            // Some makers' stores answer so once the screen lock was removed.
            throw KeyVaultException.Invalidated()
        } catch (e: GeneralSecurityException) {
            throw KeyVaultException.Failed(e.toString())
        } catch (e: ProviderException) {
            throw KeyVaultException.Failed(e.toString())
        }
    }

    private companion object {
        const val PROVIDER = "AndroidKeyStore"
    }
}
