/** The tag that the seed document asks for, on every line of the debug log. */
export const TAG = '[SOCKET DEBUG]';
