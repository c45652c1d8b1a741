// Signing in with a certified OpenID provider (npm's `oidc-provider`), and with one that lies.
// PORTICO_BIN is the program.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { SignJWT, decodeJwt, exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

const PASSWORD = 'vier Bären im Regen';
const CLIENT = 'portico';
const SECRET = 'a secret: with/marks?';

let provider, providerServer, issuer, portico, home, data, key, otherKey, admin;
/// What becomes of an ID token on its way.
let lie = (token) => token;
/// Who signs in at the provider.
let account = 'mia';

const PEOPLE = {
  mia: { name: 'Mia M.', email: 'mia@example.org', preferred_username: 'mia', groups: ['house-staff', 'other'] },
  ada: { name: 'Ada', email: 'ada@example.org', preferred_username: 'root', groups: ['house-board', 'it'] },
  eve: { name: 'Eve', email: 'eve@example.org', preferred_username: 'eve', groups: ['other'] },
};

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/// A browser: cookies by origin, redirects one by one.
class Browser {
  jars = new Map();

  async go(url, { method = 'GET', body, json } = {}) {
    const { origin } = new URL(url);
    const jar = this.jars.get(origin) ?? new Map();
    this.jars.set(origin, jar);
    const headers = { 'portico-page': '1', cookie: [...jar].map(([k, v]) => `${k}=${v}`).join('; ') };
    if (json !== undefined) {
      headers['content-type'] = 'application/json';
      body = JSON.stringify(json);
    }
    const answer = await fetch(url, { method, body, headers, redirect: 'manual' });
    for (const set of answer.headers.getSetCookie()) {
      const [pair, ...attributes] = set.split(';').map((part) => part.trim());
      const name = pair.slice(0, pair.indexOf('='));
      const value = pair.slice(pair.indexOf('=') + 1);
      const isGone = value === '' || attributes.some((a) => /^max-age=0$/i.test(a));
      isGone ? jar.delete(name) : jar.set(name, value);
    }
    return answer;
  }

  /// Through the provider, up to the address that leads back.
  async towardsHome() {
    let answer = await this.go(`${home}/api/oidc/start`);
    assert.equal(answer.status, 303, await answer.clone().text());
    for (let i = 0; i < 12; i += 1) {
      const to = new URL(answer.headers.get('location'), answer.url).href;
      if (to.startsWith(`${home}/api/oidc/callback`)) return to;
      answer = await this.go(to);
      assert.ok(answer.status >= 300 && answer.status < 400, `${to}: ${await answer.clone().text()}`);
    }
    throw new Error('the provider goes round in circles');
  }

  /// Where the callback leads.
  async arrive(callback) {
    const answer = await this.go(callback);
    assert.equal(answer.status, 303);
    return answer.headers.get('location');
  }

  async signIn() {
    return this.arrive(await this.towardsHome());
  }

  async session() {
    return (await this.go(`${home}/api/session`)).json();
  }

  async ask(method, path, json) {
    const answer = await this.go(home + path, { method, json });
    return answer.status === 204 ? null : answer.json();
  }
}

async function interact(request, response) {
  const details = await provider.interactionDetails(request, response);
  if (details.prompt.name === 'login') {
    const login = { accountId: account };
    return provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
  }
  const { accountId } = details.session;
  const grant = new provider.Grant({ accountId, clientId: CLIENT });
  grant.addOIDCScope('openid profile email groups');
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
}

/// The same token with other claims, by a key of ours.
async function forged(token, change, by = key, header = {}) {
  const claims = { ...decodeJwt(token), ...change };
  for (const [name, value] of Object.entries(change)) if (value === undefined) delete claims[name];
  return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k1', ...header }).sign(by);
}

