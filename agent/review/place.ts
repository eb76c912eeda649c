// The field-of-view editor, with addresses that the agent asks the collector for.
import { begin } from "../../protocol/pages/_fovform";
import type { Found } from "../../protocol/pages/_fovform";

begin((d) => async (q) => {
  const answer = await fetch("/places?" + new URLSearchParams({ site: d.site_id ?? "", q }), { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return ((await answer.json()) as { places: Found[] }).places;
});
