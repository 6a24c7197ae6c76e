import { type Codec, isP2plError } from '@p2pl/core'
import { applyUpdate, type Doc, encodeStateAsUpdate, encodeStateVector } from 'yjs'
import type { Room } from './api.ts'

/** Documents are larger than messages, and a slow peer should not hold up the others. */
const askTimeout = 60_000
const bytes: Codec<Uint8Array> = { name: 'bytes', encode: (value) => value, decode: (value) => value }

export interface BindOptions {
  /** The channel that carries the document. Use one for each document. Default `yjs`. */
  readonly channel?: string | undefined
}

/** A document that stays in step with those of the other peers in the room. */
export interface BoundDocument extends Disposable {
  /** Resolves when another peer has sent its version. Waits for as long as no other peer is here. */
  readonly synced: Promise<void>
  /** Ends the binding. The document keeps its state. Destroying the document also ends the binding. */
  close(): void
}

/**
 * Keeps a Yjs document equal at all peers of a room. Changes are broadcast. A peer that joins, or whose messages were lost,
 * is asked for the changes that are missing here. Everybody in the room may change the document, so use a secret.
 */
export function bindDocument<T>(room: Room<T>, doc: Doc, { channel = 'yjs' }: BindOptions = {}): BoundDocument {
  const updates = room.channel(channel, { codec: bytes })
  const { promise: synced, resolve } = Promise.withResolvers<void>()
  const bound: BoundDocument = { synced, close, [Symbol.dispose]: close }
  /** Peers that are being asked now; true for those to be asked again. */
  const asked = new Map<string, boolean>()
  let closed = false

  const apply = (update: Uint8Array): void => {
    try {
      applyUpdate(doc, update, bound)
    } catch {
      // Not an update of Yjs: it changes nothing and affects nobody but its sender.
    }
  }
  const ask = async (id: string): Promise<void> => {
    if (asked.has(id)) {
      asked.set(id, true)
      return
    }
    asked.set(id, false)
    let again = false
    try {
      apply(await updates.request(id, encodeStateVector(doc), { timeout: askTimeout }))
      resolve()
    } catch (error) {
      // A peer that has no such document yet tells us when it has one.
      again = isP2plError(error, 'TIMEOUT')
    }
    again ||= asked.get(id) === true
    asked.delete(id)
    if (again && !closed && room.peers.has(id)) await ask(id)
  }
  const onUpdate = (update: Uint8Array, origin: unknown): void => {
    // A failed broadcast is a loss like any other: the other peers ask when they notice it.
    if (origin !== bound) updates.send(update).catch(() => undefined)
  }
  const endings = [
    updates.onMessage(({ payload, sender }) => {
      if (payload.byteLength === 0) void ask(sender)
      else apply(payload)
    }),
    updates.onRequest((stateVector) => encodeStateAsUpdate(doc, stateVector)),
    room.onEvent((event) => {
      if (event.type === 'join') void ask(event.peer.id)
      if (event.type !== 'gap') return
      for (const id of room.peers.keys()) if (event.sender === undefined || event.sender === id) void ask(id)
    })
  ]
  doc.on('update', onUpdate)
  doc.once('destroy', close)
  for (const id of room.peers.keys()) void ask(id)
  // An empty message tells that there is another document here.
  updates.send(new Uint8Array()).catch(() => undefined)
  return bound

  function close(): void {
    if (closed) return
    closed = true
    doc.off('update', onUpdate)
    doc.off('destroy', close)
    for (const end of endings) end()
  }
}
