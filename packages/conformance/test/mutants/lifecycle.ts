import { P2plError, throwIfAborted, type BackendEvent, type MessageTransport } from '@p2pl/core/backend'
import { fakeCapabilities, fakeRouting } from '../../src/fake/index.ts'
import { changed, declaring, inBlocks, inMessages, inNode, inRouting, messagesOf, type Mutant } from './mutant.ts'

const soon = async (): Promise<void> => await new Promise((resolve) => setTimeout(resolve, 2))
const engineError = (): P2plError =>
  new P2plError({ code: 'ENGINE', backend: 'fake', operation: 'start', message: 'the engine is running already' })

export const lifecycleMutants: readonly Mutant[] = [
  inBlocks('has answers before start', /before start every call/, (blocks, node) => ({
    has: async (cid, options) => (node.run === undefined ? false : await blocks.has(cid, options))
  })),
  inNode('self answers before start', /before start every call/, (node) => ({
    self: () => (node.run === undefined ? { id: node.store.id, addresses: [] } : node.self())
  })),
  inMessages('publish is swallowed after stop', /stop every call/, (messages, node) => ({
    publish: async (...args) => (node.run === undefined ? { recipients: 0 } : await messages.publish(...args))
  })),
  inNode('calls are answered while stop is under way', /after stop every call/, (node) => ({
    stop: async () => {
      await soon()
      await node.stop()
    }
  })),
  inNode('a second start fails', /start is idempotent/, (node) => ({
    start: async (options) => {
      if (node.run !== undefined) throw engineError()
      await node.start(options)
    }
  })),
  inNode('a second concurrent start resolves before the first', /start is idempotent/, (node) => {
    let starting = false
    return {
      start: async (options) => {
        if (starting) return
        starting = true
        await soon()
        starting = false
        await node.start(options)
      }
    }
  }),
  inNode('starts are counted: each needs its own stop', /start is idempotent/, (node) => {
    let starts = 0
    return {
      start: async (options) => {
        await node.start(options)
        starts++
      },
      stop: async () => {
        if (--starts <= 0) await node.stop()
      }
    }
  }),
  inNode('stop before start fails', /stop is idempotent/, (node) => ({
    stop: async () => {
      if (node.run === undefined) throw engineError()
      await node.stop()
    }
  })),
  inNode('it cannot be started again', /started again after stop/, (node) => {
    let stopped = false
    return {
      start: async (options) => {
        if (stopped) throw engineError()
        await node.start(options)
      },
      stop: async () => {
        stopped = node.run !== undefined
        await node.stop()
      }
    }
  }),
  inNode('content is lost by a restart', /started again after stop/, (node) => ({
    stop: async () => {
      await node.stop()
      node.store.blocks.clear()
    }
  })),
  inNode('the id changes with a restart', /started again after stop/, (node) => {
    let starts = 0
    return {
      start: async (options) => {
        if (node.run === undefined) starts++
        await node.start(options)
      },
      self: () => ({ ...node.self(), id: `${node.self().id}-${starts}` })
    }
  }),
  inNode('start takes no notice of its signal', /start whose signal has fired/, (node) => ({
    start: async (options) => await node.start({ onEvent: options?.onEvent })
  })),
  inNode('an aborted start leaves it running', /start whose signal has fired/, (node) => ({
    start: async (options) => {
      await node.start({ onEvent: options?.onEvent })
      throwIfAborted('start', options?.signal, 'fake')
    }
  })),
  inNode('a failed start leaves it running', /a failed start leaves/, (node) => ({
    start: async (options) => {
      try {
        await node.start(options)
      } catch (error) {
        if (node.network.obstructed.delete(node.store.id)) await node.start(options)
        throw error
      }
    }
  })),
  inNode('a failed start cannot be tried again', /a failed start leaves/, (node) => {
    let failed: unknown
    return {
      start: async (options) => {
        if (failed !== undefined) throw failed
        try {
          await node.start(options)
        } catch (error) {
          if (node.network.obstructed.has(node.store.id)) failed = error
          throw error
        }
      }
    }
  }),
  inBlocks('a get stays pending over stop', /stop leaves no call pending/, (blocks, node) => ({
    get: async (cid, options) => {
      if (node.run !== undefined && options?.signal === undefined && options?.local !== true)
        return await new Promise<never>(() => undefined)
      return await blocks.get(cid, options)
    }
  })),
  inNode('subscribers survive a restart', /subscriptions end with stop/, (node) => {
    const all: Parameters<MessageTransport['subscribe']>[] = []
    return {
      start: async (options) => {
        const restarted = node.run === undefined
        await node.start(options)
        if (restarted) for (const args of all) await messagesOf(node).subscribe(...args)
      },
      messages: changed(messagesOf(node), {
        subscribe: async (...args) => {
          const subscription = await messagesOf(node).subscribe(...args)
          all.push(args)
          return subscription
        }
      })
    }
  }),
  inNode('events come after stop', /events are well-formed/, (node) => {
    let report: ((event: BackendEvent) => void) | undefined
    return {
      start: async (options) => {
        report = options?.onEvent
        await node.start(options)
      },
      stop: async () => {
        await node.stop()
        setTimeout(() => report?.({ type: 'warning', backend: 'fake', message: 'still here' }), 0)
      }
    }
  }),
  inNode('events name another backend', /events are well-formed/, (node) => ({
    start: async (options) =>
      await node.start({ ...options, onEvent: (event) => options?.onEvent?.({ ...event, backend: 'engine' }) })
  })),
  inNode('events have types of the engine', /events are well-formed/, (node) => ({
    start: async (options) =>
      await node.start({
        ...options,
        onEvent: (event) => options?.onEvent?.({ ...event, type: 'peer:identify' } as unknown as BackendEvent)
      })
  })),
  inNode('it has more addresses than anybody takes', /self\(\) gives an id/, (node) => ({
    self: () => ({ ...node.self(), addresses: Array.from({ length: 17 }, (_value, i) => `fake:${i}`) })
  })),
  inNode('all peers have one id', /self\(\) gives an id/, (node) => ({
    self: () => ({ ...node.self(), id: 'me' })
  })),
  inNode('a restarted peer is deaf', /restarted peer takes part again/, (node) => {
    let starts = 0
    return {
      start: async (options) => {
        if (node.run === undefined) starts++
        await node.start(options)
      },
      messages: changed(messagesOf(node), {
        subscribe: async (topic, subscriber, options) =>
          await messagesOf(node).subscribe(
            topic,
            starts < 2 ? subscriber : { message: () => undefined, gap: () => undefined },
            options
          )
      })
    }
  })
]

