import { cookieOfTicket, makeTicket } from '../../../../checkins/check-in-ticket.js';
import { makeDisplayToken } from '../../../../sessions/display-token.js';
import type { HandlersOf } from '../api-context.js';

/** What is shown to a whole room, and what is scanned there. */
export const displayHandlers = {
  makeDisplayToken: async ({ params, caller }, { services, publicUrl }) => ({
    body: await makeDisplayToken(caller.person, params.session_id, services, publicUrl()),
  }),
  makeTicket: async ({ params, body, request }, { services, publicUrl }) => {
    const ticket = await makeTicket({ ...params, ...body, address: request.ip ?? '' }, services);
    const secure = publicUrl().startsWith('https:');
    return { headers: { 'Set-Cookie': cookieOfTicket(ticket, { secure }) } };
  },
} satisfies Partial<HandlersOf>;
