import type { Backend } from '../port/backend.ts'
import type { Capabilities } from '../port/capabilities.ts'
import type { PeerInfo } from '../port/common.ts'
import type { BackendDefinition, OpenedBackend } from '../port/definition.ts'
import { blockPart } from './block-part.ts'
import { Calls } from './calls.ts'
import { Checks } from './checks.ts'
import { Joins } from './joins.ts'
import { Lifecycle } from './lifecycle.ts'
import { type Ownership, ownershipKey } from './ownership.ts'
import { messagePart } from './message-part.ts'
import type { PartContext } from './part-context.ts'
import { routingPart } from './routing-part.ts'
import { assertPromised } from './promised.ts'

/** A backend whose engine is of a known type. */
export interface DefinedBackend<Engine> extends Backend {
  /** The engine while it runs. **Unstable**: its type may change with any release of the adapter. */
  readonly engine: Engine | undefined
}

/**
 * Makes a backend of an adapter's hooks, and keeps for it what the port promises of every call: lifecycle, checked arguments,
 * refusals by capability, signals, typed errors, several subscriptions of one topic, and silence after the end.
 * The backend is not started. An adapter with more than the port adds it to the result with `Object.assign`; layers keep it.
 */
export function defineBackend<Engine = unknown>(definition: BackendDefinition<Engine>): DefinedBackend<Engine> {
  const { name, network, capabilities: declared } = definition
  const calls = new Calls(definition)
  const checks = new Checks(name, network)
  let refined: Capabilities = declared
  let joins: Joins | undefined

  const tagged = ({ id, addresses }: { readonly id: string; readonly addresses: readonly string[] }): PeerInfo => ({
    network,
    id,
    addresses
  })
  const lifecycle = new Lifecycle({
    name,
    open: (signal, report) => definition.open({ signal, report }),
    typed: (error, operation) => calls.typed(error, operation),
    opened: (engine) => {
      refined = engine.capabilities ?? declared
      assertPromised(name, refined, engine)
      joins = new Joins(async (topic, subscriber, options) => {
        const { messages } = engine
        if (messages === undefined) throw checks.unsupported('messages.subscribe', 'has no messages')
        return await messages.join(topic, subscriber, options)
      })
      calls.open(engine)
    },
    closing: () => {
      joins?.stop()
      calls.close()
    }
  })
  const context: PartContext = {
    calls,
    checks,
    capabilities: () => refined,
    joins: () => joins as Joins,
    tagged
  }
  const ownership: Ownership = { taken: false }
  const running = (operation: string): OpenedBackend => calls.enter(operation)

  const backend: DefinedBackend<Engine> & { readonly [ownershipKey]: Ownership } = {
    name,
    get capabilities() {
      return refined
    },
    start: (options) => lifecycle.start(options),
    stop: (options) => lifecycle.stop(options),
    self: () => [tagged(running('self').self())],
    messages: declared.messages && messagePart(context),
    blocks: declared.blocks && blockPart(context),
    routing: declared.routing && routingPart(context),
    get secrets() {
      return calls.engine?.secrets
    },
    get engine() {
      return calls.engine?.engine as Engine | undefined
    },
    [ownershipKey]: ownership
  }
  return backend
}
