package jp.hpki.agent

import java.nio.file.Files
import java.nio.file.Path
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.Signature
import java.security.spec.ECGenParameterSpec
import java.time.LocalDate
import java.time.ZoneId
import java.time.format.DateTimeFormatter
import java.util.concurrent.ConcurrentHashMap
import jp.hpki.agent.core.ActivationCode
import jp.hpki.agent.core.ClientInfo
import jp.hpki.agent.core.KeyAlias
import jp.hpki.agent.core.KeyRole
import jp.hpki.agent.core.KeyVault
import jp.hpki.agent.core.KeyVaultException
import jp.hpki.agent.core.NewKey
import jp.hpki.agent.core.Prompt
import jp.hpki.agent.core.Secret
import jp.hpki.agent.core.SecretStore

/** A phone with keys and secrets in memory, and a user whom a test answers for. */
class Phone(private val office: Office, val folder: Path = Files.createTempDirectory("phone")) {
    val vault = TestVault()
    val secrets = MemorySecrets()

    suspend fun open(): HpkiAgent =
        HpkiAgent.open(office.trust, ClientInfo("jp.hpki.agent.test", "1", "試験"), folder.toString(), vault, secrets)

    suspend fun startOver(): HpkiAgent =
        HpkiAgent.startOver(office.trust, ClientInfo("jp.hpki.agent.test", "1", "試験"), folder.toString(), vault, secrets)

    /** An agent registered by a new letter for the office's doctor, with an empty inbox. */
    suspend fun registered(): HpkiAgent = open().also { agent ->
        val letter = office.letter(office.doctor)
        agent.confirm(agent.register(letter.qrText, ActivationCode(letter.code)))
        agent.inbox().forEach { agent.decline(it, "left by another test") }
    }
}

/** What a test wants the vault's user to do before a signature is made. */
typealias User = suspend (Prompt) -> Unit

class TestVault : KeyVault {
    private val keys = ConcurrentHashMap<KeyAlias, KeyPair>()

    /** Answers every prompt; throws to refuse. */
    @Volatile
    var user: User = {}
    val prompts: MutableList<Prompt> = java.util.Collections.synchronizedList(mutableListOf())

    override suspend fun create(alias: KeyAlias, attestationChallenge: ByteArray): NewKey {
        check(attestationChallenge.size == 32)
        val generator = KeyPairGenerator.getInstance("EC").apply { initialize(ECGenParameterSpec("secp256r1")) }
        val pair = generator.generateKeyPair().also { keys[alias] = it }
        return NewKey(pair.public.encoded, emptyList())
    }

    override suspend fun publicKey(alias: KeyAlias): ByteArray = key(alias).public.encoded

    override suspend fun sign(alias: KeyAlias, message: ByteArray, prompt: Prompt?): ByteArray {
        check((alias.role == KeyRole.APPROVAL) == (prompt != null)) { "the user is asked for the approval key alone" }
        prompt?.let {
            prompts += it
            user(it)
        }
        val began = System.nanoTime()
        return Signature.getInstance("SHA256withECDSA").run {
            initSign(key(alias).private)
            update(message)
            sign()
        }.also { signatures += System.nanoTime() - began }
    }

    /** What each of its signatures has taken, in nanoseconds. */
    val signatures: MutableList<Long> = java.util.Collections.synchronizedList(mutableListOf())

    override suspend fun delete(alias: KeyAlias) {
        keys.remove(alias)
    }

    val size get() = keys.size

    private fun key(alias: KeyAlias) = keys[alias] ?: throw KeyVaultException.NotFound()
}

class MemorySecrets : SecretStore {
    private val secrets = ConcurrentHashMap<String, ByteArray>()
    val threads: MutableSet<Thread> = ConcurrentHashMap.newKeySet()

    override fun get(name: String): Secret? {
        threads += Thread.currentThread()
        return secrets[name]?.let(::Secret)
    }

    override fun set(name: String, secret: Secret) {
        threads += Thread.currentThread()
        secrets[name] = secret.expose()
    }

    override fun delete(name: String) {
        secrets.remove(name)
    }

    fun clear() = secrets.clear()

    /** Whether any secret stands in this text. */
    fun leaksInto(text: String) = secrets.values.any { text.contains(it.decodeToString()) }
}

/** The CSV of a prescription issued today for a patient of this name. */
fun prescription(patient: String = "電処　太郎", doctor: String = Office.DOCTOR): String {
    val today = LocalDate.now(ZoneId.of("Asia/Tokyo"))
    val day = { date: LocalDate -> date.format(DateTimeFormatter.BASIC_ISO_DATE) }
    return """
        SJ1
        1,1,1312345,13,検証用クリニック
        2,100-0001,東京都千代田区千代田一丁目
        3,03-0000-0000,,
        4,2,01,内科
        5,,ｹﾝｼｮｳ ﾊﾅｺ,$doctor
        11,00000001,$patient,ﾃﾞﾝｼｮ ﾀﾛｳ
        12,1
        13,19750401
        21,1
        22,06123456
        23,１２３,４５６７,1,01
        51,${day(today)}
        52,${day(today.plusDays(3))}
        101,1,1,,28
        111,1,3,1013044400000000,１日２回朝夕食後　服用,2
        201,1,1,1,2,610406079,ガスターＤ錠２０ｍｇ,2,1,錠

    """.trimIndent()
}
