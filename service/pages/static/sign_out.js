// Gives the session back.

import { request } from "./api.js";
import { showProblem } from "./dom.js";

document.getElementById("sign-out")?.addEventListener("click", async () => {
  try {
    await request("/ui/session", { method: "DELETE" });
    location.assign("/ui/sign-in");
  } catch (problem) {
    showProblem(problem);
  }
});
