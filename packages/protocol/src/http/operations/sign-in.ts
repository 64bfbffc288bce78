import { z } from 'zod';
import { userId } from '../../ids.js';
import { operation } from '../operation.js';

const token = z.string().min(1).max(200).describe('What follows the # in the address of a sign-in link.');
const at = z.iso.datetime();

const TOKEN = 'n0Jk1bT3yqfQh2m9c5x8vKzR4wLsDgPaYeUoIiXtZb0';
const ACCESS_TOKEN = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1aWQiOiJhZGEifQ.c2lnbmF0dXJl';

const signedIn = z
  .strictObject({
    user: z.strictObject({ user_id: userId, uid: z.string(), name: z.string() }),
    access_token: z.string().describe('For the socket, and as Bearer; to be kept in memory only.'),
    expires_at: at.describe('When it ends, ten minutes later. A refresh gives another.'),
  })
  .meta({ id: 'SignedIn' });
const signedInExample = {
  user: { user_id: 'user-1', uid: 'ada', name: 'Ada Osei' },
  access_token: ACCESS_TOKEN,
  expires_at: '2026-11-23T09:10:00.000Z',
};

const linkErrors = ['LINK_UNKNOWN', 'LINK_USED', 'LINK_EXPIRED', 'UNAUTHENTICATED'] as const;
const whoeverHasALink = 'Whoever has the link.';
const ofOneWebSession = 'Whoever has the cookie of a sign-in.';

export const signInOperations = {
  getSignInWays: operation({
    tag: 'Sign-in',
    summary: 'Says how one can sign in here, beside by a link.',
    who: 'Everybody.',
    security: 'nothing',
    answers: {
      200: {
        when: 'What is switched on.',
        schema: z
          .strictObject({
            email: z.boolean().describe('Links can be asked for by email.'),
            oidc: z.boolean().describe('There is an identity provider.'),
          })
          .meta({ id: 'SignInWays' }),
      },
    },
    errors: ['NOT_FOUND'],
    example: { answer: { email: true, oidc: false } },
  }),
  peekSignInLink: operation({
    tag: 'Sign-in',
    summary: 'Says whom a sign-in link would sign in, and uses nothing.',
    who: whoeverHasALink,
    security: 'nothing',
    ownPagesOnly: true,
    body: z.strictObject({ token }),
    answers: {
      200: {
        when: 'The link can be used.',
        schema: z
          .strictObject({ name: z.string(), purpose: z.enum(['sign-in', 'invite']), expires_at: at })
          .meta({ id: 'SignInLink' }),
      },
    },
    errors: linkErrors,
    example: {
      body: { token: TOKEN },
      answer: { name: 'Ada Osei', purpose: 'sign-in', expires_at: '2026-11-23T09:15:00.000Z' },
    },
  }),
  signIn: operation({
    tag: 'Sign-in',
    summary: 'Uses a sign-in link up, and signs this browser in.',
    description:
      'The answer sets the cookie of a new web session; one that this browser had before is closed. Signing in is never to be done without a press of the user: programs that read mail follow links, and run the scripts of their pages.',
    who: whoeverHasALink,
    security: 'nothing',
    ownPagesOnly: true,
    body: z.strictObject({
      token,
      shared_device: z
        .boolean()
        .default(false)
        .describe(
          'True on a computer that others use too: the sign-in ends with the browser, or after an hour unused.',
        ),
    }),
    answers: { 200: { when: 'The browser is signed in.', schema: signedIn } },
    errors: [...linkErrors, 'FORBIDDEN'],
    example: { body: { token: TOKEN, shared_device: true }, answer: signedInExample },
  }),
  mailSignInLink: operation({
    tag: 'Sign-in',
    summary: 'Mails a sign-in link to whom an email address belongs.',
    description: 'The answer is the same whether the address is known or not.',
    who: 'Everybody.',
    security: 'nothing',
    ownPagesOnly: true,
    body: z.strictObject({ email: z.string().min(3).max(254) }),
    answers: { 202: { when: 'Where somebody has this address, a link is on its way to it.' } },
    errors: ['NOT_FOUND', 'FORBIDDEN'],
    example: { body: { email: 'ada@school.example' } },
  }),
  refreshAccess: operation({
    tag: 'Sign-in',
    summary: 'Gives a new access token to a browser that is signed in.',
    description: 'The cookie stays the same, so that several tabs may ask at the same time.',
    who: ofOneWebSession,
    security: 'cookie',
    answers: { 200: { when: 'A token for ten minutes.', schema: signedIn } },
    errors: ['FORBIDDEN'],
    example: { answer: signedInExample },
  }),
  signOut: operation({
    tag: 'Sign-in',
    summary: 'Signs this browser out.',
    description: 'Its tokens count no longer, and its sockets are cut, on every server.',
    who: ofOneWebSession,
    security: 'cookie',
    answers: { 204: { when: 'It is signed out; also where it was so before.' } },
    errors: ['FORBIDDEN'],
    example: {},
  }),
  signOutEverywhere: operation({
    tag: 'Sign-in',
    summary: 'Signs the user out in every browser.',
    who: ofOneWebSession,
    security: 'cookie',
    answers: { 204: { when: 'No web session of the user is open.' } },
    errors: ['FORBIDDEN'],
    example: {},
  }),
  startOidc: operation({
    tag: 'Sign-in',
    summary: 'Sends the browser to the identity provider.',
    who: 'Everybody.',
    security: 'nothing',
    query: z.object({
      return_to: z.string().optional().describe('Where to go after it: an address of this site.'),
      shared_device: z.boolean().default(false),
    }),
    answers: { 302: { when: 'To the identity provider.' } },
    errors: ['NOT_FOUND', 'KEYS_UNAVAILABLE'],
    example: { query: { return_to: '/' } },
  }),
  finishOidc: operation({
    tag: 'Sign-in',
    summary: 'Where the identity provider sends the browser back to.',
    who: 'The browser that the sign-in was begun in.',
    security: 'nothing',
    query: z.looseObject({}),
    answers: { 302: { when: 'To where the sign-in was begun; to the sign-in page with `problem` where it failed.' } },
    errors: ['NOT_FOUND'],
    example: {},
  }),
  logOutByOidc: operation({
    tag: 'Sign-in',
    summary: 'Takes a logout token of the identity provider (OpenID Connect Back-Channel Logout).',
    who: 'The identity provider.',
    security: 'nothing',
    bodyMedia: ['application/x-www-form-urlencoded'],
    answers: { 200: { when: 'Whom the token names is signed out.' } },
    errors: ['NOT_FOUND', 'KEYS_UNAVAILABLE', 'UNSUPPORTED_MEDIA_TYPE', 'PAYLOAD_TOO_LARGE'],
    example: {},
  }),
  invitePerson: operation({
    tag: 'Sign-in',
    summary: 'Makes a link by which a person signs in, good for seven days.',
    who: 'An admin.',
    security: 'token',
    params: z.object({ user_id: userId }),
    answers: {
      201: {
        when: 'The link, which is shown once.',
        schema: z.strictObject({ url: z.url(), expires_at: at }).meta({ id: 'Invite' }),
      },
    },
    errors: ['FORBIDDEN', 'NOT_FOUND'],
    example: {
      params: { user_id: 'user-1' },
      answer: { url: `https://school.example/sign-in#${TOKEN}`, expires_at: '2026-11-30T09:00:00.000Z' },
    },
  }),
} as const;
