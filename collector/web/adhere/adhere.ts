// The map of the place and of the cameras, with addresses that the collector knows.
import { begin } from "../../../protocol/pages/_fovform";
import type { Found } from "../../../protocol/pages/_fovform";

begin(() => async (q) => {
  const answer = await fetch("/places", { method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams({ q }) });
  if (!answer.ok) throw new Error(String(answer.status));
  return ((await answer.json()) as { places: Found[] }).places;
});
