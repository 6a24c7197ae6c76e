import type { PeerOptions } from '../api/peer.ts'
import { split } from '../define/split.ts'
import { invalidArgument, unsupported } from '../errors.ts'
import type { Backend } from '../port/backend.ts'
import { checkBackend } from '../toolbox/actors.ts'

/** The backend that serves the peer, and the backends that it was made from. */
export interface ChosenBackend {
  readonly backend: Backend
  readonly parts: readonly Backend[]
}

export function chooseBackend(options: PeerOptions): ChosenBackend {
  const { backend, messages, data } = (options ?? {}) as { backend?: unknown; messages?: unknown; data?: unknown }
  if (backend !== undefined) {
    checkBackend('createPeer', 'backend', backend)
    if (messages === undefined && data === undefined) return { backend, parts: [backend] }
    throw invalidArgument(
      'createPeer',
      '"backend" serves everything: give either it, or one for "messages" and one for "data"'
    )
  }
  if (messages === undefined || data === undefined) {
    throw invalidArgument('createPeer', 'give createPeer a "backend", or one for "messages" and one for "data"')
  }
  checkBackend('createPeer', 'messages', messages)
  checkBackend('createPeer', 'data', data)
  return { backend: split({ messages, data }), parts: [messages, data] }
}

const strength = { none: 0, process: 1, power: 2 } as const

/** Throws `UNSUPPORTED` if the backend is less durable than the app wants. */
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
