import { decode } from '@ipld/dag-cbor'
import type { Ending, Stranger } from '@p2pl/simulator'
import { bytesKey } from '@p2pl/core/backend'
import { decodeMessage } from '../../src/wire/messages.ts'
import type { WireMessage } from '../../src/wire/messages.ts'
import { topic } from './forge.ts'

/** What honest peers say, as an attacker reads it: the messages inside their envelopes. */
export function hear(stranger: Stranger, listener: (message: WireMessage) => void): Ending {
  return stranger.listen(topic, ({ payload }) => {
    for (const bytes of payloadsOf(payload)) {
      try {
        listener(decodeMessage(bytes))
      } catch {
        // What another attacker has sent.
      }
    }
  })
}

function payloadsOf(envelope: Uint8Array): Uint8Array[] {
  try {
    const [, body] = decode<[number, Uint8Array]>(envelope)
    const messages = decode<unknown[]>(body)[5] as unknown[]
    return messages.filter((message): message is Uint8Array => message instanceof Uint8Array)
  } catch {
    return []
  }
}

/** Roots that honest peers have reported, the latest last. */
export function collectRoots(stranger: Stranger): {
  readonly roots: Map<string, { root: Uint8Array; count: number }>
  end: () => void
} {
  const roots = new Map<string, { root: Uint8Array; count: number }>()
  const { end } = hear(stranger, (message) => {
    if (message.kind !== 'beacon' || message.count === 0 || message.providers[0]?.id.startsWith('mallory')) return
    const key = bytesKey(message.root)
    roots.delete(key)
    roots.set(key, { root: message.root.slice(), count: message.count })
  })
  return { roots, end }
}
