"""The study's server: a page, pictures by place, and votes. Names of methods never leave it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated

from tinct.errors import MissingExtraError
from tinct.evaluation.study.design import KINDS, Study, Trial
from tinct.evaluation.study.pictures import context_picture, trial_picture
from tinct.evaluation.study.votes import VoteFile

try:
    from fastapi import FastAPI, HTTPException, Path, Request, Response
    from fastapi.middleware.trustedhost import TrustedHostMiddleware
    from pydantic import BaseModel, ConfigDict, Field
except ImportError as missing:
    raise MissingExtraError(
        f"the study's page needs a web server ({missing}): pip install 'tinct[web]'."
    ) from None

PAGE = {"": "index.html", "study.js": "study.js", "study.css": "study.css"}
MEDIA = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

Token = Annotated[str, Path(max_length=64)]


class Answer(BaseModel):
    """What the page sends: the place that was chosen, and how long it took."""

    model_config = ConfigDict(extra="forbid")
    choice: int = Field(ge=0, le=8)
    milliseconds: int = Field(default=0, ge=0, le=86_400_000)


@dataclass(frozen=True, slots=True)
class Session:
    """One participant's way through the study."""

    study: Study
    votes: VoteFile
    token: str
    participant: int
    plan: tuple[Trial, ...]

    @classmethod
    def of(cls, study: Study, votes: VoteFile, token: str) -> Session:
        """The session of a token; HTTP 404 if there is none."""
        participant = votes.number(token)
        if participant is None:
            raise HTTPException(404, "no such participant; reload the page to begin.")
        return cls(study, votes, token, participant, study.plan(participant))

    def trial(self, index: int) -> Trial:
        """A trial that may be seen: answered ones and the next two (one ahead is loaded beforehand)."""
        if not 0 <= index < len(self.plan) or index > self.votes.answered(self.participant) + 1:
            raise HTTPException(404, "no such trial yet.")
        return self.plan[index]

    def describe(self, index: int) -> dict[str, object]:
        """What the page needs to ask a trial: places, no names."""
        trial, root = self.plan[index], f"sessions/{self.token}/trials/{index}"
        contestants, told = self.study.contestants, self.study.kind == "preference"
        context = {"gray": contestants.gray, "reference": contestants.reference} if told else {}
        return {
            "index": index,
            "practice": trial.practice,
            "pictures": [f"{root}/pictures/{place}" for place in range(len(trial.shown))],
            "choices": len(trial.choices),
            "context": {
                what: f"{root}/{what}" for what, known in context.items() if trial.photograph in known
            },
        }

    def state(self) -> dict[str, object]:
        """How far the participant is, the question now and the one after it."""
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

    def answer(self, index: int, answer: Answer) -> dict[str, object]:
        """Keep an answer; of a practice trial, tell which one was right."""
        trial = self.trial(index)
        if index > self.votes.answered(self.participant):
            raise HTTPException(409, "trials are answered in order.")
        if answer.choice >= len(trial.choices):
            raise HTTPException(422, f"choice must be below {len(trial.choices)}.")
        chosen = trial.choices[answer.choice]
        if not self.votes.vote(self.participant, index, trial, chosen, answer.milliseconds):
            raise HTTPException(409, "this trial has been answered; the first answer stands.")
        told = {} if not trial.practice else feedback(trial, chosen)
        return {**self.state(), **told}

    def take_back(self, index: int) -> dict[str, object]:
        """Forget the last answer, which is then asked for again; not of practice, whose answer has been told."""
        if index < self.study.counts()[0] or not self.votes.take_back(self.participant, index):
            raise HTTPException(409, "only the last answer can be taken back, and none of practice.")
        return self.state()


def feedback(trial: Trial, chosen: str) -> dict[str, object]:
    """What a participant learns after a practice trial: whether it was right, and which place or answer
    was."""
    if trial.fake is None:
        return {}
    return {"right": chosen == trial.fake, "fake": trial.choices.index(trial.fake)}


def create_app(study: Study, votes: VoteFile, *, local: bool = True) -> FastAPI:
    """The study's application.

    Args:
        study: what is asked.
        votes: where answers go.
        local: answer only to this machine's own names, which keeps other sites' pages from asking through
            DNS.
    """
    app = FastAPI(title="tinct study", docs_url=None, redoc_url=None, openapi_url=None)
    if local:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=LOCAL_HOSTS)
    app.middleware("http")(_with_headers)
    _add_page(app)
    _add_sessions(app, study, votes)
    return app


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
        app.get(f"/{route}", response_model=None)(serve(name))


def _add_sessions(app: FastAPI, study: Study, votes: VoteFile) -> None:
    @app.post("/sessions", status_code=201)
    def begin() -> dict[str, object]:
        return Session.of(study, votes, votes.enroll()).state()

    @app.get("/sessions/{token}")
    def resume(token: Token) -> dict[str, object]:
        return Session.of(study, votes, token).state()

    @app.post("/sessions/{token}/trials/{index}/vote")
    def vote(token: Token, index: int, answer: Answer) -> dict[str, object]:
        return Session.of(study, votes, token).answer(index, answer)

    @app.delete("/sessions/{token}/trials/{index}/vote")
    def take_back(token: Token, index: int) -> dict[str, object]:
        return Session.of(study, votes, token).take_back(index)

    @app.get("/sessions/{token}/trials/{index}/pictures/{place}", response_model=None)
    def picture(token: Token, index: int, place: int) -> Response:
        trial = Session.of(study, votes, token).trial(index)
        if not 0 <= place < len(trial.shown):
            raise HTTPException(404, "no such place.")
        return Response(trial_picture(study, trial, place), media_type="image/png")

    @app.get("/sessions/{token}/trials/{index}/{what}", response_model=None)
    def context(token: Token, index: int, what: str) -> Response:
        content = context_picture(study, Session.of(study, votes, token).trial(index), what)
        if content is None or study.kind != "preference":
            raise HTTPException(404, "no such picture.")
        return Response(content, media_type="image/png")


def serve(study: Study, votes: VoteFile, host: str, port: int) -> None:
    """Answer requests until interrupted."""
    try:
        import uvicorn
    except ImportError as error:
        raise MissingExtraError(f"uvicorn is missing ({error}): pip install 'tinct[web]'.") from None
    local = host in ("localhost", "127.0.0.1", "::1")
    uvicorn.run(
        create_app(study, votes, local=local), host=host, port=port, log_level="warning", access_log=False
    )
