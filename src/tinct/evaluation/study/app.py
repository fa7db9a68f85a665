"""The study's server: a page, pictures by their place, and votes; names of methods are never sent."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated

from tinct.errors import EvaluationError, MissingExtraError
from tinct.evaluation.study.design import KINDS, Study, Trial
from tinct.evaluation.study.pictures import context_picture, trial_picture
from tinct.evaluation.study.votes import VoteFile

try:
    import uvicorn
    from fastapi import FastAPI, HTTPException, Path, Request, Response
    from fastapi.middleware.trustedhost import TrustedHostMiddleware
    from fastapi.responses import JSONResponse
    from pydantic import BaseModel, ConfigDict, Field
    from starlette.routing import BaseRoute, Match
except ImportError as missing:
    raise MissingExtraError(
        f"the study's page needs a web server ({missing}): pip install 'tinct[study]'."
    ) from None

PAGE = {"": "index.html", "study.js": "study.js", "study.css": "study.css"}
"""Path in the address -> file of the page."""

MEDIA = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
"""Suffix of a file -> its media type."""

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""HTTP headers of every response."""

METHODS = ("GET", "HEAD", "POST", "DELETE")
"""HTTP methods that an address may take, besides OPTIONS, which all of them take."""

READ = ["GET", "HEAD"]
"""HTTP methods of what is only read; the server sends no body as the answer to HEAD."""

LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
"""Names of this machine in addresses."""

CONTEXT = ("gray", "reference")
"""Pictures that are shown beside those of a trial, by the last part of the address."""

Token = Annotated[str, Path(max_length=64)]
"""A participant's token in an address."""


class VoteRequest(BaseModel):
    """A vote as the page sends it.

    Attributes:
        choice: place of the chosen picture, or index of the answer.
        milliseconds: from the question to the answer.
    """

    model_config = ConfigDict(extra="forbid")
    choice: int = Field(ge=0, le=8)
    milliseconds: int = Field(default=0, ge=0, le=86_400_000)


@dataclass(frozen=True, slots=True)
class Participation:
    """One participant's way through the study.

    Attributes:
        study, votes: the study and its file of votes.
        token, participant: the participant's token and number.
        plan: the participant's trials.
    """

    study: Study
    votes: VoteFile
    token: str
    participant: int
    plan: tuple[Trial, ...]

    @classmethod
    def of(cls, study: Study, votes: VoteFile, token: str) -> Participation:
        """The participation of a token; HTTP 404 if no participant has it."""
        participant = votes.number(token)
        if participant is None:
            raise HTTPException(404, "no such participant; reload the page to begin.")
        return cls(study, votes, token, participant, study.plan(participant))

    def trial(self, index: int) -> Trial:
        """A trial that has been answered, or one of the next two (the page loads one ahead); HTTP 404 for others."""
        if not 0 <= index < len(self.plan) or index > self.votes.answered(self.participant) + 1:
            raise HTTPException(404, "no such trial yet.")
        return self.plan[index]

    def describe(self, index: int) -> dict[str, object]:
        """A trial as the page needs it: addresses of the pictures by place, without names."""
        trial, root = self.plan[index], f"sessions/{self.token}/trials/{index}"
        pictures, told = self.study.pictures, self.study.kind == "preference"
        known = (pictures.gray, pictures.reference)
        context = dict(zip(CONTEXT, known, strict=True)) if told else {}
        return {
            "index": index,
            "practice": trial.practice,
            "pictures": [f"{root}/pictures/{place}" for place in range(len(trial.shown))],
            "choices": len(trial.choices),
            "context": {
                what: f"{root}/{what}" for what, those in context.items() if trial.photograph in those
            },
        }

    def state(self) -> dict[str, object]:
        """The participant's progress, the next trial and the one after it."""
        answered, practice = self.votes.answered(self.participant), self.study.counts()[0]
        ahead = range(answered, min(answered + 2, len(self.plan)))
        return {
            "token": self.token,
            "kind": self.study.kind,
            "question": KINDS[self.study.kind],
            "seconds": 0 if self.study.kind == "preference" else self.study.seconds,
            "answered": answered,
            "trials": len(self.plan),
            "practice": practice,
            "can_take_back": answered > practice,
            "ahead": [self.describe(index) for index in ahead],
        }

    def vote(self, index: int, request: VoteRequest) -> dict[str, object]:
        """Keep a vote, and return `state`; for a practice trial with the right answer."""
        trial = self.trial(index)
        if index > self.votes.answered(self.participant):
            raise HTTPException(409, "trials are answered in order.")
        if request.choice >= len(trial.choices):
            raise HTTPException(422, f"choice must be below {len(trial.choices)}.")
        chosen = trial.choices[request.choice]
        if not self.votes.vote(self.participant, index, trial, chosen, request.milliseconds):
            raise HTTPException(409, "this trial has been answered; the first answer stands.")
        told = {} if not trial.practice else feedback(trial, chosen)
        return {**self.state(), **told}

    def take_back(self, index: int) -> dict[str, object]:
        """Forget the last vote, and return `state`; HTTP 409 for practice trials, whose answers have been told."""
        if index < self.study.counts()[0] or not self.votes.take_back(self.participant, index):
            raise HTTPException(409, "only the last answer can be taken back, and none of practice.")
        return self.state()


