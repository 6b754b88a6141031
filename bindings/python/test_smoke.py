"""The journey of a doctor's phone through the same UniFFI layer from Python: nothing in it is Kotlin-shaped.

usage: test_smoke.py BINDINGS REFERENCE_SERVICE
  BINDINGS: a folder with hpki_agent_bindings.py and its library, as uniffi-bindgen made it
"""

import asyncio
import contextlib
import datetime
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

sys.path.insert(0, sys.argv[1])
import hpki_agent_bindings as hpki  # noqa: E402

SERVICE = sys.argv[2]
MAKE_SAMPLE = pathlib.Path(__file__).parents[2] / "tests/conformance/tools/make_sample.py"
DOCTOR = "検証　花子"


def prescription():
    """The CSV of a prescription issued today."""
    today = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=9))).date()
    days = [(today + datetime.timedelta(days=d)).strftime("%Y%m%d") for d in (0, 3)]
    return (
        "SJ1\n1,1,1312345,13,検証用クリニック\n2,100-0001,東京都千代田区千代田一丁目\n3,03-0000-0000,,\n4,2,01,内科\n"
        f"5,,ｹﾝｼｮｳ ﾊﾅｺ,{DOCTOR}\n11,00000001,電処　太郎,ﾃﾞﾝｼｮ ﾀﾛｳ\n12,1\n13,19750401\n21,1\n22,06123456\n"
        f"23,１２３,４５６７,1,01\n51,{days[0]}\n52,{days[1]}\n101,1,1,,28\n"
        "111,1,3,1013044400000000,１日２回朝夕食後　服用,2\n201,1,1,1,2,610406079,ガスターＤ錠２０ｍｇ,2,1,錠\n"
    )


async def agrees(prompt):
    """A user who always says yes."""


class Vault(hpki.KeyVault):
    """Keys in memory; `user` answers every prompt, and raises to refuse."""

    def __init__(self):
        self.keys, self.user = {}, agrees

    def name(self, alias):
        return alias.binding, alias.role

    def point(self, alias):
        if self.name(alias) not in self.keys:
            raise hpki.KeyVaultError.NotFound()
        public = self.keys[self.name(alias)].public_key()
        return public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)

    async def create(self, alias, attestation_challenge):
        self.keys[self.name(alias)] = ec.generate_private_key(ec.SECP256R1())
        return hpki.NewKey(public_key=self.point(alias), attestation=[])

    async def public_key(self, alias):
        return self.point(alias)

    async def sign(self, alias, message, prompt):
        if prompt is not None:
            await self.user(prompt)
        return self.keys[self.name(alias)].sign(message, ec.ECDSA(hashes.SHA256()))

    async def delete(self, alias):
        self.keys.pop(self.name(alias), None)


class Secrets(hpki.SecretStore):
    """Secrets in memory."""

    def __init__(self):
        self.secrets = {}

    def get(self, name):
        return hpki.Secret(self.secrets[name]) if name in self.secrets else None

    def set(self, name, secret):
        self.secrets[name] = secret.expose()

    def delete(self, name):
        self.secrets.pop(name, None)


