// Requests to regtune's own API, with the session cookie, and its errors as problems that can be shown.

export class Problem extends Error {
  constructor(status, title, detail) {
    super(detail ? `${title}: ${detail}` : title);
    this.status = status;
    this.title = title;
    this.detail = detail;
  }
}

async function problemOf(response) {
  try {
    const body = await response.json();
    return new Problem(response.status, body.title ?? response.statusText, body.detail ?? "");
  } catch {
    return new Problem(response.status, response.statusText || `Status ${response.status}`, "");
  }
}

export async function request(path, { method = "GET", body } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Problem(0, "The server does not answer", "Trying again by itself; is regtune still serving?");
  }
  if (!response.ok) throw await problemOf(response);
  return response.status === 204 ? null : response.json();
}

export function signInAgain() {
  location.assign(`/ui/sign-in?next=${encodeURIComponent(location.pathname)}`);
}
