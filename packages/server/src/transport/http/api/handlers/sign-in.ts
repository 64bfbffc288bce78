import { RollcallError, type UserId } from '@rollcall/protocol';
import type { Request } from 'express';
import { FLOW_MS } from '../../../../sign-in/oidc.js';
import { under } from '../../../../sign-in/public-address.js';
import type { SignIn } from '../../../../sign-in/sign-in.js';
import type { SignedIn } from '../../../../sign-in/web-sessions.js';
import { cookiePlace, readCookie, removeCookie, setCookie } from '../../cookies.js';
import { refusalOf } from '../../problems.js';
import type { ApiAnswer, ApiContext, HandlersOf } from '../api-context.js';
import { formOf } from '../form.js';

/** Of a cookie that goes with the browser to the identity provider and back. */
const FLOW = '-oidc';
/** What the browser has kept of a user who signs out. */
const CLEAR_SITE_DATA = '"cache","cookies","storage"';

export const signInHandlers = {
  getSignInWays: (_call, context) => {
    const signIn = signInOf(context);
    return { body: { email: signIn.mails, oidc: signIn.oidc !== undefined } };
  },

  peekSignInLink: async ({ body, request }, context) => {
    const { person, link } = await signInOf(context).links.peek(body.token, addressOf(request));
    const { purpose, expires_at } = link;
    return { body: { name: person.name, purpose, expires_at: new Date(expires_at).toISOString() } };
  },

  signIn: async ({ body, request }, context) => {
    const { links, webSessions } = signInOf(context);
    const person = await links.use(body.token, addressOf(request)).catch((error: unknown) => {
      noteRefusal(error, context);
      throw error;
    });
    const device = { sharedDevice: body.shared_device, userAgent: request.get('User-Agent') };
    return signedInAnswer(await webSessions.open(person, device, secretOf(request, context)), context);
  },

  mailSignInLink: ({ body, request }, context) => {
    const signIn = signInOf(context);
    if (!signIn.mails) throw new RollcallError('NOT_FOUND', { message: 'This server sends no mail' });
    signIn.mailLink(body.email.trim(), addressOf(request));
    return {};
  },

  refreshAccess: async ({ request }, context) =>
    signedInAnswer(await signInOf(context).webSessions.refresh(secretOf(request, context)), context),

  signOut: async ({ request }, context) => {
    const secret = secretOf(request, context);
    if (secret !== undefined) await signInOf(context).webSessions.close(secret);
    return signedOutAnswer(context);
  },

  signOutEverywhere: async ({ request }, context) => {
    const { webSessions } = signInOf(context);
    const { person } = await webSessions.read(secretOf(request, context));
    await webSessions.closeAllOf(person.user_id);
    return signedOutAnswer(context);
  },

  startOidc: async ({ query }, context) => {
    const { url, flow } = await providerOf(context).start(query.return_to, query.shared_device);
    const cookie = setCookie(cookiePlace(context.publicUrl(), FLOW), flow, FLOW_MS);
    return { status: 302, headers: { Location: url, 'Set-Cookie': cookie } };
  },

  finishOidc: async ({ request }, context) => {
    const oidc = providerOf(context);
    const { webSessions, personOfUser } = methodsOf(signInOf(context));
    const place = cookiePlace(context.publicUrl(), FLOW);
    const flowIsOver = removeCookie(place);
    try {
      const [, query = ''] = request.url.split('?');
      const finished = await oidc.finish(query, readCookie(request.headers.cookie, place.name));
      const person = await personOfUser(finished.userId);
      if (!person) throw new RollcallError('UNAUTHENTICATED', { message: 'User not found' });
      const { sharedDevice, provider, returnTo } = finished;
      const device = { sharedDevice, provider, userAgent: request.get('User-Agent') };
      const signedIn = await webSessions.open(person, device, secretOf(request, context));
      const cookies = [cookieOf(signedIn, context), flowIsOver];
      return { status: 302, headers: { Location: returnTo, 'Set-Cookie': cookies } };
    } catch (error) {
      noteRefusal(error, context);
      // Whoever reads this is a person before a browser, and not a program.
      const { code, message } = refusalOf(error);
      const problem = message === 'User not found' ? 'USER_UNKNOWN' : code;
      const page = `${under(context.publicUrl(), 'sign-in')}?problem=${problem}`;
      return { status: 302, headers: { Location: page, 'Set-Cookie': flowIsOver } };
    }
  },

  logOutByOidc: async ({ request }, context) => {
    const oidc = providerOf(context);
    const whom = await oidc.loggedOut((await formOf(request)).get('logout_token'));
    if (whom) await signInOf(context).webSessions.closeAllOf(whom);
    return {};
  },

  invitePerson: async ({ params, caller }, context) => {
    if (!caller.person.is_admin) throw new RollcallError('FORBIDDEN');
    const signIn = signInOf(context);
    const person = await signIn.personOfUser(params.user_id as UserId);
    if (!person) throw new RollcallError('NOT_FOUND', { message: 'User not found' });
    const { url, expires_at } = await signIn.links.makeWithinLimit(person.user_id, 'invite', caller.person.user_id);
    return { body: { url, expires_at: new Date(expires_at).toISOString() } };
  },
} satisfies Partial<HandlersOf>;

function signInOf({ signIn }: ApiContext): SignIn {
  if (!signIn) throw new RollcallError('NOT_FOUND', { message: 'The app that this server is part of signs people in' });
  return signIn;
}

const methodsOf = (signIn: SignIn) => ({
  webSessions: signIn.webSessions,
  personOfUser: (userId: UserId) => signIn.personOfUser(userId),
});

function providerOf(context: ApiContext) {
  const { oidc } = signInOf(context);
  if (!oidc) throw new RollcallError('NOT_FOUND', { message: 'This server has no identity provider' });
  return oidc;
}

/** Of the browser, or of the proxy in front of this server: nobody is refused by it alone. */
const addressOf = (request: Request): string => request.socket.remoteAddress ?? '';

const secretOf = (request: Request, { publicUrl }: ApiContext): string | undefined =>
  readCookie(request.headers.cookie, cookiePlace(publicUrl()).name);

const cookieOf = ({ secret, cookieMs }: SignedIn, { publicUrl }: ApiContext): string =>
  setCookie(cookiePlace(publicUrl()), secret, cookieMs);

function signedInAnswer(signedIn: SignedIn, context: ApiContext): ApiAnswer {
  const { person, access_token, expires_at } = signedIn;
  const { user_id, uid, name } = person;
  return {
    body: { user: { user_id, uid, name }, access_token, expires_at: new Date(expires_at).toISOString() },
    headers: { 'Set-Cookie': cookieOf(signedIn, context) },
  };
}

const signedOutAnswer = ({ publicUrl }: ApiContext): ApiAnswer => ({
  headers: { 'Set-Cookie': removeCookie(cookiePlace(publicUrl())), 'Clear-Site-Data': CLEAR_SITE_DATA },
});

function noteRefusal(error: unknown, { logger }: ApiContext): void {
  const { code, message, cause } = refusalOf(error);
  logger.info({ code, reason: message, ...(cause === undefined ? {} : { err: cause }) }, 'a sign-in was refused');
}
