const longest = 500

/**
 * The text of an error, prepared for a log: one line of bounded length, without the secrets that URLs and headers carry.
 * Errors of engines quote the address that failed, and an address may contain a password or a token.
 */
export function redact(text: string): string {
  return (
    text
      .slice(0, 4 * longest)
      // oxlint-disable-next-line no-control-regex
      .replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
      .replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^/?#\s]*@/gi, '$1***@')
      .replaceAll(/\b(bearer|basic)\s+[\w.~+/=-]+/gi, '$1 ***')
      .replaceAll(
        /\b([\w-]*(?:token|secret|password|passwd|api[_-]?key|authorization))(["']?\s*[=:]\s*["']?)(?!(?:bearer|basic)\s)[^\s"'&,;]+/gi,
        '$1$2***'
      )
      .slice(0, longest)
  )
}
