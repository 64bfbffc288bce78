import { RollcallError, type UserId } from '@rollcall/protocol';
import * as oidc from 'openid-client';
import type { ProviderSession, SignIns } from '../storage/port.js';
import { type LogoutTokens, logoutTokens } from './logout-token.js';
import { returnAddress, under } from './public-address.js';

/** An identity provider that speaks OpenID Connect. */
export interface OidcOptions {
  readonly issuer: string;
  readonly clientId: string;
  /** Null for a public client. */
  readonly clientSecret: string | null;
  /** A first sign-in is that of the one person with the email address that the provider has verified. */
  readonly linkByEmail: boolean;
}

export interface OidcServices {
  readonly signIn: SignIns;
  /** The user id of a uid; undefined where there is nobody, or they are disabled. */
  readonly userOfUid: (uid: string) => Promise<UserId | undefined>;
  readonly publicUrl: () => string;
  /** Ms since the epoch. */
  readonly now: () => number;
}

/** What came back from the provider. */
export interface ProviderSignIn {
  readonly userId: UserId;
  readonly provider: ProviderSession | null;
  readonly returnTo: string;
  readonly sharedDevice: boolean;
}

/** How long a browser may take at the provider, in ms. */
export const FLOW_MS = 10 * 60_000;
/** How long the provider may take to answer, in seconds. */
const ANSWER_WITHIN_S = 10;

/** What a sign-in under way has to remember; it is in a cookie of that browser, so no other can finish it. */
interface Flow {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly returnTo: string;
  readonly sharedDevice: boolean;
  readonly until: number;
}

const refused = (message: string, cause?: unknown) => new RollcallError('UNAUTHENTICATED', { message, cause });

/** Sign-in by an identity provider: the code flow with PKCE, state and nonce. */
export class OidcSignIn {
  readonly #options: OidcOptions;
  readonly #services: OidcServices;
  #provider: Promise<{ readonly config: oidc.Configuration; readonly logoutTokens: LogoutTokens }> | undefined;

  constructor(options: OidcOptions, services: OidcServices) {
    this.#options = options;
    this.#services = services;
  }

  /**
   * Begins a sign-in.
   * @param returnTo where the browser goes after it, an address of this site
   * @returns where to send the browser, and what to put into its cookie
   * @throws {RollcallError} BAD_REQUEST for another site's `returnTo`; KEYS_UNAVAILABLE
   */
  async start(returnTo: string | undefined, sharedDevice: boolean): Promise<{ url: string; flow: string }> {
    const { publicUrl, now } = this.#services;
    const address = returnAddress(publicUrl(), returnTo);
    const { config } = await this.#discovered();
    const flow: Flow = {
      state: oidc.randomState(),
      nonce: oidc.randomNonce(),
      verifier: oidc.randomPKCECodeVerifier(),
      returnTo: address,
      sharedDevice,
      until: now() + FLOW_MS,
    };
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: this.#callback,
      scope: 'openid email profile',
      state: flow.state,
      nonce: flow.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(flow.verifier),
      code_challenge_method: 'S256',
    });
    return { url: url.href, flow: Buffer.from(JSON.stringify(flow)).toString('base64url') };
  }

  /**
   * Finishes it.
   * @param query of the callback's address
   * @param cookie what `start` put there
   * @throws {RollcallError} UNAUTHENTICATED for whatever is wrong, and for who isn't known here; KEYS_UNAVAILABLE
   */
  async finish(query: string, cookie: string | undefined): Promise<ProviderSignIn> {
    const flow = flowOf(cookie);
    const { publicUrl, now, signIn } = this.#services;
    if (!flow || flow.until <= now()) throw refused('The sign-in took too long, or was begun in another browser');
    const returnTo = returnAddress(publicUrl(), flow.returnTo);
    const { config } = await this.#discovered();
    // Never from the request: behind a proxy that strips a path the address would be another one.
    const url = new URL(`${this.#callback}?${query}`);
    const { claims, accessToken } = await grant(config, url, flow);
    const { iss: issuer, sub: subject } = claims;
    const known = await signIn.findIdentity(issuer, subject);
    const userId = known ?? (await this.#linkByEmail(config, claims, accessToken));
    if (!userId) throw refused('User not found');
    const provider = typeof claims['sid'] === 'string' ? { issuer, sid: claims['sid'] } : null;
    return { userId, provider, returnTo, sharedDevice: flow.sharedDevice };
  }

  /**
   * Checks a logout token that the provider sends (OpenID Connect Back-Channel Logout), which counts once.
   * @returns the provider's session, or the user, to sign out; undefined for who isn't known here
   * @throws {RollcallError} BAD_REQUEST for a token that isn't good; KEYS_UNAVAILABLE
   */
  async loggedOut(token: unknown): Promise<UserId | ProviderSession | undefined> {
    const { config, logoutTokens: tokens } = await this.#discovered();
    const { sub, sid } = await tokens.verify(token);
    const { issuer } = config.serverMetadata();
    if (sid !== undefined) return { issuer, sid };
    return sub === undefined ? undefined : ((await this.#services.signIn.findIdentity(issuer, sub)) ?? undefined);
  }

  async #linkByEmail(
    config: oidc.Configuration,
    claims: oidc.IDToken,
    accessToken: string,
  ): Promise<UserId | undefined> {
    if (!this.#options.linkByEmail) return undefined;
    const { iss, sub } = claims;
    // Many providers tell the address by userinfo alone.
    const about: Readonly<Record<string, unknown>> =
      claims['email'] === undefined ? await userInfo(config, accessToken, sub) : claims;
    const { email, email_verified } = about as { readonly email?: unknown; readonly email_verified?: unknown };
    if (typeof email !== 'string' || email === '' || email_verified !== true) return undefined;
    const { signIn, userOfUid } = this.#services;
    const [uid, ...others] = await signIn.findUidsByEmail(email);
    // Whose address two have is nobody's to say.
    const userId = uid === undefined || others.length > 0 ? undefined : await userOfUid(uid);
    return userId && (await signIn.rememberIdentity(iss, sub, userId));
  }

  get #callback(): string {
    return under(this.#services.publicUrl(), 'api/v1/auth/oidc/callback');
  }

  /** What the provider says of itself, read once; a failure is forgotten, and tried again by the next who signs in. */
  #discovered() {
    this.#provider ??= this.#discover().catch((error: unknown) => {
      this.#provider = undefined;
      throw new RollcallError('KEYS_UNAVAILABLE', { cause: error });
    });
    return this.#provider;
  }

  async #discover() {
    const { issuer, clientId, clientSecret } = this.#options;
    const server = new URL(issuer);
    const config = await oidc.discovery(server, clientId, undefined, authenticationBy(clientSecret), {
      timeout: ANSWER_WITHIN_S,
      // Whoever configures an issuer without TLS means it: one on the same machine, or in a test.
      ...(server.protocol === 'http:' ? { execute: [oidc.allowInsecureRequests] } : {}),
    });
    const { issuer: named, jwks_uri } = config.serverMetadata();
    if (jwks_uri === undefined) throw new TypeError(`${issuer} names no jwks_uri`);
    const { signIn, now } = this.#services;
    return { config, logoutTokens: logoutTokens({ issuer: named, clientId, jwksUri: jwks_uri, signIn, now }) };
  }
}

