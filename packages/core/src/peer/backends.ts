import type { PeerOptions } from '../api/peer.ts'
import { invalidArgument, unsupported } from '../errors.ts'
import type { Backend } from '../port/backend.ts'
import type { Capabilities } from '../port/capabilities.ts'

/** Which backend serves what: one for everything, or one for messages and one for data. */
export interface Backends {
  readonly messages: Backend
  readonly data: Backend
  /** Each once. */
  readonly all: readonly Backend[]
  readonly capabilities: Capabilities
}

export function chooseBackends(options: PeerOptions): Backends {
  const { backend, messages, data } = (options ?? {}) as { backend?: Backend; messages?: Backend; data?: Backend }
  if (backend !== undefined) {
    assertBackend(backend, 'backend')
    if (messages !== undefined || data !== undefined) {
      throw invalidArgument(
        'createPeer',
        '"backend" serves everything: give either it, or one for "messages" and one for "data"'
      )
    }
    return { messages: backend, data: backend, all: [backend], capabilities: backend.capabilities }
  }
  if (messages === undefined || data === undefined) {
    throw invalidArgument('createPeer', 'give createPeer a "backend", or one for "messages" and one for "data"')
  }
  assertBackend(messages, 'messages')
  assertBackend(data, 'data')
  if (messages.capabilities.messages === undefined) throw unsupported(messages.name, 'messages')
  if (data.capabilities.blocks === undefined) throw unsupported(data.name, 'data')
  return {
    messages,
    data,
    all: messages === data ? [messages] : [messages, data],
    capabilities: {
      runtimes: messages.capabilities.runtimes.filter((runtime) => data.capabilities.runtimes.includes(runtime)),
      messages: messages.capabilities.messages,
      blocks: data.capabilities.blocks,
      routing: data.capabilities.routing
    }
  }
}

function assertBackend(value: unknown, option: string): asserts value is Backend {
  const backend = value as Partial<Backend> | null | undefined
  if (
    typeof backend?.start !== 'function' ||
    typeof backend.stop !== 'function' ||
    backend.capabilities === undefined
  ) {
    throw invalidArgument('createPeer', `"${option}" is not a backend: pass what an adapter's factory returns`)
  }
}
