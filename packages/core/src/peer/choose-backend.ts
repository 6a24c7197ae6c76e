import type { PeerOptions } from '../api/peer.ts'
import { split } from '../define/split.ts'
import { invalidArgument, unsupported } from '../errors.ts'
import type { Backend } from '../port/backend.ts'

/** The backend that serves the peer, and the ones that it was made of. */
export interface ChosenBackend {
  readonly backend: Backend
  readonly parts: readonly Backend[]
}

export function chooseBackend(options: PeerOptions): ChosenBackend {
  const { backend, messages, data } = (options ?? {}) as { backend?: unknown; messages?: unknown; data?: unknown }
  if (backend !== undefined) {
    assertBackend(backend, 'backend')
    if (messages === undefined && data === undefined) return { backend, parts: [backend] }
    throw invalidArgument(
      'createPeer',
      '"backend" serves everything: give either it, or one for "messages" and one for "data"'
    )
  }
  if (messages === undefined || data === undefined) {
    throw invalidArgument('createPeer', 'give createPeer a "backend", or one for "messages" and one for "data"')
  }
  assertBackend(messages, 'messages')
  assertBackend(data, 'data')
  return { backend: split({ messages, data }), parts: [messages, data] }
}

function assertBackend(value: unknown, option: string): asserts value is Backend {
  const backend = value as Partial<Backend> | null | undefined
  if (
    typeof backend?.start !== 'function' ||
    typeof backend.stop !== 'function' ||
    backend.capabilities === undefined
  ) {
    const promised = typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
    throw invalidArgument(
      'createPeer',
      `"${option}" is not a backend: ${promised ? 'it is a promise, so await it first' : "pass the result of an adapter's factory"}`
    )
  }
}

const strength = { none: 0, process: 1, power: 2 } as const

/** Throws `UNSUPPORTED` where the backend keeps less than the app wants. */
export function assertDurability({ backend }: ChosenBackend, wanted: 'process' | 'power' | undefined): void {
  if (wanted === undefined) return
  const persistence = backend.capabilities.blocks?.persistence ?? 'none'
  if (strength[persistence] >= strength[wanted]) return
  throw unsupported(
    backend.name,
    `durability: "${wanted}"`,
    `its persistence is "${persistence}"; give it a folder, or an option for durability, where it takes one`
  )
}