before(async () => {
  const [providerPort, porticoPort] = [await freePort(), await freePort()];
  issuer = `http://127.0.0.1:${providerPort}`;
  home = `http://127.0.0.1:${porticoPort}`;
  const pair = await generateKeyPair('RS256', { extractable: true });
  key = pair.privateKey;
  otherKey = (await generateKeyPair('RS256')).privateKey;
  provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT,
        client_secret: SECRET,
        redirect_uris: [`${home}/api/oidc/callback`],
        post_logout_redirect_uris: [`${home}/`],
        backchannel_logout_uri: `${home}/api/oidc/backchannel-logout`,
        backchannel_logout_session_required: true,
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(key)), kid: 'k1', use: 'sig', alg: 'RS256' }] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) }),
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email'], groups: ['groups'] },
    scopes: ['openid', 'profile', 'email', 'groups'],
    conformIdTokenClaims: false,
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true },
    },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    cookies: { keys: ['a key of this test'] },
    // The house is on this machine too.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  });
  provider.use(async (context, next) => {
    await next();
    if (context.oidc?.route === 'token' && context.body?.id_token) {
      context.body.id_token = await lie(context.body.id_token);
    }
  });
  const callback = provider.callback();
  providerServer = http.createServer((request, response) => {
    if (!request.url.startsWith('/interaction/')) return callback(request, response);
    return interact(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });
  await new Promise((resolve) => providerServer.listen(providerPort, '127.0.0.1', resolve));

  data = mkdtempSync(join(tmpdir(), 'portico-oidc-'));
  writeFileSync(join(data, 'secret'), SECRET);
  const scopes = '["openid", "profile", "email", "groups"]';
  writeFileSync(
    join(data, 'portico.toml'),
    `[people.oidc]\nissuer = "${issuer}"\nclient_id = "${CLIENT}"\nclient_secret = { file = "secret" }\nscopes = ${scopes}\nlabel = "House login"\n`,
  );
  const args = ['--data', data, '--lang', 'en', 'serve', '--addr', `127.0.0.1:${porticoPort}`];
  portico = spawn(process.env.PORTICO_BIN, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const link = await new Promise((resolve, reject) => {
    let said = '';
    portico.stdout.on('data', (piece) => {
      said += piece;
      const found = /\/#\/link\/([0-9a-f]{64})/.exec(said);
      if (found) resolve(found[1]);
    });
    portico.on('exit', () => reject(new Error(`portico ended: ${said}`)));
  });
  admin = new Browser();
  const opened = await admin.ask('POST', '/api/links/open', { secret: link, name: 'root', password: PASSWORD });
  assert.equal(opened.person.role, 'admin');
});

after(() => {
  portico?.kill();
  providerServer?.close();
  providerServer?.closeAllConnections();
  if (data) rmSync(data, { recursive: true, force: true });
});

test('rules are tried against a token before they hold, and then make members', async () => {
  assert.equal((await new Browser().session()).house.oidc, 'House login');
  let seen;
  lie = (token) => (seen = token);
  assert.equal(await new Browser().signIn(), '/');
  const rules = {
    default_role: 'none',
    rules: [
      { claim: 'groups', value: 'house-*', role: 'member', groups: ['*'] },
      { claim: 'groups', value: 'it', role: 'admin', groups: [] },
    ],
  };
  const tried = await admin.ask('POST', '/api/people/oidc/try', { token: seen, rules });
  assert.deepEqual(tried.outcome, { role: 'member', is_by_rule: true, groups: ['staff'], refused_groups: [] });
  const usual = await admin.ask('POST', '/api/people/oidc/try', { token: seen });
  assert.deepEqual([usual.outcome.role, usual.outcome.groups], ['member', []]);
  assert.equal(await admin.ask('PUT', '/api/people/oidc', rules), null);
  assert.deepEqual(await admin.ask('GET', '/api/people/oidc'), rules);

  const mia = new Browser();
  assert.equal(await mia.signIn(), '/');
  const { person } = await mia.session();
  assert.deepEqual([person.name, person.display_name, person.role, person.groups, person.is_external],
    ['mia', 'Mia M.', 'member', ['staff'], true]);
  // The same person again, and no other; what the service takes away is taken away.
  PEOPLE.mia.groups = ['house-board'];
  const again = new Browser();
  await again.signIn();
  const later = (await again.session()).person;
  assert.deepEqual([later.id, later.groups], [person.id, ['board']]);

  account = 'eve';
  assert.equal(await new Browser().signIn(), '/#/sign-in/oidc_not_invited');
  // A name at the service is nobody's here: the local administrator `root` stays who she is.
  account = 'ada';
  const ada = new Browser();
  await ada.signIn();
  const stranger = (await ada.session()).person;
  assert.deepEqual([stranger.name, stranger.role], ['root-2', 'admin']);
  account = 'mia';
});

