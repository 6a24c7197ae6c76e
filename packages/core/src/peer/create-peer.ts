import type { CID } from 'multiformats/cid'
import type { Timeouts } from '../api/common.ts'
import type { Environment, Limits, Peer, PeerOptions } from '../api/peer.ts'
import type { Topic, TopicOptions } from '../api/topic.ts'
import { type Clock, systemClock } from '../clock.ts'
import { createBlocks } from '../data/blocks.ts'
import { createData } from '../data/data.ts'
import { takeBackends } from '../define/ownership.ts'
import { P2plError, unsupported } from '../errors.ts'
import { typed } from '../foreign-error.ts'
import { ed25519, type Identity } from '../identity.ts'
import type { Backend } from '../port/backend.ts'
import type { BackendEvent } from '../port/events.ts'
import { checkIdentity } from '../toolbox/actors.ts'
import { withTimeout } from '../toolbox/countdown.ts'
import { Listeners } from '../toolbox/listeners.ts'
import { checkClock, checkFunction, checkKeys, checkMethods, checkWord } from '../toolbox/options.ts'
import type { TopicContext } from '../topic/context.ts'
import { Pacer } from '../topic/pacer.ts'
import { Topics } from '../topic/topics.ts'
import { openReceipts, type Receipts } from '../receipts/receipts.ts'
import { receiptSettings } from '../receipts/settings.ts'
import { assertDurability, chooseBackend } from './choose-backend.ts'
import { createClaimStore } from './claims.ts'
import { defaultLimits, defaultTimeouts, withDefaults } from './defaults.ts'
import { Keeper } from './keeper.ts'
import { createNetwork } from './network.ts'
import { assertRuntime } from './runtime.ts'
import { storedIdentity } from './stored-identity.ts'

const optionKeys = [
  'backend',
  'messages',
  'data',
  'identity',
  'timeouts',
  'limits',
  'trust',
  'durability',
  'receipts',
  'onEvent',
  'signal',
  'environment'
]

/**
 * Starts the backend or backends and returns the peer on top of them. Throws `INVALID_ARGUMENT` for wrong options,
 * `UNSUPPORTED` when the backend is less durable than `durability` requires, `MISSING_DEPENDENCY` on a runtime that is too
 * old, and the error of a backend that cannot start. After an error nothing is left running.
 */
