// The page of a sign-in link. The link's secret is in the fragment of the address, which no browser sends anywhere; it
// is used by the press of the button alone, since programs that read mail follow links and run scripts.

const PROBLEMS = {
  LINK_USED: 'This link was already used. Ask for another one.',
  LINK_EXPIRED: 'This link has expired. Ask for another one.',
  LINK_UNKNOWN: 'This link is not known. A part of it may be missing; else ask for another one.',
  RATE_LIMITED: 'Too many tries. Wait a minute, then try again.',
  USER_UNKNOWN: 'Your account is not known here. Ask your school’s office.',
  KEYS_UNAVAILABLE: 'Your school’s sign-in does not answer. Try again in a minute.',
  UNAUTHENTICATED: 'You could not be signed in. Try again.',
};
const SOMETHING = 'Something went wrong. Try again in a minute.';

const part = (id) => document.getElementById(id);
const parts = { link: part('by-link'), ways: part('ways'), signedIn: part('signed-in') };

/** Shows one part of the page, or none. */
function show(shown, heading = 'Sign in to Rollcall') {
  for (const each of Object.values(parts)) each.hidden = each !== shown;
  document.querySelector('h1').textContent = heading;
  document.title = heading;
}

function tell(code) {
  part('problem').textContent = code === undefined ? '' : (PROBLEMS[code] ?? SOMETHING);
}

/** What the API answers, or a problem with its code. */
async function ask(method, path, body) {
  try {
    const response = await fetch(`api/v1/auth/${path}`, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const answer = text === '' ? {} : JSON.parse(text);
    return response.ok ? { answer } : { code: answer.code ?? 'INTERNAL', detail: answer.detail };
  } catch {
    return { code: 'INTERNAL' };
  }
}

const problemOf = ({ code, detail }) => (detail === 'User not found' ? 'USER_UNKNOWN' : code);

const secret = () => decodeURIComponent(location.hash.slice(1));

function showSignedIn({ user }) {
  part('name').textContent = user.name;
  show(parts.signedIn, 'You are signed in');
}

async function showWays() {
  show(parts.ways);
  const { answer } = await ask('GET', 'ways');
  part('by-provider').hidden = !answer?.oidc;
  part('by-email').hidden = !answer?.email;
}

async function look() {
  tell();
  show(undefined);
  if (location.hash === '' || location.hash === '#') {
    const problem = new URLSearchParams(location.search).get('problem');
    if (problem !== null) {
      tell(problem);
      return showWays();
    }
    const { answer } = await ask('POST', 'refresh');
    return answer ? showSignedIn(answer) : showWays();
  }
  const found = await ask('POST', 'sign-in/peek', { token: secret() });
  if (!found.answer) {
    tell(problemOf(found));
    return showWays();
  }
  const button = parts.link.querySelector('button');
  button.textContent = `Continue as ${found.answer.name}`;
  show(parts.link);
}

parts.link.addEventListener('submit', async (event) => {
  event.preventDefault();
  // A press by a person, and not by a program of the page.
  if (!event.isTrusted) return;
  const button = parts.link.querySelector('button');
  button.disabled = true;
  tell();
  const { shared_device } = parts.link.elements;
  const done = await ask('POST', 'sign-in', { token: secret(), shared_device: shared_device.checked });
  button.disabled = false;
  if (!done.answer) {
    tell(problemOf(done));
    if (done.code.startsWith('LINK_')) await showWays();
    return;
  }
  // The secret is of no use any more, and has no place in what the browser remembers.
  history.replaceState(null, '', location.pathname);
  showSignedIn(done.answer);
});

part('by-email').addEventListener('submit', async (event) => {
  event.preventDefault();
  tell();
  const { code } = await ask('POST', 'links', { email: part('email').value });
  if (code) tell(code);
  else part('sent').textContent = 'If this address is known here, a link is on its way to it.';
});

part('sign-out').addEventListener('click', async () => {
  const { code } = await ask('POST', 'sign-out');
  if (code) tell(code);
  else await look();
});

addEventListener('hashchange', look);
await look();
