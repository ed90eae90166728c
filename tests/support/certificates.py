"""Certificates for tests, made by `openssl` in a folder of the test.

    authority = Authority(folder, "Test CA")
    pair = authority.issue("server", "/CN=localhost", names="DNS:localhost,IP:127.0.0.1")
    pair.certificate, pair.key                paths of PEM files
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from support import settings

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
RSA = ("-newkey", "rsa:2048")


def openssl(*arguments):
    result = subprocess.run(["openssl", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                            timeout=settings.COMMAND_SECONDS_MAX, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


@dataclass(frozen=True)
class Pair:
    certificate: Path
    key: Path

    def copy_over(self, other):
        """Replaces the files of another pair, each in one step."""
        for mine, theirs in ((self.certificate, other.certificate), (self.key, other.key)):
            new = theirs.with_suffix(".new")
            shutil.copy(mine, new)
            new.rename(theirs)


class Authority:
    """A self-signed authority."""

    def __init__(self, folder, name):
        self._folder = Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        self.pair = Pair(self._folder / "ca.pem", self._folder / "ca.key")
        openssl("req", "-x509", *EC, "-nodes", "-subj", f"/CN={name}", "-days", 2, "-keyout", self.pair.key,
                "-out", self.pair.certificate, "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign")

    @property
    def certificate(self):
        return self.pair.certificate

    def issue(self, file, subject, names="", purpose="serverAuth", days=2, kind=EC):
        """Issues a certificate; with negative `days` it has expired."""
        made = Pair(self._folder / f"{file}.pem", self._folder / f"{file}.key")
        request, extensions = self._folder / f"{file}.csr", self._folder / f"{file}.ext"
        extensions.write_text(f"extendedKeyUsage={purpose}\n" + (f"subjectAltName={names}\n" if names else ""))
        openssl("req", "-new", *kind, "-nodes", "-utf8", "-subj", subject, "-keyout", made.key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.pair.certificate, "-CAkey", self.pair.key, "-CAcreateserial",
                "-days", days, "-extfile", extensions, "-out", made.certificate)
        return made
