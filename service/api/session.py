"""`/ui/session`: a browser trades the token for a cookie, and gives it back."""

from fastapi import APIRouter, Request, Response

from search_spaces.values import Value
from service.documents import parse_json
from service.problems import problem
from service.security import COOKIE_NAME, Credentials
from service.specs import parse

DAY_SECONDS = 86_400

router = APIRouter(prefix="/ui/session", include_in_schema=False)


class SignIn(Value):
    """What the sign-in page sends."""

    token: str


@router.post("")
async def sign_in(request: Request) -> Response:
    """Sets the cookie if the token is right."""
    credentials: Credentials = request.app.state.credentials
    asked = parse(SignIn, parse_json(await request.body()))
    if not credentials.accepts_token(asked.token):
        return problem(401, "Wrong token", "this is not the token of this server; it lies in the data directory")
    response = Response(status_code=204)
    response.set_cookie(
        COOKIE_NAME,
        credentials.cookie,
        max_age=30 * DAY_SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


@router.delete("")
def sign_out() -> Response:
    """Removes the cookie."""
    response = Response(status_code=204)
    response.delete_cookie(COOKIE_NAME, httponly=True, samesite="strict")
    return response
