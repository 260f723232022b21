"""Twilio's Messages resource: accepts messages, or answers as scripted."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from litestar import Request, Response, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

from tests.fakes import Fake

SID, TOKEN = "ACtest", "a token"


class TwilioFake(Fake):
    """`received` holds {To, From, Body}; `answers` are the next statuses."""

    def __init__(self) -> None:
        self.received: list[dict[str, str]] = []
        self.answers: list[int] = []
        super().__init__()

    def handlers(self) -> list[Any]:
        """Return the route."""

        @post(f"/2010-04-01/Accounts/{SID}/Messages.json")
        async def messages(
            request: Request[Any, Any, Any], data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
        ) -> Response[dict[str, Any]]:
            expected = "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
            if request.headers.get("authorization") != expected:
                return Response({"code": 20003, "message": "Authenticate", "status": 401}, status_code=401)
            if self.answers and (status := self.answers.pop(0)) != 201:
                return Response({"code": 0, "message": "not now", "status": status}, status_code=status)
            if not data["To"].startswith("+"):
                return Response({"code": 21211, "message": "Invalid 'To' Phone Number", "status": 400}, status_code=400)
            self.received.append(data)
            return Response({"sid": f"SM{len(self.received)}", "status": "queued"}, status_code=201)

        return [messages]
