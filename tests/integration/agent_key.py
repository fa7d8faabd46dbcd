"""A key pair made by openssl, and what it signs."""

import base64
import hashlib
import os
import subprocess


class Key:
    def __init__(self, directory):
        self.path = os.path.join(directory, 'key.pem')
        subprocess.run(['openssl', 'genpkey', '-algorithm', 'ed25519', '-out', self.path],
                       check=True, capture_output=True)
        der = subprocess.run(['openssl', 'pkey', '-in', self.path, '-pubout', '-outform', 'DER'],
                             check=True, capture_output=True).stdout
        self.public = der[-32:]
        self.ref = 'ed25519:' + self.public.hex()

    def key_id(self, name):
        """A verifier key's text without its last part."""
        digest = hashlib.sha256(name.encode() + b'\n\x01' + self.public).hexdigest()
        return f'{name}+{digest[:8]}'

    def sign(self, statement):
        path = self.path + '.statement'
        with open(path, 'wb') as file:
            file.write(statement)
        return base64.b64encode(subprocess.run(
            ['openssl', 'pkeyutl', '-sign', '-inkey', self.path, '-rawin', '-in', path],
            check=True, capture_output=True).stdout).decode()