class Office:
    """The association's office, the clinic and the service."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, *command):
        done = subprocess.run([SERVICE, "--dir", str(self.folder), *map(str, command)], check=True, capture_output=True)
        return done.stdout

    @contextlib.contextmanager
    def serving(self):
        command = [SERVICE, "--dir", str(self.folder), "serve", "--listen", "127.0.0.1:0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
            try:
                json.loads(server.stdout.readline())
                yield
            finally:
                server.terminate()


class Smoke(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.office = Office(self.folder / "office")
        self.enterContext(self.office.serving())
        issued = self.office.run(
            "issue", "--name-kanji", DOCTOR, "--name-romaji", "HANAKO KENSHO", "--role", "Medical Doctor"
        )
        self.doctor = issued.decode().strip()
        self.vault = Vault()

    async def open(self):
        trust = hpki.TrustConfiguration.from_json((self.office.folder / "trust.json").read_bytes())
        client = hpki.ClientInfo(software_id="smoke", software_version="1", client_name="smoke")
        return await hpki.Agent.open(trust, client, str(self.folder / "phone"), self.vault, Secrets())

    async def test_from_the_letter_to_the_signed_file(self):
        letter = self.office.run("letter", "--credential", self.doctor, "--out", self.folder / "letter", "--print")
        qr_text, code = letter.decode().splitlines()
        agent = await self.open()
        self.assertTrue((await agent.status()).is_UNREGISTERED())
        with self.assertRaises(hpki.AgentError.Retry) as missing:
            await agent.register(qr_text)
        self.assertEqual(missing.exception.failure.code, "ActivationCodeRequired")

        prompted = asyncio.Event()

        async def hesitates(prompt):
            prompted.set()
            await asyncio.Event().wait()

        self.vault.user = hesitates
        registering = asyncio.create_task(agent.register(qr_text, hpki.ActivationCode(code)))
        await prompted.wait()
        registering.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await registering
        self.vault.user = agrees
        candidate = await agent.register(qr_text, hpki.ActivationCode(code))
        self.assertEqual(candidate.holder().name_kanji, DOCTOR)
        await agent.confirm(candidate)

        csv = self.folder / "rx.csv"
        csv.write_text(prescription())
        request = self.office.run("submit", "--doctor", self.doctor, csv).decode().strip()
        waiting = await agent.inbox(datetime.timedelta(seconds=5))
        self.assertEqual([one.id() for one in waiting], [request])
        self.assertEqual(waiting[0].content().preview.patient.name, "電処　太郎")

        last = await agent.last_inbox()
        self.assertEqual([one.id() for one in last.waiting], [request])

        async def refuses(prompt):
            raise hpki.KeyVaultError.Cancelled()

        self.vault.user = refuses
        with self.assertRaises(hpki.AgentError.Retry) as cancelled:
            await agent.approve(await agent.prepare(waiting))
        self.assertEqual(cancelled.exception.failure.code, "UserCancelled")

        self.vault.user = agrees
        approved = await agent.approve(await agent.prepare(await agent.inbox(datetime.timedelta())))
        self.assertTrue(approved[0].delivery().is_DELIVERED())
        signed = self.office.run("collect", request)
        self.assertEqual(signed, approved[0].signed_file())
        self.verify(signed)
        events = [entry.event for entry in await agent.journal()]
        self.assertEqual(len(events), 4)  # registered, approved, signed, delivered
        self.assertTrue(events[0].is_REGISTERED() and events[3].is_DELIVERED())

    def verify(self, signed):
        self.office.run("crl")
        read = lambda name: (self.office.folder / name).read_bytes()  # noqa: E731
        material = hpki.VerificationMaterial(
            roots=[read("root.der")],
            intermediates=[read("ca.der")],
            revocation_lists=[read("crl/root.crl"), read("crl/sign.crl")],
            prescriber_roles=["Medical Doctor"],
        )
        now = datetime.datetime.now(datetime.timezone.utc)
        self.assertEqual(hpki.verify_file(signed, material, now).verdict, hpki.Verdict.VALID)

    async def test_a_phone_that_is_not_registered_is_told_so(self):
        agent = await self.open()
        with self.assertRaises(hpki.AgentError.RegisterAgain) as unregistered:
            await agent.watch_inbox().next()
        self.assertEqual(unregistered.exception.failure.code, "NotRegistered")

    def test_a_file_with_time_stamps_is_valid_under_their_root_and_undecided_without_it(self):
        made = self.folder / "made"
        subprocess.run([sys.executable, str(MAKE_SAMPLE), str(made)], check=True, capture_output=True)
        read = lambda name: (made / name).read_bytes()  # noqa: E731

        def judged(timestamp_roots):
            material = hpki.VerificationMaterial(
                roots=[read("root.der"), read("ca.der")],
                intermediates=[],
                revocation_lists=[read(name) for name in ("root.crl", "ca.crl", "tsa-root.crl")],
                prescriber_roles=["Medical Doctor"],
                timestamp_roots=timestamp_roots,
            )
            return hpki.verify_file(read("form-a-t.xml"), material, datetime.datetime.now(datetime.timezone.utc))

        stamped = judged([read("tsa-root.der")])
        self.assertEqual(stamped.verdict, hpki.Verdict.VALID)
        self.assertIsNotNone(stamped.signatures[0].stamped_at)
        self.assertNotIn(hpki.VerificationOutcome.FAILED, [check.result for check in stamped.signatures[0].checks])
        self.assertEqual(judged([]).verdict, hpki.Verdict.INDETERMINATE)
        with self.assertRaises(hpki.MaterialError.Unreadable):
            judged([b"no certificate"])

    def test_a_picture_without_a_code_has_none(self):
        outcome = hpki.Scanner().scan(bytes(64 * 64), 64, 64, 64)
        self.assertEqual(outcome.why, hpki.WhyNothing.NO_CODE)


if __name__ == "__main__":
    result = unittest.main(argv=sys.argv[:1], verbosity=2, exit=False).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    sys.exit(failed > 0)