/** By Basic where the provider takes it, which is also what it takes where it says nothing. */
function authenticationBy(secret: string | null): oidc.ClientAuth {
  if (secret === null) return oidc.None();
  const [basic, post] = [oidc.ClientSecretBasic(secret), oidc.ClientSecretPost(secret)];
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    return (methods.includes('client_secret_basic') ? basic : post)(server, ...rest);
  };
}

async function grant(config: oidc.Configuration, url: URL, flow: Flow) {
  try {
    const tokens = await oidc.authorizationCodeGrant(config, url, {
      pkceCodeVerifier: flow.verifier,
      expectedState: flow.state,
      expectedNonce: flow.nonce,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (!claims) throw new TypeError('the provider sent no id_token');
    return { claims, accessToken: tokens.access_token };
  } catch (error) {
    if (isOutage(error)) throw new RollcallError('KEYS_UNAVAILABLE', { cause: error });
    throw refused('The identity provider did not sign you in', error);
  }
}

async function userInfo(
  config: oidc.Configuration,
  accessToken: string,
  subject: string,
): Promise<Readonly<Record<string, unknown>>> {
  if (config.serverMetadata().userinfo_endpoint === undefined) return {};
  try {
    return await oidc.fetchUserInfo(config, accessToken, subject);
  } catch (error) {
    if (isOutage(error)) throw new RollcallError('KEYS_UNAVAILABLE', { cause: error });
    throw refused('The identity provider did not sign you in', error);
  }
}

/** The provider can't be reached, or doesn't answer in time: fetch says so by a TypeError or a time-out. */
function isOutage(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name === 'TimeoutError' || (cause instanceof TypeError && /fetch failed/.test(cause.message)))
      return true;
    if ('code' in cause && cause.code === 'OAUTH_TIMEOUT') return true;
  }
  return false;
}

function flowOf(cookie: string | undefined): Flow | undefined {
  try {
    const flow: unknown = JSON.parse(Buffer.from(cookie ?? '', 'base64url').toString('utf8'));
    return isFlow(flow) ? flow : undefined;
  } catch {
    return undefined;
  }
}

function isFlow(value: unknown): value is Flow {
  if (typeof value !== 'object' || value === null) return false;
  const { state, nonce, verifier, returnTo, sharedDevice, until } = value as Record<string, unknown>;
  const texts = [state, nonce, verifier, returnTo].every((text) => typeof text === 'string' && text !== '');
  return texts && typeof sharedDevice === 'boolean' && typeof until === 'number';
}
