// oxlint-disable-next-line no-control-regex
const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

/**
 * Text that may be a stranger's, for a terminal: control characters, which could move the cursor, change colours or the order of letters, become
 * visible. Ends of lines and tabs stay. In JSON the result is still the same JSON.
 */
export function printable(text: string): string {
  return text.replaceAll(unsafe, (sign) => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)
}

/** A stranger's name within a line: it must not make lines of its own, which would look like those of others. */
export function oneLine(name: string): string {
  return name.replaceAll(/[\r\n]+/g, ' ')
}
