import { decode, encode } from '@ipld/dag-cbor'
import { FairBuffer } from './fair-buffer.ts'
import { isBytes, isCount, isText, isTuple } from './wire/check.ts'
import { encodeContent, parseContent } from './wire/content.ts'
import { type FrameHead, maxChannel, type Say, stayLength } from './wire/frame.ts'

const maxBytes = 4 * 1024 * 1024
/** Bytes that a broadcast counts in addition to its payload. */
const overhead = 256
const maxEntries = 10_000

/** A broadcast as its author signed it. */
export type Said = Pick<Say, 'channel' | 'content' | 'signature'> &
  Pick<FrameHead, 'stay' | 'n'> & { readonly sender: string }

/** The last broadcasts, in the order in which this peer heard them, for latecomers. */
export class History {
  readonly #entries: FairBuffer<Said>

  constructor(limit: number) {
    this.#entries = new FairBuffer({ maxItems: limit, maxBytes })
  }

  get entries(): readonly Said[] {
    return this.#entries.items
  }

  add(said: Said): void {
    this.#entries.push(said.sender, said, overhead + sizeOf(said))
  }
}

function sizeOf({ content }: Said): number {
  return content instanceof Uint8Array ? content.byteLength : 1_024
}

/** DAG-CBOR list of `[sender, stay, n, channel, content, signature]`: the newest entries, as many as fit into `bytes`. */
export function encodeHistory(entries: readonly Said[], bytes: number): Uint8Array {
  let room = bytes
  const chosen: Said[] = []
  for (const said of entries.toReversed()) {
    room -= overhead + sizeOf(said)
    if (room < 0) break
    chosen.unshift(said)
  }
  return encode(
    chosen.map(({ sender, stay, n, channel, content, signature }) => [
      sender,
      stay,
      n,
      channel,
      encodeContent(content),
      signature
    ])
  )
}

/** Decodes the history that another peer sent, and drops every entry that is not valid. Never throws. */
export function decodeHistory(bytes: Uint8Array): Said[] {
  try {
    const list: unknown = decode(bytes)
    if (!Array.isArray(list)) return []
    return (list as unknown[]).slice(0, maxEntries).flatMap((item) => parse(item) ?? [])
  } catch {
    return []
  }
}

function parse(item: unknown): Said | undefined {
  if (!isTuple(item, 6)) return undefined
  const [sender, stay, n, channel, value, signature] = item
  const content = parseContent(value)
  if (!isText(sender, 128) || !isBytes(stay, stayLength) || !isCount(n) || !isText(channel, maxChannel))
    return undefined
  return content === undefined || !isBytes(signature, 64) ? undefined : { sender, stay, n, channel, content, signature }
}
