// A provider of OpenID Connect for tests: node provider.mjs REDIRECT_URI. It prints its
// issuer, and vouches for whoever types a name: the part before a dot is their group.
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://localhost:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: "anagrafe", client_secret: "segreto di prova", redirect_uris: [process.argv[2]], grant_types: ["authorization_code"], response_types: ["code"] }],
    claims: { openid: ["sub"], profile: ["name", "gruppi", "fiscal_number"] },
    conformIdTokenClaims: false, // they are in the ID token itself
    pkce: { required: () => true },
    cookies: { keys: ["only for tests"] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: `Persona ${id}`, gruppi: ["tutti", id.split(".")[0]], ...(id.includes(".") ? {} : { fiscal_number: "TINIT-RSSNNA80A41F205O" }) }) }),
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
process.stdin.on("end", () => process.exit()).resume(); // its test is over
