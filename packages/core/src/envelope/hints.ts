import type { PeerInfo } from '../port/common.ts'
import { isText, isTuple } from './checks.ts'

/** Provider hints that are sent, addresses of each, and characters of each text; more are left out. */
const maxHints = 4
const maxHintAddresses = 8
const maxHintText = 512
/** Bytes that provider hints may take in a message. */
export const hintSize = 1_280

/** As many hints as fit; every sender can leave some out, since they only save a look-up. */
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

/** `undefined` for anything that is no list of hints. */
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
