// oxlint-disable-next-line no-control-regex
const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

/**
 * Makes text that may come from a stranger safe for a terminal: control characters, which could move the cursor, or change
 * colours or the order of letters, become visible. Line ends and tabs stay. JSON text remains equivalent.
 */
export function printable(text: string): string {
  return text.replaceAll(unsafe, (sign) => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)
}

/** A stranger's name within a line. It must not start new lines, which would look like those of others. */
export function oneLine(name: string): string {
  return name.replaceAll(/[\r\n]+/g, ' ')
}
