// Signs in with the token of the URL's fragment, which never reaches a server log, or with one that is pasted.

import { request } from "./api.js";
import { find, setText, show } from "./dom.js";

const OWN_PAGE = /^\/ui\/[A-Za-z0-9/_-]*$/;

function nextPage() {
  const next = new URLSearchParams(location.search).get("next") ?? "";
  return OWN_PAGE.test(next) && next !== "/ui/sign-in" ? next : "/ui/";
}

function refuse(problem) {
  const message = find("message");
  const wrong = problem.status === 401 || problem.status === 403;
  setText(message, wrong ? "This token is not valid. Copy the whole token that the server printed." : problem.message);
  show(message, true);
  find("token").setAttribute("aria-invalid", "true");
  find("token").select();
}

async function signIn(token) {
  find("submit").disabled = true;
  try {
    await request("/ui/session", { method: "POST", body: { token } });
    location.replace(nextPage());
  } catch (problem) {
    refuse(problem);
  } finally {
    find("submit").disabled = false;
  }
}

function tokenOfFragment() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  return token;
}

function signInFromFragment() {
  const token = tokenOfFragment();
  if (token) signIn(token);
}

find("form").addEventListener("submit", (event) => {
  event.preventDefault();
  signIn(find("token").value.trim());
});
window.addEventListener("hashchange", signInFromFragment);
signInFromFragment();
