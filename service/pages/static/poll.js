// Asks again and again while the page is looked at, more slowly when the server does not answer.

import { signInAgain } from "./api.js";
import { showProblem } from "./dom.js";

const SLOWEST_SECONDS = 10;

function pause(seconds) {
  return new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
}

function untilVisible() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
}

// `refresh` answers whether there can be more news. A problem is shown, and polling goes on unless it is a 4xx.
export async function poll(seconds, refresh) {
  let wait = seconds;
  for (;;) {
    try {
      const goOn = await refresh();
      showProblem(null);
      if (!goOn) return;
      wait = seconds;
    } catch (problem) {
      if (problem.status === 401) return signInAgain();
      showProblem(problem);
      if (problem.status === undefined) throw problem;
      if (problem.status >= 400 && problem.status < 500) return;
      wait = Math.min(2 * wait, SLOWEST_SECONDS);
    }
    await pause(wait);
    await untilVisible();
  }
}
