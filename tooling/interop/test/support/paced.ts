import type { Backend } from '@p2pl/core/backend'

/** Daemons drop what comes closer: a sender of another engine has to keep the distance that they need, too. */
export function paced(backend: Backend, pacing: number): Backend {
  const { messages } = backend.capabilities
  if (messages === undefined) throw new Error('no messages')
  return {
    name: backend.name,
    capabilities: { ...backend.capabilities, messages: { ...messages, pacing } },
    messages: backend.messages,
    blocks: backend.blocks,
    routing: backend.routing,
    self: () => backend.self(),
    start: async (options) => await backend.start(options),
    stop: async (options) => await backend.stop(options)
  }
}
