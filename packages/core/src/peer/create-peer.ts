import type { Deadlines } from '../api/common.ts'
import type { Limits, Peer, PeerOptions } from '../api/peer.ts'
import type { Topic, TopicOptions } from '../api/topic.ts'
import { type Clock, systemClock } from '../clock.ts'
import { createBlocks } from '../data/blocks.ts'
import { createData } from '../data/data.ts'
import { withDeadline } from '../deadline.ts'
import { invalidArgument, P2plError, unsupported } from '../errors.ts'
import { typed } from '../foreign-error.ts'
import { createIdentity, ed25519 } from '../identity.ts'
import type { Backend } from '../port/backend.ts'
import type { BackendEvent } from '../port/events.ts'
import type { BaseTopic } from '../topic/base-topic.ts'
import type { TopicContext } from '../topic/context.ts'
import { RawTopic } from '../topic/raw-topic.ts'
import { SignedTopic } from '../topic/signed-topic.ts'
import { type Backends, chooseBackends } from './backends.ts'
import { createClaimStore } from './claims.ts'
import { defaultDeadlines, defaultLimits, withDefaults } from './defaults.ts'
import { createNetwork } from './network.ts'

const maxTopicBytes = 1_024

/**
 * Starts the backend(s) and gives the peer on top of them. Rejects with `INVALID_ARGUMENT` for wrong options, and with
 * what the backend says when it cannot start; then nothing is left running.
 */
export async function createPeer(options: PeerOptions): Promise<Peer> {
  const backends = chooseBackends(options)
  checkOptions(options)
  const deadlines: Deadlines = withDefaults('deadlines', defaultDeadlines, options.deadlines)
  const limits: Limits = withDefaults('limits', defaultLimits, options.limits)
  const clock = options.clock ?? systemClock
  const identity = options.identity ?? (await createIdentity())
  const cryptography = options.cryptography ?? ed25519
  let onConnect = (): void => {}
  const tell = guarded(options.onEvent)
  const onEvent = (event: BackendEvent): void => {
    if (event.type === 'peer:connect' && event.backend === backends.data.name) onConnect()
    tell(event)
  }
  let running = true
  const life = new AbortController()
  const assertRunning = (operation: string): void => {
    if (!running) throw stopped(operation)
  }

  await startAll(backends, clock, deadlines, options.signal, onEvent)

  const dataContext = {
    backend: backends.data,
    trust: options.trust ?? 'verify',
    deadlines,
    clock,
    onEvent,
    assertRunning
  }
  const blocks = createBlocks(dataContext)
  const data = createData(dataContext)
  onConnect = () => data.peerConnected()
  const network = createNetwork({ backends, clock, deadlines, assertRunning, life: life.signal })
  const topics = new Map<string, BaseTopic>()

  const topicContext = (): TopicContext => {
    const { messages } = backends
    if (messages.messages === undefined || messages.capabilities.messages === undefined) {
      throw unsupported(messages.name, 'messages', 'give createPeer a backend for "messages" beside the one for "data"')
    }
    return {
      backendName: messages.name,
      transport: messages.messages,
      capabilities: messages.capabilities.messages,
      selfId: () => messages.self().id,
      claims: backends.data.blocks === undefined ? undefined : createClaimStore(data, network),
      identity,
      cryptography,
      clock,
      random: options.random ?? Math.random,
      limits,
      deadlines,
      onEvent,
      assertRunning
    }
  }

  const topic = (name: string, { mode = 'signed' }: TopicOptions = {}): Topic => {
    assertRunning('topic')
    checkTopic(name, mode)
    const key = `${mode}/${name}`
    const known = topics.get(key)
    if (known !== undefined) return known
    const created = mode === 'raw' ? new RawTopic(name, topicContext()) : new SignedTopic(name, topicContext())
    topics.set(key, created)
    return created
  }

  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => {
    running = false
    stopping ??= (async () => {
      await Promise.allSettled(
        [...topics.values()].map(async (each) => {
          await each.stop(stopped('publish'))
        })
      )
      await data.stop()
      blocks.stop()
      life.abort(stopped('network'))
      await stopAll(backends.all, clock, deadlines)
    })()
    return stopping
  }

  return {
    id: identity.id,
    identity,
    cryptography,
    clock,
    capabilities: backends.capabilities,
    topic,
    data,
    blocks,
    network,
    stop,
    [Symbol.asyncDispose]: stop
  }
}

async function startAll(
  backends: Backends,
  clock: Clock,
  deadlines: Deadlines,
  signal: AbortSignal | undefined,
  onEvent: (event: BackendEvent) => void
): Promise<void> {
  const start = async (backend: Backend): Promise<void> => {
    await withDeadline(clock, { signal }, deadlines.lifecycle, 'start', async (inner) => {
      await typed('start', backend.name, () => backend.start({ signal: inner, onEvent }))
    })
  }
  const results = await Promise.allSettled(backends.all.map(start))
  const failure = results.find((result) => result.status === 'rejected')
  if (failure === undefined) return
  await stopAll(backends.all, clock, deadlines).catch(() => undefined)
  throw failure.reason
}

async function stopAll(all: readonly Backend[], clock: Clock, deadlines: Deadlines): Promise<void> {
  const results = await Promise.allSettled(
    all.map(async (backend) => {
      await withDeadline(clock, {}, deadlines.lifecycle, 'stop', async (signal) => {
        await typed('stop', backend.name, () => backend.stop({ signal }))
      })
    })
  )
  const failure = results.find((result) => result.status === 'rejected')
  if (failure !== undefined) throw failure.reason
}

/** What an app's listener throws must not reach a backend. */
function guarded(onEvent: ((event: BackendEvent) => void) | undefined): (event: BackendEvent) => void {
  return (event) => {
    try {
      onEvent?.(event)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}

function stopped(operation: string): P2plError {
  return new P2plError({ code: 'NOT_RUNNING', operation, message: `${operation}: the peer was stopped` })
}

function checkOptions({ trust, onEvent, identity }: PeerOptions): void {
  if (trust !== undefined && trust !== 'verify' && trust !== 'backend') {
    throw invalidArgument('createPeer', `trust must be "verify" or "backend", not ${JSON.stringify(trust)}`)
  }
  if (onEvent !== undefined && typeof onEvent !== 'function') {
    throw invalidArgument('createPeer', `onEvent must be a function, not ${typeof onEvent}`)
  }
  if (identity !== undefined && (typeof identity?.id !== 'string' || typeof identity.sign !== 'function')) {
    throw invalidArgument('createPeer', 'identity must be what createIdentity or identityFromSeed gives, awaited')
  }
}

function checkTopic(name: string, mode: string): void {
  if (typeof name !== 'string' || name.length === 0 || new TextEncoder().encode(name).length > maxTopicBytes) {
    throw invalidArgument('topic', `a topic name is text of 1 to ${maxTopicBytes} bytes of UTF-8`)
  }
  if (mode !== 'signed' && mode !== 'raw') {
    throw invalidArgument('topic', `mode must be "signed" or "raw", not ${JSON.stringify(mode)}`)
  }
}
