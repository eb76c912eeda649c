// Passkeys: the one thing of signing in that a page cannot do without a script. The
// form says where to ask for what the authenticator is to sign, and where to send it.

interface Problem { error: string; hint?: string }

const form = document.querySelector<HTMLFormElement>("form[data-passkey]");
if (form) offer(form);

function offer(form: HTMLFormElement): void {
  const button = form.querySelector("button")!;
  const problem = form.querySelector<HTMLElement>("[data-problem]")!;
  button.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    problem.textContent = "";
    button.disabled = true;
    sign(form).then(
      (next) => location.assign(next),
      (why: unknown) => {
        problem.textContent = words(form, why);
        button.disabled = false;
        button.focus();
      },
    );
  });
}

// sign gives the address of the next page.
async function sign(form: HTMLFormElement): Promise<string> {
  if (typeof PublicKeyCredential === "undefined" || !("parseRequestOptionsFromJSON" in PublicKeyCredential)) throw new DOMException("", "NotSupportedError");
  const { begin, end, passkey } = form.dataset;
  const fields = new URLSearchParams();
  new FormData(form).forEach((value, name) => fields.set(name, String(value)));
  const options = await post(begin!, fields);
  const answer = passkey === "make"
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options as PublicKeyCredentialCreationOptionsJSON) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options as PublicKeyCredentialRequestOptionsJSON) });
  const { next } = (await post(end!, JSON.stringify(answer))) as { next: string };
  return next;
}

class Refused extends Error {}

async function post(address: string, body: URLSearchParams | string): Promise<unknown> {
  const headers: Record<string, string> = { Accept: "application/json", "Accept-Language": document.documentElement.lang };
  if (typeof body === "string") headers["Content-Type"] = "application/json";
  const response = await fetch(address, { method: "POST", headers, body, credentials: "same-origin" });
  const answer: unknown = await response.json();
  if (response.ok) return answer;
  const { error, hint } = answer as Problem;
  throw new Refused(hint ? `${error} ${hint}` : error);
}

// words says what went wrong: in the server's words, or why the browser did nothing.
function words(form: HTMLFormElement, why: unknown): string {
  const { cancelled, unable, offline } = form.dataset;
  if (why instanceof Refused) return why.message;
  if (why instanceof DOMException && ["NotSupportedError", "SecurityError"].includes(why.name)) return unable ?? "";
  if (why instanceof DOMException) return cancelled ?? "";
  return offline ?? "";
}
