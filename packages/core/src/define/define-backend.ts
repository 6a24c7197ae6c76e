import { invalidArgument } from '../errors.ts'
import type { Backend } from '../port/backend.ts'
import type { Capabilities } from '../port/capabilities.ts'
import type { PeerInfo } from '../port/common.ts'
import type { BackendDefinition, OpenedBackend, SelfInfo } from '../port/definition.ts'
import { portKey, portVersion } from '../port/version.ts'
import { checkFunction, checkKeys, describe } from '../toolbox/options.ts'
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

/** A backend whose engine has a known type. */
export interface DefinedBackend<Engine> extends Backend {
  /** The engine while it runs. **Unstable**: its type may change with any release of the adapter. */
  readonly engine: Engine | undefined
}

/**
 * Makes a backend from an adapter's hooks, and adds what the port promises for every call: lifecycle, checked arguments,
 * refusals by capability, signals, typed errors, several subscriptions of one topic, and silence after the end. The backend
 * is not started. An adapter that offers more than the port adds it to the result with `Object.assign`; layers keep it.
 */
export function defineBackend<Engine = unknown>(definition: BackendDefinition<Engine>): DefinedBackend<Engine> {
  checkDefinition(definition as Readonly<Record<keyof BackendDefinition, unknown>>)
  const { name, network, capabilities: declared } = definition
  const calls = new Calls(definition)
  const networks = network === undefined ? undefined : [network].flat()
  const checks = new Checks(name, networks)
  let capabilitiesNow = (): Capabilities => declared
  let joins: Joins | undefined

  const tagged = (peer: SelfInfo): PeerInfo =>
    typeof network === 'string' ? { network, id: peer.id, addresses: peer.addresses } : (peer as PeerInfo)
  const selves = (engine: OpenedBackend): readonly PeerInfo[] => [engine.self()].flat().map(tagged)
  const lifecycle = new Lifecycle({
    name,
    open: (signal, report) => definition.open({ signal, report }),
    typed: (error, operation) => calls.typed(error, operation),
    opened: (engine) => {
      capabilitiesNow = () => engine.capabilities ?? declared
      assertPromised(name, capabilitiesNow(), engine)
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
    capabilities: () => capabilitiesNow(),
    joins: () => joins as Joins,
    selves,
    tagged
  }
  const ownership: Ownership = { taken: false }
  const running = (operation: string): OpenedBackend => calls.enter(operation)

  const backend: DefinedBackend<Engine> & { readonly [ownershipKey]: Ownership; readonly [portKey]: number } = {
    name,
    networks,
    get capabilities() {
      return capabilitiesNow()
    },
    start: (options) => lifecycle.start(options),
    stop: (options) => lifecycle.stop(options),
    self: () => selves(running('self')),
    messages: declared.messages && messagePart(context),
    blocks: declared.blocks && blockPart(context),
    routing: declared.routing && routingPart(context),
    get secrets() {
      return calls.engine?.secrets
    },
    get engine() {
      return calls.engine?.engine as Engine | undefined
    },
    [ownershipKey]: ownership,
    [portKey]: portVersion
  }
  return backend
}

/** A backend that lacks one of these would fail much later, with a less helpful error. */
function checkDefinition(definition: Readonly<Record<keyof BackendDefinition, unknown>>): void {
  const operation = 'defineBackend'
  const { name, network, capabilities, open, classify } = definition ?? {}
  const texts = network === undefined ? [name] : [name, ...[network].flat()]
  const wrong = texts.findIndex((text) => typeof text !== 'string' || text === '')
  if (wrong >= 0) {
    const key = wrong === 0 ? 'name' : 'network'
    throw invalidArgument(operation, `${operation}: ${key} must be non-empty text, not ${describe(texts[wrong])}`)
  }
  if (typeof capabilities !== 'object' || capabilities === null) {
    throw invalidArgument(
      operation,
      `${operation}: capabilities must be an object with messages, blocks or routing, not ${describe(capabilities)}`
    )
  }
  if (typeof open !== 'function') {
    throw invalidArgument(operation, `${operation}: open must be a function, not ${describe(open)}`)
  }
  checkFunction(operation, 'classify', classify)
  checkKeys(operation, definition, ['name', 'network', 'capabilities', 'open', 'classify'])
}