def feedback(trial: Trial, chosen: str) -> dict[str, object]:
    """What a participant is told after a practice trial: whether the choice was right, and which one is."""
    if trial.fake is None:
        return {}
    return {"right": chosen == trial.fake, "fake": trial.choices.index(trial.fake)}


def create_app(study: Study, votes: VoteFile, *, local: bool = True) -> FastAPI:
    """The study's application.

    Args:
        study: pictures and plan.
        votes: the file that keeps the votes.
        local: refuse requests to other names than this machine's, which pages of other sites could send by DNS
            rebinding.
    """
    app = FastAPI(title="tinct study", docs_url=None, redoc_url=None, openapi_url=None)
    if local:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=LOCAL_HOSTS)
    app.middleware("http")(_with_headers)
    app.exception_handler(EvaluationError)(_refused)
    app.exception_handler(405)(_not_allowed)
    _add_page(app)
    _add_sessions(app, study, votes)
    return app


async def _refused(request: Request, error: Exception) -> Response:
    """HTTP 500 without the reason, which names a method; whoever runs the study reads it on stderr."""
    logging.getLogger("uvicorn.error").error(str(error))
    return JSONResponse({"detail": "a picture of this trial cannot be shown."}, 500)


async def _not_allowed(request: Request, error: Exception) -> Response:
    """HTTP 204 for OPTIONS, 405 for other methods that an address does not take, each with those that it takes."""
    scope = {key: request.scope[key] for key in ("type", "path", "root_path", "headers")}
    routes: list[BaseRoute] = request.app.routes
    taken = [
        each
        for each in METHODS
        if any(route.matches({**scope, "method": each})[0] is Match.FULL for route in routes)
    ]
    headers = {"Allow": ", ".join([*taken, "OPTIONS"])}
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=headers)
    told = f"{request.method} was sent, but this address takes {', '.join(taken)}."
    return JSONResponse({"detail": told}, 405, headers)


async def _with_headers(request: Request, proceed: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await proceed(request)
    response.headers.update(HEADERS)
    return response


def _add_page(app: FastAPI) -> None:
    folder = files("tinct.evaluation.study") / "page"

    def serve(name: str) -> Callable[[], Response]:
        content, kind = (folder / name).read_bytes(), MEDIA[name.rpartition(".")[2]]
        return lambda: Response(content, media_type=kind)

    for route, name in PAGE.items():
        app.api_route(f"/{route}", methods=READ, response_model=None)(serve(name))


def _add_sessions(app: FastAPI, study: Study, votes: VoteFile) -> None:
    @app.post("/sessions", status_code=201)
    def begin() -> dict[str, object]:
        return Participation.of(study, votes, votes.enroll()).state()

    @app.api_route("/sessions/{token}", methods=READ)
    def resume(token: Token) -> dict[str, object]:
        return Participation.of(study, votes, token).state()

    @app.post("/sessions/{token}/trials/{index}/vote")
    def vote(token: Token, index: int, request: VoteRequest) -> dict[str, object]:
        return Participation.of(study, votes, token).vote(index, request)

    @app.delete("/sessions/{token}/trials/{index}/vote")
    def take_back(token: Token, index: int) -> dict[str, object]:
        return Participation.of(study, votes, token).take_back(index)

    @app.api_route("/sessions/{token}/trials/{index}/pictures/{position}", methods=READ, response_model=None)
    def picture(token: Token, index: int, position: int) -> Response:
        trial = Participation.of(study, votes, token).trial(index)
        if not 0 <= position < len(trial.shown):
            raise HTTPException(404, "no such place.")
        return Response(trial_picture(study, trial, position), media_type="image/png")

    def context(what: str) -> Callable[[str, int], Response]:
        def send(token: Token, index: int) -> Response:
            content = context_picture(study, Participation.of(study, votes, token).trial(index), what)
            if content is None or study.kind != "preference":
                raise HTTPException(404, "no such picture.")
            return Response(content, media_type="image/png")

        return send

    for what in CONTEXT:
        route = f"/sessions/{{token}}/trials/{{index}}/{what}"
        app.api_route(route, methods=READ, response_model=None)(context(what))


def serve(study: Study, votes: VoteFile, host: str, port: int) -> None:
    """Run the study's server on an address until interrupted."""
    local = host in ("localhost", "127.0.0.1", "::1")
    uvicorn.run(
        create_app(study, votes, local=local), host=host, port=port, log_level="warning", access_log=False
    )