export async function createPeer(options: PeerOptions): Promise<Peer> {
  assertRuntime()
  checkOptions(options)
  const chosen = chooseBackend(options)
  const { backend } = chosen
  assertDurability(chosen, options.durability)
  const timeouts: Timeouts = withDefaults('timeouts', defaultTimeouts, options.timeouts)
  const limits: Limits = withDefaults('limits', defaultLimits, options.limits)
  const environment = environmentOf(options.environment)
  const settings = receiptSettings(options.receipts)
  const { clock } = environment
  const events = new Listeners<BackendEvent>()
  if (options.onEvent !== undefined) events.add('createPeer', options.onEvent)
  const giveBack = takeBackends(chosen.parts)
  const connected = new Set<string>()
  let identity: Identity
  // Parts of the peer listen, too. They are made once the backend runs.
  let listen = (_event: BackendEvent): void => {}
  try {
    identity = await withTimeout(clock, { signal: options.signal }, timeouts.lifecycle, 'start', async (signal) => {
      const onEvent = (event: BackendEvent): void => {
        if (event.type === 'peer:connect') connected.add(event.id)
        if (event.type === 'peer:disconnect') connected.delete(event.id)
        listen(event)
        events.emit(event)
      }
      await typed('start', backend.name, () => backend.start({ signal, onEvent }))
      return options.identity ?? (await typed('createPeer', backend.name, () => storedIdentity(backend)))
    })
  } catch (error) {
    await stopBackend(backend, clock, timeouts).catch(() => undefined)
    giveBack()
    throw error
  }

  let running = true
  const life = new AbortController()
  const assertRunning = (operation: string): void => {
    if (!running) throw stopped(operation)
  }
  const trust = options.trust ?? 'verify'
  const dataContext = {
    backend,
    trust,
    timeouts,
    clock,
    onStore: (cid: CID) => {
      claims?.own(cid)
      receipts?.stored(cid)
    },
    receipts: () => receipts,
    connected: () => ((backend.capabilities.routing?.connect ?? 'none') === 'none' ? undefined : connected.size > 0),
    onEvent: events.emit,
    assertRunning
  }
  const blocks = createBlocks(dataContext)
  const data = createData(dataContext)
  const keeper = new Keeper({
    backend,
    clock,
    random: environment.random,
    timeout: timeouts.routing,
    onEvent: events.emit
  })
  listen = (event) => {
    keeper.onEvent(event)
    if (event.type === 'peer:connect') data.peerConnected()
  }
  keeper.keepBootstrap(backend.routing?.bootstrap ?? [])
  const network = createNetwork({ backend, clock, timeouts, keeper, assertRunning, life: life.signal })
  const { blocks: blockCapabilities } = backend.capabilities
  const claims =
    blockCapabilities === undefined
      ? undefined
      : createClaimStore({
          data,
          blocks,
          environment,
          keepsFetched: blockCapabilities.keepsFetched,
          maxFetchedBytes: limits.maxFetchedBytes
        })
  const pacer = new Pacer(clock, () => backend.capabilities.messages?.pacing ?? 0)
  const topics = new Topics((): TopicContext => {
    const { messages } = backend
    const { messages: capabilities } = backend.capabilities
    if (messages === undefined || capabilities === undefined) {
      throw unsupported(backend.name, 'messages', 'give createPeer a backend for "messages" beside the one for "data"')
    }
    return {
      backendName: backend.name,
      transport: messages,
      capabilities: () => backend.capabilities.messages ?? capabilities,
      self: () => backend.self(),
      claims,
      pacer,
      identity,
      environment,
      limits,
      timeouts,
      onEvent: events.emit,
      assertRunning
    }
  })

  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => {
    running = false
    stopping ??= (async () => {
      try {
        receipts?.stop()
        await topics.stop(stopped('publish'))
        keeper.stop()
        await data.stop()
        blocks.stop()
        life.abort(stopped('network'))
        await stopBackend(backend, clock, timeouts)
      } finally {
        giveBack()
      }
    })()
    return stopping
  }

  let receipts: Receipts | undefined
  try {
    receipts = await openReceipts({
      settings,
      identity,
      environment,
      data: dataContext,
      topic: (name) => topics.handle(name) as Topic
    })
  } catch (error) {
    await stop().catch(() => undefined)
    throw error
  }

  return {
    id: identity.id,
    identity,
    environment,
    get capabilities() {
      return backend.capabilities
    },
    topic: <T>(name: string, topicOptions?: TopicOptions<T>): never => {
      assertRunning('topic')
      return topics.handle(name, topicOptions) as Topic<T> as never
    },
    data,
    blocks,
    network,
    onEvent: (listener) => events.add('onEvent', listener),
    stop,
    [Symbol.asyncDispose]: stop
  }
}

function environmentOf(given: Partial<Environment> | undefined): Environment {
  checkKeys('createPeer: environment', given, ['clock', 'random', 'cryptography'])
  checkFunction('createPeer: environment', 'random', given?.random)
  checkClock('createPeer: environment', given?.clock)
  checkMethods('createPeer: environment', 'cryptography', given?.cryptography, ['verify'])
  return {
    clock: given?.clock ?? systemClock,
    random: given?.random ?? Math.random,
    cryptography: given?.cryptography ?? ed25519
  }
}

async function stopBackend(backend: Backend, clock: Clock, timeouts: Timeouts): Promise<void> {
  await withTimeout(clock, {}, timeouts.lifecycle, 'stop', async (signal) => {
    await typed('stop', backend.name, () => backend.stop({ signal }))
  })
}

function stopped(operation: string): P2plError {
  return new P2plError({ code: 'NOT_RUNNING', operation, message: `${operation}: the peer was stopped` })
}

function checkOptions(options: PeerOptions): void {
  checkKeys('createPeer', options ?? {}, optionKeys)
  const { trust, durability, onEvent, identity } = options ?? {}
  checkWord('createPeer', 'trust', trust, ['verify', 'backend'], 'verify')
  checkWord('createPeer', 'durability', durability, ['process', 'power'], 'process')
  checkFunction('createPeer', 'onEvent', onEvent)
  checkIdentity('createPeer', identity)
}