test('each lie is refused by its name', async () => {
  const past = Math.floor(Date.now() / 1000) - 3600;
  const unsigned = (token) => {
    const header = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
    return `${header}.${token.split('.')[1]}.`;
  };
  for (const [code, told] of [
    ['oidc_nonce_wrong', (token) => forged(token, { nonce: 'another' })],
    ['oidc_nonce_wrong', (token) => forged(token, { nonce: undefined })],
    ['oidc_audience_wrong', (token) => forged(token, { aud: 'another' })],
    ['oidc_audience_wrong', (token) => forged(token, { aud: [CLIENT, 'another'], azp: 'another' })],
    ['oidc_issuer_wrong', (token) => forged(token, { iss: 'https://evil.example' })],
    ['oidc_expired', (token) => forged(token, { exp: past, iat: past - 60 })],
    ['oidc_expired', (token) => forged(token, { nbf: past + 7200 })],
    ['oidc_signature_wrong', (token) => forged(token, {}, otherKey)],
    ['oidc_signature_wrong', (token) => token.slice(0, -8) + 'AAAAAAAA'],
    ['oidc_signature_wrong', (token) => forged(token, {}, new TextEncoder().encode(SECRET.padEnd(32)), { alg: 'HS256' })],
    ['oidc_signature_wrong', (token) => forged(token, {}, key, { kid: 'unknown' })],
    ['oidc_token_invalid', unsigned],
    ['oidc_token_invalid', (token) => forged(token, { sub: undefined })],
    ['oidc_token_invalid', () => 'nonsense'],
  ]) {
    lie = told;
    const browser = new Browser();
    assert.equal(await browser.signIn(), `/#/sign-in/${code}`, String(told));
    assert.equal((await browser.session()).person, null);
  }
  lie = (token) => token;
  assert.equal(await new Browser().signIn(), '/', 'and the truth is believed');
});

test('a state is one browser\'s, and for once; a code too', async () => {
  const browser = new Browser();
  const callback = await browser.towardsHome();
  const other = new URL(callback);
  other.searchParams.set('state', '0'.repeat(64));
  assert.equal(await browser.arrive(other.href), '/#/sign-in/oidc_state_invalid');
  // Whoever is led to another's answer is not signed in as him.
  assert.equal(await new Browser().arrive(callback), '/#/sign-in/oidc_state_invalid');

  const good = new Browser();
  const used = await good.towardsHome();
  const kept = new Map(good.jars.get(home));
  assert.equal(await good.arrive(used), '/');
  good.jars.set(home, kept);
  assert.equal(await good.arrive(used), '/#/sign-in/oidc_state_invalid', 'replayed');

  const fresh = new Browser();
  const replayed = new URL(await fresh.towardsHome());
  replayed.searchParams.set('code', new URL(used).searchParams.get('code'));
  assert.equal(await fresh.arrive(replayed.href), '/#/sign-in/oidc_code_refused');
  const mixed = new Browser();
  const from = new URL(await mixed.towardsHome());
  from.searchParams.set('iss', 'https://evil.example');
  assert.equal(await mixed.arrive(from.href), '/#/sign-in/oidc_issuer_wrong');
  const denied = `${home}/api/oidc/callback?error=access_denied&state=x`;
  assert.equal(await new Browser().arrive(denied), '/#/sign-in/oidc_code_refused');
});

test('signing out there signs out here, and the other way round', async () => {
  const [one, two] = [new Browser(), new Browser()];
  await one.signIn();
  await two.signIn();
  const { end_session_url: end } = await one.ask('DELETE', '/api/session', {});
  assert.equal((await one.session()).person, null);
  assert.ok(end.startsWith(`${issuer}/session/end?id_token_hint=`), end);

  // The provider tells the house by itself, behind the browser's back.
  const asked = await two.go(`${issuer}/session/end?client_id=${CLIENT}`);
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(await asked.text())[1];
  const body = new URLSearchParams({ xsrf, logout: 'yes' });
  await two.go(`${issuer}/session/end/confirm`, { method: 'POST', body });
  for (let i = 0; i < 50 && (await two.session()).person; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal((await two.session()).person, null);

  const three = new Browser();
  let seen;
  lie = (token) => (seen = token);
  await three.signIn();
  lie = (token) => token;
  const tell = async (token) => {
    const answer = await fetch(`${home}/api/oidc/backchannel-logout`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
    });
    return answer.status === 200 ? 'ok' : (await answer.json()).error.code;
  };
  const { sid } = decodeJwt(seen);
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
  const logout = { events, sid, nonce: undefined };
  assert.equal(await tell(seen), 'oidc_token_invalid', 'an ID token is no logout token');
  assert.equal(await tell(await forged(seen, { events })), 'oidc_token_invalid');
  assert.equal(await tell(await forged(seen, logout, otherKey)), 'oidc_signature_wrong');
  assert.equal(await tell(await forged(seen, { ...logout, aud: 'another' })), 'oidc_audience_wrong');
  assert.ok((await three.session()).person);
  assert.equal(await tell(await forged(seen, logout)), 'ok');
  assert.equal((await three.session()).person, null);
});
