import { P2plError } from '../errors.ts'
import type { Capabilities, Support } from '../port/capabilities.ts'
import type { OpenedBackend } from '../port/definition.ts'

type Hooks = Record<string, unknown> | undefined

/**
 * Throws `ENGINE` unless an engine has exactly the hooks that its backend has declared. So a broken adapter fails at start,
 * and the error names the hook.
 */
export function assertPromised(backend: string, capabilities: Capabilities, engine: OpenedBackend): void {
  const { messages, blocks, routing } = capabilities
  const fail = (message: string): never => {
    throw new P2plError({ code: 'ENGINE', backend, operation: 'start', message: `the adapter "${backend}" ${message}` })
  }
  const need = (part: string, hooks: Hooks, declared: object | undefined, names: readonly string[]): void => {
    if ((declared === undefined) !== (hooks === undefined)) {
      fail(declared === undefined ? `opens ${part}, which it does not declare` : `declares ${part} and opens none`)
    }
    for (const name of names) {
      if (typeof hooks?.[name] !== 'function') fail(`declares ${part}.${name} and opens none`)
    }
  }
  const has = (support: Support | undefined, ...names: readonly string[]): readonly string[] =>
    support === undefined || support === 'none' ? [] : names
  const { messages: m, blocks: b, routing: r } = engine as unknown as Record<string, Hooks>
  need('messages', m, messages, (messages && ['publish', 'join', ...has(messages.peers, 'peers')]) || [])
  need(
    'blocks',
    b,
    blocks,
    (blocks && [
      'get',
      'putMany',
      'has',
      'delete',
      ...has(blocks.pins, 'pin', 'unpin', 'pins'),
      ...has(blocks.gc, 'gc')
    ]) ||
      []
  )
  need(
    'routing',
    r,
    routing,
    (routing && [
      ...has(routing.connect, 'connect', 'disconnect', 'connections'),
      ...has(routing.provide, 'provide'),
      ...has(routing.unprovide, 'unprovide'),
      ...has(routing.findProviders, 'findProviders'),
      ...has(routing.findPeer, 'findPeer')
    ]) ||
      []
  )
}
