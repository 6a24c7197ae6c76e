import type { Backend, BlockTransport, MessageTransport, Routing } from '@p2pl/core/backend'
import { fail } from './check.ts'

export function messagesOf(backend: Backend): MessageTransport {
  return backend.messages ?? fail('a backend that declares messages has the part', 'no `messages`')
}

export function blocksOf(backend: Backend): BlockTransport {
  return backend.blocks ?? fail('a backend that declares blocks has the part', 'no `blocks`')
}

export function routingOf(backend: Backend): Routing {
  return backend.routing ?? fail('a backend that declares routing has the part', 'no `routing`')
}

export function dagOf(backend: Backend): NonNullable<BlockTransport['getDag']> {
  const blocks = blocksOf(backend)
  if (blocks.getDag === undefined) fail('a backend that declares `dag` has getDag', 'no `getDag`')
  return (root, options) => (blocks.getDag as NonNullable<BlockTransport['getDag']>)(root, options)
}
