// Asks for a token, and says how to get one.

import { h, show } from "./dom.js";

/** The form in `place`; `submit(token)` is called with what was pasted. */
export function showLogin(place, { error, submit }) {
  const token = h("textarea", {
    id: "token",
    rows: 4,
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    required: true,
    "data-testid": "login-token",
    "aria-describedby": "token-hint",
    "aria-invalid": error ? "true" : null,
  });
  const form = h(
    "form",
    { class: "login panel", "data-testid": "login", novalidate: true },
    h("h1", {}, "Log in"),
    h(
      "p",
      {},
      "This coordinator wants to know who looks. Show a token that the cluster's API server accepts, of somebody who may list Leases in a pool's namespace.",
    ),
    error && h("p", { class: "notice bad", role: "alert", "data-testid": "login-error" }, error),
    h("label", { for: "token" }, "Token"),
    token,
    h(
      "p",
      { class: "hint", id: "token-hint" },
      "It stays in this tab, until the tab is closed or you log out.",
    ),
    h(
      "div",
      { class: "actions" },
      h("button", { type: "submit", class: "primary", "data-testid": "login-submit" }, "Log in"),
    ),
    h("h2", {}, "How to get one"),
    h("p", {}, "From a service account:"),
    h("pre", {}, "kubectl create token NAME -n NAMESPACE"),
    h("p", {}, "Or leave it to the plugin, which logs you in with your own kubeconfig:"),
    h("pre", {}, "kubectl node-slots dashboard"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = token.value.trim().replace(/^Bearer\s+/i, "");
    if (text) submit(text);
    else token.focus();
  });
  token.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    form.requestSubmit();
  });
  place.replaceChildren(form);
  token.focus();
}

/** Said instead of the form while nobody can say who asks. */
export function showTrouble(place, title, text, retry) {
  const button = h("button", { type: "button", class: "primary" }, "Try again");
  button.addEventListener("click", retry);
  show(
    place,
    h(
      "div",
      { class: "empty" },
      h("h1", {}, title),
      h("p", {}, text),
      h("p", {}, "The page tries again by itself."),
    ),
  );
  place.firstChild.append(button);
}