export const refusalMutants: readonly Mutant[] = [
  inNode('a part is there that is not declared', /each part is there exactly/, (node) => ({
    capabilities: { ...node.capabilities, routing: undefined }
  })),
  inNode('a part that is declared is missing', /each part is there exactly/, () => ({ messages: undefined })),
  {
    name: 'getDag is there though it is not declared',
    caughtBy: /each part is there exactly/,
    ...declaring('blocks', { dag: 'none' }),
    mutate: (node) => {
      Object.assign(node.blocks as object, { getDag: () => [] })
      return node
    }
  },
  inNode('a capability has a value of its own', /capabilities have the values/, (node) => ({
    capabilities: { ...node.capabilities, routing: { ...fakeRouting, findPeer: 'partial' as 'native' } }
  })),
  inNode('sha2-256 is not declared', /capabilities have the values/, (node) => ({
    capabilities: { ...node.capabilities, blocks: { ...fakeCapabilities.blocks!, hashes: [0x13] } }
  })),
  {
    name: 'what is declared changes with start',
    caughtBy: /constant from construction on/,
    mutate: (node) =>
      new Proxy(node, {
        get: (target, name) => {
          if (name === 'capabilities' && target.run !== undefined) return { ...target.capabilities, runtimes: ['node'] }
          const value: unknown = Reflect.get(target, name, target)
          return typeof value === 'function' ? (value.bind(target) as unknown) : value
        }
      })
  },
  {
    name: 'the backends declare less than the fixture says',
    caughtBy: /constant from construction on/,
    claimed: fakeCapabilities,
    ...declaring('messages', { sender: 'claimed' }),
    mutate: (node) => node
  },
  inMessages(
    'peers answers though it is not declared',
    /messages.peers is refused/,
    () => ({ peers: async () => [] }),
    declaring('messages', { peers: 'none' })
  ),
  inMessages(
    'a validator is silently ignored',
    /a validator is refused/,
    (messages) => ({
      subscribe: async (topic, subscriber, options) =>
        await messages.subscribe(
          topic,
          { message: (message) => subscriber.message(message), gap: (gap) => subscriber.gap(gap) },
          options
        )
    }),
    declaring('messages', { validation: 'none' })
  ),
  inBlocks(
    'pin is silently ignored',
    /blocks.pin is refused/,
    () => ({ pin: async () => undefined }),
    declaring('blocks', { pins: 'none' })
  ),
  inBlocks(
    'pins is empty though it is not declared',
    /blocks.pins is refused/,
    () => ({
      pins: async function* () {}
    }),
    declaring('blocks', { pins: 'none' })
  ),
  inBlocks(
    'gc does nothing though it is not declared',
    /blocks.gc is refused/,
    () => ({
      gc: async function* () {}
    }),
    declaring('blocks', { gc: 'none' })
  ),
  inRouting(
    'provide is silently ignored',
    /routing.provide is refused/,
    () => ({ provide: async () => undefined }),
    declaring('routing', { provide: 'none' })
  ),
  inRouting(
    'findProviders is empty though it is not declared',
    /routing.findProviders is refused/,
    () => ({
      findProviders: async function* () {}
    }),
    declaring('routing', { findProviders: 'none' })
  ),
  inRouting(
    'findPeer rejects with NOT_FOUND though it is not declared',
    /routing.findPeer is refused/,
    (_routing, node) => ({
      findPeer: async () => {
        throw node.error('NOT_FOUND', 'routing.findPeer', 'not here')
      }
    }),
    declaring('routing', { findPeer: 'none' })
  ),
  inRouting(
    'connections is empty though connect is not declared',
    /routing.connections is refused/,
    () => ({ connections: async () => [] }),
    declaring('routing', { connect: 'none' })
  )
]

export const endMutants: readonly Mutant[] = [
  inNode('stop never ends while a subscription is open', /stop|end/, (node) => {
    let open = 0
    return {
      messages: {
        publish: async (...args) => await messagesOf(node).publish(...args),
        peers: async (...args) => await messagesOf(node).peers(...args),
        subscribe: async (...args) => {
          const subscription = await messagesOf(node).subscribe(...args)
          open++
          return {
            close: async () => {
              open--
              await subscription.close()
            }
          }
        }
      },
      stop: async () => {
        if (open > 0) await new Promise<never>(() => undefined)
        await node.stop()
      }
    }
  })
]
