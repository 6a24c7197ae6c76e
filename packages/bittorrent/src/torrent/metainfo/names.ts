const maxNameBytes = 255
/** Names that Windows uses for devices. */
const devices = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i
/**
 * Separators, and characters that file systems, shells or terminals treat specially: control characters, marks that
 * reverse text.
 */
const forbidden = /[\p{Cc}\p{Zl}\p{Zp}<>:"/\\|?*]|(?![\u200c\u200d])\p{Cf}/gu

/**
 * Makes a file name that is safe to use in any folder from a name that a stranger chose: never a path, never hidden,
 * never empty. Returns `fallback` if nothing is left of it.
 */
export function cleanName(bytes: Uint8Array, fallback: string): string {
  const text = Buffer.from(bytes).toString('utf8').normalize('NFC').replace(forbidden, '_')
  const trimmed = text.replace(/^[\s._]+/u, '').replace(/[\s.]+$/u, '')
  const name = truncate(devices.test(trimmed) ? `_${trimmed}` : trimmed)
  return /[^_]/u.test(name) ? name : fallback
}

/** Keeps characters whole. */
function truncate(text: string): string {
  let bytes = 0
  let kept = ''
  for (const character of text) {
    bytes += Buffer.byteLength(character)
    if (bytes > maxNameBytes) break
    kept += character
  }
  return kept
}
