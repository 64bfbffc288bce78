/** What a client author needs to build check-ins by code: the section of the reference on them. */
export const CHECK_IN_CODES = `## Check-in codes

Under policy \`check_in: 'code'\` (in [startAttendanceSession](#startattendancesession), or CHECK_IN=code for all) a student's first join of a session needs the code that the teacher shows. A rejoin needs none. A check-in by itself marks nobody: for that there is \`auto_mark\`.

**The teacher's screen** gets [attendanceCode](#attendancecode) right after the answer to a start, and whenever it attaches or is connected again; the next comes at \`next_at\`, every 15 s (CODE_SECONDS). Show the last one that came, in whichever form suits: \`code\`, \`words\`, or \`url\` as a QR code. It counts until \`valid_until\`, by the server's clock, so that nobody who is typing is too late.

**The student's app** learns from \`check_in\` of an [ActiveSession](#activesession) that there is a code to ask for, or from \`CODE_REQUIRED\`. It sends as \`code\`, always a string:
- the six digits; spaces and punctuation between them don't matter, and the first may be 0: don't make a number of them;
- or the three words, with anything but letters between them, in any case;
- or what was scanned: the whole link, or its parameter \`code\`.

**The link** is \`PUBLIC_URL/check-in/<session_id>?code=<token>\`, the session's id percent-encoded. Rollcall serves no page there: set PUBLIC_URL to your app, serve that path, sign the student in, and join the session of the path with the whole link as \`code\`.

**A scan before the sign-in.** A student who scans the link may have to sign in first, and the code is an old one by then. So the page that the link leads to sends the link's parameter \`code\` at once, without any sign-in: \`POST /api/v1/sessions/{session_id}/tickets {code}\`, to the same address that the browser later connects to. The answer sets a cookie for 5 minutes that no script can read. When the same browser then joins without a \`code\`, over a socket that was connected after the scan or over HTTP, the cookie counts as the right code of one first check-in. Digits and words are not taken there, since they could be guessed.

| refusal | what to show |
|---|---|
| \`CODE_REQUIRED\` | a field for the code |
| \`CODE_EXPIRED\` | "this was the code some time ago: type the one on the screen now" |
| \`CODE_INVALID\` | "this is not the code" |
| \`RATE_LIMITED\` | after ten wrong codes of a student no code of theirs is looked at for \`details.retry_after\` seconds, 300 at most, also the right one and on other devices; the teacher can mark them. An expired code isn't a wrong one |
| \`NOT_ENROLLED\` | is said before any code is looked at |`;
