package jp.hpki.agent

import java.nio.ByteBuffer
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import javax.imageio.ImageIO
import jp.hpki.agent.core.TrustConfiguration
import jp.hpki.agent.core.VerificationMaterial

/**
 * The association's office, the clinic and the remote-signing service: a reference service in a process of its own. [options] of
 * its `serve` make it misbehave.
 */
class Office(vararg options: String) : AutoCloseable {
    private val folder: Path = Files.createTempDirectory("office")
    private val server = ProcessBuilder(PROGRAM, "--dir", "$folder", "serve", "--listen", "127.0.0.1:0", *options)
        .redirectError(ProcessBuilder.Redirect.INHERIT).start()

    init {
        check(server.inputStream.bufferedReader().readLine().orEmpty().contains("issuer")) { "the service did not start" }
    }

    /** The doctor of most tests; each new phone of hers replaces the one before. */
    val doctor: String by lazy { issue() }

    val trustFile: Path get() = folder.resolve("trust.json")

    val trust: TrustConfiguration get() = TrustConfiguration.fromJson(Files.readAllBytes(trustFile))

    /** A certificate for a doctor; returns the credential's identifier. */
    fun issue(role: String = "Medical Doctor", validDays: Int? = null): String {
        val days = validDays?.let { arrayOf("--valid-days", "$it") } ?: emptyArray()
        return run("issue", "--name-kanji", DOCTOR.replace("　", " "), "--name-romaji", "HANAKO KENSHO", "--role", role, *days).trim()
    }

    fun letter(credential: String): Letter {
        val out = Files.createTempDirectory(folder, "letter")
        val (qrText, code) = run("letter", "--credential", credential, "--out", "$out", "--print").lines()
        return Letter(out.resolve("letter.png"), qrText, code)
    }

    /** The certificate's end, before its time. */
    fun revoke(credential: String) {
        run("revoke", "--credential", credential)
    }

    /** A clinic asks for signatures; returns the requests' identifiers. */
    fun submit(credential: String, vararg prescriptions: String): List<String> {
        val files = prescriptions.map { Files.write(Files.createTempFile(folder, "rx", ".csv"), it.toByteArray()).toString() }
        return run("submit", "--doctor", credential, *files.toTypedArray()).trim().lines()
    }

    /** The signed file, where the clinic has it. */
    fun collect(request: String): ByteArray? = start("collect", request).let { (code, output, _) -> output.takeIf { code == 0 } }

    /** What the clinic was told, where the doctor declined. */
    fun declined(request: String): String? = start("collect", request).let { (code, _, error) -> error.takeIf { code == 4 } }

    fun material(): VerificationMaterial {
        run("crl")
        val read = { name: String -> listOf(Files.readAllBytes(folder.resolve(name))) }
        return VerificationMaterial(
            roots = read("root.der"),
            intermediates = read("ca.der"),
            revocationLists = read("crl/root.crl") + read("crl/sign.crl"),
            prescriberRoles = listOf("Medical Doctor", "Dentist"),
        )
    }

    /** The service is out of reach from here on. */
    fun stop() {
        server.destroy()
        server.waitFor(10, TimeUnit.SECONDS)
    }

    override fun close() {
        stop()
        folder.toFile().deleteRecursively()
    }

    private fun run(vararg command: String): String {
        val (code, output, error) = start(*command)
        check(code == 0) { "${command.first()}: $error" }
        return output.decodeToString()
    }

    private fun start(vararg command: String): Triple<Int, ByteArray, String> {
        val errors = Files.createTempFile(folder, "errors", ".txt")
        val process = ProcessBuilder(PROGRAM, "--dir", "$folder", *command).redirectError(errors.toFile()).start()
        val output = process.inputStream.readAllBytes()
        return Triple(process.waitFor(), output, Files.readString(errors))
    }

    companion object {
        private val PROGRAM: String = System.getProperty("reference.service")
        const val DOCTOR = "検証　花子"
    }
}

/** A registration letter and the code that came apart from it. */
class Letter(val picture: Path, val qrText: String, val code: String) {
    /** The letter as a camera would see it. */
    fun luma(): Frame {
        val image = ImageIO.read(picture.toFile())
        val luma = ByteBuffer.allocateDirect(image.width * image.height)
        for (y in 0 until image.height) {
            for (x in 0 until image.width) {
                val rgb = image.getRGB(x, y)
                luma.put(((77 * (rgb shr 16 and 255) + 150 * (rgb shr 8 and 255) + 29 * (rgb and 255)) shr 8).toByte())
            }
        }
        luma.flip()
        return Frame(luma, image.width, image.height)
    }
}

/** A grey picture. */
class Frame(val luma: ByteBuffer, val width: Int, val height: Int)
