"""A Cognito user pool: moto's server in its own process, called as AWS's own clients do."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import subprocess
import sys
import time
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2
from joserfc.jwk import RSAKey

from tests.fakes.dns import free_port

REGION = "us-east-1"
PASSWORD = "Correct-Horse-9"


class Cognito:
    """One pool with one confidential client; `issuer` and `discovery` as in Cognito."""

    def __init__(self) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        port = self.url.rpartition(":")[2]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", port],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> Self:
        until = time.monotonic() + 60
        while True:
            try:
                httpx2.get(f"{self.url}/moto-api/", timeout=5)
                break
            except httpx2.HTTPError:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise RuntimeError("moto's server did not start") from None
                time.sleep(0.1)
        self.pool: str = self.call("CreateUserPool", PoolName="people")["UserPool"]["Id"]
        client = self.call(
            "CreateUserPoolClient",
            UserPoolId=self.pool,
            ClientName="vetrina",
            GenerateSecret=True,
            ReadAttributes=["email", "email_verified", "name"],
            ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"],
        )["UserPoolClient"]
        self.client_id, self.client_secret = str(client["ClientId"]), str(client["ClientSecret"])
        self.discovery = f"{self.url}/{self.pool}/.well-known/openid-configuration"
        self.issuer = str(httpx2.get(self.discovery, timeout=30).json()["issuer"])
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(20)

    def call(self, action: str, **body: Any) -> dict[str, Any]:
        """Call the service's API. Raises httpx2's error with the service's message."""
        scope = f"x/20260101/{REGION}/cognito-idp/aws4_request"
        headers = {
            "X-Amz-Target": f"AWSCognitoIdentityProviderService.{action}",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=x",
        }
        answer = httpx2.post(self.url, json=body, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def user(self, username: str, **attributes: str) -> str:
        """Create a user with `PASSWORD` and return its subject."""
        given = [{"Name": key, "Value": value} for key, value in attributes.items()]
        self.call("AdminCreateUser", UserPoolId=self.pool, Username=username, UserAttributes=given, MessageAction="SUPPRESS")
        self.call("AdminSetUserPassword", UserPoolId=self.pool, Username=username, Password=PASSWORD, Permanent=True)
        result = self.call("AdminGetUser", UserPoolId=self.pool, Username=username)["UserAttributes"]
        return next(attribute["Value"] for attribute in result if attribute["Name"] == "sub")

    def id_token(self, name: str, password: str) -> str | None:
        """Return the ID token that the pool signs for a correct password; it has no nonce, since there was no redirect."""
        proof = hmac.digest(self.client_secret.encode(), (name + self.client_id).encode(), hashlib.sha256)
        secret_hash = base64.b64encode(proof).decode()
        given = {"USERNAME": name, "PASSWORD": password, "SECRET_HASH": secret_hash}
        try:
            answer = self.call("InitiateAuth", AuthFlow="USER_PASSWORD_AUTH", ClientId=self.client_id, AuthParameters=given)
        except httpx2.HTTPStatusError:
            return None
        return str(answer["AuthenticationResult"]["IdToken"])

    @staticmethod
    @cache
    def key() -> RSAKey:
        """Return moto's private signing key; cached, since checking its primes takes half a second."""
        moto = find_spec("moto")  # importing it takes a second
        assert moto is not None and moto.origin is not None
        packed = Path(moto.origin).parent / "cognitoidp/resources/jwks-private.json.gz"
        return RSAKey.import_key(json.loads(gzip.decompress(packed.read_bytes())))
