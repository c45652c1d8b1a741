// A sign-in service: npm's certified `oidc-provider`, with the pages that it brings for trying things out.

import http from "node:http";
import net from "node:net";
import { Provider } from "oidc-provider";

export const CLIENT = "portico";
export const SECRET = "a secret of this test";

/** A port that is free now. */
export const freePort = () =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/**
 * Starts a provider that lets anybody in under the name that they type, for the house at `home`.
 * @returns {Promise<{issuer: string, stop: () => void}>}
 */
export async function startProvider(home) {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT,
        client_secret: SECRET,
        redirect_uris: [`${home}/api/oidc/callback`],
        post_logout_redirect_uris: [`${home}/`],
      },
    ],
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id, name: id }) }),
    claims: { openid: ["sub"], profile: ["name", "preferred_username"] },
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
    cookies: { keys: ["a key of this test"] },
  });
  const server = http.createServer(provider.callback());
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { issuer, stop };
}
