import type { Backend, Block, BlockTransport, MessageTransport, PeerInfo, RoutingTransport } from '@p2pl/core/backend'
import { fail } from './check.ts'

export function messagesOf(backend: Backend): MessageTransport {
  return backend.messages ?? fail('a backend that declares messages has the part', 'no `messages`')
}

export function blocksOf(backend: Backend): BlockTransport {
  return backend.blocks ?? fail('a backend that declares blocks has the part', 'no `blocks`')
}

export function routingOf(backend: Backend): RoutingTransport {
  return backend.routing ?? fail('a backend that declares routing has the part', 'no `routing`')
}

export async function put(backend: Backend, ...blocks: readonly Block[]): Promise<void> {
  await blocksOf(backend).putMany(blocks)
}

/** The ids of a backend: one for each network that it is on. */
export function idsOf(backend: Backend): string[] {
  return backend.self().map(({ id }) => id)
}

/** The id and addresses under which others reach a backend, on the network that all backends of a test share. */
export function selfOf(backend: Backend): PeerInfo {
  return backend.self()[0] ?? fail('self() names the backend on a network', '[]')
}
