import { fieldsOf } from '../streams/wire.ts'

/**
 * The most parts of one frame: subscriptions, messages, control messages and the message ids in them. No node sends more
 * than 5,000 ids at a time, but a frame of 1 MiB can hold half a million tiny parts, which the engine decodes at once.
 */
const maxParts = 16_384
/** A part has at least a tag and a length. */
const leastBytes = 2

/** The field of control messages in a frame, and the fields in them that are lists: IHAVE, IWANT, PRUNE, IDONTWANT. */
const control = 3
const lists: ReadonlySet<number> = new Set([1, 2, 4, 5])

/** Whether a frame has more parts than any node sends. It is not decoded for that. */
export function isCrowded(frame: Uint8Array): boolean {
  if (frame.byteLength < maxParts * leastBytes) return false
  let count = 0
  try {
    for (const _ of partsOf(frame)) if (++count > maxParts) return true
  } catch {
    // It is no frame, and decoding it says so.
  }
  return false
}

function* partsOf(frame: Uint8Array): Generator<void, void, undefined> {
  for (const { number, value } of fieldsOf(frame)) {
    yield
    if (number !== control || typeof value === 'number') continue
    for (const list of fieldsOf(value)) {
      yield
      if (!lists.has(list.number) || typeof list.value === 'number') continue
      for (const _ of fieldsOf(list.value)) yield
    }
  }
}
