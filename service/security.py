"""The outermost layer of the service: who may ask, from where, and in which form. Everything else is behind it."""

import hashlib
import hmac
import os
import re
import secrets
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.documents import MAX_DOCUMENT_BYTES
from service.errors import RefusedSettingError
from service.problems import problem
from service.settings import Settings

COOKIE_NAME = "regtune_session"
SIGN_IN_PATH = "/ui/sign-in"
SESSION_PATH = "/ui/session"

PUBLIC: frozenset[tuple[str, str]] = frozenset(
    {
        ("GET", "/livez"),
        ("GET", "/readyz"),
        ("GET", SIGN_IN_PATH),
        ("POST", SESSION_PATH),
    }
)
PUBLIC_PREFIX = "/ui/static/"

UPLOAD = ("POST", "/v1/datasets")
UPLOADED_FORMS = {"application/octet-stream": "npz", "application/zip": "npz", "text/csv": "csv"}
"""Media types of an upload, none of which a page of another site can send unasked, to what is in it."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
HOST = re.compile(r"(\[(?P<v6>[0-9A-Fa-f:]+)\]|(?P<name>[A-Za-z0-9.-]+))(:[0-9]{1,5})?")
DASHBOARD_PREFIX = "/dashboard"

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
DASHBOARD_POLICY = CONTENT_SECURITY_POLICY.replace("script-src 'self'", "script-src 'self' 'unsafe-eval'")
"""The Optuna dashboard draws with WebGL code that is compiled in the browser."""

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def check_host(settings: Settings) -> None:
    """Refuses to listen beyond this machine, unless the operator insists: one shared token is not enough there.

    Raises:
        RefusedSettingError: The host is no loopback address, and `allow_remote` is not set.
    """
    if settings.host not in LOOPBACK and not settings.allow_remote:
        allowed = ", ".join(sorted(LOOPBACK))
        msg = (
            f"--host: expected one of {allowed}, as there is but one token, or REGTUNE_ALLOW_REMOTE=true; "
            f"received {settings.host}"
        )
        raise RefusedSettingError(msg)


def ensure_token(path: Path) -> tuple[str, bool]:
    """The token of this data directory, made at the first start: 256 random bits in a file of mode 0600.

    Two processes that start together get the same token: the file appears whole, or not at all.

    Returns:
        The token, and whether it is new.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return path.read_text().strip(), False
    draft = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(32))
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return path.read_text().strip(), False
    finally:
        draft.unlink()
    return path.read_text().strip(), True


class Credentials:
    """The one token of the embedded mode, and the session cookie derived from it."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self.cookie = hmac.new(self._token, b"regtune session", hashlib.sha256).hexdigest()

    def accepts_token(self, token: str) -> bool:
        """Whether this is the token; takes equally long whatever the answer."""
        return hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self._token)

    def accepts(self, headers: Headers) -> bool:
        """Whether a request carries the token or the cookie."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.accepts_token(token.strip()):
            return True
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE_NAME)
        except CookieError:
            return False
        return cookie is not None and hmac.compare_digest(cookie.value.encode(), self.cookie.encode())


class Secured:
    """An ASGI application behind the checks. Denies by default, mounts and unknown paths included.

    Attributes:
        inner: The application behind it.
    """

    def __init__(self, inner: ASGIApp, *, credentials: Credentials, settings: Settings) -> None:
        self.inner = inner
        self._credentials = credentials
        named = {host.lower() for host in settings.allowed_hosts.split(",") if host}
        self._hosts = LOOPBACK | {settings.host} | named

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request itself if it fails a check, and hands it on otherwise."""
        if scope["type"] == "lifespan":
            await self.inner(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, _with_headers(send, scope["path"]))
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        refusal = self._refusal(scope["method"], scope["path"], headers)
        if refusal is None and (scope["method"], scope["path"]) == UPLOAD:
            refusal = _wrong_upload(headers)
        elif refusal is None and scope["method"] not in SAFE_METHODS:
            body = await _read(receive)
            if body is None:
                refusal = problem(413, "Body too large", f"expected at most {MAX_DOCUMENT_BYTES:,} bytes")
            elif body and media_type(headers) != "application/json":
                refusal = problem(415, "Unsupported media type", "expected a body of type application/json")
            else:
                receive = _replayed(body, receive)
        await (refusal or self.inner)(scope, receive, send)

    def _refusal(self, method: str, path: str, headers: Headers) -> ASGIApp | None:
        if not _host_allowed(headers, self._hosts):
            return problem(400, "Host not allowed", f"expected one of {', '.join(sorted(self._hosts))} as Host")
        if method not in SAFE_METHODS and not _same_origin(headers):
            return problem(403, "Origin not allowed", "this request came from another site's page")
        if not (is_public(method, path) or self._credentials.accepts(headers)):
            return _sign_in_first(method, headers)
        return None


def is_public(method: str, path: str) -> bool:
    """Whether a request needs no credentials."""
    if ".." in path:
        return False
    wanted = "GET" if method == "HEAD" else method
    return (wanted, path) in PUBLIC or (wanted == "GET" and path.startswith(PUBLIC_PREFIX))


def _sign_in_first(method: str, headers: Headers) -> ASGIApp:
    if method == "GET" and "text/html" in headers.get("accept", ""):
        return RedirectResponse(SIGN_IN_PATH, status_code=303)
    detail = "expected the header `Authorization: Bearer TOKEN`, or a signed-in browser"
    return problem(401, "Not signed in", detail, headers={"www-authenticate": "Bearer"})


def _wrong_upload(headers: Headers) -> ASGIApp | None:
    if media_type(headers) in UPLOADED_FORMS:
        return None
    return problem(415, "Unsupported media type", f"expected a body of type {' or '.join(UPLOADED_FORMS)}")


def _host_allowed(headers: Headers, allowed: frozenset[str]) -> bool:
    hosts = headers.getlist("host")
    match = HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
    return match is not None and (match["v6"] or match["name"]).lower() in allowed


def _same_origin(headers: Headers) -> bool:
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") in {"none", "same-origin"}
    scheme, _, host = origin.partition("://")
    return scheme in {"http", "https"} and host == headers["host"]


def media_type(headers: Headers) -> str:
    """What a body is said to be, without parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


async def _read(receive: Receive) -> bytes | None:
    """The whole body, whatever its headers announced; None if it is too large or never ends."""
    body = b""
    while len(body) <= MAX_DOCUMENT_BYTES:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body if len(body) <= MAX_DOCUMENT_BYTES else None
    return None


def _replayed(body: bytes, receive: Receive) -> Receive:
    waiting = [body]

    async def replay() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return replay


def _with_headers(send: Send, path: str) -> Send:
    on_dashboard = path == DASHBOARD_PREFIX or path.startswith(f"{DASHBOARD_PREFIX}/")

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers["content-security-policy"] = DASHBOARD_POLICY if on_dashboard else CONTENT_SECURITY_POLICY
            if not path.startswith((PUBLIC_PREFIX, "/static/")):
                headers.setdefault("cache-control", "no-store")
        await send(message)

    return send_with_headers
