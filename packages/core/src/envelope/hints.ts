import type { PeerInfo } from '../port/common.ts'
import { isText, isTuple } from './checks.ts'

/** Limits on sent provider hints: their number, the addresses of each, and the characters of each text. The rest is left out. */
const maxHints = 4
const maxHintAddresses = 8
const maxHintText = 512
/** Maximum bytes of the provider hints in a message. */
export const hintSize = 1_280

/** As many hints as fit. A sender may leave some out, since they only save a lookup. */
export function encodeHints(providers: readonly PeerInfo[]): unknown[] {
  const hints: unknown[] = []
  let room = hintSize
  for (const { network, id, addresses } of providers.slice(0, maxHints)) {
    const texts = addresses.slice(0, maxHintAddresses)
    while (texts.length > 0 && textSize([network, id, ...texts]) > room) texts.pop()
    const size = textSize([network, id, ...texts])
    if (size > room) continue
    room -= size
    hints.push([network, id, texts])
  }
  return hints
}

function textSize(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + 3 * text.length + 3, 8)
}

/** `undefined` for anything that is not a list of hints. */
export function parseHints(hints: unknown): PeerInfo[] | undefined {
  if (!Array.isArray(hints) || hints.length > maxHints) return undefined
  const providers: PeerInfo[] = []
  for (const hint of hints as unknown[]) {
    if (!isTuple(hint, 3)) return undefined
    const [network, id, addresses] = hint
    if (!isText(network, maxHintText) || !isText(id, maxHintText) || !Array.isArray(addresses)) return undefined
    if (addresses.length > maxHintAddresses) return undefined
    if (!(addresses as unknown[]).every((address) => isText(address, maxHintText))) return undefined
    providers.push({ network, id, addresses: addresses as string[] })
  }
  return providers
}
